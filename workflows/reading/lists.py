"""Which tasks a list shows, as SQL: one index scan for each way on which a task reaches somebody, merged."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

import orjson
import sqlalchemy as sa

from engine.errors import InvalidInput
from engine.temporal import moment
from workflows.actors.policy import Actor
from workflows.register.calendar import SHANGHAI
from workflows.store.tables import RARE, candidates, tasks

CAP = 1000
OPEN = ("ready", "claimed")
QUEUES = ("mine", "claimable", "today", "overdue", "returned", "delegated", "on_hold", "team", "done")
SORTS = {
    "due": tasks.c.due_sort,
    "created": tasks.c.created_at,
    "priority": tasks.c.priority,
    "unit": tasks.c.unit_name,
    "ended": tasks.c.ended_at,
}
OFFERED = {
    "due": candidates.c.due_sort,
    "created": candidates.c.created_at,
    "priority": candidates.c.priority,
}
"""What a list is sorted by, where it stands beside a candidate's name as well."""

FREE = frozenset({"claimable", "open", "today", "overdue", "returned"})
"""Queues with tasks that nobody holds: they are found by who may claim them."""

Condition = sa.ColumnElement[bool]
Way = sa.Select[Any]


@dataclass(frozen=True, kw_only=True)
class TaskQuery:
    """What a list shows. `cursor` is what the page before answered as `next`; times are Shanghai days.

    `queue` is one of QUEUES, or `open` for everything the actor may work on; `due` is `overdue`, `today`
    or `week`; `sort` one of SORTS.
    """

    queue: str = "open"
    q: str = ""
    process: str = ""
    element: str = ""
    authority: str = ""
    batch: str = ""
    unit: str = ""
    assignee: str = ""
    due: str = ""
    returned: bool = False
    provisional: bool = False
    sort: str = "due"
    descending: bool = False
    cursor: str | None = None
    limit: int = 50


def page_of(actor: Actor, query: TaskQuery, *, now: datetime, limit: int) -> sa.Select[Any]:
    """The first `limit` tasks of a list, or those behind its cursor, in its order.

    Raises InvalidInput for an unknown queue or sort, or a broken cursor.
    """
    if query.sort not in SORTS:
        raise InvalidInput(f"expected a sort of {sorted(SORTS)}, found {query.sort!r}", code="UNKNOWN_SORT")
    firsts = [_first(way, query, limit) for way in _ways(actor, query, now)]
    found = _first(_merged(firsts), query, limit).subquery()
    return (
        sa.select(tasks)
        .join(found, tasks.c.task_id == found.c.task_id)
        .order_by(*_order(query, found.c.place, found.c.task_id))
    )


def count_of(actor: Actor, query: TaskQuery, *, now: datetime) -> sa.ScalarSelect[int]:
    """How many tasks a list has; it stops at CAP. Raises InvalidInput for an unknown queue."""
    ways = [way.limit(CAP) for way in _ways(actor, query, now)]
    return sa.select(sa.func.count()).select_from(_merged(ways).limit(CAP).subquery()).scalar_subquery()


def cursor_behind(query: TaskQuery, row: Mapping[str, Any]) -> str:
    """Where the page behind this row begins."""
    value = row[SORTS[query.sort].name]
    place = [moment(value) if isinstance(value, datetime) else value, row["task_id"]]
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode()


# --- ways: each finds places and tasks; several may find the same task -----------------------------


def _ways(actor: Actor, query: TaskQuery, now: datetime) -> list[Way]:
    narrower = list(_narrower(query))
    ways: list[Way] = []
    if query.queue != "claimable":
        ways.append(_held(actor, query, [*narrower, *_either(query, now, tasks)]))
    if query.queue in FREE:
        beside = list(_either(query, now, candidates))
        named = [("user", actor.id), *(("group", group) for group in sorted(actor.groups))]
        ways += [_offered(kind, name, query, narrower, beside) for kind, name in named]
    return ways


def _held(actor: Actor, query: TaskQuery, conditions: list[Condition]) -> Way:
    """By its own row: who holds it, lent it, did it."""
    found = sa.select(SORTS[query.sort].label("place"), tasks.c.task_id)
    return found.where(_by_itself(query.queue, actor), *conditions)


def _offered(
    kind: str, name: str, query: TaskQuery, narrower: list[Condition], beside: list[Condition]
) -> Way:
    """By a name that may claim it. Claimable is what is ready in a case that is not suspended, so the task
    itself is looked up only for what stands in its row alone, not `beside` the name as well."""
    c = candidates.c
    place = OFFERED.get(query.sort)
    columns = (SORTS[query.sort] if place is None else place).label("place"), c.task_id
    found = sa.select(*columns).where(c.kind == kind, c.name == name, c.claimable, *beside)
    if place is not None and not narrower:
        return found
    return found.join(tasks, tasks.c.task_id == c.task_id).where(*narrower)


