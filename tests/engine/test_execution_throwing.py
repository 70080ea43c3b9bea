"""What instances, events and send tasks throw: into their own case at once, to others by jobs."""

from __future__ import annotations

import pytest

from engine.execution.execution import Execution
from tests.engine.behaviors import throwing, when
from tests.engine.drawing import (
    ERROR,
    ERROR_EVENT,
    ESCALATION,
    ESCALATION_EVENT,
    KEPT,
    MESSAGE,
    NOW,
    SIGNAL,
    SIGNAL_EVENT,
    WeekDays,
    extension,
    inputs,
    message,
    play,
    process,
)

TOP = '<bpmn:signalEventDefinition id="top" signalRef="si"/>'
TOP_ESCALATION = '<bpmn:escalationEventDefinition id="top" escalationRef="es"/>'

# --- several instances --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loop", "times"),
    [
        (throwing("None", noneBehaviorEventRef="top"), 3),
        (throwing("One", oneBehaviorEventRef="top"), 1),
        (throwing("Complex", when("=numberOfCompletedInstances >= 2", SIGNAL_EVENT)), 2),
        (throwing("Complex", when("=true", SIGNAL_EVENT) + when("=loopCounter = 1", SIGNAL_EVENT)), 4),
        (throwing("All", noneBehaviorEventRef="top"), 0),
    ],
)
@pytest.mark.parametrize("sequential", ["true", "false"])
def test_instances_throw_as_their_behaviour_says(loop, times, sequential):
    drawing = process().define(SIGNAL).define(TOP).start()
    drawing.script("a", "=1", "x", inside=loop.replace(" behavior", f' isSequential="{sequential}" behavior'))
    drawing.end().boundary("b", "a", SIGNAL_EVENT, interrupting=False).script("told", "=1", "y").end("e")
    played = play(drawing)
    for _ in range(times):
        played.finish("a")

    assert played.passed.count("a") == 3
    assert played.passed.count("told") == times
    assert played.status == "completed"


def test_an_instance_throws_when_a_person_has_done_it():
    drawing = process().define(SIGNAL).define(TOP).start()
    drawing.user("a", inside=throwing("One", oneBehaviorEventRef="top")).end()
    drawing.boundary("b", "a", SIGNAL_EVENT, interrupting=False).user("told").end("e")
    played = play(drawing)
    assert played.waiting() == ["a", "a", "a"]

    assert played.do("a").restart().waiting() == ["a", "a", "told"]
    assert played.do("a").waiting() == ["a", "told"]


def test_an_event_sub_process_that_interrupts_may_end_the_other_instances():
    handler = process("h").start("hs", SIGNAL_EVENT).user("stopped").end("he")
    drawing = process().define(SIGNAL).define(TOP).start()
    drawing.user("a", inside=throwing("One", oneBehaviorEventRef="top")).end()

    assert play(drawing.event_sub("h", handler)).do("a").waiting() == ["stopped"]


def test_an_instance_of_a_plain_task_escalates_to_its_boundary():
    drawing = process().define(ESCALATION).define(TOP_ESCALATION).start()
    drawing.add("task", "a", throwing("None", noneBehaviorEventRef="top")).end()
    drawing.boundary("b", "a", ESCALATION_EVENT, interrupting=False).script("told", "=1", "y").end("e")

    assert play(drawing).passed.count("told") == 3


# --- signals ------------------------------------------------------------------------------------------


def test_a_signal_goes_to_other_cases_by_a_job_for_which_no_token_waits():
    inside = extension(inputs(level="=level")) + SIGNAL_EVENT
    drawing = process().define(SIGNAL).start().throw("t", inside).user("a").end()
    played = play(drawing, level=2, secret=1)

    assert played.waiting() == ["a"]
    (job,) = played.open("Job").values()
    assert (job.element, job.type) == ("t", "signal.deliver")
    assert job.inputs == {"signal": "stop all", "values": {"level": 2}}


def test_a_case_is_not_over_before_its_signals_are_delivered():
    played = play(process().define(SIGNAL).start().end("e", SIGNAL_EVENT), x=1).restart()
    assert (played.status, played.passed, played.variables) == ("active", ["start", "e"], {"x": 1})

    assert played.finish("e").restart().status == "completed"
    assert played.variables == {"x": 1}


def test_a_signal_is_delivered_although_whoever_threw_it_is_taken_away():
    inner = process("i").start("is").throw("t", SIGNAL_EVENT).user("never").end("ie")
    drawing = process().define(SIGNAL).start().sub("s", inner).end()
    played = play(drawing.boundary("b", "s", SIGNAL_EVENT).end("e"))

    assert played.passed == ["start", "is", "t", "b", "e"]
    assert played.status == "active"
    assert played.finish("t").status == "completed"


def test_a_signal_can_be_kept_inside_its_case():
    drawing = (
        process().define(SIGNAL).start().gateway("parallel", "f").user("a").throw("t", KEPT + SIGNAL_EVENT)
    )
    drawing.end().at("f").user("b").end("e2").boundary("s", "b", SIGNAL_EVENT).end("e3")

    assert play(drawing).do("a").status == "completed"


