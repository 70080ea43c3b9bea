"""What a definition tells, and what is refused with its element, its rule and a reason in two languages."""

from __future__ import annotations

import pytest

from engine.definition.model import Sources, check_definition, read_definition
from engine.errors import BadDefinition
from tests.engine.drawing import (
    FORMAL,
    KEPT,
    SIGNAL_EVENT,
    condition,
    extension,
    for_each,
    message,
    process,
    timer,
)

SIGNAL = '<bpmn:signal id="si" name="stop"/>'
MESSAGE = '<bpmn:message id="m" name="answer"/>'
UNDO = "<bpmn:compensateEventDefinition/>"


def found(drawing, *called, dmn=None):
    """(element, rule) of every error."""
    problems = check_definition(drawing.sources(*called, dmn=dmn))
    assert all(p.message and p.message_zh for p in problems)
    return {(p.element, p.rule) for p in problems if p.severity == "error"}


# --- facts --------------------------------------------------------------------------------------------


def test_elements_tell_names_steps_clauses_rules_and_flows():
    properties = "".join(
        f'<zeebe:property name="{name}" value="{value}"/>'
        for name, value in {"name:en": "Review", "step": "GF-M5", "clause": "F36"}.items()
    )
    extra = (
        f"<zeebe:properties>{properties}</zeebe:properties>"
        '<tidu:outcomes><tidu:outcome value="accepted" label="受理" labelEn="Accept" style="primary" '
        'requires="opinion, date"/></tidu:outcomes><tidu:deadline workingDays="=rules.days"/>'
        '<zeebe:formDefinition formId="big"/>'
    )
    drawing = process().start().user("first").user("review", result="form", extra=extra).end()
    drawing.parts[2] = drawing.parts[2].replace(
        'result="form"', 'result="form" notSameAs="first" bulkable="true"'
    )

    review = drawing.read().elements["review"]

    assert (review.kind, review.name_en, review.step, review.clause) == ("userTask", "Review", "GF-M5", "F36")
    assert (review.incoming, review.outgoing) == (("first__review",), ("review__end",))
    task = review.task
    assert (task.form, task.result, task.not_same_as, task.bulkable) == ("big", "form", ("first",), True)
    assert task.deadline == "=rules.days"
    outcome = task.outcomes[0]
    assert (outcome.value, outcome.label, outcome.label_en) == ("accepted", "受理", "Accept")
    assert outcome.requires == ("opinion", "date")
    assert drawing.read().elements["first__review"].kind == "sequenceFlow"


def test_lanes_reach_into_sub_processes():
    inner = process("i").start("is").user("a").end("ie")
    drawing = process().start().sub("s", inner).end()
    lane = '<bpmn:lane id="l" name="市级"><bpmn:flowNodeRef>s</bpmn:flowNodeRef></bpmn:lane>'
    drawing.parts.insert(0, f'<bpmn:laneSet id="ls">{lane}</bpmn:laneSet>')

    elements = drawing.read().elements
    assert (elements["s"].lane, elements["a"].lane, elements["end"].lane) == ("市级", "市级", None)


def test_the_digest_is_of_all_files_whatever_their_order():
    one, two = process("p").start().call("c", "q").end(), process("q").start("qs").end("qe")
    forth = Sources(process_id="p", bpmn={"p": one.xml, "q": two.xml}, dmn={})
    back = Sources(process_id="p", bpmn={"q": two.xml, "p": one.xml}, dmn={})
    other = Sources(process_id="p", bpmn={"p": one.xml, "q": two.xml + b" "}, dmn={})

    assert read_definition(forth).digest == read_definition(back).digest != read_definition(other).digest


def test_a_long_chain_of_elements_is_read_and_run():
    drawing = process().start()
    for number in range(1500):
        drawing.add("task", f"t{number}")

    assert len(drawing.end().read().elements) == 1502 + 1501


# --- what is refused ----------------------------------------------------------------------------------


def informal(drawing):
    """Expressions without the type that makes them formal."""
    drawing.flows = [flow.replace(FORMAL, "") for flow in drawing.flows]
    return drawing


def with_part(xml):
    """A small process with one more element."""
    drawing = after_start().define('<bpmn:itemDefinition id="many" isCollection="true"/>').end()
    drawing.parts.append(xml)
    return drawing


def after_start():
    return process().start()


