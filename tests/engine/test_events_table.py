"""The standard's table of event types: each cell is run, or refused with a rule of its own."""

from __future__ import annotations

import pytest

from engine.definition.model import check_definition
from tests.engine.drawing import (
    ERROR,
    ERROR_EVENT,
    ESCALATION,
    ESCALATION_EVENT,
    MESSAGE,
    SIGNAL,
    SIGNAL_EVENT,
    condition,
    message,
    process,
    timer,
)

TRIGGERS = {
    "none": "",
    "message": message("m"),
    "timer": timer("P1D"),
    "error": ERROR_EVENT,
    "escalation": ESCALATION_EVENT,
    "cancel": "<bpmn:cancelEventDefinition/>",
    "compensation": "<bpmn:compensateEventDefinition/>",
    "conditional": condition("=x"),
    "link": '<bpmn:linkEventDefinition name="L"/>',
    "signal": SIGNAL_EVENT,
    "terminate": "<bpmn:terminateEventDefinition/>",
    "multiple": message("m") + SIGNAL_EVENT,
}
WAITS = "message timer conditional signal multiple"


def drawn():
    drawing = process()
    for root in (MESSAGE, ERROR, ESCALATION, SIGNAL):
        drawing.define(root)
    return drawing


def begins(inside):
    return drawn().start("x", inside).end()


def handles(inside, interrupting="true"):
    handler = process("h").start("x", inside, isInterrupting=interrupting).end("he")
    inner = process("i").start("is").user("a").end("ie").event_sub("h", handler)
    return drawn().start().sub("s", inner).end()


def beside(inside):
    return handles(inside, "false")


def catches(inside):
    if "link" in inside:
        drawing = drawn().start().throw("go", inside)
        return drawing.add("intermediateCatchEvent", "x", inside, connect=False).end()
    return drawn().start().catch("x", inside).end()


def interrupts(inside, yes=True):
    inner = process("i").start("is").gateway("parallel", "f").user("a").end("ie")
    inner.at("f").end("stop", TRIGGERS["cancel"])
    drawing = drawn().start().add("transaction", "s", inner.content).end()
    drawing.boundary("x", "s", inside, yes)
    if "compensate" in inside:
        drawing.add("task", "undo", connect=False, isForCompensation="true").associate("x", "undo")
    else:
        drawing.end("e")
    if "cancel" not in inside:
        drawing.boundary("given_up", "s", TRIGGERS["cancel"]).end("g")
    return drawing


def does_not_interrupt(inside):
    return interrupts(inside, False)


def throws(inside):
    if "link" in inside:
        drawing = drawn().start().throw("x", inside)
        return drawing.add("intermediateCatchEvent", "come", inside, connect=False).end()
    return drawn().start().throw("x", inside).end()


def ends(inside):
    inner = process("i").start("is").end("x", inside)
    drawing = drawn().start().add("transaction", "s", inner.content).end()
    drawing.boundary("given_up", "s", TRIGGERS["cancel"]).end("g")
    return drawing.boundary("failed", "s", ERROR_EVENT).end("f")


TABLE = {
    begins: "none message signal multiple",  # by the clock and by a condition: refused
    handles: f"{WAITS} error escalation compensation",
    beside: f"{WAITS} escalation",
    catches: f"{WAITS} link",
    interrupts: f"{WAITS} error escalation compensation cancel",
    does_not_interrupt: f"{WAITS} escalation",
    throws: "none message escalation compensation link signal multiple",
    ends: "none message error escalation compensation signal terminate multiple cancel",
}


@pytest.mark.parametrize("place", TABLE, ids=lambda place: place.__name__)
@pytest.mark.parametrize("trigger", TRIGGERS)
def test_a_trigger_is_run_where_the_table_has_it_and_refused_elsewhere(place, trigger):
    drawing = place(TRIGGERS[trigger])

    errors = [p for p in check_definition(drawing.sources()) if p.severity == "error"]

    if trigger in TABLE[place].split():
        assert errors == []
        drawing.read()
    else:
        assert any(p.element == "x" for p in errors)
