"""Tokens that move at the same moment: fork, join, sub-processes, boundary events, the end of a case."""

from __future__ import annotations

import pytest

from tests.engine.drawing import MESSAGE, for_each, message, process, timer
from tests.reliability.concurrency.control import ORDERS
from tests.reliability.concurrency.pairs import (
    OFFICERS,
    Pair,
    Scene,
    begun,
    completes,
    fires,
    played_in_every_order,
    says,
    terminates,
)

BOTH = ("done", "done")
CANCELLED_SECOND = ("done", "TASK_CANCELLED")
CANCELLED_FIRST = ("TASK_CANCELLED", "done")


def branches(drawing, *names):
    """Tasks beside each other behind a fork; they meet at `join`."""
    drawing.gateway("parallel", "fork")
    for place, name in enumerate(names):
        drawing.at("fork").user(name, OFFICERS)
        drawing = drawing.to("join") if place else drawing.gateway("parallel", "join")
    return drawing.at("join")


def forking():
    drawing = process("forking").start().gateway("parallel", "fork")
    for name in ("a", "b"):
        drawing.at("fork").user(name, OFFICERS).gateway("parallel", f"f{name}")
        for place in ("1", "2"):
            drawing.at(f"f{name}").user(name + place, OFFICERS).end(f"e{name}{place}")
    return drawing


def ending():
    drawing = process("ending").start().gateway("parallel", "fork")
    for name in ("a", "b"):
        drawing.at("fork").user(name, OFFICERS).end(f"e{name}")
    return drawing


def inside():
    """A sub-process with two branches, and a message that ends all of it."""
    inner = branches(process("i").start("si"), "a", "b").end("ei")
    drawing = process("inside").define(MESSAGE).start().sub("within", inner).user("after", OFFICERS).end()
    return drawing.boundary("stop", "within", message("m")).user("stopped", OFFICERS).end("es")


def guarded():
    """A task that a message and a deadline can both take away."""
    drawing = process("guarded").define(MESSAGE).start().user("a", OFFICERS).user("b", OFFICERS).end()
    drawing.boundary("said", "a", message("m")).user("heard", OFFICERS).end("eh")
    return drawing.boundary("late", "a", timer("PT1H")).user("missed", OFFICERS).end("em")


def enough():
    """Three opinions are asked for, and one is enough."""
    drawing = process("enough").start()
    several = for_each("=[1, 2, 3]", "one", done="=numberOfCompletedInstances >= 1")
    return drawing.user("a", OFFICERS, inside=several).user("after", OFFICERS).end()


def here(*elements):
    return lambda scene, first: scene.story.waiting() == list(elements)


def by_first(**waiting):
    """What waits, by whose act counted first."""
    return lambda scene, first: scene.story.waiting() == waiting[first]


def due(stage, name):
    scene = begun(stage, name).claim("a")
    stage.story.clock.move("PT1H")
    return scene


def of_task(number):
    def act(door, scene: Scene):
        return door.commands.complete_task(scene.tasks()[number], {}, actor=scene.officer)

    return act


PAIRS = (
    Pair(
        name="join: the last two branches end",
        drawing=branches(process("joining").start(), "a", "b").user("after", OFFICERS).end(),
        begin=lambda stage: begun(stage, "joining").claim("a", "b"),
        one=completes("a"),
        other=completes("b"),
        one_first=BOTH,
        other_first=BOTH,
        then=here("after"),
    ),
    Pair(
        name="fork: two branches fork again",
        drawing=forking(),
        begin=lambda stage: begun(stage, "forking").claim("a", "b"),
        one=completes("a"),
        other=completes("b"),
        one_first=BOTH,
        other_first=BOTH,
        then=lambda scene, first: sorted(scene.story.waiting()) == ["a1", "a2", "b1", "b2"],
    ),
    Pair(
        name="process completion: the last two tokens end",
        drawing=ending(),
        begin=lambda stage: begun(stage, "ending").claim("a", "b"),
        one=completes("a"),
        other=completes("b"),
        one_first=BOTH,
        other_first=BOTH,
        then=lambda scene, first: scene.entries().count("CaseCompleted") == 1,
    ),
    Pair(
        name="sub-process completion: its last two branches end",
        drawing=inside(),
        begin=lambda stage: begun(stage, "inside").claim("a", "b"),
        one=completes("a"),
        other=completes("b"),
        one_first=BOTH,
        other_first=BOTH,
        then=here("after"),
    ),
    Pair(
        name="parent completion: a child completes while its parent is ended by a message",
        drawing=inside(),
        begin=lambda stage: begun(stage, "inside").claim("a", "b"),
        one=completes("a"),
        other=says("answer"),
        one_first=BOTH,
        other_first=CANCELLED_FIRST,
        then=here("stopped"),
    ),
    Pair(
        name="cancellation: a message and a deadline take the same task away",
        drawing=guarded(),
        begin=lambda stage: due(stage, "guarded"),
        one=says("answer"),
        other=fires("late"),
        one_first=("done", "TIMER_GONE"),
        other_first=("MESSAGE_UNEXPECTED", "done"),
        then=by_first(one=["heard"], other=["missed"]),
    ),
    Pair(
        name="cancellation: a task is completed while its deadline fires",
        drawing=guarded(),
        begin=lambda stage: due(stage, "guarded"),
        one=completes("a"),
        other=fires("late"),
        one_first=("done", "TIMER_GONE"),
        other_first=CANCELLED_FIRST,
        then=by_first(one=["b"], other=["missed"]),
    ),
    Pair(
        name="optimistic locking: a case ends while a task is to be created in it",
        drawing=guarded(),
        begin=lambda stage: begun(stage, "guarded").claim("a"),
        one=completes("a"),
        other=terminates,
        one_first=BOTH,
        other_first=CANCELLED_FIRST,
        then=lambda scene, first: scene.story.waiting() == [] and scene.status() == "terminated",
    ),
    Pair(
        name="sentry: two fulfil the condition under which the others are no longer needed",
        drawing=enough(),
        begin=lambda stage: begun(stage, "enough").claim_all(),
        one=of_task(0),
        other=of_task(1),
        one_first=CANCELLED_SECOND,
        other_first=CANCELLED_FIRST,
        then=here("after"),
    ),
)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_whoever_commits_first_counts_and_the_token_is_where_it_belongs(stage, pair):
    assert played_in_every_order(stage, pair) == len(ORDERS)
