"""Messages and signals that come at the same moment as each other, or as whatever takes their place away."""

from __future__ import annotations

import pytest

from tests.engine.drawing import MESSAGE, SIGNAL, SIGNAL_EVENT, message, process
from tests.reliability.concurrency.control import ORDERS
from tests.reliability.concurrency.pairs import (
    OFFICERS,
    Pair,
    begun,
    completes,
    played_in_every_order,
    says,
    terminates,
)
from tests.workflows.letters import House
from workflows.actors.policy import SYSTEM
from workflows.acts.letters import Letter

BOTH = ("done", "done")
UNHEARD_SECOND = ("done", "MESSAGE_UNEXPECTED")
UNHEARD_FIRST = ("MESSAGE_UNEXPECTED", "done")
TWO = MESSAGE + '<bpmn:message id="m2" name="question"/>'


def catching():
    return process("catching").define(MESSAGE).start().catch("c", message("m")).user("after", OFFICERS).end()


def overheard(interrupting):
    """A case with an event sub-process that a message begins."""
    inner = process("i").start("si", message("m"), isInterrupting=str(interrupting).lower())
    name = "stopping" if interrupting else "listening"
    drawing = process(name).define(MESSAGE).start().user("a", OFFICERS).end()
    return drawing.event_sub("aside", inner.user("heard", OFFICERS).end("ei"))


def beside():
    """Messages that open a task beside the one they are attached to."""
    drawing = process("beside").define(TWO).start().user("a", OFFICERS).user("b", OFFICERS).end()
    drawing.boundary("said", "a", message("m"), interrupting=False).user("heard", OFFICERS).end("eh")
    return (
        drawing.boundary("asked", "a", message("m2"), interrupting=False).user("answer", OFFICERS).end("ea")
    )


def two_receivers():
    """Two branches wait for two messages and are joined."""
    drawing = process("two").define(TWO).start().gateway("parallel", "fork")
    drawing.at("fork").catch("c1", message("m")).gateway("parallel", "join")
    drawing.at("fork").catch("c2", message("m2")).to("join")
    return drawing.at("join").user("after", OFFICERS).end()


def listening():
    """A task that a signal takes away."""
    drawing = process("hearing").define(SIGNAL).start().user("a", OFFICERS).user("b", OFFICERS).end()
    return drawing.boundary("told", "a", SIGNAL_EVENT).user("stopped", OFFICERS).end("es")


def letter(kind, name, job):
    return Letter(
        kind=kind,
        name=name,
        values={},
        correlation=None,
        job_id=job,
        origin=job,
        sender=job.rpartition(".")[0],
        unit="u01",
        batch=None,
        applicant="app01",
    )


def hears(job, kind="signal", name="stop all"):
    """The case is reached by the letter that a job sent."""
    return lambda door, scene: door.commands.hear_letter(
        scene.case_id, letter(kind, name, f"{scene.case_id}-{job}.1")
    )


def here(*elements):
    return lambda scene, first: sorted(scene.story.waiting()) == sorted(elements)


