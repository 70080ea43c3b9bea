"""A house in which one operation after the other is asked for by a drawing, and done by the worker."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import quoteattr

from tests.story import Story
from workflows.library.packages import read_files
from workflows.store.tables import incidents, jobs

DRAWING = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
    xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="defs" targetNamespace="t">
  <bpmn:process id="asking" name="登记" isExecutable="true">
    <bpmn:extensionElements><zeebe:properties>
      <zeebe:property name="name:en" value="Asking" />
      <zeebe:property name="started_by" value="applicant, provincial_officer" />
    </zeebe:properties></bpmn:extensionElements>
    <bpmn:startEvent id="start" />
    <bpmn:sequenceFlow id="begun" sourceRef="start" targetRef="ask" />
    <bpmn:serviceTask id="ask" name="登记事项">
      <bpmn:extensionElements>
        <zeebe:taskDefinition type={type} retries="1" />
        <zeebe:ioMapping>{inputs}</zeebe:ioMapping>
        <zeebe:taskHeaders><zeebe:header key="result" value="answer" /></zeebe:taskHeaders>
      </bpmn:extensionElements>
    </bpmn:serviceTask>
    <bpmn:sequenceFlow id="asked" sourceRef="ask" targetRef="wait" />
    <bpmn:intermediateCatchEvent id="wait">
      <bpmn:extensionElements><zeebe:properties>
        <zeebe:property name="sent_by" value="provincial_officer" />
      </zeebe:properties></bpmn:extensionElements>
      <bpmn:messageEventDefinition messageRef="go" />
    </bpmn:intermediateCatchEvent>
    <bpmn:sequenceFlow id="waited" sourceRef="wait" targetRef="over" />
    <bpmn:endEvent id="over" />
  </bpmn:process>
  <bpmn:message id="go" name="go" />
</bpmn:definitions>"""


class Register(Story):
    """A story whose cases each ask the register for one thing, and wait for a word to end."""

    def __init__(self, story: Story) -> None:
        super().__init__(story.database, story.clock)

    def ask(self, type_: str, *, unit: str = "u01", by: str = "app01", **inputs: Any) -> dict[str, Any]:
        """The answer of an operation that a new case of a unit asked for, as values; its unit is `unit`."""
        self.deploy_drawing(type_, {"unit": unit} | inputs)
        self.start("asking", by=by, values={})
        self.work()
        (job,) = self.rows(jobs, jobs.c.type == type_)
        assert job["state"] == "succeeded", self.refusal()
        return self.answer()

    def refused(self, type_: str, **inputs: Any) -> str:
        """Why an operation was refused."""
        try:
            self.ask(type_, **inputs)
        except AssertionError:
            return self.refusal()
        raise AssertionError(f"{type_} was not refused")

    def refusal(self) -> str:
        """The code and the words of the incident that the last case stands in."""
        (row,) = self.rows(incidents, incidents.c.resolved_at.is_(None))
        return f"{row['code']} {row['message']}"

    def answer(self) -> dict[str, Any]:
        found = self.case().variables["answer"]
        assert isinstance(found, dict)
        return found

    def let_go(self) -> None:
        """The last case comes to its end."""
        self.message("go", "prov.officer")

    def deploy_drawing(self, type_: str, inputs: Mapping[str, Any]) -> None:
        mapped = "".join(
            f"<zeebe:input source={quoteattr('=' + feel(value))} target={quoteattr(name)} />"
            for name, value in inputs.items()
        )
        drawing = DRAWING.format(type=quoteattr(type_), inputs=mapped)
        with self.database.begin() as connection:
            package = read_files({"process.bpmn": drawing.encode()})
            self.catalog.deploy(connection, package, by="owner", at=self.clock())

    @contextmanager
    def reading(self) -> Any:
        with self.database.connect().execution_options(reading=True) as connection:
            yield connection


def feel(value: Any) -> str:
    """A value as an expression writes it."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case date():
            return f'date("{value.isoformat()}")'
        case int() | float() | Decimal():
            return str(value)
        case list():
            return "[" + ", ".join(map(feel, value)) + "]"
        case dict():
            return "{" + ", ".join(f'"{key}": {feel(item)}' for key, item in value.items()) + "}"
    return '"' + str(value).replace('"', '\\"') + '"'