def test_signals_of_a_case_that_began_before_signals_left_them_stay_inside():
    drawing = process().define(SIGNAL).start().end("e", SIGNAL_EVENT)
    old = Execution.start(drawing.read(), {}, calendar=WeekDays(), now=NOW, signals_reach="case")

    assert old.status == "completed"
    assert not any(type(signal).__name__ == "Job" for signal in old.drain())


def test_a_snapshot_of_such_a_case_is_read_as_it_was_meant():
    drawing = process().define(SIGNAL).start().user("a").end("e", SIGNAL_EVENT)
    played = play(drawing)
    old = played.execution.snapshot()
    for unknown in ("sending", "closed", "reach"):
        del old[unknown]
    restored = Execution.restore(drawing.read(), old, calendar=WeekDays())

    restored.complete(played.n("a"), {}, now=NOW)

    assert restored.status == "completed"


def test_a_signal_of_another_case_brings_what_it_carries():
    drawing = process().define(SIGNAL).start().catch("c", SIGNAL_EVENT).end()
    played = play(drawing)
    assert played.execution.signals_awaited() == {"stop all"}

    assert played.hear("another").status == "active"
    assert played.hear("stop all", x=1).variables == {"x": 1}


def test_giving_up_a_case_gives_up_its_letters():
    played = play(process().define(SIGNAL).start().end("e", SIGNAL_EVENT))

    played.execution.cancel(now=played.now)
    played._listen()

    assert played.open("Job") == {}
    assert played.status == "cancelled"


# --- messages -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["sendTask", "intermediateThrowEvent", "endEvent"])
def test_a_message_without_a_job_type_is_delivered_in_the_house(kind):
    key = extension('<zeebe:subscription correlationKey="=order"/>')
    drawing = process().define(f'<bpmn:message id="m" name="answer">{key}</bpmn:message>').start()
    mapped = extension(inputs(x="=secret + 1"))
    if kind == "sendTask":
        drawing.add(kind, "t", mapped, messageRef="m")
    else:
        drawing.add(kind, "t", mapped + message("m"))
    played = play(drawing if kind == "endEvent" else drawing.end(), order="K1", secret=1)

    (job,) = played.open("Job").values()
    assert job.type == "message.deliver"
    assert job.inputs == {"message": "answer", "correlation": "K1", "values": {"x": 2}}
    assert played.restart().finish("t", delivered=["Q-1"]).status == "completed"
    assert played.variables == {"order": "K1", "secret": 1}


def test_a_computed_job_type_cannot_be_a_delivery():
    drawing = process().start().job("j", "=kind").end()

    assert play(drawing, kind="message.deliver").failed == ["j:JOB"]


# --- where a terminate, an error and an escalation reach ----------------------------------------------


def test_a_terminate_end_ends_only_its_own_sub_process():
    inner = process("i").start("is").gateway("parallel", "f").user("a").end("ia")
    inner.at("f").end("kill", "<bpmn:terminateEventDefinition/>")
    drawing = process().start().gateway("parallel", "g").sub("s", inner).user("after").end()
    played = play(drawing.at("g").user("beside").end("e"))

    assert sorted(played.waiting()) == ["after", "beside"]


def test_a_terminate_end_ends_only_the_called_process():
    called = process("q").start("qs").gateway("parallel", "f").user("qa").end("qe")
    called.at("f").end("kill", "<bpmn:terminateEventDefinition/>")

    assert play(process().start().call("c", "q").user("after").end(), called).waiting() == ["after"]


def test_a_terminate_end_of_an_event_sub_process_leaves_its_level_alone():
    handler = process("h").start("hs", message("m"), isInterrupting="false").gateway("parallel", "f")
    handler.user("extra").end("he").at("f").end("kill", "<bpmn:terminateEventDefinition/>")
    drawing = process().define(MESSAGE).start().user("a").end().event_sub("h", handler)

    assert play(drawing).say("answer").waiting() == ["a"]


def test_an_escalation_is_caught_by_its_code_before_all_codes():
    inner = process("i").start("is").end("ie", ESCALATION_EVENT)
    drawing = process().define(ESCALATION).start().sub("s", inner).end()
    drawing.boundary("any", "s", "<bpmn:escalationEventDefinition/>").end("e1")
    drawing.boundary("code", "s", ESCALATION_EVENT).end("e2")

    assert play(drawing).passed[-2:] == ["code", "e2"]


def test_an_escalation_without_a_code_at_the_catcher_catches_all():
    inner = process("i").start("is").end("ie", ESCALATION_EVENT)
    drawing = process().define(ESCALATION).start().sub("s", inner).end()

    assert (
        play(drawing.boundary("any", "s", "<bpmn:escalationEventDefinition/>").end("e1")).passed[-1] == "e1"
    )


def test_an_error_start_without_a_code_catches_every_error():
    handler = process("h").start("hs", "<bpmn:errorEventDefinition/>").user("mend").end("he")
    inner = process("i").start("is").end("ie", ERROR_EVENT)
    drawing = process().define(ERROR).start().sub("s", inner).end().event_sub("h", handler)

    assert play(drawing).waiting() == ["mend"]
