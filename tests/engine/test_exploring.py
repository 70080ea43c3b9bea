"""Exploring a drawing finds exactly the dead ends that a case can run into."""

from __future__ import annotations

import time

import pytest

from engine.definition.checks.branches import check_branches
from engine.definition.checks.exploring.findings import check_exploration
from engine.definition.checks.unwritten import check_unwritten
from engine.definition.checks.usage import Usage
from engine.definition.loading import load
from engine.definition.model import check_definition
from engine.errors import BadDefinition
from tests.engine.drawing import (
    ERROR,
    ERROR_EVENT,
    ESCALATION,
    ESCALATION_EVENT,
    MESSAGE,
    message,
    process,
    timer,
)

RULES = ("flow.deadlock", "flow.livelock", "flow.multiplied", "flow.unreachable", "explore.bound")
COUNTED = '<bpmn:activationCondition xsi:type="bpmn:tFormalExpression">={}</bpmn:activationCondition>'


def found(drawing):
    """(element, rule, severity) of what following the drawing finds."""
    problems = check_definition(drawing.sources())
    assert all(p.message and p.message_zh for p in problems)
    return {(p.element, p.rule, p.severity) for p in problems if p.rule in RULES}


def parted(split, join, default=True):
    """Two ways that part at one kind of gateway and meet at another."""
    drawing = process().start().gateway(split, "g", default="g__b" if default else "")
    drawing.at("g", "=x" if default else None).user("a").gateway(join, "j").user("last").end()
    return drawing.at("g").user("b").to("j")


# --- dead ends ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("split", ["exclusive", "inclusive"])
def test_a_choice_before_a_parallel_join_is_a_warning_where_another_choice_gets_through(split):
    drawing = process().start().gateway(split, "g", default="g__e")
    drawing.at("g", "=x").user("a").gateway("parallel", "j").end()
    drawing.at("g", "=y").user("b").to("j")
    drawing.at("g").end("e")

    assert ("j", "flow.deadlock", "warning") in found(drawing)


def test_a_choice_before_a_parallel_join_is_an_error_where_no_choice_gets_through():
    problems = check_definition(parted("exclusive", "parallel").sources())

    (stuck,) = [p for p in problems if p.rule == "flow.deadlock"]
    assert (stuck.element, stuck.severity) == ("j", "error")
    assert "nothing comes any more on b__j, after start → g → a" in stuck.message
    assert "b__j" in stuck.message_zh
    with pytest.raises(BadDefinition):
        parted("exclusive", "parallel").read()


@pytest.mark.parametrize(
    ("split", "join"),
    [
        ("exclusive", "exclusive"),
        ("parallel", "parallel"),
        ("inclusive", "inclusive"),
        ("exclusive", "inclusive"),
    ],
)
def test_gateways_that_fit_have_no_dead_end(split, join):
    assert found(parted(split, join, default=split != "parallel")) == set()


def test_equal_conditions_are_true_together():
    drawing = process().start().gateway("inclusive", "g", default="g__e")
    drawing.at("g", "=x").user("a").gateway("parallel", "j").end()
    drawing.at("g", "=x").user("b").to("j")
    drawing.at("g").end("e")

    assert found(drawing) == set()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("=ok", "=not(ok)"),
        ("=r.grade = 1", "=r.grade = 2.5"),
        ('=x = "a"', '=x = "b"'),
        ("=ok", "=ok = false"),
    ],
)
def test_conditions_that_want_different_values_are_never_true_together(one, other):
    def chosen(first, second, join):
        drawing = process().start().user("ask").at("ask", first).user("a").gateway(join, "j").user("last")
        return drawing.end().at("ask", second).user("b").to("j")

    assert found(chosen(one, other, "exclusive")) == set()
    assert found(chosen(one, other, "parallel")) == {("j", "flow.deadlock", "error")}
    assert found(chosen(one, f"{other} or z", "exclusive")) == {("j", "flow.multiplied", "warning")}
    assert found(chosen("=x = 1", "=x = 1.0", "exclusive")) == {("j", "flow.multiplied", "warning")}


