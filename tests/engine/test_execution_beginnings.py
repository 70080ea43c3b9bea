"""Where a case begins: which start event, receive task or gateway, and what cannot begin it."""

from __future__ import annotations

import pytest

from engine.definition.model import check_definition
from engine.errors import WrongState
from tests.engine.drawing import (
    MESSAGE,
    SIGNAL,
    SIGNAL_EVENT,
    begin,
    extension,
    message,
    outputs,
    play,
    process,
)

OTHER = '<bpmn:message id="m2" name="more"/>'


def three_starts():
    drawing = process().define(MESSAGE).define(SIGNAL).start().user("plain").end()
    drawing.start("by_message", extension(outputs(got="=x")) + message("m")).user("asked").end("e2")
    return drawing.start("by_signal", SIGNAL_EVENT).user("heard").end("e3")


def test_a_case_begins_where_it_was_begun():
    assert play(three_starts()).waiting() == ["plain"]
    assert begin(three_starts(), "by_signal").waiting() == ["heard"]
    by_message = begin(three_starts(), "by_message", {"x": 1})
    assert by_message.waiting() == ["asked"]
    assert by_message.variables == {"got": 1}


def test_a_start_event_with_several_triggers_begins_by_any():
    drawing = (
        process().define(MESSAGE).define(SIGNAL).start(inside=message("m") + SIGNAL_EVENT).user("a").end()
    )

    assert begin(drawing, "start", {"x": 1}).variables == {"x": 1}


def test_a_person_cannot_begin_what_waits_for_a_message():
    drawing = process().define(MESSAGE).start(inside=message("m")).end()

    with pytest.raises(WrongState, match="answer") as refused:
        drawing.read().beginning(None)
    assert refused.value.code == "NO_PLAIN_START"


def test_a_case_does_not_begin_just_anywhere():
    with pytest.raises(WrongState) as refused:
        begin(three_starts(), "plain")
    assert refused.value.code == "NO_BEGINNING"


def test_a_receive_task_begins_a_case_with_its_message():
    drawing = process().define(MESSAGE)
    drawing.add("receiveTask", "r", connect=False, messageRef="m", instantiate="true").user("a").end()
    played = begin(drawing, "r", {"x": 1}).restart()

    assert (played.passed, played.waiting()) == (["r"], ["a"])
    assert played.variables == {"x": 1}
    assert played.execution.awaited() == ()


def racing(kind):
    drawing = process().define(MESSAGE).define(OTHER)
    drawing.add("eventBasedGateway", "g", connect=False, instantiate="true", eventGatewayType=kind)
    drawing.catch("c", message("m")).user("a").end()
    return drawing.at("g").catch("d", message("m2")).user("b").end("e")


def test_the_event_that_begins_the_case_wins_an_exclusive_gateway():
    played = begin(racing("Exclusive"), "d", {"x": 1})

    assert (played.passed, played.flows) == (["g", "d"], ["g__d", "d__b"])
    assert played.execution.awaited() == ()
    assert played.do("b").status == "completed"


def test_a_parallel_gateway_begins_with_one_event_and_waits_for_the_others():
    played = begin(racing("Parallel"), "d", {"x": 1}).restart()
    assert (played.passed, played.waiting()) == (["g", "d"], ["b"])
    assert [one.message for one in played.execution.awaited()] == ["answer"]

    played.do("b")
    assert played.status == "active"
    played.say("answer", y=2)

    assert played.do("a").status == "completed"
    assert played.variables == {"x": 1, "y": 2}


def test_the_other_events_of_a_parallel_gateway_are_found_by_what_the_first_one_carried():
    key = extension('<zeebe:subscription correlationKey="=order"/>')
    drawing = racing("Parallel")
    drawing.outside = [f'<bpmn:message id="m" name="answer">{key}</bpmn:message>', OTHER]
    played = begin(drawing, "d", {"order": "K1"})

    assert [one.correlation for one in played.execution.awaited()] == ["K1"]


def test_event_sub_processes_listen_however_the_case_began():
    handler = process("h").start("hs", SIGNAL_EVENT).user("stopped").end("he")
    for kind in ("Exclusive", "Parallel"):
        drawing = racing(kind).define(SIGNAL).event_sub("h", handler)

        assert begin(drawing, "d").hear("stop all").waiting() == ["stopped"]


def test_a_process_that_waits_for_a_message_cannot_be_called():
    called = process("q").define(MESSAGE)
    called.add("receiveTask", "r", connect=False, messageRef="m", instantiate="true").end("qe")
    drawing = process().start().call("c", "q").end()

    assert ("c", "call.start") in {(p.element, p.rule) for p in check_definition(drawing.sources(called))}


def test_a_process_that_also_begins_by_a_message_can_be_called():
    called = process("q").define(MESSAGE).start("qm", message("m")).end("e1").start("qs").user("qa").end("e2")

    assert play(process().start().call("c", "q").end(), called).waiting() == ["qa"]
