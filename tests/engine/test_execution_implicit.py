"""Levels without start and end events: tokens begin where no flow leads to and end where none goes on."""

from __future__ import annotations

import pytest

from engine.definition.model import check_definition
from tests.engine.drawing import MESSAGE, Drawing, for_each, message, play, process, timer


def errors(drawing: Drawing, *called: Drawing) -> set[tuple[str, str]]:
    return {(p.element, p.rule) for p in check_definition(drawing.sources(*called)) if p.severity == "error"}


def ends(played) -> list[str]:
    return [s.element for s in played.told if type(s).__name__ == "Ended"]


def test_every_node_without_a_way_in_begins_and_the_case_ends_with_the_last_path():
    drawing = process().user("a").script("b", "=1", "b").at("c").user("c")
    drawing.flows.pop()  # c stands alone
    played = play(drawing)

    assert played.waiting() == ["a", "c"]
    assert played.do("c").status == "active"
    assert played.do("a").status == "completed"
    assert ends(played) == ["c", "b"]


def test_paths_that_begin_together_are_branches_and_merge_in_file_order():
    drawing = process().script("a", "=1", "x")
    drawing.add("userTask", "b", connect=False).script("c", "=x", "seen").script("d", "=2", "x")
    played = play(drawing).do("b")

    assert played.variables == {"x": 2, "seen": None}


def test_a_sub_process_may_do_without_events_too():
    inner = process("i").script("x", "=1", "x").script("y", "=2", "y")
    drawing = process().start().sub("s", inner).end()

    assert play(drawing).passed == ["start", "x", "y", "s", "end"]


def test_each_instance_of_such_a_sub_process_runs_its_own_paths():
    inner = process("i").user("x")
    inner.add("userTask", "y", connect=False)
    drawing = process().start().sub("s", inner, for_each("=people", "p")).end()
    played = play(drawing, people=["a", "b"])

    assert sorted(played.waiting()) == ["x", "x", "y", "y"]
    for task in ("x", "y", "x", "y"):
        played.do(task)
    assert played.status == "completed"


def test_boundary_events_and_conditional_flows_end_paths_as_well():
    drawing = process().user("a").script("b", "=1", "b").boundary("late", "a", timer("P1D"))

    assert ends(play(drawing).later(days=2)) == ["late"]


def test_a_called_process_may_do_without_events():
    called = process("q").script("x", "=1", "x")
    drawing = process().start().call("c", "q").end()

    assert play(drawing, called).passed == ["start", "x", "c", "end"]


def test_the_level_comes_back_from_a_snapshot_between_its_paths():
    drawing = process().user("a")
    drawing.add("userTask", "b", connect=False)
    played = play(drawing).do("a", x=1)
    again = type(played.execution).restore(
        played.definition, played.execution.snapshot(), calendar=played.execution._workflow.asker.calendar
    )

    assert again.digest() == played.execution.digest()
    played.execution = again
    assert played.do("b", y=2).variables == {"x": 1, "y": 2}


REFUSED = {
    "an end event without a start event": (process().user("a").end("e"), ("e", "start.missing")),
    "a start event without an end event": (process().start().user("a"), ("start", "end.missing")),
    "nothing but a circle": (process().user("a").to("a"), ("p", "start.missing")),
    "nothing at all": (process(), ("p", "start.missing")),
    "a node without a way in beside a start event": (
        process().start().end().add("task", "alone", connect=False).to("end"),
        ("alone", "flow.unreachable"),
    ),
    "a node without a way out beside an end event": (
        process().start().gateway("parallel", "g").end().at("g").user("a"),
        ("a", "flow.dead_end"),
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_half_of_it_is_refused(what):
    drawing, expected = REFUSED[what]

    assert expected in errors(drawing)


def test_a_process_that_waits_for_a_message_to_begin_cannot_be_called():
    called = process("q").start("qs", message("m")).end("qe").define(MESSAGE)
    drawing = process().start().call("c", "q").end()

    assert ("c", "call.start") in errors(drawing, called)
