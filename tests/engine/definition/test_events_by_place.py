"""The table of events by place: each trigger at each place is executed or refused as its cell says."""

from __future__ import annotations

import pytest

from engine.definition.checks.events import PLACES
from engine.definition.model import check_definition, read_definition
from engine.definition.support import event_table
from engine.definition.vocabulary import TRIGGERS
from tests.engine.drawing import (
    ERROR,
    ERROR_EVENT,
    ESCALATION,
    ESCALATION_EVENT,
    MESSAGE,
    SIGNAL,
    SIGNAL_EVENT,
    Drawing,
    condition,
    extension,
    message,
    process,
    timer,
)

JOB = extension('<zeebe:taskDefinition type="send"/>')
INSIDE = {
    "none": "",
    "message": message("m"),
    "timer": timer("P1D"),
    "conditional": condition("=ready"),
    "signal": SIGNAL_EVENT,
    "escalation": ESCALATION_EVENT,
    "error": ERROR_EVENT,
    "compensation": "<bpmn:compensateEventDefinition/>",
    "cancel": "<bpmn:cancelEventDefinition/>",
    "terminate": "<bpmn:terminateEventDefinition/>",
    "link": '<bpmn:linkEventDefinition name="L"/>',
    "multiple": SIGNAL_EVENT + message("m"),
    "parallel multiple": SIGNAL_EVENT + message("m"),
}
CELLS = {(trigger, place): event_table()[trigger][place] for trigger in event_table() for place in PLACES}
NEVER = {("parallel multiple", "throw"), ("parallel multiple", "end")}  # cannot even be written
EXECUTED = [cell for cell, said in CELLS.items() if said.rule is None]
REFUSED = [cell for cell, said in CELLS.items() if said.rule is not None and cell not in NEVER]


def test_the_table_has_every_trigger_and_every_place():
    assert set(INSIDE) == set(event_table()) == {"none", *TRIGGERS.values(), "multiple", "parallel multiple"}
    assert all(list(cells) == list(PLACES) for cells in event_table().values())


def drawing_of(trigger: str, place: str) -> Drawing:
    """A whole drawing around event `e` with this trigger at this place."""
    inside = (JOB if place in ("throw", "end") and "m" in INSIDE[trigger] else "") + INSIDE[trigger]
    both = {"parallelMultiple": "true"} if trigger == "parallel multiple" else {}
    drawing = process()
    for definition in (MESSAGE, SIGNAL, ERROR, ESCALATION):
        drawing.define(definition)
    match place:
        case "start":
            return drawing.start("e", inside, **both).user("u").end()
        case "sub-process start":
            return drawing.start().sub("s", process("i").start("e", inside, **both).user("u").end("ie")).end()
        case "event start" | "event start beside":
            beside = str(place == "event start").lower()
            inner = process("i").start("e", inside, isInterrupting=beside, **both).user("v").end("ie")
            if trigger == "compensation":
                undone = process("o").start("os").user("u").end("oe").event_sub("s", inner)
                return drawing.start().sub("outer", undone).end()
            return drawing.start().user("u").end().event_sub("s", inner)
        case "catch":
            drawing.start()
            if trigger == "link":
                drawing.throw("t", INSIDE["link"]).last = None
            return drawing.add("intermediateCatchEvent", "e", inside, **both).end()
        case "boundary" | "boundary beside":
            return boundary(drawing, trigger, inside, interrupting=place == "boundary", both=both)
        case "throw":
            drawing.start().throw("e", inside)
            if trigger == "link":
                drawing.last = None
                drawing.catch("c", INSIDE["link"])
            return drawing.end()
        case "end":
            drawing.start()
            if trigger == "cancel":
                inner = process("i").start("is").end("e", inside)
                drawing.add("transaction", "s", inner.content).end()
                return drawing.boundary("b", "s", INSIDE["cancel"]).end("be")
            return drawing.end("e", inside)
    raise AssertionError(place)


def boundary(
    drawing: Drawing, trigger: str, inside: str, *, interrupting: bool, both: dict[str, str]
) -> Drawing:
    """Event `e` at the edge of a transaction, which can throw everything."""
    inner = process("i").start("is").user("u").end("ie")
    drawing.start().add("transaction", "s", inner.content).end()
    drawing.boundary("e", "s", inside, interrupting)
    if both:
        drawing.parts[-1] = drawing.parts[-1].replace(' id="e"', ' id="e" parallelMultiple="true"')
    if trigger == "compensation":
        drawing.add("task", "undo", connect=False, isForCompensation="true")
        return drawing.associate("e", "undo")
    return drawing.at("e").end("ee")


def heard(drawing: Drawing) -> Drawing:
    """With somebody who catches the signal, so that it is not thrown to nobody."""
    return drawing.event_sub("h", process("h").start("hs", SIGNAL_EVENT).user("hu").end("he"))


def errors(drawing: Drawing):
    """What is said against the event."""
    found = check_definition(drawing.sources())
    return [problem for problem in found if problem.severity == "error" and problem.element == "e"]


@pytest.mark.parametrize("cell", EXECUTED, ids=" at ".join)
def test_what_the_table_calls_executed_can_be_deployed(cell):
    drawing = heard(drawing_of(*cell))

    assert "e" in read_definition(drawing.sources()).elements


@pytest.mark.parametrize("cell", REFUSED, ids=" at ".join)
def test_what_the_table_refuses_is_refused_with_its_rule_and_names_trigger_and_place(cell):
    trigger, place = cell
    english, chinese = PLACES[place]

    (said,) = [
        p for p in errors(drawing_of(*cell)) if p.message == f"{english} cannot have the trigger {trigger}: e"
    ]

    assert said.rule == event_table()[trigger][place].rule
    assert said.message_zh == f"e：{chinese}不支持 {trigger} 类型的触发器"
