"""Exploring what begins, ends and waits in an unusual way finds its dead ends, and nothing that is none."""

from __future__ import annotations

import pytest

from engine.definition.checks.exploring.findings import check_exploration
from engine.definition.checks.exploring.walking import Bound
from engine.definition.loading import load
from tests.engine.drawing import (
    ERROR,
    ERROR_EVENT,
    ESCALATION,
    ESCALATION_EVENT,
    FORMAL,
    MESSAGE,
    SIGNAL,
    SIGNAL_EVENT,
    for_each,
    message,
    process,
    timer,
)
from tests.engine.test_exploring import found

OTHER = '<bpmn:message id="m2" name="other"/>'
UNDO = "<bpmn:compensateEventDefinition/>"


def beside(drawing, *tasks):
    """User tasks that no flow leads to; the pen stays at the last."""
    for task in tasks:
        drawing.last = None
        drawing.user(task)
    return drawing


def choosing(drawing, split, target):
    """A choice between an element that is there and going nowhere."""
    drawing.gateway("exclusive", split, default=f"{split}__{split}_no").at(split, "=x").to(target)
    return drawing.at(split).add("task", f"{split}_no")


def ad_hoc(inner, done="", **attributes):
    written = f"<bpmn:completionCondition {FORMAL}>={done}</bpmn:completionCondition>" if done else ""
    drawing = process().start()
    return drawing.add("adHocSubProcess", "s", inner.content + written, **attributes).end()


# --- without start and end events ---------------------------------------------------------------------


@pytest.mark.parametrize("join", ["parallel", "inclusive"])
def test_ways_that_begin_together_meet(join):
    drawing = beside(process(), "a").gateway(join, "j").user("last")
    assert found(beside(drawing, "b").to("j")) == set()


def test_a_join_that_a_way_can_pass_by_is_a_dead_end():
    drawing = beside(process(), "a").gateway("parallel", "j").user("last")
    assert found(choosing(beside(drawing, "b"), "x", "j")) == {("j", "flow.deadlock", "warning")}


def test_a_join_after_a_choice_is_a_dead_end_in_every_case():
    drawing = process().user("a").gateway("exclusive", "x", default="x__c").at("x", "=y").user("b")
    drawing.gateway("parallel", "j").user("last").at("x").user("c").to("j")

    assert found(drawing) == {("j", "flow.deadlock", "error")}


def test_a_gateway_that_nothing_leaves_ends_the_way():
    drawing = beside(process(), "a").gateway("exclusive", "x")
    assert found(beside(drawing, "b").to("x")) == set()


def test_a_first_that_wants_two_tokens_waits_for_ever():
    assert found(process().add("userTask", "a", startQuantity="2")) == {("a", "flow.deadlock", "error")}


# --- where a case can begin ---------------------------------------------------------------------------


def begun(kind, join):
    drawing = process().define(MESSAGE).define(OTHER)
    drawing.add("eventBasedGateway", "race", eventGatewayType=kind, instantiate="true")
    drawing.catch("one", message("m")).gateway(join, "j").user("last").end()
    return drawing.at("race").catch("two", message("m2")).to("j")


def test_events_that_must_happen_together_meet_and_one_alone_does_not():
    assert found(begun("Parallel", "parallel")) == set()
    assert found(begun("Exclusive", "exclusive")) == set()
    assert found(begun("Parallel", "exclusive")) == {("j", "flow.multiplied", "warning")}
    assert found(begun("Exclusive", "parallel")) == {("j", "flow.deadlock", "error")}


def test_start_events_begin_one_case_each():
    def starting(join):
        drawing = process().define(MESSAGE).start().user("a").gateway(join, "j").user("last").end()
        return drawing.start("told", message("m")).to("j")

    assert found(starting("exclusive")) == set()
    assert found(starting("parallel")) == {("j", "flow.deadlock", "error")}


def test_a_receive_task_that_begins_a_case_is_a_beginning():
    drawing = process().define(MESSAGE)
    drawing.add("receiveTask", "told", instantiate="true", messageRef="m").gateway("exclusive", "j").end()
    drawing.start().user("a").to("j")

    assert found(drawing) == set()


# --- ad-hoc work --------------------------------------------------------------------------------------


@pytest.mark.parametrize("ordering", ["Parallel", "Sequential"])
def test_ad_hoc_work_that_meets_goes_on_and_ad_hoc_work_that_cannot_is_a_dead_end(ordering):
    def meeting(*, always):
        inner = beside(beside(process("i"), "a").gateway("parallel", "j").user("c"), "b")
        return ad_hoc(inner.to("j") if always else choosing(inner, "x", "j"), ordering=ordering)

    assert found(meeting(always=True)) == set()
    assert found(meeting(always=False)) == {("j", "flow.deadlock", "warning")}


def never_meeting(done=""):
    inner = process("i").user("a").gateway("exclusive", "x", default="x__c").at("x", "=y").user("b")
    inner.gateway("parallel", "j").user("last").at("x").user("c").to("j")
    return ad_hoc(inner, done)


def test_ad_hoc_work_that_never_ends_is_told_once_and_is_an_error():
    assert found(never_meeting()) == {("j", "flow.deadlock", "error")}


