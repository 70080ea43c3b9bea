"""A token's way through tasks, gateways, timers, calls."""

from __future__ import annotations

from tests.engine.drawing import for_each, play, process, timer


def test_an_exclusive_gateway_takes_the_first_true_way():
    drawing = process().start().user("a").gateway("exclusive", "g", default="g__no")
    drawing.at("g", "=ok = true").end("yes").at("g").end("no")

    assert play(drawing).do("a", ok=True).passed == ["start", "a", "g", "yes"]
    assert play(drawing).do("a", ok=False).passed == ["start", "a", "g", "no"]


def test_a_join_unites_what_the_branches_wrote_in_flow_order_whoever_came_first():
    drawing = process().start().gateway("parallel", "f").user("a").gateway("parallel", "j").end()
    drawing.at("f").user("b").to("j")

    first = play(drawing, x=0).do("a", x=1, only_a=1).do("b", x=2, only_b=1)
    second = play(drawing, x=0).do("b", x=2, only_b=1).do("a", x=1, only_a=1)

    assert {"x": 2, "only_a": 1, "only_b": 1} == first.variables == second.variables


def test_a_branch_that_wrote_nothing_does_not_undo_the_other_one():
    drawing = process().start().gateway("parallel", "f").user("a").gateway("parallel", "j").end()
    drawing.at("f").user("b").to("j")

    assert play(drawing, x=0).do("a", x=1).do("b").variables == {"x": 1}


def test_boundary_timers_remind_beside_and_stop_instead():
    drawing = process().start().user("a").end()
    drawing.boundary("late", "a", timer("P1D"), interrupting=False).user("remind").end("reminded")
    drawing.boundary("stop", "a", timer("=add working days(now(), 3)", "Date")).end("stopped")
    played = play(drawing)

    assert played.later(days=1).waiting() == ["a", "remind"]
    assert played.later(days=20).waiting() == ["remind"]
    assert played.do("remind").status == "completed"


def test_a_called_process_gives_its_variables_back():
    called = process("q").start("qs").script("qx", "=a + 1", "b").end("qe")

    played = play(process().start().call("c", "q").end(), called, a=1)

    assert played.passed == ["start", "qs", "qx", "qe", "c", "end"]
    assert played.variables == {"a": 1, "b": 2}


def test_votes_are_collected_in_item_order():
    loop = for_each("=people", "person", results="votes", result="=vote")
    played = play(process().start().user("m", inside=loop).end(), people=["x", "y", "z"])

    last, first, middle = played.open()
    played.do("m", n=middle, vote=3).do("m", n=last, vote=1).do("m", n=first, vote=2)

    assert played.variables["votes"] == [1, 2, 3]
    assert played.passed == ["start", "m", "m", "m", "end"]
