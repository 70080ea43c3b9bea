"""Events and timers: what a token waits for, throws and catches."""

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
    extension,
    message,
    play,
    process,
    timer,
)

# --- events -------------------------------------------------------------------------------------------


def test_links_jump():
    link = '<bpmn:linkEventDefinition name="L"/>'
    drawing = process().start().throw("go", link)
    drawing.add("intermediateCatchEvent", "come", link, connect=False).user("a").end()

    assert play(drawing).waiting() == ["a"]


def test_a_terminate_end_stops_everything_that_was_ready_in_the_same_moment():
    drawing = process().start().gateway("parallel", "f").end("kill", "<bpmn:terminateEventDefinition/>")
    drawing.at("f").script("s", "=1", "ran").user("a").end()
    played = play(drawing)

    assert played.status == "completed"
    assert played.variables == {}


def test_an_error_end_is_caught_by_the_nearest_boundary_that_names_it():
    inner = process("i").start("is").script("w", "=1", "w").end("ie", ERROR_EVENT)
    drawing = process().define(ERROR).start().sub("s", inner).end()
    drawing.boundary("any", "s", "<bpmn:errorEventDefinition/>").end("e_any")
    drawing.boundary("named", "s", ERROR_EVENT).end("e_named")

    played = play(drawing)

    assert played.passed == ["start", "is", "w", "ie", "named", "e_named"]
    assert played.variables == {"w": 1}


def test_an_error_nobody_catches_is_an_incident_not_an_end():
    played = play(process().define(ERROR).start().end("e", ERROR_EVENT))

    assert (played.failed, played.status) == (["e:E1"], "active")


def test_an_error_crosses_a_call():
    called = process("q").define(ERROR).start("qs").end("qe", ERROR_EVENT)
    drawing = (
        process()
        .define(ERROR)
        .start()
        .call("c", "q")
        .end()
        .boundary("b", "c", ERROR_EVENT)
        .user("a")
        .end("e")
    )
    called.outside = ['<bpmn:error id="er" errorCode="E1"/>']

    assert play(drawing, called).waiting() == ["a"]


def test_an_error_event_sub_process_starts_only_when_the_error_comes():
    handler = process("h").start("hs", ERROR_EVENT).user("mend").end("he")
    drawing = process().define(ERROR).start().job("j", "work").end().event_sub("h", handler)
    played = play(drawing)

    assert played.passed == ["start"]
    assert played.fail("j", "E1").waiting() == ["mend"]
    assert played.do("mend").status == "completed"


def test_an_escalation_beside_lets_the_inner_level_go_on():
    inner = process("i").start("is").throw("up", ESCALATION_EVENT).user("goes_on").end("ie")
    drawing = process().define(ESCALATION).start().sub("s", inner).end()
    beside = play(drawing.boundary("b", "s", ESCALATION_EVENT, interrupting=False).user("told").end("e"))

    assert beside.waiting() == ["goes_on", "told"]


def test_an_interrupting_escalation_takes_over():
    inner = process("i").start("is").throw("up", ESCALATION_EVENT).user("never").end("ie")
    drawing = process().define(ESCALATION).start().sub("s", inner).end()
    played = play(drawing.boundary("b", "s", ESCALATION_EVENT).user("told").end("e"))

    assert played.waiting() == ["told"]
    assert "never" not in [getattr(s, "element", "") for s in played.told]


def test_an_escalation_nobody_catches_is_not_an_incident():
    drawing = process().define(ESCALATION).start().throw("up", ESCALATION_EVENT).end("e", ESCALATION_EVENT)

    assert play(drawing).status == "completed"


def test_a_message_goes_to_the_key_it_carries():
    key = extension('<zeebe:subscription correlationKey="=key"/>')
    keyed = MESSAGE.replace("/>", f">{key}</bpmn:message>")
    drawing = process().define(keyed).start().catch("c", message("m")).end()
    played = play(drawing, key="K1")

    assert [(a.message, a.correlation) for a in played.execution.awaited()] == [("answer", "K1")]
    with pytest.raises(WrongState):
        played.say("answer", "K2")
    assert played.say("answer", "K1", x=1).variables == {"key": "K1", "x": 1}