def test_when_enough_is_done_nothing_waits_any_more():
    assert {severity for _, rule, severity in found(never_meeting("enough")) if rule == "flow.deadlock"} == {
        "warning"
    }
    again = process("i").add("task", "one").add("task", "two").to("one")
    inner = beside(process("i"), "a")
    inner.last = None
    inner.parts += again.parts
    inner.flows += [*again.flows, *process().at("a").to("one").flows]
    assert ("one", "flow.livelock", "error") in found(ad_hoc(inner))
    assert found(ad_hoc(inner, "enough")) == set()


def test_a_dead_end_that_a_case_can_go_around_is_a_warning_wherever_it_stands():
    inner = process("i").start("is").gateway("exclusive", "g", default="g__b")
    inner.at("g", "=x").user("a").gateway("parallel", "j").end("ie").at("g").user("b").to("j")
    drawing = process().start().gateway("exclusive", "x", default="x__end").end()
    drawing.at("x", "=deep").sub("s", inner).to("end")

    assert ("j", "flow.deadlock", "warning") in found(drawing)


# --- several triggers, caught and thrown --------------------------------------------------------------


def test_any_of_several_triggers_frees_who_waits():
    def guarded(triggers):
        inner = process("i").start("is").gateway("exclusive", "g", default="g__b")
        inner.at("g", "=x").user("a").gateway("parallel", "j").end("ie").at("g").user("b").to("j")
        drawing = process().define(MESSAGE).define(ERROR).start().sub("s", inner).end()
        return drawing.boundary("out", "s", triggers).end("e2")

    assert not [rule for _, rule, _ in found(guarded(ERROR_EVENT + timer("P1D"))) if rule == "flow.deadlock"]


def test_an_end_that_throws_several_things_is_caught_by_any():
    def throwing(caught, *, interrupting=True):
        inner = process("i").start("is").user("a").end("ie", SIGNAL_EVENT + ESCALATION_EVENT)
        drawing = process().define(SIGNAL).define(ESCALATION).define(ERROR).start().sub("s", inner).end()
        return drawing.boundary("out", "s", caught, interrupting=interrupting).user("b").end("e2")

    assert found(throwing(ERROR_EVENT)) == {("out", "flow.unreachable", "warning")}
    assert found(throwing(ESCALATION_EVENT + timer("P1D"), interrupting=False)) == set()
    assert found(throwing(ESCALATION_EVENT)) == {("end", "flow.unreachable", "warning")}


def test_an_escalation_that_ends_a_level_further_out_is_no_dead_end():
    inner = process("i").start("is").user("a").end("ie", ESCALATION_EVENT)
    middle = process("m").start("ms").sub("i", inner).end("me")
    drawing = process().define(ESCALATION).start().sub("m", middle).end()
    drawing.boundary("out", "m", ESCALATION_EVENT).end("e2")

    assert {rule for _, rule, _ in found(drawing)} == {"flow.unreachable"}


def test_what_instances_throw_is_caught_at_their_border():
    loop = for_each("=people", "p").replace(" isSeq", ' behavior="None" noneBehaviorEventRef="top" isSeq')
    for root, event in ((SIGNAL, SIGNAL_EVENT), (ESCALATION, ESCALATION_EVENT)):
        top = event.replace("Definition ", 'Definition id="top" ')
        drawing = process().define(root).define(top).start().add("task", "t", loop).end()
        drawing.boundary("told", "t", event, interrupting=False).user("a").end("e2")
        assert found(drawing) == set()


def test_what_undoes_a_level_does_not_end_it():
    undo = process("u").start("us", UNDO).user("undo").end("undo_end")
    inner = process("i").start("is").gateway("exclusive", "g", default="g__b").event_sub("u", undo)
    inner.at("g", "=x").user("a").gateway("parallel", "j").end("ie").at("g").user("b").to("j")

    assert ("j", "flow.deadlock", "error") in found(process().start().sub("s", inner).end())


def test_a_call_of_a_shared_task_goes_on():
    drawing = process().start().call("c", "g").boundary("late", "c", timer("P1D")).end("e2").at("c").end()
    assert found(drawing.define('<bpmn:globalUserTask id="g"/>')) == set()


# --- the bound ----------------------------------------------------------------------------------------


def many_triggers():
    drawing = process().define(MESSAGE).define(SIGNAL).define(ESCALATION).start()
    for number in range(480):
        drawing.add("intermediateCatchEvent", f"c{number}", message("m") + SIGNAL_EVENT)
        drawing.user(f"u{number}").boundary(f"b{number}", f"u{number}", message("m") + timer("P1D"))
        drawing.end(f"e{number}", SIGNAL_EVENT + ESCALATION_EVENT).at(f"u{number}")
    return drawing.end()


def many_loose(done=""):
    return ad_hoc(beside(process("i"), *(f"a{number}" for number in range(1990))), done)


def many_levels():
    drawing = process().start()
    for number in range(660):
        inner = beside(process(f"s{number}"), f"a{number}", f"b{number}")
        drawing.add("adHocSubProcess", f"s{number}", inner.content)
    return drawing.end()


@pytest.mark.parametrize(
    "drawing",
    [many_triggers(), many_loose(), many_loose("enough"), many_levels()],
    ids=["triggers", "loose", "loose until enough", "levels"],
)
def test_two_thousand_elements_take_no_more_steps_than_are_allowed(drawing):
    bound = Bound()

    problems = list(check_exploration(load(drawing.sources()).drawings["p"], bound))

    assert {problem.rule for problem in problems} <= {"explore.bound"}
    assert bound.left > -5_000  # of 400 000
