"""Activities that hold others, and what happens when something goes wrong."""

from __future__ import annotations

import pytest

from engine.errors import WrongState
from tests.engine.drawing import (
    FORMAL,
    for_each,
    play,
    process,
    timer,
)

# --- activities that hold others ----------------------------------------------------------------------


def test_a_call_maps_variables_both_ways():
    called = process("q").start("qs").script("x", "=given * 2", "doubled").script("y", "=1", "y").end("qe")
    entries = '<zeebe:input source="=a" target="given"/><zeebe:output source="=doubled" target="b"/>'
    mapping = f"<zeebe:ioMapping>{entries}</zeebe:ioMapping>"
    drawing = process().start().call("c", "q", mapping, propagateAllParentVariables="false").end()

    assert play(drawing, called, a=2).variables == {"a": 2, "b": 4}


def test_inner_variables_of_a_call_can_stay_inside():
    called = process("q").start("qs").script("x", "=1", "x").end("qe")
    drawing = process().start().call("c", "q", propagateAllChildVariables="false").end()

    assert play(drawing, called).variables == {}


def test_a_sub_process_shares_its_variables_and_is_withdrawn_as_a_whole():
    inner = process("i").start("is").script("x", "=1", "x").user("a").end("ie")
    drawing = process().start().sub("s", inner).end().boundary("b", "s", timer("P1D")).end("late")
    played = play(drawing)

    assert played.later(days=2).passed == ["start", "is", "x", "b", "late"]
    assert played.variables == {"x": 1}
    assert play(drawing).do("a", y=2).variables == {"x": 1, "y": 2}


def test_instances_one_after_another_until_enough_have_answered():
    loop = for_each(
        "=people",
        "p",
        results="votes",
        result="=vote",
        done="=numberOfCompletedInstances >= 2",
        sequential=True,
    )
    played = play(process().start().user("m", inside=loop).end(), people=["x", "y", "z"])

    assert [w.item for w in played.open().values()] == ["x"]
    played.do("m", vote=1)
    assert [w.item for w in played.open().values()] == ["y"]
    assert played.do("m", vote=2).variables["votes"] == [1, 2, None]


def test_the_rest_of_parallel_instances_is_withdrawn():
    loop = for_each("=people", "p", results="votes", result="=vote", done="=vote = false")
    played = play(process().start().user("m", inside=loop).user("n").end(), people=["x", "y", "z"])

    assert played.do("m", vote=False).waiting() == ["n"]
    assert [type(s).__name__ for s in played.fresh].count("Withdrawn") == 2
    assert played.flows == ["start__m", "m__n"]


def test_each_instance_sees_its_item_and_its_number():
    loop = for_each("=people", "p")
    played = play(process().start().user("m", '=["expert@" + p]', inside=loop).end(), people=["x", "y"])

    assert [w.groups for w in played.open().values()] == [("expert@x",), ("expert@y",)]
    local = played.execution.local(played.n("m"))
    assert (local["p"], local["loopCounter"]) == ("x", 1)
    assert "p" not in played.do("m").do("m").variables


def test_without_an_output_collection_writes_are_taken_over_in_item_order():
    loop = for_each("=people", "p")
    played = play(process().start().user("m", inside=loop).end(), people=["x", "y"])
    first, second = played.open()

    assert (
        played.do("m", n=second, last="second").do("m", n=first, last="first").variables["last"] == "second"
    )


def test_no_items_no_instances():
    loop = for_each("=people", "p", results="votes", result="=1")

    played = play(process().start().user("m", inside=loop).end(), people=[])

    assert (played.status, played.variables["votes"]) == ("completed", [])


def test_instances_of_sub_processes_and_calls():
    inner = process("i").start("is").user("a", '=["g@" + p]').end("ie")
    loop = for_each("=people", "p", results="answers", result="=answer")
    drawing = process().start().sub("s", inner, loop).end()
    played = play(drawing, people=["x", "y"])
    first, second = played.open()
    played.do("a", n=second, answer=2).do("a", n=first, answer=1)
    assert (played.status, played.variables["answers"]) == ("completed", [1, 2])

    called = process("q").start("qs").script("x", "=p + 1", "answer").end("qe")
    calls = play(process().start().call("c", "q", inside=loop).end(), called, people=[1, 2])
    assert calls.variables == {"people": [1, 2], "answers": [2, 3]}