def test_two_inclusive_joins_that_wait_for_each_other_are_a_dead_end():
    drawing = (
        process()
        .start()
        .gateway("parallel", "f")
        .gateway("inclusive", "one")
        .gateway("exclusive", "x", "x__e")
    )
    drawing.at("x", "=more").gateway("inclusive", "two").gateway("exclusive", "y", "y__h").at(
        "y", "=more"
    ).to("one")
    drawing.at("f").to("two").at("x").end("e").at("y").end("h")

    assert {("one", "flow.deadlock", "error"), ("two", "flow.deadlock", "error")} <= found(drawing)


def test_a_terminate_end_frees_those_who_wait():
    drawing = parted("exclusive", "parallel")
    drawing.at("start").user("watch").end("stop", "<bpmn:terminateEventDefinition/>")

    assert found(drawing) <= {("last", "flow.unreachable", "warning")}


def test_an_interrupting_timer_around_a_dead_end_frees_the_case():
    def around(*, interrupting):
        inner = process("i").start("is").gateway("exclusive", "g", default="g__b")
        inner.at("g", "=x").user("a").gateway("parallel", "j").end("ie").at("g").user("b").to("j")
        drawing = process().start().sub("s", inner).end()
        return drawing.boundary("late", "s", timer("P1D"), interrupting=interrupting).end("e2")

    assert ("j", "flow.deadlock", "error") in found(around(interrupting=False))
    assert not [rule for _, rule, _ in found(around(interrupting=True)) if rule == "flow.deadlock"]


def test_an_activity_that_wants_more_tokens_than_can_come_is_a_dead_end():
    drawing = process().start().add("userTask", "a", startQuantity="2").end()
    assert ("a", "flow.deadlock", "error") in found(drawing)

    drawing = (
        process().start().add("task", "t", completionQuantity="2").add("task", "a", startQuantity="2").end()
    )
    assert found(drawing) == set()


def test_a_complex_gateway_is_asked_how_many_tokens_open_it():
    def counted(condition):
        drawing = process().start().gateway("parallel", "f").user("a")
        drawing.add("complexGateway", "c", COUNTED.format(condition)).end()
        return drawing.at("f").user("b").to("c")

    assert found(counted("activationCount &gt;= 1")) == set()
    assert ("c", "flow.deadlock", "error") in found(counted("activationCount &gt;= 3"))
    assert ("c", "flow.deadlock", "warning") in found(counted("approved"))


def test_boundary_events_take_their_tokens_past_a_join():
    drawing = process().start().gateway("parallel", "f").user("a").gateway("parallel", "j").end()
    drawing.at("f").user("b").to("j").boundary("late", "b", timer("P1D")).end("gone")

    assert found(drawing) == {("j", "flow.deadlock", "warning")}


# --- endless loops ------------------------------------------------------------------------------------


def test_a_loop_without_a_wait_and_without_a_way_out_is_an_error():
    drawing = process().start().gateway("exclusive", "x", default="x__end").end()
    drawing.at("x", "=again").add("task", "one").add("task", "two").to("one")

    assert ("one", "flow.livelock", "error") in found(drawing)


def test_a_loop_with_a_wait_or_with_a_way_out_is_none():
    waits = process().start().gateway("exclusive", "x", default="x__end").end()
    waits.at("x", "=again").user("one").add("task", "two").to("one")
    leaves = process().start().add("task", "one").gateway("exclusive", "x", default="x__end").end()
    leaves.at("x", "=again").to("one")

    assert found(waits) == found(leaves) == set()


# --- doubled work, dead elements ----------------------------------------------------------------------


def test_branches_merged_by_an_exclusive_gateway_do_what_follows_twice():
    assert found(parted("parallel", "exclusive", default=False)) == {("j", "flow.multiplied", "warning")}


def test_branches_that_only_end_at_the_same_event_double_nothing():
    drawing = process().start().gateway("parallel", "f").user("a").end().at("f").user("b").to("end")
    assert found(drawing) == set()


def test_a_rework_loop_with_reminders_doubles_nothing():
    drawing = process().start().user("a").gateway("exclusive", "x", default="x__end").end()
    drawing.at("x", "=again").to("a").boundary("remind", "a", timer("P1D"), interrupting=False).user("call")
    drawing.end("called")

    assert found(drawing) == set()


