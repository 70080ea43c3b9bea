"""What people write and read at the same moment: case data, drafts, and the eyes of whoever only looks."""

from __future__ import annotations

import pytest

from engine.errors import Rejected
from tests.engine.drawing import process
from tests.reliability.concurrency.control import ASKED, DECIDED, ORDERS
from tests.reliability.concurrency.pairs import (
    OFFICERS,
    REASON,
    Pair,
    begun,
    completes,
    played_in_every_order,
)
from tests.workflows.letters import House
from workflows.store.tables import drafts, tasks

BOTH = ("done", "done")


def writing():
    """Two branches that write into the case. Where they meet, the flow that is drawn later has the last word:
    who was faster must not decide."""
    drawing = process("writing").start().gateway("parallel", "fork")
    drawing.at("fork").user("a", OFFICERS).gateway("parallel", "join")
    drawing.at("fork").user("b", OFFICERS).to("join")
    return drawing.at("join").user("after", OFFICERS).end()


def filling():
    return process("filling").start().user("a", OFFICERS).user("b", OFFICERS).end()


def saves(said, revision=0):
    """A draft is saved by somebody who has seen this revision."""
    return lambda door, scene: door.commands.save_draft(
        scene.task("a"), {"opinion": said}, actor=scene.officer, revision=revision
    )


def transfers(door, scene):
    return door.commands.transfer_task(scene.task("a"), "lz.officer2", reason=REASON, actor=scene.officer)


def kept(scene):
    return [row["values"] for row in scene.story.rows(drafts)]


def variables(scene):
    return scene.story.case().variables


PAIRS = (
    Pair(
        name="variable: two branches create the same one, and the drawing says whose stands",
        drawing=writing(),
        begin=lambda stage: begun(stage, "writing").claim("a", "b"),
        one=completes("a", said="by a"),
        other=completes("b", said="by b"),
        one_first=BOTH,
        other_first=BOTH,
        then=lambda scene, first: variables(scene)["said"] == "by b",
    ),
    Pair(
        name="variable: two branches change one that was there, one of them its type",
        drawing=writing(),
        begin=lambda stage: begun(stage, "writing", said="before").claim("a", "b"),
        one=completes("a", said="by a"),
        other=completes("b", said=7),
        one_first=BOTH,
        other_first=BOTH,
        then=lambda scene, first: variables(scene)["said"] == 7,
    ),
    Pair(
        name="variable: two branches write different ones, and neither is lost",
        drawing=writing(),
        begin=lambda stage: begun(stage, "writing").claim("a", "b"),
        one=completes("a", left="by a"),
        other=completes("b", right="by b"),
        one_first=BOTH,
        other_first=BOTH,
        then=lambda scene, first: (variables(scene)["left"], variables(scene)["right"]) == ("by a", "by b"),
    ),
    Pair(
        name="draft: two tabs save the same text anew",
        drawing=filling(),
        begin=lambda stage: begun(stage, "filling").claim("a"),
        one=saves("one"),
        other=saves("other"),
        one_first=("done", "DRAFT_STALE"),
        other_first=("DRAFT_STALE", "done"),
        then=lambda scene, first: kept(scene) == [{"opinion": first}],
        writes_early=frozenset({"one", "other"}),
    ),
    Pair(
        name="task: its holder completes it while it is handed on",
        drawing=filling(),
        begin=lambda stage: begun(stage, "filling").claim("a"),
        one=completes("a"),
        other=transfers,
        one_first=("done", "TASK_COMPLETED"),
        other_first=("NOT_ASSIGNEE", "done"),
        then=lambda scene, first: scene.story.waiting() == [{"one": "b", "other": "a"}[first]],
    ),
)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_what_two_write_at_once_has_one_order(stage, pair):
    assert played_in_every_order(stage, pair) == len(ORDERS)


def test_a_text_that_is_saved_while_its_task_is_completed_stands_in_nobodys_way(stage):
    """Saving a draft moves no case, so both may succeed; what was saved last is never read again."""
    House(stage.story).deploy(filling())
    for order in ORDERS:
        scene = begun(stage, "filling").claim("a")
        played = stage.play(
            order,
            lambda door, scene=scene: completes("a")(door, scene),
            lambda door, scene=scene: saves("late")(door, scene),
            decided=ASKED if order.leads == "other" else DECIDED,
        )
        assert played.told[0] in ("done", "cut off")
        assert played.told[1] in ("done", "TASK_COMPLETED", "cut off")
        if played.told[0] == "done":
            assert scene.story.waiting() == ["b"]
            with pytest.raises(Rejected, match="is completed"):
                saves("later", revision=1)(stage.doors[0], scene)


def test_who_only_looks_sees_what_is_committed_and_never_waits(stage):
    House(stage.story).deploy(filling())
    for order in ORDERS:
        if order.leads == "other":  # who looks has nothing to stand still at
            continue
        scene = begun(stage, "filling").claim("a")

        def looks(door, scene=scene):
            assert not door.has_begun
            state = [row["state"] for row in scene.story.rows(tasks)]
            return state, scene.story.case().seq

        before = looks(stage.doors[1])
        played = stage.play(order, lambda door, scene=scene: completes("a")(door, scene), looks)

        assert played.other == before
        assert looks(stage.doors[1]) != before or order.dies
