"""Ad-hoc sub-processes: activities that wait for no order, until enough is done."""

from __future__ import annotations

import pytest

from engine.definition.model import check_definition
from tests.engine.drawing import (
    ERROR,
    ERROR_EVENT,
    FORMAL,
    Drawing,
    Played,
    for_each,
    play,
    process,
    timer,
)


def ad_hoc(inner: Drawing, done: str = "", loop: str = "", **attributes: str) -> Drawing:
    """A process around one ad-hoc sub-process `s`."""
    written = f"<bpmn:completionCondition {FORMAL}>{done}</bpmn:completionCondition>" if done else ""
    drawing = process().start()
    drawing.outside += inner.outside
    return drawing.add("adHocSubProcess", "s", loop + inner.content + written, **attributes).end()


def beside(*names: str, script: str = "") -> Drawing:
    """User tasks that no flow connects, then scripts that set a variable of their name to true."""
    inner = Drawing("inner")
    for name in names:
        inner.last = None
        inner.user(name)
    for name in script.split():
        inner.last = None
        inner.script(name, "=true", name)
    return inner


def again(played: Played) -> Played:
    """The same case, back from its snapshot."""
    state = played.execution.snapshot()
    calendar = played.execution._workflow.asker.calendar
    restored = type(played.execution).restore(played.definition, state, calendar=calendar)
    assert restored.digest() == played.execution.digest()
    played.execution = restored
    return played


# --- all at once --------------------------------------------------------------------------------------


def test_all_activities_without_a_way_in_are_enabled_and_the_last_one_ends_it():
    played = play(ad_hoc(beside("a", "b", script="c")))

    assert played.passed == ["start", "c"]
    assert sorted(played.waiting()) == ["a", "b"]
    played.do("b", y=1).do("a", x=1)
    assert played.passed == ["start", "c", "b", "a", "s", "end"]
    assert played.variables == {"c": True, "x": 1, "y": 1}


def test_flows_between_activities_keep_their_order():
    inner = beside("a").user("b")
    played = play(ad_hoc(inner))

    assert played.waiting() == ["a"]
    assert played.do("a").waiting() == ["b"]
    assert played.do("b").status == "completed"


def test_when_the_condition_is_true_the_rest_is_withdrawn():
    played = play(ad_hoc(beside("a", "b", "c"), "=ok = true"))

    played.do("a", ok=False)
    assert sorted(played.waiting()) == ["b", "c"]
    played.do("b", ok=True)
    assert played.passed == ["start", "a", "b", "s", "end"]
    assert played.waiting() == []
    assert played.variables == {"ok": True}


def test_or_the_running_ones_finish_first_and_nothing_new_begins():
    inner = beside("a", "b").script("after", "=true", "after")
    played = play(ad_hoc(inner, "=ok = true", cancelRemainingInstances="false"))

    played.do("a", ok=True)
    assert again(played).waiting() == ["b"]
    played.do("b", ok=False)
    assert played.passed == ["start", "a", "b", "s", "end"]
    assert "b__after" not in played.flows


def test_the_flow_out_of_the_last_activity_is_not_taken():
    inner = beside("a").user("b")
    played = play(ad_hoc(inner, "=ok = true")).do("a", ok=True)

    assert played.status == "completed"
    assert played.flows == ["start__s", "s__end"]


def test_while_the_condition_is_false_the_activities_are_enabled_again():
    played = play(ad_hoc(beside("a", "b"), "=votes >= 3"), votes=0)

    played.do("a", votes=1)
    assert played.waiting() == ["b"]
    played.do("b", votes=2)
    assert sorted(played.waiting()) == ["a", "b"]
    assert played.do("b", votes=3).status == "completed"


def test_automatic_activities_go_on_until_the_condition_is_true():
    inner = beside().script("one_more", "=n + 1", "n")
    played = play(ad_hoc(inner, "=n >= 4"), n=0)

    assert played.passed == ["start", *["one_more"] * 4, "s", "end"]
    assert played.variables == {"n": 4}


def test_a_condition_that_never_becomes_true_is_an_incident():
    played = play(ad_hoc(beside(script="c"), "=false"))

    assert played.failed == ["c:TOO_MANY_STEPS"]


def test_a_condition_that_is_no_condition_is_an_incident_that_can_be_mended():
    played = play(ad_hoc(beside("a"), "=ok"))
    played.do("a")

    assert played.failed == ["a:CONDITION"]
    assert played.retry(next(iter(played.open("Failed"))), ok=True).status == "completed"


def test_what_one_has_written_the_next_one_sees():
    inner = beside("a", "b").script("sum", "=x + y", "sum")
    inner.flow("a", "sum")
    inner.parts[-1] = inner.parts[-1].replace('id="sum"', 'id="sum" startQuantity="2"')
    played = play(ad_hoc(inner)).do("a", x=1).do("b", y=2)

    assert played.variables["sum"] == 3


def test_a_later_activity_wins_wherever_it_stands_in_the_file():
    played = play(ad_hoc(beside("a", "b"))).do("b", x=2).do("a", x=1)

    assert played.variables == {"x": 1}


def test_gateways_route_between_activities():
    inner = beside("a", "b").gateway("parallel", "both").user("c")
    inner.flow("a", "both")
    played = play(ad_hoc(inner)).do("a", x=1)

    assert again(played).waiting() == ["b"]
    assert played.do("b", y=2).waiting() == ["c"]
    assert played.execution.local(played.n("c")) == {"x": 1, "y": 2}


# --- one by one ---------------------------------------------------------------------------------------


