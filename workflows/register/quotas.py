"""Quotas: how many units an authority may recommend in a batch and track, and which cases hold the places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from engine.errors import Problem, WrongState
from workflows.register.rows import found
from workflows.register.tracks import find_track
from workflows.store.tables import cases, places

TAKES = "takes_place"
"""The property of a user task that names the outcome which takes a place: `always` where it has none."""
ALWAYS = "always"
PLACE = "place"
"""The property of a sequence flow: `freed` gives the case's place back, `kept` has won a title with it."""
CHANGES = ("freed", "kept")
POOLED = ("batch", "authority", "track", "number")
SHOWN = 10
"""So many cases are named in a refusal; a program is told of all."""


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Whose places they are: of one authority, in one batch and track."""

    batch: str
    authority: str
    track: str


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A case that holds a place, and its unit."""

    number: int
    case_id: str
    unit_name: str


def holders(connection: sa.Connection, pool: Pool) -> tuple[Holder, ...]:
    """The cases that hold a place of the pool, by its number."""
    p = places.c
    query = sa.select(p.number, p.case_id, cases.c.unit_name).join(cases, cases.c.case_id == p.case_id)
    mine = (p.batch == pool.batch) & (p.authority == pool.authority) & (p.track == pool.track)
    return tuple(Holder(**row) for row in found(connection, query.where(mine).order_by(p.number)))


def holds_place(connection: sa.Connection, case_id: str) -> bool:
    """Whether a case holds a place."""
    return (
        connection.execute(sa.select(places.c.number).where(places.c.case_id == case_id)).first() is not None
    )


def free_place(connection: sa.Connection, pool: Pool, *, of: int) -> dict[str, Any]:
    """The first place of the pool that is free, as the journal tells it. Raises WrongState QUOTA_USED_UP.

    Two who look at the same moment may find the same one: the unique number of the pool is the judge.
    """
    taken = holders(connection, pool)
    if len(taken) >= of:
        raise _used_up(pool, taken, of)
    numbers = {holder.number for holder in taken}
    number = next(number for number in range(1, of + 1) if number not in numbers)
    return {**asdict(pool), "number": number, "of": of}


def _used_up(pool: Pool, taken: tuple[Holder, ...], of: int) -> WrongState:
    track, count = find_track(pool.track), len(taken)
    named = [f"{holder.case_id} {holder.unit_name}" for holder in taken[:SHOWN]]
    more = count > SHOWN
    by_zh = f"（{'、'.join(named)}{'等' if more else ''}）" if named else ""
    by = f": {', '.join(named)}{', …' if more else ''}" if named else ""
    zh = f"{pool.batch} 批次{track.zh}的推荐名额为 {of} 个，已推荐 {count} 个{by_zh}，不能再推荐。"
    return WrongState(
        f"the quota of {track.en} in batch {pool.batch} is {of}, and {count} are recommended{by}",
        code="QUOTA_USED_UP",
        message_zh=zh,
        quota=of,
        recommended=count,
        cases=[holder.case_id for holder in taken],
    )


def check_places(
    element: str, kind: str, properties: Mapping[str, str], outcomes: tuple[str, ...]
) -> Iterator[Problem]:
    """What is wrong with how an element takes a place or changes it: it could not be deployed."""
    takes, change = properties.get(TAKES), properties.get(PLACE)
    if takes is not None and (kind != "userTask" or takes not in (outcomes or (ALWAYS,))):
        yield Problem(
            element=element,
            rule="place.taken",
            severity="error",
            message=f"{element} takes a place with {takes!r}, which is no outcome of a user task",
            message_zh=f"{element} 占用名额的办理结果 {takes} 不存在",
        )
    if change is not None and (kind != "sequenceFlow" or change not in CHANGES):
        yield Problem(
            element=element,
            rule="place.changed",
            severity="error",
            message=f"{element} says {change!r} of a place: a sequence flow says one of {', '.join(CHANGES)}",
            message_zh=f"{element}：只有顺序流可以释放（freed）或保留（kept）名额",
        )
