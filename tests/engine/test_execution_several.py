"""Events with several triggers: any of them, all of them, and what throws several things at once."""

from __future__ import annotations

import pytest

from engine.errors import WrongState
from tests.engine.drawing import (
    ERROR,
    ERROR_EVENT,
    ESCALATION,
    ESCALATION_EVENT,
    MESSAGE,
    SIGNAL,
    SIGNAL_EVENT,
    condition,
    extension,
    inputs,
    message,
    play,
    process,
    timer,
)

OTHER = '<bpmn:message id="m2" name="more"/>'
SECOND = '<bpmn:signal id="s2" name="other"/>'
SECOND_EVENT = '<bpmn:signalEventDefinition signalRef="s2"/>'


def catching(inside, **attributes):
    """A case that waits at one event."""
    drawing = process().define(MESSAGE).define(OTHER).define(SIGNAL).start()
    return drawing.add("intermediateCatchEvent", "c", inside, **attributes).end()


# --- any of them --------------------------------------------------------------------------------------


def test_the_first_of_several_triggers_is_enough_and_the_others_are_withdrawn():
    played = play(catching(message("m") + timer("P1D") + SIGNAL_EVENT)).restart()
    assert [a.message for a in played.execution.awaited()] == ["answer"]
    assert [(a.element, a.n in played.open("Timed")) for a in played.execution.awaited()] == [("c", False)]

    played.say("answer", x=1)

    assert played.status == "completed"
    assert played.variables == {"x": 1}
    assert played.open("Timed") == {}
    assert played.passed == ["start", "c", "end"]


def test_a_timer_among_several_triggers_has_its_own_number():
    assert play(catching(message("m") + timer("P1D"))).restart().later(days=1).status == "completed"


def test_a_condition_among_several_triggers_is_watched():
    drawing = process().define(MESSAGE).start().gateway("parallel", "f")
    drawing.catch("c", message("m") + condition("=ready")).end()
    drawing.at("f").script("s", "=1", "x").user("a").script("t", "=true", "ready").end("e")

    assert play(drawing, ready=False).restart().do("a").status == "completed"


def test_several_triggers_may_be_named_at_the_top_of_the_file():
    drawing = process().define(MESSAGE).define('<bpmn:messageEventDefinition id="d" messageRef="m"/>').start()
    drawing.catch("c", SIGNAL_EVENT + "<bpmn:eventDefinitionRef>d</bpmn:eventDefinitionRef>").end()

    assert play(drawing.define(SIGNAL)).say("answer").status == "completed"


@pytest.mark.parametrize("interrupting", [True, False])
def test_any_trigger_of_a_boundary_event_does(interrupting):
    drawing = process().define(MESSAGE).define(OTHER).start().user("a").end()
    drawing.boundary("b", "a", message("m") + message("m2"), interrupting).user("told").end("e")
    played = play(drawing).say("more").restart()

    assert played.waiting() == (["told"] if interrupting else ["a", "told"])
    if interrupting:
        with pytest.raises(WrongState):
            played.say("answer")
    else:
        assert played.say("answer").waiting() == ["a", "told", "told"]


def test_a_cycle_among_the_triggers_of_a_boundary_event_goes_on():
    drawing = process().define(MESSAGE).start().user("a").end()
    inside = message("m") + timer("R2/P1D", "Cycle")
    drawing.boundary("b", "a", inside, interrupting=False).script("x", "=1", "x").end("e")
    played = play(drawing).later(days=5).say("answer").say("answer")

    assert played.passed.count("x") == 4
    assert played.do("a").status == "completed"


def test_an_error_is_one_of_several_triggers():
    drawing = process().define(ERROR).define(MESSAGE).start().job("j", "work").end()
    drawing.boundary("b", "j", message("m") + ERROR_EVENT).end("e")

    assert play(drawing).fail("j", "E1").passed[-2:] == ["b", "e"]
    assert play(drawing).say("answer").passed[-2:] == ["b", "e"]


def test_an_event_sub_process_with_several_triggers_begins_by_any():
    handler = process("h").start("hs", message("m") + ESCALATION_EVENT, isInterrupting="false")
    handler.user("extra").end("he")
    drawing = (
        process().define(MESSAGE).define(ESCALATION).start().throw("t", ESCALATION_EVENT).user("a").end()
    )
    played = play(drawing.event_sub("h", handler)).restart().say("answer")

    assert sorted(played.waiting()) == ["a", "extra", "extra"]
    assert played.execution.awaited()[0].element == "hs"


def test_after_an_event_based_gateway_several_triggers_race_with_the_others():
    drawing = process().define(MESSAGE).define(OTHER).start().gateway("eventBased", "g")
    drawing.catch("c", message("m") + message("m2")).end("one").at("g").catch("t", timer("P1D")).end("two")

    assert play(drawing).restart().say("more").passed == ["start", "g", "c", "one"]
    assert play(drawing).restart().later(days=1).passed == ["start", "g", "t", "two"]