PAIRS = (
    Pair(
        name="message: two of one name come, and one receiver waits",
        drawing=catching(),
        begin=lambda stage: begun(stage, "catching"),
        one=says("answer"),
        other=says("answer"),
        one_first=UNHEARD_SECOND,
        other_first=UNHEARD_FIRST,
        then=lambda scene, first: scene.entries().count("MessageReceived") == 1,
    ),
    Pair(
        name="message: one letter is delivered twice",
        drawing=catching(),
        begin=lambda stage: begun(stage, "catching"),
        one=hears("J", "message", "answer"),
        other=hears("J", "message", "answer"),
        one_first=BOTH,
        other_first=BOTH,
        then=lambda scene, first: scene.entries().count("MessageReceived") == 1,
    ),
    Pair(
        name="message: two come, and each has a receiver of its own",
        drawing=two_receivers(),
        begin=lambda stage: begun(stage, "two"),
        one=says("answer"),
        other=says("question"),
        one_first=BOTH,
        other_first=BOTH,
        then=here("after"),
    ),
    Pair(
        name="message: two begin an event sub-process that interrupts",
        drawing=overheard(interrupting=True),
        begin=lambda stage: begun(stage, "stopping"),
        one=says("answer"),
        other=says("answer"),
        one_first=UNHEARD_SECOND,
        other_first=UNHEARD_FIRST,
        then=here("heard"),
    ),
    Pair(
        name="message: two begin an event sub-process beside the case",
        drawing=overheard(interrupting=False),
        begin=lambda stage: begun(stage, "listening"),
        one=says("answer"),
        other=says("answer"),
        one_first=BOTH,
        other_first=BOTH,
        then=here("a", "heard", "heard"),
    ),
    Pair(
        name="message: one opens a task beside another that is completed",
        drawing=beside(),
        begin=lambda stage: begun(stage, "beside").claim("a"),
        one=says("answer"),
        other=completes("a"),
        one_first=BOTH,
        other_first=UNHEARD_FIRST,
        then=lambda scene, first: (
            sorted(scene.story.waiting()) == (["b", "heard"] if first == "one" else ["b"])
        ),
    ),
    Pair(
        name="message: two open tasks beside one",
        drawing=beside(),
        begin=lambda stage: begun(stage, "beside"),
        one=says("answer"),
        other=says("question"),
        one_first=BOTH,
        other_first=BOTH,
        then=here("a", "answer", "heard"),
    ),
    Pair(
        name="message: one comes while its case is ended",
        drawing=catching(),
        begin=lambda stage: begun(stage, "catching"),
        one=says("answer"),
        other=terminates,
        one_first=BOTH,
        other_first=("CASE_NOT_ACTIVE", "done"),
        then=lambda scene, first: scene.status() == "terminated" and scene.story.waiting() == [],
    ),
    Pair(
        name="signal: two reach the task they take away",
        drawing=listening(),
        begin=lambda stage: begun(stage, "hearing"),
        one=hears("J1"),
        other=hears("J2"),
        one_first=BOTH,
        other_first=BOTH,
        then=here("stopped"),
    ),
    Pair(
        name="signal: it takes a task away while the task is completed",
        drawing=listening(),
        begin=lambda stage: begun(stage, "hearing").claim("a"),
        one=completes("a"),
        other=hears("J1"),
        one_first=BOTH,
        other_first=("TASK_CANCELLED", "done"),
        then=lambda scene, first: scene.story.waiting() == [{"one": "b", "other": "stopped"}[first]],
    ),
    Pair(
        name="signal: one is delivered twice",
        drawing=listening(),
        begin=lambda stage: begun(stage, "hearing"),
        one=hears("J1"),
        other=hears("J1"),
        one_first=BOTH,
        other_first=BOTH,
        then=lambda scene, first: scene.entries().count("SignalReceived") == 1,
    ),
)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_letters_and_whatever_they_meet_have_one_order(stage, pair):
    assert played_in_every_order(stage, pair) == len(ORDERS)


def test_messages_to_two_cases_do_not_disturb_each_other(stage):
    House(stage.story).deploy(catching())
    for order in ORDERS:
        left, right = begun(stage, "catching"), begun(stage, "catching")

        played = stage.play(
            order,
            lambda door, at=left: door.commands.receive_message(at.case_id, "answer", {}, actor=SYSTEM),
            lambda door, at=right: door.commands.receive_message(at.case_id, "answer", {}, actor=SYSTEM),
        )

        survived = {"one": left, "other": right}
        for who, scene in survived.items():
            is_cut = order.dies and who == order.leads
            assert played.told[who == "other"] == ("cut off" if is_cut else "done")
            assert scene.story.waiting() == ([] if is_cut else ["after"])