REFUSED = {
    "a chain of doubled ids": (
        lambda: after_start().user("a").add("task", "b").end("a"),
        ("a", "id.unique"),
    ),
    "a flow to nowhere": (
        lambda: after_start().end().flow("start", "ghost"),
        ("start__ghost", "flow.dangling"),
    ),
    "a dead end": (lambda: after_start().end().at("start").user("a"), ("a", "flow.dead_end")),
    "an island": (
        lambda: after_start().end().add("task", "a", connect=False).end("e"),
        ("a", "flow.unreachable"),
    ),
    "two plain starts": (lambda: after_start().end().start("other").end("e"), ("p", "start.single")),
    "no end": (lambda: after_start().user("a").to("a"), ("start", "end.missing")),
    "an undecided way": (
        lambda: after_start().gateway("exclusive", "g").at("g", "=a").end("e").at("g").end("f"),
        ("g__f", "flow.condition"),
    ),
    "a default that leaves elsewhere": (
        lambda: (
            after_start().gateway("exclusive", "g", default="x").at("g", "=a").end("e").at("g", "=b").end("f")
        ),
        ("g", "flow.default"),
    ),
    "a gateway for nothing": (
        lambda: after_start().gateway("parallel", "g").end(),
        ("g", "gateway.pointless"),
    ),
    "an unreadable condition": (
        lambda: after_start().user("a").at("a", "=if then").end(),
        ("a__end", "expression.syntax"),
    ),
    "an unknown function": (
        lambda: after_start().script("s", "=launch rockets(1)", "x").end(),
        ("s", "expression.function"),
    ),
    "a naive moment": (
        lambda: after_start().catch("t", timer("2026-03-01T09:00:00", "Date")).end(),
        ("t", "timer.value"),
    ),
    "a timer that never lets go": (
        lambda: after_start().user("a").end().boundary("t", "a", timer("R/PT0S", "Cycle")).end("e"),
        ("t", "timer.value"),
    ),
    "a negative duration": (
        lambda: after_start().catch("t", timer("-PT5S")).end(),
        ("t", "timer.value"),
    ),
    "a timer without a time": (
        lambda: after_start().catch("t", "<bpmn:timerEventDefinition/>").end(),
        ("t", "timer.missing"),
    ),
    "an unknown decision": (
        lambda: (
            after_start()
            .add("businessRuleTask", "b", extension('<zeebe:calledDecision decisionId="d"/>'))
            .end()
        ),
        ("b", "decision.unknown"),
    ),
    "an unknown process": (lambda: after_start().call("c", "ghost").end(), ("c", "call.unknown")),
    "a job without a type": (lambda: after_start().add("serviceTask", "j").end(), ("j", "job.missing")),
    "a script without an expression": (
        lambda: after_start().add("scriptTask", "s").end(),
        ("s", "script.missing"),
    ),
    "a message of an unknown name": (
        lambda: after_start().throw("t", message("ghost")).end(),
        ("t", "message.name"),
    ),
    "an event without a message": (
        lambda: after_start().catch("t", message("ghost")).end(),
        ("t", "message.name"),
    ),
    "a signal nobody hears": (
        lambda: after_start().define(SIGNAL).throw("t", KEPT + SIGNAL_EVENT).end(),
        ("t", "signal.uncaught"),
    ),
    "a thrown error without a code": (
        lambda: after_start().end("e", "<bpmn:errorEventDefinition/>"),
        ("e", "error.code"),
    ),
    "a link without its pair": (
        lambda: after_start().throw("t", '<bpmn:linkEventDefinition name="L"/>'),
        ("t", "link.pair"),
    ),
    "an empty ad-hoc sub-process": (
        lambda: after_start().add("adHocSubProcess", "x").end(),
        ("x", "adhoc.empty"),
    ),
    "a race of tasks": (
        lambda: (
            after_start()
            .gateway("eventBased", "g")
            .user("a")
            .end("e")
            .at("g")
            .catch("t", timer("P1D"))
            .end("f")
        ),
        ("a", "race.target"),
    ),
    "a start that waits inside a sub-process": (
        lambda: (
            after_start().define(MESSAGE).sub("s", process("i").start("is", message("m")).end("ie")).end()
        ),
        ("is", "event.message"),
    ),
    "an event sub-process without a trigger": (
        lambda: after_start().end().event_sub("s", process("i").start("is").end("ie")),
        ("is", "event.none"),
    ),
    "a boundary in the air": (
        lambda: after_start().end().boundary("b", "ghost", timer("P1D")).end("e"),
        ("b", "boundary.host"),
    ),
    "an escalation from a task": (
        lambda: (
            after_start().user("a").end().boundary("b", "a", "<bpmn:escalationEventDefinition/>").end("e")
        ),
        ("b", "boundary.escalation"),
    ),
    "compensation without a handler": (
        lambda: after_start().user("a").end().boundary("b", "a", UNDO),
        ("b", "compensation.handler"),
    ),
    "a cancel outside of a transaction": (
        lambda: after_start().end("e", "<bpmn:cancelEventDefinition/>"),
        ("e", "cancel.place"),
    ),
    "a multi-instance without items": (
        lambda: after_start().user("a", inside="<bpmn:multiInstanceLoopCharacteristics/>").end(),
        ("a", "loop.collection"),
    ),
    "half an output": (
        lambda: (
            after_start()
            .user("a", inside=for_each("=x", "i").replace("inputEl", 'outputCollection="o" inputEl'))
            .end()
        ),
        ("a", "loop.output"),
    ),
    "an endless standard loop": (
        lambda: after_start().user("a", inside="<bpmn:standardLoopCharacteristics/>").end(),
        ("a", "loop.endless"),
    ),
    "four eyes with nobody": (
        lambda: after_start().user("a", result='x" notSameAs="ghost').end(),
        ("a", "task.not_same_as"),
    ),
    "an informal condition": (
        lambda: informal(after_start().user("a").at("a", "=ok").end()),
        ("a__end", "expression.formal"),
    ),
    "lists that do not name the flows": (
        lambda: after_start().user("a", inside="<bpmn:incoming>start__a</bpmn:incoming>").end(),
        ("a", "flow.lists"),
    ),
    "a reference to something else": (
        lambda: after_start().define(SIGNAL).catch("c", message("si")).end(),
        ("c", "reference.kind"),
    ),
    "a collection of one": (
        lambda: with_part('<bpmn:dataObject id="o" isCollection="false" itemSubjectRef="many"/>'),
        ("o", "data.collection"),
    ),
    "a condition without a body": (
        lambda: after_start().catch("c", condition("")).end(),
        ("c", "conditional.missing"),
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_is_refused(what):
    make, expected = REFUSED[what]
    drawing = make()

    assert expected in found(drawing)
    with pytest.raises(BadDefinition) as refused:
        drawing.read()
    assert expected in {(p.element, p.rule) for p in refused.value.problems}


def test_an_id_used_by_two_processes_of_a_case_is_refused():
    called = process("q").start("start").end("qe")

    assert ("start", "id.unique") in found(process().start().call("c", "q").end(), called)


def test_a_called_process_must_begin_at_once():
    called = process("q").define(MESSAGE).start("qs", message("m")).end("qe")

    assert ("c", "call.start") in found(process().start().call("c", "q").end(), called)


def test_a_process_of_the_same_file_can_be_called():
    called = process("q").start("qs").end("qe")
    drawing = process().start().call("c", "q").end()
    inside = f'<bpmn:process id="q" isExecutable="true">{called.content}</bpmn:process>'
    xml = drawing.xml.replace(b"</bpmn:definitions>", f"{inside}</bpmn:definitions>".encode())

    assert "qs" in read_definition(Sources(process_id="p", bpmn={"p": xml}, dmn={})).elements


@pytest.mark.parametrize("xml", [b"", b"<a/>", b"not xml", b"<!DOCTYPE x><a/>"])
def test_what_is_no_drawing_is_told_not_raised(xml):
    problems = check_definition(Sources(process_id="p", bpmn={"p": xml}, dmn={}))

    assert [p.severity for p in problems] == ["error"]


def test_a_missing_file_and_a_wrong_id_are_named():
    assert [p.rule for p in check_definition(Sources(process_id="p", bpmn={}, dmn={}))] == ["process.missing"]
    wrong = Sources(process_id="p", bpmn={"p": process("other").start().end().xml}, dmn={})
    assert [p.rule for p in check_definition(wrong)] == ["process.id"]


def test_a_data_object_far_down_does_not_hang_the_parser():
    inner = process("c").start("cs").script("cx", "=1", "x").end("ce")
    inner.parts.append('<bpmn:dataObjectReference id="r1" dataObjectRef="o1"/>')
    middle = process("b").start("bs").sub("c", inner).end("be")
    outer = process("a").start("as").sub("b", middle).end("ae")
    drawing = process().start().sub("a", outer).end()
    drawing.parts.append('<bpmn:dataObject id="o1"/>')
    association = "<bpmn:dataInputAssociation><bpmn:sourceRef>r1</bpmn:sourceRef></bpmn:dataInputAssociation>"
    drawing.parts = [
        part.replace("</bpmn:scriptTask>", f"{association}</bpmn:scriptTask>") for part in drawing.parts
    ]

    assert "cx" in drawing.read().elements