def _merged(ways: Sequence[Way]) -> Way:
    """What any of them finds, once."""
    parts = [sa.select(way.subquery()) for way in ways]
    return sa.select(sa.union(*parts).subquery())


def _first(way: Way, query: TaskQuery, limit: int) -> Way:
    """The beginning of what a way finds, or of what stands behind the cursor."""
    place, task_id = (_bare(column) for column in way.selected_columns[:2])
    if query.cursor is not None:
        way = way.where(_behind(query, place, task_id))
    return way.order_by(*_order(query, place, task_id)).limit(limit)


def _bare(column: Any) -> Any:
    """What an index holds is the column, not what a query calls it."""
    return column.element if isinstance(column, sa.Label) else column


def _order(query: TaskQuery, *columns: sa.ColumnElement[Any]) -> list[sa.ColumnElement[Any]]:
    return [column.desc() if query.descending else column.asc() for column in columns]


def _behind(query: TaskQuery, place: sa.ColumnElement[Any], task_id: sa.ColumnElement[Any]) -> Condition:
    value, last = _read_cursor(query.cursor or "")
    here, there = sa.tuple_(place, task_id), sa.tuple_(sa.literal(value, place.type), sa.literal(last))
    return here < there if query.descending else here > there


# --- conditions -----------------------------------------------------------------------------------------


def _narrower(query: TaskQuery) -> Iterator[Condition]:
    """What stands in a task's row alone."""
    equal = {
        tasks.c.case_process: query.process,
        tasks.c.element: query.element,
        tasks.c.batch_id: query.batch,
        tasks.c.unit_id: query.unit,
        tasks.c.assignee: query.assignee,
    }
    yield from (column == value for column, value in equal.items() if value)
    yield from (tasks.c.search.contains(word, autoescape=True) for word in query.q.lower().split())
    if query.returned or query.queue == "returned":
        yield RARE["round"]
    if query.provisional:
        yield tasks.c.provisional
    if query.sort == "ended":
        yield tasks.c.ended_at.is_not(None)


def _by_itself(queue: str, actor: Actor) -> Condition:
    mine = (tasks.c.assignee == actor.id) & (tasks.c.state == "claimed")
    match queue:
        case "mine" | "open" | "today" | "overdue" | "returned":
            return mine & ~tasks.c.suspended
        case "delegated":
            return (tasks.c.owner == actor.id) & (tasks.c.state == "claimed")
        case "on_hold":
            return tasks.c.suspended & tasks.c.state.in_(OPEN) & (mine | _candidate(actor))
        case "team":
            return (tasks.c.state == "claimed") & (tasks.c.assignee != actor.id) & _candidate(actor)
        case "done":
            return (tasks.c.completed_by == actor.id) & (tasks.c.state == "completed")
    raise InvalidInput(f"expected a queue of {QUEUES}, found {queue!r}", code="UNKNOWN_QUEUE")


def _candidate(actor: Actor) -> Condition:
    """Asked of each task by its key: what a group may claim grows with everything it ever could."""
    c = candidates.c
    its_own = (c.case_id == tasks.c.case_id) & (c.task_id == tasks.c.task_id)
    in_person = (c.kind == "user") & (c.name == actor.id)
    in_group = (c.kind == "group") & c.name.in_(sorted(actor.groups))
    return sa.exists().where(its_own, in_person | in_group)


def _either(query: TaskQuery, now: datetime, table: sa.Table) -> Iterator[Condition]:
    """What stands in a task's row and beside a candidate's name: the authority, and what a queue and what a
    query say about the due date, each if it does."""
    if query.authority:
        yield table.c.authority == query.authority
    asked = [query.queue] if query.queue in ("today", "overdue") else []
    yield from (_when(word, now, table.c.due_sort) for word in (*asked, query.due) if word)


def _when(word: str, now: datetime, due: sa.Column[Any]) -> Condition:
    today = now.astimezone(SHANGHAI).date()
    midnight = datetime.combine(today + timedelta(days=1), time(), SHANGHAI)
    match word:
        case "overdue":
            return due < now
        case "today":
            return (due >= now) & (due < midnight)
        case "week":
            return (due >= now) & (due < midnight + timedelta(days=6))
    raise InvalidInput(f"expected overdue, today or week, found {word!r}", code="UNKNOWN_DUE")


def _read_cursor(cursor: str) -> tuple[Any, str]:
    try:
        value, task_id = orjson.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (ValueError, binascii.Error, TypeError):
        raise InvalidInput("this is no cursor of this list", code="BAD_CURSOR") from None
    if not isinstance(value, str | int) or not isinstance(task_id, str):
        raise InvalidInput("this is no cursor of this list", code="BAD_CURSOR")
    return value, task_id
