"""What is seldom drawn, but does what BPMN says when it is."""

from __future__ import annotations

from tests.engine.drawing import condition, play, process
from tests.engine.models import ACTIVATION

UNDO = "<bpmn:compensateEventDefinition/>"
CANCEL = "<bpmn:cancelEventDefinition/>"


def booked(own):
    """A drawing of one activity with its compensation handler."""
    inner = (
        process(own)
        .start(f"{own}_start")
        .add("task", f"{own}_book")
        .script(f"{own}_x", "=1", own)
        .end(f"{own}_end")
    )
    inner.boundary(f"{own}_undo", f"{own}_book", UNDO)
    inner.add("task", f"{own}_unbook", connect=False, isForCompensation="true")
    return inner.associate(f"{own}_undo", f"{own}_unbook")


def test_what_was_done_is_undone_in_reverse_order():
    drawing = (
        process().start().sub("hotel", booked("h")).sub("flight", booked("g")).throw("regret", UNDO).end()
    )

    passed = play(drawing).passed

    assert [e for e in passed if e.endswith("unbook")] == ["g_unbook", "h_unbook"]
    assert passed.index("regret") > passed.index("h_unbook")


def test_only_the_named_activity_is_undone_and_only_once():
    undo = '<bpmn:compensateEventDefinition activityRef="hotel"/>'
    drawing = process().start().sub("hotel", booked("h")).sub("flight", booked("g"))
    drawing.throw("first", undo).throw("second", undo).end()

    assert [e for e in play(drawing).passed if e.endswith("unbook")] == ["h_unbook"]


def test_nothing_done_nothing_undone():
    drawing = process().start().throw("regret", UNDO).gateway("exclusive", "g", default="g__end")
    drawing.at("g", "=false").sub("hotel", booked("h")).end("e").at("g").end()

    assert play(drawing).passed == ["start", "regret", "g", "end"]


def test_a_handler_may_wait_for_a_person():
    drawing = process().start().add("task", "book").throw("regret", UNDO).user("after").end()
    drawing.boundary("undo", "book", UNDO).add("userTask", "unbook", connect=False, isForCompensation="true")
    played = play(drawing.associate("undo", "unbook"))

    assert played.waiting() == ["unbook"]
    assert played.do("unbook", refunded=True).waiting() == ["after"]
    assert played.variables == {"refunded": True}


def test_a_cancelled_transaction_is_undone_and_left_by_its_boundary():
    inner = booked("h")
    inner.parts = [part.replace('id="h_end">', f'id="h_end">{CANCEL}') for part in inner.parts]
    drawing = process().start().add("transaction", "t", inner.content).end()
    drawing.boundary("cancelled", "t", CANCEL).user("told").end("e")
    played = play(drawing)

    assert played.passed == ["start", "h_start", "h_book", "h_x", "h_unbook", "h_end", "cancelled"]
    assert (played.waiting(), played.variables) == (["told"], {"h": 1})


def test_a_condition_is_seen_when_another_branch_makes_it_true():
    drawing = process().start().gateway("parallel", "f").user("a").user("b").end()
    drawing.at("f").catch("when", condition("=k > 3")).user("seen").end("e2")
    played = play(drawing, k=1)

    assert played.do("a", k=2).waiting() == ["b"]
    assert played.do("b", k=4).waiting() == ["seen"]


def test_a_condition_that_is_true_at_once_does_not_wait():
    drawing = process().start().catch("when", condition("=k > 3")).end()

    assert play(drawing, k=4).status == "completed"
    assert play(drawing, k=1).status == "active"


def test_a_complex_gateway_opens_once_per_round_of_tokens():
    drawing = process().start().gateway("parallel", "f").user("a").add("complexGateway", "c", ACTIVATION)
    drawing.user("after").end().at("f").user("b").to("c")
    played = play(drawing)

    assert played.do("a").waiting() == ["b", "after"]
    assert played.do("b").waiting() == ["after"]
    assert played.do("after").status == "completed"


def test_a_complex_split_takes_every_true_way_or_the_default():
    drawing = (
        process().start().add("complexGateway", "c", default="c__z").at("c", "=x > 1").user("a").end("e1")
    )
    drawing.at("c", "=x > 2").user("b").end("e2").at("c").user("z").end("e3")

    assert [play(drawing, x=x).waiting() for x in (1, 2, 3)] == [["z"], ["a"], ["a", "b"]]


def test_quantities_multiply_and_collect_tokens():
    drawing = process().start().add("task", "two", completionQuantity="2").script("s", "=1", "s")
    drawing.add("task", "one", startQuantity="2").end()

    assert play(drawing).passed == ["start", "two", "s", "s", "one", "end"]
