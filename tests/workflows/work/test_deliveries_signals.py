"""Signals from case to case: every case that waits, every process they begin, each once."""

from __future__ import annotations

import pytest

from tests.engine.drawing import KEPT, SIGNAL, SIGNAL_EVENT, process
from tests.workflows.letters import House, hearer, thrower
from workflows.actors.policy import SYSTEM


@pytest.fixture
def house(story):
    return House(story)


def test_a_signal_reaches_every_waiting_case_and_begins_others(house):
    house.deploy(
        thrower(), hearer(), process("born").define(SIGNAL).start("bs", SIGNAL_EVENT).user("w").end("be")
    )
    first, second = house.start("hearer"), house.start("hearer")
    throwing = house.start("thrower", word="hello")
    assert house.of(throwing).waiting() == ["on"]

    house.story.work()

    assert house.of(first).waiting() == house.of(second).waiting() == ["heard"]
    assert house.variables(first)["said"] == "hello"
    (born,) = house.cases_of("born")
    assert house.of(born).waiting() == ["w"]
    assert house.of(throwing).jobs() == []
    assert house.story.history.verify(first).ok


def test_a_signal_is_nobodys_trouble_if_nobody_hears_it(house):
    house.deploy(process("thrower").define(SIGNAL).start().end("e", SIGNAL_EVENT))
    throwing = house.start("thrower")
    assert house.status(throwing) == "active"

    house.story.work()

    assert house.status(throwing) == "completed"
    completed = house.story.history.entries(throwing)[-1].event
    assert completed.ends == ("e",)


def test_a_signal_is_not_heard_by_who_began_to_wait_after_it(house):
    house.deploy(thrower(), hearer())
    house.start("thrower", word="hello")
    late = house.start("hearer")

    house.story.work()

    assert house.of(late).waiting() == []


def test_a_signal_that_failed_at_one_receiver_is_not_heard_twice_by_the_other(house):
    house.deploy(thrower(), hearer())
    first, second = house.start("hearer"), house.start("hearer")
    house.story.commands.suspend_case(second, "等待补充材料", actor=SYSTEM)
    throwing = house.start("thrower", word="hello")
    house.story.work()
    assert house.of(throwing).jobs() == ["t"]

    house.story.commands.resume_case(second, "材料已补充完整", actor=SYSTEM)
    house.story.pass_time("PT1M")

    assert house.of(throwing).jobs() == []
    assert [house.of(case).entries().count("SignalReceived") for case in (first, second)] == [1, 1]


def test_a_signal_kept_inside_its_case_reaches_no_other(house):
    drawing = (
        process("thrower").define(SIGNAL).start().gateway("parallel", "f").throw("t", KEPT + SIGNAL_EVENT)
    )
    drawing.end().at("f").catch("own", SIGNAL_EVENT).end("e")
    house.deploy(drawing, hearer())
    other = house.start("hearer")
    house.start("thrower")

    house.story.work()

    assert house.of(other).waiting() == []
