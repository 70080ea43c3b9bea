"""Decisions without a term, two-person rules within one role, and timers that decide for people."""

from __future__ import annotations

import pytest

from engine.definition.model import check_definition
from tests.engine.drawing import condition, extension, process, timer

OUTCOMES = (
    '<tidu:outcomes><tidu:outcome value="granted" style="primary"/>'
    '<tidu:outcome value="refused" style="danger"/></tidu:outcomes>'
)
TERM = '<tidu:deadline workingDays="=5"/>'


def told(value, **properties):
    inside = "".join(f'<zeebe:property name="{name}" value="{value}"/>' for name in properties)
    return f"<zeebe:properties>{inside}</zeebe:properties>"


def found(drawing):
    """(element, rule, severity) of every finding."""
    problems = check_definition(drawing.sources())
    assert all(p.message and p.message_zh for p in problems)
    return {(p.element, p.rule, p.severity) for p in problems}


# --- deadlines ----------------------------------------------------------------------------------------


def decision(extra=""):
    return process().start().user("decide", result="d", extra=OUTCOMES + extra).end()


def test_a_decision_without_a_term_is_doubtful():
    assert found(decision()) == {("decide", "task.deadline", "warning")}


@pytest.mark.parametrize(
    "drawing",
    [
        decision(TERM),
        decision(told("the ministry sets the date", no_deadline=True)),
        decision().boundary("late", "decide", timer("P5D"), interrupting=False).end("e2"),
        process().start().user("note").end(),
    ],
    ids=["term", "said why", "timer", "no decision"],
)
def test_a_decision_with_a_term_a_timer_or_a_reason_is_not(drawing):
    assert found(drawing) == set()


WHO = '<zeebe:userTask/><zeebe:assignmentDefinition candidateGroups="officers"/><tidu:task result="d"/>'


def shared(late_to):
    """A decision that stands outside of the process and is called, and where a timer at the call leads."""
    drawing = process().start().call("c", "decide").gateway("exclusive", "x", default="x__no").end("no")
    drawing.at("x", '=d.outcome = "granted"').user("celebrate").end("yes")
    if late_to:
        drawing.boundary("late", "c", timer("P5D")).to(late_to)
    return drawing.define(
        f'<bpmn:globalUserTask id="decide">{extension(WHO + OUTCOMES)}</bpmn:globalUserTask>'
    )


def test_the_timer_of_a_shared_decision_stands_at_its_call():
    assert found(shared("")) == {("decide", "task.deadline", "warning")}
    assert found(shared("no")) == set()


def test_a_timer_among_several_triggers_is_one():
    both = timer("P5D") + condition("=d = 1")
    assert found(decision().boundary("late", "decide", both, interrupting=False).end("e2")) == set()


# --- four eyes ----------------------------------------------------------------------------------------


def two_people(first, second):
    drawing = process().start().user("draw_up", first).user("approve", second, result="r").end()
    drawing.parts[2] = drawing.parts[2].replace('result="r"', 'result="r" notSameAs="draw_up"')
    return drawing


def test_a_two_person_rule_within_one_role_is_doubtful():
    expected = {("approve", "task.four_eyes", "warning")}
    assert found(two_people("officers, leaders", "leaders,officers")) == expected
    assert found(two_people('=["officer@" + unit]', '=["officer@" + unit]')) == expected


def test_a_two_person_rule_between_two_roles_is_not():
    assert found(two_people("officers", "leaders")) == set()
    assert found(process().start().user("a").user("b").end()) == set()


# --- timers that approve ------------------------------------------------------------------------------


def timed(target, timer_extra="", interrupting=True):
    drawing = process().start().user("decide", result="d", extra=OUTCOMES + TERM)
    drawing.gateway("exclusive", "x", default="x__refuse").at("x", '=d.outcome = "granted"')
    drawing.job("grant", "register.designate").end().at("x").job("refuse", "notice.send").end("e2")
    inside = f"<bpmn:extensionElements>{timer_extra}</bpmn:extensionElements>{timer('P5D')}"
    return drawing.boundary("late", "decide", inside, interrupting=interrupting).to(target)


def test_a_timer_that_leads_where_only_approval_leads_is_doubtful():
    assert ("late", "timer.approves", "warning") in found(timed("grant"))


def test_a_timer_that_writes_down_the_approval_is_doubtful():
    drawing = process().start().user("decide", result="d", extra=OUTCOMES + TERM).job("tell", "send").end()
    drawing.boundary("late", "decide", timer("P5D")).script("silent", '={outcome: "granted"}', "d").to("tell")

    assert ("late", "timer.approves", "warning") in found(drawing)


def test_a_timer_that_refuses_reminds_or_asks_another_person_is_not():
    escalated = timed("x")
    escalated.flows.pop()
    escalated.at("late").user("superior", "leaders", result="d", extra=OUTCOMES + TERM).to("x")

    for drawing in (timed("refuse"), escalated):
        assert not [rule for _, rule, _ in found(drawing) if rule == "timer.approves"]
    beside = timed("grant", interrupting=False)
    assert not [rule for _, rule, _ in found(beside) if rule == "timer.approves"]


def test_silence_that_is_meant_to_consent_names_its_clause():
    drawing = timed("grant", told("F13", silent_consent=True))
    assert not [rule for _, rule, _ in found(drawing) if rule == "timer.approves"]


def test_only_a_timer_is_asked_about_silence():
    drawing = timed("grant")
    drawing.parts = [part.replace(timer("P5D"), condition("=x > 1")) for part in drawing.parts]
    assert not [rule for _, rule, _ in found(drawing) if rule == "timer.approves"]


def test_a_timer_at_the_call_of_a_shared_decision_can_decide_too():
    assert found(shared("celebrate")) == {("late", "timer.approves", "warning")}
