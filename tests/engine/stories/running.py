"""What goes wrong while cases run, and when they are kept."""

from __future__ import annotations

import inspect
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.util.task import TaskIterator, TaskState

from engine.execution.execution import Execution
from tests.engine.drawing import NOW, WeekDays, play, process, timer
from tests.engine.stock import script
from tests.engine.stories.telling import stock, story


@story("depth")
def _():
    """1,000 tasks take SpiffWorkflow 8 s, so here its limit is looked up; ours just goes round."""
    drawing = process().start().script("s", "=n + 1", "n").gateway("exclusive", "g", default="g__s")
    drawing.at("g", "=n > 600").user("a").end().at("g").to("s")

    assert inspect.signature(TaskIterator).parameters["max_depth"].default == 1000
    assert play(drawing, n=0).waiting() == ["a"]


@story("completed tasks that are not found")
def _():
    drawing = process().start().user("a").end()
    cycle = timer('"R9/PT1H"', "Cycle")
    drawing.boundary("b", "a", cycle, interrupting=False).add("scriptTask", "s", script("x", "1")).end("e")
    other = stock(drawing)
    other.pass_time(NOW + timedelta(hours=1, minutes=1))
    found = other.workflow.get_tasks(state=TaskState.COMPLETED)

    assert other.completed()["s"] == 1
    assert "s" not in [task.task_spec.name for task in found]
    assert play(drawing).later(hours=1).passed == ["start", "b", "s", "e"]


@story("terminate")
def _():
    drawing = process().start().gateway("parallel", "f").end("kill", "<bpmn:terminateEventDefinition/>")
    drawing.at("f").add("scriptTask", "s", script("ran", "1")).end("e")

    assert stock(drawing).completed()["s"] == 1
    assert play(drawing).passed == ["start", "f", "kill"]


@story("shared nested data")
def _():
    drawing = process().start().gateway("parallel", "f").user("a").end("e1").at("f").user("b").end("e2")
    other = stock(drawing, a={"b": {"c": 0}})
    other.ready()["/a"][0].data["a"]["b"]["c"] = 1
    ours = play(drawing, a={"b": {"c": 0}}).do("a", a={"b": {"c": 1}})

    assert other.seen_by("/b") == {"a": {"b": {"c": 1}}}
    assert ours.execution.local(ours.n("b")) == {"a": {"b": {"c": 0}}}


@story("two timers of one event gateway")
def _():
    drawing = process().start().gateway("eventBased", "g").catch("day", timer('"P1D"')).end("e1")
    drawing.at("g").catch("hour", timer('"PT1H"')).user("soon").end("e2")
    other = stock(drawing)
    other.pass_time(NOW + timedelta(hours=2))

    assert other.waiting() == {}
    assert play(drawing).later(hours=2).waiting() == ["soon"]


@story("a branch that wrote nothing")
def _():
    drawing = process().start().gateway("parallel", "f").user("a").gateway("parallel", "j").user("c").end()
    drawing.at("f").user("b").to("j")
    other = stock(drawing, x=0)
    other.complete("/a", {"x": 1})
    other.complete("/b", {})

    assert other.seen_by("/c")["x"] == 0
    assert play(drawing, x=0).do("a", x=1).do("b").variables == {"x": 1}


@story("data of an interrupted sub-process")
def _():
    inner = process("inner").start("i1").user("a").user("b").end("i2")
    drawing = process().start().sub("s", inner).end("e1")
    drawing.boundary("over", "s", timer('"P1D"')).user("c").end("e2")
    other, ours = stock(drawing, x=0), play(drawing, x=0)
    other.complete("s/a", {"x": 1})
    other.pass_time(NOW + timedelta(days=2))

    assert other.seen_by("/c")["x"] == 0
    assert ours.do("a", x=1).later(days=2).variables == {"x": 1}


@story("canonical JSON")
def _():
    """Task ids are random, so whether sorting them loses the data is a lottery: twenty tickets."""
    drawing = process().start().user("a").user("b").end()
    ours = play(drawing, x=1).do("a", y=2)
    text = json.dumps(ours.execution.snapshot(), sort_keys=True)
    again = Execution.restore(ours.definition, json.loads(text), calendar=WeekDays())

    assert any(sorting_loses_data(drawing) for _ in range(20))
    assert again.local(ours.n("b")) == {"x": 1, "y": 2}


def sorting_loses_data(drawing):
    other, serializer = stock(drawing, x=1), BpmnWorkflowSerializer()
    other.complete("/a", {"y": 2})
    text = json.dumps(json.loads(serializer.serialize_json(other.workflow)), sort_keys=True)
    (task,) = serializer.deserialize_json(text).get_tasks(state=TaskState.READY, manual=True)
    return task.data != {"x": 1, "y": 2}


@story("data that cannot be kept")
def _():
    drawing = process().start().user("a").end()
    values = {"sum": Decimal("0.1"), "at": datetime(2026, 3, 1, tzinfo=UTC)}
    with pytest.raises(TypeError):
        BpmnWorkflowSerializer().serialize_json(stock(drawing, **values).workflow)
    ours = play(drawing, **values)
    back = Execution.restore(ours.definition, ours.execution.snapshot(), calendar=WeekDays())

    assert back.variables == values


@story("random identities")
def _():
    drawing = process().start().user("a").end()
    ids = [sorted(str(n) for n in stock(drawing).workflow.tasks) for _ in range(2)]

    assert ids[0] != ids[1]
    assert play(drawing).execution.digest() == play(drawing).execution.digest()
