"""What a task does that takes a place of its authority's quota: it takes one, or is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.case.case import Case
from workflows.register.quotas import ALWAYS, TAKES, Pool, free_place, holds_place
from workflows.transaction.beginnings import Beginning
from workflows.transaction.change import Change, one_at_a_time


def place_taken(change: Change, case: Case, task_id: str, outcome: Any) -> dict[str, Any]:
    """The place that the task takes with this outcome, as the journal tells it; empty if it takes none.

    There is no quota where the case's `track` tells none, and who holds a place needs no other. Raises
    WrongState QUOTA_USED_UP.
    """
    takes = case.definition.elements[case.open_task(task_id).element].properties.get(TAKES)
    if takes is None or takes not in (ALWAYS, outcome):
        return {}
    track = case.local(task_id).get("track")
    if not isinstance(track, Mapping) or track.get("quota") is None:
        return {}
    if holds_place(change.connection, case.case_id):
        return {}
    pool = _pool(case, track["id"])
    one_at_a_time(change.connection, f"{pool.batch} {pool.authority} {pool.track}")
    return free_place(change.connection, pool, of=int(track["quota"]))


def _pool(case: Case, track: str) -> Pool:
    begun = Beginning.of(case.started)
    return Pool(batch=begun.text("batch", "id"), authority=begun.text("unit", "authority"), track=track)
