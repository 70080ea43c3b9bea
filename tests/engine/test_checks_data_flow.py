"""Variables that two branches write, and variables that are read before anybody can have written them."""

from __future__ import annotations

from engine.definition.checks.unwritten import check_unwritten
from engine.definition.checks.usage import Usage
from engine.definition.loading import load
from engine.definition.model import check_definition
from tests.engine.drawing import condition, for_each, inputs, message, outputs, play, process, timer

MESSAGE = '<bpmn:message id="m" name="answer"/>'


def conflicts(drawing, *called):
    """(element, sentence) of every conflict."""
    problems = [p for p in check_definition(drawing.sources(*called)) if p.rule == "data.conflict"]
    assert all(p.severity == "warning" and p.message_zh for p in problems)
    return [(p.element, p.message) for p in problems]


# --- two branches write the same ----------------------------------------------------------------------


def forked(split="parallel"):
    default = "f__j" if split != "parallel" else ""
    drawing = process().start().gateway(split, "f", default).at("f", "=x" if default else None)
    drawing.script("a", "=1", "score").gateway(split, "j").end()
    drawing.at("f", "=y" if default else None).script("b", "=2", "score").to("j")
    return drawing.at("f").to("j") if default else drawing


def test_the_warning_names_both_elements_the_variable_and_who_wins():
    ((element, sentence),) = conflicts(forked())

    assert element == "b"
    assert sentence == (
        "a and b can both write score in parallel branches; "
        "at j the value of b stays, whose flow stands later in the file"
    )
    assert play(forked()).variables["score"] == 2


def test_who_wins_is_who_wins_in_the_engine():
    drawing = process().start().gateway("parallel", "f").script("a", "=1", "score").at("f")
    drawing.script("b", "=2", "score").gateway("parallel", "j").end().at("a").to("j")

    assert "the value of a stays" in conflicts(drawing)[0][1]
    assert play(drawing).variables["score"] == 1


def test_inclusive_branches_can_conflict_and_exclusive_ones_cannot():
    assert [element for element, _ in conflicts(forked("inclusive"))] == ["b"]
    assert conflicts(forked("exclusive")) == []


def test_one_branch_after_the_join_or_another_variable_conflicts_with_nobody():
    drawing = process().start().gateway("parallel", "f").script("a", "=1", "one").gateway("parallel", "j")
    drawing.script("c", "=3", "one").end().at("f").script("b", "=2", "two").to("j")

    assert conflicts(drawing) == []


def test_everything_that_writes_is_looked_at():
    called = process("q").start("qs").script("qx", "=1", "score").end("qe")
    inner = process("i").start("is").script("ix", "=1", "score").end("ie")

    def beside(add):
        drawing = process().start().gateway("parallel", "f").script("a", "=1", "score")
        add(drawing.gateway("parallel", "j").end().at("f")).to("j")
        return drawing

    ways = {
        "b": lambda d: d.user("b", result="score"),
        "c": lambda d: d.job("c", "x", outputs(score="=1")),
        "d": lambda d: d.user("d", inside=for_each("=[1]", "i", results="score", result="=i")),
        "e": lambda d: d.sub("e", inner),
        "g": lambda d: d.call("g", "q"),
    }
    for own, add in ways.items():
        assert [element for element, _ in conflicts(beside(add), called)] == [own]
    closed = beside(lambda d: d.call("g", "q", propagateAllChildVariables="false"))
    assert conflicts(closed, called) == []


def test_what_a_reminder_writes_beside_its_task_can_conflict():
    def reminded(name):
        drawing = process().start().user("a", result="score").end()
        drawing.boundary("late", "a", timer("P1D"), interrupting=False)
        return drawing.script("b", "=1", name).end("e2")

    assert [element for element, _ in conflicts(reminded("score"))] == ["b"]
    assert conflicts(reminded("other")) == []