def test_what_a_caught_escalation_takes_away_is_never_come_to():
    def raised(*, interrupting):
        inner = process("i").start("is").throw("up", ESCALATION_EVENT).user("after").end("ie")
        drawing = process().define(ESCALATION).start().sub("s", inner).end()
        return drawing.boundary("caught", "s", ESCALATION_EVENT, interrupting=interrupting).end("e2")

    assert found(raised(interrupting=False)) == set()
    assert found(raised(interrupting=True)) == {
        ("after", "flow.unreachable", "warning"),
        ("end", "flow.unreachable", "warning"),
    }


def test_an_error_nobody_can_throw_is_never_caught():
    def guarded(inner):
        drawing = process().define(ERROR).start().sub("s", inner).end()
        return drawing.boundary("caught", "s", ERROR_EVENT).user("mend").end("e2")

    harmless = process("i").start("is").user("a").end("ie")
    throwing = process("i").start("is").gateway("exclusive", "g", default="g__ie").end("ie")
    throwing.at("g", "=bad").end("wrong", ERROR_EVENT)
    working = process("i").start("is").job("j", "do").end("ie")

    assert found(guarded(harmless)) == {("caught", "flow.unreachable", "warning")}
    assert found(guarded(throwing)) == found(guarded(working)) == set()


def test_an_event_sub_process_ends_a_level_that_cannot_end_itself():
    def guarded(*, interrupting):
        handler = process("h").start("hs", message("m"), isInterrupting=str(interrupting).lower()).end("he")
        drawing = parted("exclusive", "parallel").define(MESSAGE)
        return drawing.event_sub("h", handler)

    assert ("j", "flow.deadlock", "error") in found(guarded(interrupting=False))
    assert not [rule for _, rule, _ in found(guarded(interrupting=True)) if rule == "flow.deadlock"]


# --- the bound ----------------------------------------------------------------------------------------


def splits_in_a_row(count):
    drawing = process().start()
    for number in range(count):
        drawing.gateway("parallel", f"f{number}").user(f"a{number}").gateway("exclusive", f"m{number}")
        drawing.at(f"f{number}").user(f"b{number}").to(f"m{number}").at(f"m{number}")
    return drawing.end()


def fan(count, join="parallel"):
    drawing = process().start().gateway("parallel", "f").user("a0").gateway(join, "j").end()
    for number in range(1, count):
        drawing.at("f").user(f"a{number}").to("j")
    return drawing


def nested_loops(count):
    drawing = process().start()
    for number in range(count):
        drawing.add("task", f"in{number}")
    for number in reversed(range(count)):
        drawing.gateway("exclusive", f"out{number}", default=f"out{number}__again{number}")
        drawing.add("task", f"again{number}").to(f"in{number}").at(f"out{number}", "=x")
    return drawing.end()


def choices_side_by_side(count):
    drawing = process().start().gateway("inclusive", "f", default="f__end").end().at("f")
    for number in range(count):
        drawing.at("f", f"=c{number}").gateway("exclusive", f"x{number}", default=f"x{number}__a{number}")
        drawing.user(f"a{number}").gateway("exclusive", f"m{number}").at(f"x{number}", "=y").user(
            f"b{number}"
        )
        drawing.to(f"m{number}").at(f"m{number}")
        drawing.to("j") if number else drawing.gateway("inclusive", "j").end("e2")
    return drawing


def chain(count):
    drawing = process().start()
    for number in range(count):
        drawing.gateway("inclusive", f"g{number}", default=f"g{number}__m{number}").gateway(
            "inclusive", f"m{number}"
        )
        drawing.at(f"g{number}", "=x").add("task", f"t{number}").to(f"m{number}").at(f"m{number}")
    return drawing.end()


@pytest.mark.parametrize(
    "drawing",
    [
        splits_in_a_row(30),
        fan(900),
        fan(300, "inclusive"),
        nested_loops(150),
        choices_side_by_side(12),
        chain(600),
    ],
    ids=["splits", "fan", "inclusive fan", "loops", "choices", "chain"],
)
def test_huge_drawings_are_answered_within_two_seconds(drawing):
    drawings = load(drawing.sources()).drawings
    before = time.process_time()

    list(check_exploration(drawings["p"]))
    list(check_branches(Usage(drawings), "p"))
    list(check_unwritten(Usage(drawings), "p", frozenset()))

    assert time.process_time() - before < 2


def test_where_the_search_stops_is_said():
    assert found(chain(600)) == {("p", "explore.bound", "info")}
    assert ("p", "explore.bound", "info") in found(splits_in_a_row(4))
