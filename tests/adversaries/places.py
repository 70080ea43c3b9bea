"""Every place of this house where a text that somebody wrote is evaluated, one deployable drawing each.

Job headers, form defaults, labels, documentation and ids are not here: they are data and stay data.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from tests.adversaries.row import KEY, Attack, drawn
from tests.engine.drawing import (
    FORMAL,
    Drawing,
    condition,
    extension,
    for_each,
    inputs,
    message,
    outputs,
    process,
    timer,
)
from tests.engine.drawn_decisions import model, needs, table

Place = Callable[[str], Attack]


def feel(text: str) -> str:
    return f"={text}"


def of_flow(text: str) -> Attack:
    """The condition of a sequence flow."""
    drawing = _begin().gateway("exclusive", "fork", default="fork__no").end("no")
    return drawn(drawing.at("fork", text).end("yes"))


def of_activation(text: str) -> Attack:
    """The activation condition of a complex gateway."""
    drawing = _begin().gateway("parallel", "split").script("a", "1", "a").at("split").script("b", "2", "b")
    body = f"<bpmn:activationCondition {FORMAL}>{escape(text)}</bpmn:activationCondition>"
    return drawn(drawing.add("complexGateway", "join", body).end().at("a").to("join"))


def of_conditional(text: str) -> Attack:
    """The condition of a conditional event."""
    return drawn(_begin().catch("wait", condition(text)).end())


def of_script(text: str) -> Attack:
    return drawn(_begin().script("s", feel(text), "x").end())


def of_duration(text: str) -> Attack:
    return drawn(_begin().catch("wait", timer(feel(text))).end())


def of_date(text: str) -> Attack:
    return drawn(_begin().catch("wait", timer(feel(text), "Date")).end())


def of_cycle(text: str) -> Attack:
    drawing = _begin().user("t").end().boundary("b", "t", timer(feel(text), "Cycle"), interrupting=False)
    return drawn(drawing.at("b").end("late"))


def of_cardinality(text: str) -> Attack:
    body = f"<bpmn:loopCardinality {FORMAL}>{escape(text)}</bpmn:loopCardinality>"
    return drawn(_begin().script("s", "=1", "x", _instances(body)).end())


def of_collection(text: str) -> Attack:
    return drawn(_begin().script("s", "=1", "x", for_each(feel(text), "item")).end())


def of_element(text: str) -> Attack:
    """The output element of several instances."""
    loop = for_each("=[1, 2]", "item", results="x", result=feel(text))
    return drawn(_begin().script("s", "=1", "y", loop).end())


def of_completion(text: str) -> Attack:
    return drawn(_begin().script("s", "=1", "y", for_each("=[1, 2]", "item", done=text)).end())


def of_loop(text: str) -> Attack:
    """The condition of a standard loop."""
    body = f"<bpmn:loopCondition {FORMAL}>{escape(text)}</bpmn:loopCondition>"
    loop = f'<bpmn:standardLoopCharacteristics loopMaximum="3">{body}</bpmn:standardLoopCharacteristics>'
    return drawn(_begin().script("s", "=1", "y", loop).end())


def of_key(text: str) -> Attack:
    """The correlation key of a message."""
    key = extension(f"<zeebe:subscription correlationKey={quoteattr(feel(text))}/>")
    drawing = _begin().define(f'<bpmn:message id="m" name="answer">{key}</bpmn:message>')
    return drawn(drawing.catch("wait", message("m")).end())


def of_person(attribute: str) -> Place:
    """One of the expressions that say whose a task is."""

    def place(text: str) -> Attack:
        written = f"<zeebe:userTask/><zeebe:assignmentDefinition {attribute}={quoteattr(feel(text))}/>"
        return drawn(_begin().add("userTask", "t", extension(written)).end())

    return place


def of_priority(text: str) -> Attack:
    written = f"<zeebe:userTask/><zeebe:priorityDefinition priority={quoteattr(feel(text))}/>"
    return drawn(_begin().add("userTask", "t", extension(written)).end())


def of_deadline(text: str) -> Attack:
    return drawn(_begin().user("t", extra=f"<tidu:deadline workingDays={quoteattr(feel(text))}/>").end())


def of_input(text: str) -> Attack:
    """An input mapping, what elsewhere is called a pre-script."""
    return drawn(_begin().job("j", "adversary", inputs(y=feel(text))).end())


def of_output(text: str) -> Attack:
    """An output mapping, what elsewhere is called a post-script."""
    drawing = _begin().add("userTask", "t", extension("<zeebe:userTask/>" + outputs(x=feel(text)))).end()
    return drawn(drawing, steps=(("complete", "t", {}),))


def of_job(text: str) -> Attack:
    return drawn(_begin().job("j", feel(text)).end())


def of_retries(text: str) -> Attack:
    written = f'<zeebe:taskDefinition type="adversary" retries={quoteattr(feel(text))}/>'
    return drawn(_begin().add("serviceTask", "j", extension(written)).end())


def of_cell(text: str) -> Attack:
    """An input cell of a decision table."""
    return _decided(table([[text, '"high"'], ["-", '"low"']], policy="FIRST"))


def of_result(text: str) -> Attack:
    """An output cell of a decision table."""
    return _decided(table([["-", text]]))


def of_input_expression(text: str) -> Attack:
    return _decided(table([["1", '"high"'], ["-", '"low"']], policy="FIRST", inputs=(text,)))


def of_default(text: str) -> Attack:
    """The default output of a decision table."""
    return _decided(table([["= 999", '"high"']], default=escape(text)))


def of_literal(text: str) -> Attack:
    """The literal expression of a decision."""
    body = f"<literalExpression><text>{escape(text)}</text></literalExpression>"
    return _decided(
        f'<inputData id="s" name="score"/><decision id="d" name="d">{needs("s")}{body}</decision>'
    )


def of_computed(text: str) -> Attack:
    """A computed value of a form."""
    return _filled({"type": "expression", "key": "x", "expression": feel(text)})


def of_hidden(text: str) -> Attack:
    """The condition that hides a field."""
    return _filled({"type": "textfield", "key": "x", "conditional": {"hide": feel(text)}})


def of_bound(text: str) -> Attack:
    """The least value of a number."""
    return _filled({"type": "number", "key": "x", "validate": {"min": feel(text)}}, x=5)


def of_options(text: str) -> Attack:
    """The choices of a field."""
    return _filled({"type": "select", "key": "x", "valuesExpression": feel(text)}, x="a")


PLACES: dict[str, Place] = {
    "condition": of_flow,
    "activation": of_activation,
    "conditional event": of_conditional,
    "script": of_script,
    "timer duration": of_duration,
    "timer date": of_date,
    "timer cycle": of_cycle,
    "cardinality": of_cardinality,
    "collection": of_collection,
    "output element": of_element,
    "completion": of_completion,
    "loop condition": of_loop,
    "correlation key": of_key,
    "assignee": of_person("assignee"),
    "candidate groups": of_person("candidateGroups"),
    "candidate users": of_person("candidateUsers"),
    "priority": of_priority,
    "deadline": of_deadline,
    "input mapping": of_input,
    "output mapping": of_output,
    "job type": of_job,
    "job retries": of_retries,
    "decision cell": of_cell,
    "decision result": of_result,
    "decision input": of_input_expression,
    "decision default": of_default,
    "decision literal": of_literal,
    "form computed": of_computed,
    "form condition": of_hidden,
    "form bound": of_bound,
    "form options": of_options,
}
FORMS = frozenset(name for name in PLACES if name.startswith("form "))


def _begin() -> Drawing:
    return process(KEY).start()


def _instances(inside: str) -> str:
    return f"<bpmn:multiInstanceLoopCharacteristics>{inside}</bpmn:multiInstanceLoopCharacteristics>"


def _decided(body: str) -> Attack:
    called = '<zeebe:calledDecision decisionId="d" resultVariable="x"/>'
    drawing = _begin().add("businessRuleTask", "d_task", extension(called)).end()
    return drawn(drawing, dmn={"d.dmn": model(body)}, values={"score": 5})


def _filled(component: dict[str, Any], **values: Any) -> Attack:
    own = {"id": "Field_x", "label": "值", "properties": {"label:en": "Value"}, **component}
    form = json.dumps({"id": "start", "type": "default", "schemaVersion": 18, "components": [own]})
    return drawn(_begin().end(), dmn={"forms/start.form": form.encode()}, values=values)