# --- all of them --------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["answer", "more", "time"])
def test_all_triggers_of_a_parallel_event_must_happen_in_any_order(first):
    drawing = catching(message("m") + message("m2") + timer("P1D"), parallelMultiple="true")
    played = play(drawing)
    steps = {
        "answer": lambda: played.say("answer", a=1),
        "more": lambda: played.say("more", b=2),
        "time": lambda: played.later(days=1),
    }

    for name in [first, *(other for other in steps if other != first)]:
        assert played.restart().status == "active"
        steps[name]()

    assert played.status == "completed"
    assert played.variables == {"a": 1, "b": 2}
    assert played.passed.count("c") == 1


def test_a_trigger_that_has_happened_is_not_awaited_again():
    drawing = catching(message("m") + message("m2"), parallelMultiple="true")

    with pytest.raises(WrongState):
        play(drawing).say("answer").say("answer")


def test_a_parallel_boundary_beside_its_activity_needs_all_anew_each_time():
    drawing = process().define(MESSAGE).define(OTHER).start().user("a").end()
    drawing.add(
        "boundaryEvent",
        "b",
        message("m") + message("m2"),
        connect=False,
        attachedToRef="a",
        cancelActivity="false",
        parallelMultiple="true",
    ).user("told").end("e")
    played = play(drawing).say("answer").restart()
    assert played.waiting() == ["a"]

    assert played.say("more").restart().waiting() == ["a", "told"]
    assert played.say("more").waiting() == ["a", "told"]
    assert played.say("answer").waiting() == ["a", "told", "told"]


def test_a_condition_that_stayed_true_does_not_count_twice():
    drawing = process().define(MESSAGE).start().user("a").end()
    drawing.add(
        "boundaryEvent",
        "b",
        message("m") + condition("=x > 1"),
        connect=False,
        attachedToRef="a",
        cancelActivity="false",
        parallelMultiple="true",
    ).script("s", "=1", "y").end("e")
    played = play(drawing, x=2).say("answer").restart().say("answer")

    assert played.passed.count("b") == 1
    assert played.status == "active"


def test_a_parallel_event_interrupts_its_activity_once():
    drawing = process().define(MESSAGE).define(SIGNAL).start().user("a").end()
    drawing.add(
        "boundaryEvent",
        "b",
        message("m") + SIGNAL_EVENT,
        connect=False,
        attachedToRef="a",
        parallelMultiple="true",
    ).end("e")
    played = play(drawing).hear("stop all", why="late").restart().say("answer", x=1)

    assert played.status == "completed"
    assert played.variables == {"why": "late", "x": 1}


def test_leaving_an_activity_withdraws_what_its_boundary_waited_for():
    drawing = process().define(MESSAGE).start().user("a").user("b2").end()
    drawing.boundary("b", "a", message("m") + timer("P1D")).end("e")
    played = play(drawing).do("a")

    assert played.execution.awaited() == ()
    assert played.open("Timed") == {}


# --- throwing several ---------------------------------------------------------------------------------


def test_several_things_are_thrown_at_once():
    drawing = process().define(SIGNAL).define(SECOND).start().gateway("parallel", "f")
    drawing.throw("t", SIGNAL_EVENT + SECOND_EVENT).end()
    drawing.at("f").catch("c1", SIGNAL_EVENT).end("e1").at("f").catch("c2", SECOND_EVENT).end("e2")
    flows = drawing.flows
    flows.append(flows.pop(flows.index(next(f for f in flows if "f__t" in f))))  # the catchers come first
    played = play(drawing)

    assert {"c1", "c2", "e1", "e2"} <= set(played.passed)
    assert [job.inputs["signal"] for job in played.open("Job").values()] == ["stop all", "other"]
    assert played.finish("t").restart().finish("t").status == "completed"


def test_a_throwing_event_goes_on_when_all_its_messages_are_sent():
    inside = extension(inputs(x="=x")) + message("m") + message("m2") + SIGNAL_EVENT
    drawing = (
        process().define(MESSAGE).define(OTHER).define(SIGNAL).start().throw("t", inside).user("a").end()
    )
    played = play(drawing, x=1, secret=2)
    letters = [job.inputs for job in played.open("Job").values()]
    assert [(one["message"], one["values"]) for one in letters] == [("answer", {"x": 1}), ("more", {"x": 1})]

    assert played.finish("t").restart().waiting() == []
    assert played.finish("t").waiting() == ["a"]
    assert [job.inputs["signal"] for job in played.open("Job").values()] == ["stop all"]
    assert played.variables == {"x": 1, "secret": 2}


def test_an_end_event_throws_everything_before_its_error_takes_it_away():
    inner = process("i").start("is").end("ie", ERROR_EVENT + ESCALATION_EVENT + SIGNAL_EVENT)
    drawing = process().define(ERROR).define(ESCALATION).define(SIGNAL).start().sub("s", inner).end()
    drawing.boundary("err", "s", ERROR_EVENT).user("mend").end("e1")
    drawing.boundary("esc", "s", ESCALATION_EVENT, interrupting=False).user("told").end("e2")
    played = play(drawing)

    assert sorted(played.waiting()) == ["mend", "told"]
    assert [job.type for job in played.open("Job").values()] == ["signal.deliver"]


def test_an_end_event_that_terminates_throws_first():
    drawing = process().define(SIGNAL).start().gateway("parallel", "f").user("a").end()
    drawing.at("f").end("e", "<bpmn:terminateEventDefinition/>" + SIGNAL_EVENT)
    played = play(drawing)

    assert played.waiting() == []
    assert played.finish("e").status == "completed"
