"""Sub-processes that are undone: by the event sub-process they hold, or by what undoes their parts."""

from __future__ import annotations

import pytest

from engine.definition.model import check_definition
from tests.engine.drawing import play, process

UNDO = "<bpmn:compensateEventDefinition/>"


def undo(activity):
    return f'<bpmn:compensateEventDefinition activityRef="{activity}"/>'


def deal(own="s"):
    """A sub-process whose booking can be undone."""
    inner = process(f"{own}_i").start(f"{own}_is").script(f"{own}_book", "=1", "booked").end(f"{own}_ie")
    inner.boundary(f"{own}_undo", f"{own}_book", UNDO)
    inner.add("userTask", f"{own}_unbook", connect=False, isForCompensation="true")
    return inner.associate(f"{own}_undo", f"{own}_unbook")


def with_undoer(inside=""):
    """A sub-process that says itself how it is undone."""
    handler = process("h").start("hs", UNDO).user("settle")
    if inside:
        handler.throw("again", inside)
    return deal().event_sub("h", handler.end("he"))


def test_a_sub_process_is_undone_by_the_event_sub_process_that_begins_by_compensation():
    drawing = process().start().sub("s", with_undoer()).throw("t", UNDO).user("after").end()
    played = play(drawing).restart()
    assert played.waiting() == ["settle"]

    assert played.do("settle", why="late").restart().waiting() == ["after"]
    assert played.variables == {"booked": 1, "why": "late"}
    assert "s_unbook" not in played.passed


def test_it_may_undo_the_parts_of_its_sub_process():
    drawing = process().start().sub("s", with_undoer(UNDO)).throw("t", undo("s")).user("after").end()
    played = play(drawing).do("settle").restart()
    assert played.waiting() == ["s_unbook"]

    assert played.do("s_unbook").waiting() == ["after"]


def test_a_sub_process_without_one_is_undone_part_by_part():
    drawing = process().start().sub("s", deal()).throw("t", undo("s")).user("after").end()
    played = play(drawing)
    assert played.waiting() == ["s_unbook"]

    assert played.do("s_unbook").waiting() == ["after"]


def test_another_sub_process_is_left_as_it_is():
    drawing = process().start().sub("s", deal()).sub("r", deal("r")).throw("t", undo("s")).user("after").end()

    assert play(drawing).do("s_unbook").waiting() == ["after"]


def test_everything_is_undone_in_reverse_order():
    drawing = (
        process().start().sub("s", with_undoer()).sub("r", deal("r")).throw("t", UNDO).user("after").end()
    )
    played = play(drawing)

    assert played.waiting() == ["r_unbook"]
    assert played.do("r_unbook").restart().waiting() == ["settle"]
    assert played.do("settle").waiting() == ["after"]


def test_what_was_not_finished_is_not_undone():
    inner = process("i").start("is").user("a").end("ie")
    inner.event_sub("h", process("h").start("hs", UNDO).user("settle").end("he"))
    drawing = process().start().gateway("parallel", "f").sub("s", inner).end()
    played = play(drawing.at("f").throw("t", UNDO).user("after").end("e"))

    assert sorted(played.waiting()) == ["a", "after"]


def test_nothing_is_undone_twice():
    drawing = process().start().sub("s", with_undoer()).throw("t", UNDO).throw("u", UNDO).user("after").end()

    assert play(drawing).do("settle").waiting() == ["after"]


@pytest.mark.parametrize("place", ["process", "twins"])
def test_an_undoer_stands_alone_in_an_embedded_sub_process(place):
    handler = process("h").start("hs", UNDO).end("he")
    if place == "process":
        drawing = process().start().end().event_sub("h", handler)
    else:
        inner = deal().event_sub("h", handler).event_sub("k", process("k").start("ks", UNDO).end("ke"))
        drawing = process().start().sub("s", inner).end()

    assert "compensation.place" in {p.rule for p in check_definition(drawing.sources())}