def test_an_event_sub_process_beside_its_level_can_conflict():
    def listening(*, interrupting):
        handler = process("h").start("hs", message("m"), isInterrupting=str(interrupting).lower())
        handler.script("b", "=1", "score").end("he")
        return process().define(MESSAGE).start().user("a", result="score").end().event_sub("h", handler)

    assert len(conflicts(listening(interrupting=False))) == 1
    assert conflicts(listening(interrupting=True)) == []


# --- read before written ------------------------------------------------------------------------------


def unwritten(drawing, *called, given=("start",), filled=None):
    """(element, severity) of everything that is read too early, for a case that starts with `given`."""
    drawings = load(drawing.sources(*called)).drawings
    start = None if given is None else frozenset(given)
    problems = list(check_unwritten(Usage(drawings, filled or {}), "p", start))
    assert all(p.rule == "data.unwritten" and p.message_zh for p in problems)
    return [(p.element, p.severity) for p in problems]


def test_what_nobody_can_have_written_is_an_error_where_it_is_read():
    drawing = process().start().script("early", "=score + 1", "x").user("u", result="score")
    drawing.script("late", "=score + start + x", "y").end()

    assert unwritten(drawing) == [("early", "error")]


def test_a_start_value_a_form_field_and_what_a_loop_wrote_before_are_written():
    drawing = process().start().user("u").script("one", "=field + start", "x")
    drawing.gateway("exclusive", "g", "g__end").end().at("g", "=x > 1")
    drawing.script("two", "=three", "y").script("three", "=none", "three").to("one")

    assert unwritten(drawing, filled={"u": frozenset({"field"})}) == [("three", "error")]
    assert unwritten(drawing) == []  # what is filled in at u is not known


def test_an_expression_that_asks_for_null_may_read_early():
    drawing = process().start().script("count", "=(if rounds = null then 0 else rounds) + 1", "n").end()
    assert unwritten(drawing) == []


def branching(test):
    drawing = process().start().gateway("exclusive", "g", default="g__m").at("g", "=start > 1")
    drawing.script("write", "=1", "score").gateway("exclusive", "m").gateway("exclusive", "x", "x__end").end()
    return drawing.at("g").to("m").at("x", test).end("e2")


def test_what_is_written_on_some_ways_only_is_doubtful_where_null_would_stop_the_case():
    assert unwritten(branching("=score > 3")) == [("x__e2", "warning")]
    assert unwritten(branching('=score = "high"')) == []


def test_a_parallel_join_knows_what_every_branch_wrote_and_a_branch_only_its_own():
    drawing = process().start().gateway("parallel", "f").script("a", "=1", "one").gateway("parallel", "j")
    drawing.script("sum", "=one + two", "x").end().at("f").script("b", "=one", "two").to("j")

    assert unwritten(drawing) == [("b", "error")]


def test_inner_levels_calls_and_their_inputs_are_followed():
    called = process("q").start("qs").script("qx", "=word + start", "echo").end("qe")
    inner = process("i").start("is").script("ix", "=missing", "kept").end("ie")
    drawing = process().start().sub("s", inner).call("c", "q", inputs(word="=kept"))
    drawing.script("after", "=echo", "x").end()
    assert unwritten(drawing, called) == [("ix", "error")]

    closed = process().start().call("c", "q", inputs(word="=1"), propagateAllParentVariables="false").end()
    assert unwritten(closed, called) == [("qx", "error")]


def test_boundary_events_and_event_sub_processes_may_come_after_what_was_written():
    handler = process("h").start("hs", condition("=start > 1")).script("hx", "=score", "z").end("he")
    drawing = process().start().user("u", result="score").end().event_sub("h", handler)
    drawing.boundary("late", "u", timer("P1D")).script("b", "=score", "y").end("e2")

    assert unwritten(drawing) == []


def test_without_known_start_values_only_what_is_written_later_is_doubtful():
    early = process().start().script("read", "=score + other", "x").script("write", "=1", "score").end()
    late = process().start().script("write", "=1", "score").script("read", "=score + other", "x").end()

    assert unwritten(early, given=None) == [("read", "warning")]
    assert unwritten(late, given=None) == []