def test_a_message_boundary_interrupts_or_not():
    drawing = process().define(MESSAGE).start().user("a").end()
    drawing.boundary("b", "a", message("m"), interrupting=False).user("more").end("e")
    played = play(drawing).say("answer").say("answer")

    assert played.waiting() == ["a", "more", "more"]
    assert [s.element for s in played.told if type(s).__name__ == "Escalated"] == ["b", "b"]


def test_a_receive_task_waits_for_its_message():
    drawing = process().define(MESSAGE).start().add("receiveTask", "r", messageRef="m").end()

    assert play(drawing).say("answer", x=1).variables == {"x": 1}


def test_an_interrupting_event_sub_process_takes_over_its_level():
    handler = process("h").start("hs", message("m")).user("withdrawn").end("he")
    drawing = process().define(MESSAGE).start().user("a").end().event_sub("h", handler)
    drawing.boundary("late", "a", timer("P1D"), interrupting=False).user("remind").end("e")
    played = play(drawing).later(days=1)
    assert played.waiting() == ["a", "remind"]

    assert played.say("answer", why="x").waiting() == ["withdrawn"]
    assert played.do("withdrawn").status == "completed"
    assert played.variables["why"] == "x"


def test_an_event_sub_process_beside_comes_as_often_as_the_message():
    handler = process("h").start("hs", message("m"), isInterrupting="false").user("extra").end("he")
    drawing = process().define(MESSAGE).start().user("a").end().event_sub("h", handler)
    played = play(drawing).say("answer", n=1).say("answer", n=2)

    assert played.waiting() == ["a", "extra", "extra"]
    played.do("extra").do("a")
    assert played.status == "active"
    assert played.do("extra").status == "completed"


def test_a_cycle_start_of_an_event_sub_process_repeats():
    handler = (
        process("h")
        .start("hs", timer("R2/P1D", "Cycle"), isInterrupting="false")
        .script("x", "=1", "x")
        .end("he")
    )
    drawing = process().start().user("a").end().event_sub("h", handler)

    assert play(drawing).later(days=5).passed.count("x") == 2


def test_a_signal_reaches_everybody_in_the_case_who_waits():
    drawing = (
        process().define(SIGNAL).start().gateway("parallel", "f").user("a").throw("t", SIGNAL_EVENT).end()
    )
    drawing.at("f").user("b").end("e2").boundary("s", "b", SIGNAL_EVENT).end("e3")

    assert play(drawing).do("a").finish("t").status == "completed"


def test_a_message_is_thrown_by_a_job():
    job = extension('<zeebe:taskDefinition type="notice.send"/>')
    drawing = process().define(MESSAGE).start().throw("t", job + message("m")).end("e", job + message("m"))
    played = play(drawing)

    assert played.finish("t").status == "active"
    assert played.finish("e").status == "completed"


# --- timers -------------------------------------------------------------------------------------------


def test_timers_are_patient_and_due_moments_do_not_move():
    drawing = process().start().catch("t", timer("P14D")).end()
    played = play(drawing)

    with pytest.raises(WrongState):
        played.fire(2)
    assert played.open("Timed")[2].due_at.isoformat() == "2026-03-16T01:00:00+00:00"
    assert played.later(days=30).status == "completed"


def test_a_cycle_repeats_as_often_as_drawn_on_its_own_grid():
    drawing = process().start().user("a").end()
    drawing.boundary("b", "a", timer("R3/P1D", "Cycle"), interrupting=False).script("x", "=1", "x").end("e")
    played = play(drawing)

    assert played.later(days=10).passed.count("x") == 3
    repeats = [s.repeats for s in played.told if type(s).__name__ == "Timed"]
    assert repeats == [] or repeats[-1] == 1
    assert played.do("a").status == "completed"


def test_a_timer_counted_in_working_days_says_so():
    drawing = process().start().catch("t", timer("=add working days(now(), 250)", "Date")).end()

    timed = play(drawing).open("Timed")[2]

    assert (timed.days, timed.provisional) == (250, True)