def test_a_boundary_timer_ends_all_instances_at_once():
    loop = for_each("=people", "p")
    drawing = (
        process().start().user("m", inside=loop).end().boundary("b", "m", timer("P1D")).user("late").end("e")
    )

    assert play(drawing, people=["x", "y"]).later(days=1).waiting() == ["late"]


def test_a_reminder_beside_instances_tells_each_open_task():
    loop = for_each("=people", "p")
    drawing = process().start().user("m", inside=loop).end()
    drawing.boundary("b", "m", timer("P1D"), interrupting=False).add("task", "remind").end("e")
    played = play(drawing, people=["x", "y", "z"]).do("m").later(days=1)

    escalated = [s.task_n for s in played.told if type(s).__name__ == "Escalated"]
    assert escalated == list(played.open())


def test_a_standard_loop_repeats_while_its_condition_holds():
    condition = f"<bpmn:loopCondition {FORMAL}>=n &lt; 3</bpmn:loopCondition>"
    loop = f"<bpmn:standardLoopCharacteristics>{condition}</bpmn:standardLoopCharacteristics>"
    inner = process("i").start("is").script("x", "=n + 1", "n").end("ie")

    assert play(process().start().sub("s", inner, loop).end(), n=0).variables == {"n": 3}


# --- what goes wrong ----------------------------------------------------------------------------------


def test_a_broken_condition_stops_its_branch_only_and_can_be_mended():
    drawing = process().start().gateway("parallel", "f").gateway("exclusive", "g", default="g__e1")
    drawing.at("g", "=nothing > 1").end("e2").at("g").end("e1").at("f").user("b").end("e3")
    played = play(drawing)

    assert (played.failed, played.waiting()) == (["g:CONDITION"], ["b"])
    n = next(s.n for s in played.told if type(s).__name__ == "Failed")
    played.retry(n, nothing=2).do("b")
    assert (played.status, "e2" in played.passed) == ("completed", True)


def test_a_broken_timer_or_assignment_fails_where_it_stands():
    timed = play(process().start().catch("t", timer("=soon")).end())
    assert timed.failed == ["t:TIMER"]
    naive = play(process().start().catch("t", timer("=soon", "Date")).end(), soon="2026-05-01T00:00:00")
    assert naive.failed == ["t:TIMER"]
    who = play(process().start().user("a", "=nobody").end())
    assert who.failed == ["a:ASSIGNMENT"]
    assert who.retry(2, nobody=["g"]).waiting() == ["a"]


def test_a_failing_boundary_timer_leaves_the_task_open():
    drawing = process().start().user("a").end().boundary("b", "a", timer("=soon")).end("e")
    played = play(drawing)

    assert (played.failed, played.waiting()) == (["b:TIMER"], ["a"])
    assert played.do("a").status == "completed"


def test_a_loop_without_a_wait_ends_as_a_failure():
    drawing = process().start().add("task", "a").gateway("exclusive", "g", default="g__a")
    drawing.at("g", "=false").end().at("g").to("a")
    played = play(drawing)

    assert [f.split(":")[1] for f in played.failed] == ["TOO_MANY_STEPS"]


def test_a_process_that_calls_itself_for_ever_fails():
    drawing = process().start().call("c", "p").end()

    assert play(drawing).failed == ["c:TOO_DEEP"]


def test_a_cancelled_case_withdraws_everything():
    drawing = process().start().user("a").end().boundary("b", "a", timer("P1D")).end("e")
    played = play(drawing)
    played.execution.cancel(now=played.now)

    assert [type(s).__name__ for s in played.execution.drain()] == ["Withdrawn", "Withdrawn"]
    assert played.status == "cancelled"


def test_commands_for_what_does_not_wait_are_refused():
    played = play(process().start().user("a").end())

    for refused in (
        lambda: played.execution.complete(9, {}, now=played.now),
        lambda: played.execution.finish(2, {}, now=played.now),
        lambda: played.execution.fire(2, now=played.now),
        lambda: played.execution.retry(2, values={}, now=played.now),
        lambda: played.say("nothing"),
    ):
        with pytest.raises(WrongState):
            refused()
    assert played.do("a").status == "completed"
