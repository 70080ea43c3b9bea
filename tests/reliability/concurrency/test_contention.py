"""A case that another command holds: who comes waits for a moment, is told so, and is done the next time."""

from __future__ import annotations

import time
from threading import Thread

import pytest

from engine.errors import WrongState
from tests.engine.drawing import process
from tests.reliability.concurrency.control import WRITTEN
from tests.reliability.concurrency.pairs import OFFICERS, begun, completes
from tests.reliability.doors import answered, waiting
from tests.workflows.letters import House

LONG = 60


@pytest.fixture
def held(stage):
    """A case whose completion stands still before its commit, and the thread that is to go on with it."""
    House(stage.story).deploy(process("held").start().user("a", OFFICERS).user("b", OFFICERS).end())
    holder, comer = stage.doors
    waiting(comer.database, "1s")
    scene = begun(stage, "held").claim("a")
    holder.arm(WRITTEN, dies=False)
    came = []
    thread = Thread(target=lambda: came.append(answered(lambda: completes("a")(holder, scene))), daemon=True)
    thread.start()
    assert holder.arrived.wait(LONG)
    yield scene, came
    holder.may_go.set()
    thread.join(LONG)


def test_who_waits_too_long_for_a_case_is_told_to_come_again_and_nothing_was_done(stage, held):
    scene, came = held
    holder, comer = stage.doors
    began = time.monotonic()

    with pytest.raises(WrongState) as refused:
        completes("a")(comer, scene)

    assert time.monotonic() - began < LONG
    assert refused.value.code == "CASE_BUSY"
    assert refused.value.facts["retry_after"] == 1
    holder.may_go.set()
    while not came:
        time.sleep(0.001)
    with pytest.raises(WrongState, match="is completed"):
        completes("a")(comer, scene)
    assert scene.claim("b").stage.story.completed("b", "lz.officer", {}).status == "completed"
    assert stage.story.history.verify(scene.case_id).ok


def test_a_case_that_is_held_does_not_hold_up_others(stage, held):
    if not stage.is_postgres:
        return  # one writer at a time is what SQLite is
    other = begun(stage, "held").claim("a")

    assert completes("a")(stage.doors[1], other).state == "COMPLETED"
