"""Variables that two branches write, and variables that are read before anybody can have written them."""

from __future__ import annotations

from engine.definition.checks.unwritten import check_unwritten
from engine.definition.checks.usage import Usage
from engine.definition.loading import load
from engine.definition.model import check_definition
from tests.engine.drawing import (
    FORMAL,
    SIGNAL,
    SIGNAL_EVENT,
    condition,
    for_each,
    inputs,
    message,
    outputs,
    play,
    process,
    timer,
)

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


def loose(ordering, *names, done=""):
    """A process around ad-hoc scripts that write a variable each, and what they leave behind as `seen`."""
    inner = process("i")
    for own, name in zip("abc", names, strict=False):
        inner.last = None
        inner.script(own, "=1", name)
    written = f"<bpmn:completionCondition {FORMAL}>={done}</bpmn:completionCondition>" if done else ""
    return process().start().add("adHocSubProcess", "s", inner.content + written, ordering=ordering)


def test_ad_hoc_work_side_by_side_can_conflict_and_one_by_one_cannot():
    ((element, sentence),) = conflicts(loose("Parallel", "score", "score").end())

    assert element == "b"
    assert "in ad-hoc work the value of what is done last stays" in sentence
    assert conflicts(loose("Sequential", "score", "score").end()) == []
    assert conflicts(loose("Parallel", "one", "other").end()) == []


def test_the_value_of_the_last_ad_hoc_work_stays_in_the_engine():
    inner = process("i").user("a", result="score")
    inner.last = None
    inner.user("b", result="score")
    drawing = process().start().add("adHocSubProcess", "s", inner.content).end()

    assert len(conflicts(drawing)) == 1
    assert play(drawing).do("b", by="b").do("a", by="a").variables == {"score": {"by": "a"}}


def test_what_the_steps_after_one_ad_hoc_activity_write_is_no_conflict():
    inner = process("i").script("a", "=1", "score").script("b", "=2", "score")
    assert conflicts(process().start().add("adHocSubProcess", "s", inner.content).end()) == []


def test_ways_that_begin_together_can_conflict_and_several_start_events_cannot():
    beside = process().script("a", "=1", "score")
    beside.last = None
    assert [element for element, _ in conflicts(beside.script("b", "=2", "score"))] == ["b"]

    starts = process().define(MESSAGE).start().script("a", "=1", "score").end()
    starts.start("told", message("m")).script("b", "=2", "score").to("end")
    assert conflicts(starts) == []


def test_what_a_gateway_that_waits_for_all_its_events_lets_begin_can_conflict():
    def begun(kind):
        drawing = process().define(MESSAGE).define('<bpmn:message id="m2" name="other"/>')
        drawing.add("eventBasedGateway", "g", eventGatewayType=kind, instantiate="true")
        drawing.catch("one", message("m")).script("a", "=1", "score").end()
        return drawing.at("g").catch("two", message("m2")).script("b", "=2", "score").to("end")

    assert [element for element, _ in conflicts(begun("Parallel"))] == ["b"]
    assert conflicts(begun("Exclusive")) == []


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


def test_a_level_without_start_events_is_followed_too():
    drawing = process().script("a", "=start", "one").script("b", "=one + two", "x")
    assert unwritten(drawing) == [("b", "error")]


def test_ad_hoc_work_sees_what_other_ad_hoc_work_wrote():
    assert unwritten(loose("Parallel", "one").script("after", "=one", "x").end()) == []
    assert unwritten(loose("Parallel", "one", done="one + two > 1").end()) == [("s", "error")]

    inner = process("i").script("a", "=two + three", "one")
    inner.last = None
    inner.script("b", "=1", "two")
    drawing = process().start().add("adHocSubProcess", "s", inner.content).end()
    assert unwritten(drawing) == [("a", "error")]  # nobody writes three


def test_messages_and_signals_may_bring_whatever_is_read():
    for root, event in ((MESSAGE, message("m")), (SIGNAL, SIGNAL_EVENT)):
        caught = process().define(root).start().catch("c", event).script("x", "=brought", "y").end()
        several = process().define(root).start().catch("c", event + timer("P1D"))
        begun = process().define(root).start("told", event).script("x", "=brought", "y").end()
        assert unwritten(caught) == unwritten(begun) == []
        assert unwritten(several.script("x", "=brought", "y").end()) == []
        before = process().define(root).start().script("x", "=brought", "y").catch("c", event).end()
        assert unwritten(before) == [("x", "error")]


def test_what_undoing_writes_can_be_read_after_it():
    undo = "<bpmn:compensateEventDefinition/>"
    drawing = process().start().script("book", "=1", "booked").throw("regret", undo)
    drawing.script("after", "=given_back + lost", "x").end().boundary("b", "book", undo)
    drawing.script("unbook", "=1", "given_back").associate("b", "unbook")
    drawing.parts[-1] = drawing.parts[-1].replace('id="unbook"', 'id="unbook" isForCompensation="true"')
    drawing.flows = [flow for flow in drawing.flows if 'id="b__unbook"' not in flow]

    found = list(check_unwritten(Usage(load(drawing.sources()).drawings), "p", frozenset()))
    assert [(p.element, p.message.split()[2]) for p in found] == [("after", "lost,")]


def test_outputs_are_read_when_the_work_is_done():
    def mapped(source):
        extra = outputs(kept=source, more="=kept + 1")
        return process().start().user("u", result="r", extra=extra).end()

    filled = {"u": frozenset({"field"})}
    assert unwritten(mapped("=field + r.field + start"), filled=filled) == []
    assert unwritten(mapped("=missing"), filled=filled) == [("u", "error")]
    assert unwritten(mapped("=missing")) == []  # what is filled in at u is not known


def test_results_and_conditions_of_loops_see_what_an_instance_wrote():
    def voting(result, done):
        loop = for_each("=start", "i", results="votes", result=result, done=done)
        return process().start().script("u", "=i", "vote", loop).end()

    good = voting("=vote + i", "=numberOfCompletedInstances > 1 and count(votes) > vote")
    assert unwritten(good) == []
    assert unwritten(voting("=voice", "=vote > 1")) == [("u", "error")]
    assert unwritten(voting("=vote", "=voice > 1")) == [("u", "error")]


def test_what_opens_a_complex_gateway_is_read_where_tokens_come():
    def opening(condition):
        written = f"<bpmn:activationCondition {FORMAL}>={condition}</bpmn:activationCondition>"
        drawing = process().start().gateway("parallel", "f").script("a", "=1", "one")
        drawing.add("complexGateway", "c", written).end()
        return drawing.at("f").script("b", "=2", "one").to("c")

    assert unwritten(opening("activationCount &gt; one")) == []
    assert unwritten(opening("activationCount &gt; two")) == [("c", "error")]