def test_sequential_activities_come_one_by_one_in_file_order():
    played = play(ad_hoc(beside("a", "b", script="c"), ordering="Sequential"))

    assert played.waiting() == ["a"]
    played.do("a", x=1)
    assert again(played).waiting() == ["b"]
    assert played.execution.local(played.n("b")) == {"x": 1}
    assert played.do("b").passed == ["start", "a", "b", "c", "s", "end"]


def test_what_a_flow_enables_takes_its_turn_in_file_order():
    inner = beside(script="a b c")
    inner.flow("a", "c")
    inner.last = None
    inner.script("d", "=true", "d")
    played = play(ad_hoc(inner, ordering="Sequential"))

    assert played.passed == ["start", "a", "b", "c", "d", "s", "end"]


def test_sequential_stops_as_soon_as_the_condition_is_true():
    played = play(ad_hoc(beside(script="a b c"), "=b = true", ordering="Sequential"))

    assert played.passed == ["start", "a", "b", "s", "end"]


def test_a_multi_instance_activity_is_one_activity():
    inner = Drawing("inner").user("a", inside=for_each("=people", "p"))
    inner.last = None
    inner.user("b")
    played = play(ad_hoc(inner, ordering="Sequential"), people=["x", "y"])

    assert played.waiting() == ["a", "a"]
    assert played.do("a").waiting() == ["a"]
    assert played.do("a").waiting() == ["b"]


def test_an_incident_holds_the_turn():
    inner = Drawing("inner").script("a", "=1", "x").user("b")
    inner.flows.clear()
    inner.parts[0] = inner.parts[0].replace("=1", "=function(x) x")
    played = play(ad_hoc(inner, ordering="Sequential"))

    assert (played.failed, played.waiting()) == (["a:EXPRESSION"], [])


# --- as any sub-process -------------------------------------------------------------------------------


def test_a_deadline_ends_it_with_what_was_written():
    drawing = ad_hoc(beside("a", "b")).boundary("late", "s", timer("P1D")).end("too_late")
    played = play(drawing).do("a", x=1).later(days=2)

    assert played.passed == ["start", "a", "late", "too_late"]
    assert played.variables == {"x": 1}


def test_an_error_inside_is_caught_at_its_border():
    inner = Drawing("inner").job("a", "check")
    inner.last = None
    inner.user("b")
    drawing = ad_hoc(inner).boundary("oops", "s", ERROR_EVENT).end("failed").define(ERROR)
    played = play(drawing).fail("a", "E1")

    assert played.passed == ["start", "oops", "failed"]
    assert played.waiting() == []


def test_a_deadline_inside_goes_its_own_way():
    inner = beside("a", "b").boundary("late", "a", timer("P1D")).script("note", "=1", "noted")
    played = play(ad_hoc(inner)).later(days=2)

    assert played.waiting() == ["b"]
    assert played.do("b").variables == {"noted": 1}


def test_it_can_be_done_for_each_item():
    drawing = ad_hoc(beside("a", "b"), "=ok = true", for_each("=people", "p", results="r", result="=p"))
    played = play(drawing, people=["x", "y"])

    assert sorted(played.waiting()) == ["a", "a", "b", "b"]
    played.do("a", ok=True)
    assert sorted(again(played).waiting()) == ["a", "b"]
    assert played.do("b", ok=True).variables["r"] == ["x", "y"]


def test_it_can_be_repeated():
    loop = f"<bpmn:loopCondition {FORMAL}>=more</bpmn:loopCondition>"
    looped = f"<bpmn:standardLoopCharacteristics>{loop}</bpmn:standardLoopCharacteristics>"
    played = play(ad_hoc(beside("a"), loop=looped)).do("a", more=True).do("a", more=False)

    assert played.passed == ["start", "a", "s", "a", "s", "end"]


def test_another_one_can_stand_inside():
    nested = beside("x", "y")
    inner = Drawing("inner").add("adHocSubProcess", "t", nested.content, ordering="Sequential")
    inner.last = None
    inner.user("b")
    played = play(ad_hoc(inner))

    assert sorted(played.waiting()) == ["b", "x"]
    assert sorted(played.do("x").waiting()) == ["b", "y"]
    assert again(played).do("y").do("b").status == "completed"


# --- refused ------------------------------------------------------------------------------------------


REFUSED = {
    "nothing inside": (ad_hoc(Drawing("inner")), ("s", "adhoc.empty")),
    "only a circle": (ad_hoc(Drawing("inner").user("a").to("a")), ("s", "adhoc.empty")),
    "a start event inside": (ad_hoc(process("i").start("is").user("a").end("ie")), ("is", "adhoc.events")),
    "an end event inside": (ad_hoc(beside("a").end("ie")), ("ie", "adhoc.events")),
    "an event sub-process inside": (
        ad_hoc(beside("a").event_sub("e", process("e").start("es", timer("P1D")).end("ee"))),
        ("e", "adhoc.events"),
    ),
    "another ordering": (ad_hoc(beside("a"), ordering="Random"), ("s", "adhoc.ordering")),
    "triggered by an event": (ad_hoc(beside("a"), triggeredByEvent="true"), ("s", "adhoc.by_event")),
    "an expression that cannot be read": (ad_hoc(beside("a"), "=1 +"), ("s", "expression.syntax")),
}


@pytest.mark.parametrize("what", REFUSED)
def test_is_refused(what):
    drawing, expected = REFUSED[what]

    assert expected in {(p.element, p.rule) for p in check_definition(drawing.sources())}


def test_an_event_without_a_way_in_or_out_is_refused():
    alone = beside("a")
    alone.last = None
    alone.catch("c", timer("P1D"))
    found = {(p.element, p.rule) for p in check_definition(ad_hoc(alone).sources())}

    assert {("c", "adhoc.beginning"), ("c", "adhoc.outgoing")} <= found
