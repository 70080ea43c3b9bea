"""What is waiting for an actor: queues with counts, filtered pages, one task opened. Reads only."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import datetime, time, timedelta
from typing import Any

import orjson
import sqlalchemy as sa

from engine.errors import InvalidInput
from engine.events import moment
from engine.replay import LiveCases
from workflows import desk
from workflows.calendar import SHANGHAI
from workflows.catalog import Catalog
from workflows.facts import names_of
from workflows.policy import Actor, Verdict
from workflows.tables import candidates, drafts, notifications, tasks

CAP = 1000
LARGEST_PAGE = 200
OPEN = ("ready", "claimed")
QUEUES = ("mine", "claimable", "today", "overdue", "returned", "delegated", "on_hold", "team", "done")
SORTS = {
    "due": tasks.c.due_sort,
    "created": tasks.c.created_at,
    "priority": tasks.c.priority,
    "unit": tasks.c.unit_name,
    "ended": tasks.c.ended_at,
}


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


@dataclass(frozen=True, kw_only=True)
class TaskRow:
    """One line of a list; every moment is aware, `assignee_name` is for people."""

    case_id: str
    task_id: str
    case_process: str
    process_id: str
    definition_id: str
    element: str
    name: str
    name_en: str
    step: str
    clause: str
    state: str
    suspended: bool
    assignee: str | None
    owner: str | None
    question: str | None
    groups: tuple[str, ...]
    users: tuple[str, ...]
    created_at: datetime
    claimed_at: datetime | None
    due_at: datetime | None
    due_days: int | None
    provisional: bool
    priority: int
    round: int
    bulkable: bool
    escalated_at: datetime | None
    ended_at: datetime | None
    completed_by: str | None
    outcome: str | None
    unit_id: str
    unit_name: str
    authority: str
    authority_name: str
    batch_id: str
    batch_name: str
    assignee_name: str = ""
    has_draft: bool = False


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page; `next` is the cursor of the page behind it, or None."""

    items: tuple[TaskRow, ...]
    next: str | None
    as_of: datetime


@dataclass(frozen=True, kw_only=True)
class Queue:
    """A queue with its count, which stops at CAP (`capped`)."""

    name: str
    count: int
    capped: bool


@dataclass(frozen=True, kw_only=True)
class Message:
    """One notice of a case to a person or a group; `template` names its text, `content` fills it."""

    case_id: str
    recipient: str
    template: str
    content: Mapping[str, Any]
    created_at: datetime


class Inbox:
    """The reading side of work. Every answer is one consistent look at the database."""

    def __init__(
        self,
        database: sa.Engine,
        library: Catalog,
        *,
        clock: Callable[[], datetime],
        live: LiveCases | None = None,
    ) -> None:
        self._database = database
        self._library = library
        self._clock = clock
        self._live = live or LiveCases(library)

    def queues(self, actor: Actor) -> tuple[Queue, ...]:
        """Every queue with its capped count, in one statement."""
        now = self._clock()
        counts = [
            sa.select(sa.func.count())
            .select_from(sa.select(sa.literal(1)).where(_in_queue(name, actor, now)).limit(CAP).subquery())
            .scalar_subquery()
            .label(name)
            for name in QUEUES
        ]
        with self._reading() as connection:
            row = connection.execute(sa.select(*counts)).one()
        return tuple(
            Queue(name=name, count=count, capped=count >= CAP)
            for name, count in zip(QUEUES, row, strict=True)
        )

    def tasks(self, actor: Actor, query: TaskQuery) -> Page:
        """A page of tasks. Raises InvalidInput for an unknown queue or sort, or a broken cursor."""
        now = self._clock()
        limit = max(1, min(query.limit, LARGEST_PAGE))
        with self._reading() as connection:
            rows = connection.execute(_page(actor, query, now).limit(limit + 1)).mappings().all()
            items = _named(connection, actor, [dict(row) for row in rows[:limit]])
        more = _cursor(query, dict(rows[limit - 1])) if len(rows) > limit else None
        return Page(items=items, next=more, as_of=now)

    def count(self, actor: Actor, query: TaskQuery) -> Queue:
        """How many tasks a query finds, up to CAP."""
        found = sa.select(sa.literal(1)).where(*_conditions(actor, query, self._clock()))
        with self._reading() as connection:
            count = connection.execute(
                sa.select(sa.func.count()).select_from(found.limit(CAP).subquery())
            ).scalar_one()
        return Queue(name=query.queue, count=count, capped=count >= CAP)

    def next_claimable(self, actor: Actor, *, limit: int = 20) -> tuple[str, ...]:
        """Tasks to offer to who asks for the next one: by due date, then arrival, not barred by policy."""
        page = self.tasks(actor, TaskQuery(queue="claimable", limit=limit))
        with self._reading() as connection:
            return tuple(
                row.task_id for row in page.items if desk.is_claimable(connection, actor, row.task_id)
            )

    def task(self, task_id: str, actor: Actor) -> desk.TaskView:
        """One task opened: form, data, draft, outcomes and what each leads to. Raises NotFound."""
        with self._reading() as connection:
            row = desk.visible_row(connection, actor, task_id)
            (line,) = _named(connection, actor, [row])
            return desk.open_task(self._look(connection, actor), line, row)

    def preview(self, task_id: str, values: Mapping[str, Any], actor: Actor) -> desk.Preview:
        """What would follow if the task were completed with `values`; nothing is written. Raises NotFound."""
        with self._reading() as connection:
            row = desk.visible_row(connection, actor, task_id)
            return desk.preview(self._look(connection, actor), row, values)

    def why(self, task_id: str, actor: Actor) -> dict[str, list[Verdict]]:
        """All checks behind seeing, claiming, completing and transferring. Raises NotFound."""
        with self._reading() as connection:
            return desk.why(connection, actor, task_id)

    def messages(self, actor: Actor, *, limit: int = 50) -> tuple[Message, ...]:
        """What service tasks had to tell the actor or a group of the actor's, newest first."""
        n = notifications.c
        to_me = (n.recipient_kind == "user") & (n.recipient == actor.id)
        to_us = (n.recipient_kind == "group") & n.recipient.in_(sorted(actor.groups))
        found = sa.select(notifications).where(to_me | to_us)
        order = (n.created_at.desc(), n.case_id.desc(), n.number)
        with self._reading() as connection:
            rows = connection.execute(found.order_by(*order).limit(limit)).mappings().all()
        return tuple(Message(**{field.name: row[field.name] for field in fields(Message)}) for row in rows)

    def start_draft(self, process: str, actor: Actor) -> desk.Draft:
        """What the actor has typed into a start form; revision 0 if nothing."""
        with self._reading() as connection:
            return desk.draft_of(connection, f"start:{process}", process, actor.id)

    def draft(self, task_id: str, actor: Actor) -> desk.Draft:
        """What the actor has typed into a task's form; revision 0 if nothing. Raises NotFound."""
        with self._reading() as connection:
            row = desk.visible_row(connection, actor, task_id)
            return desk.draft_of(connection, row["case_id"], task_id, actor.id)

    def _look(self, connection: sa.Connection, actor: Actor) -> desk.Look:
        return desk.Look(
            connection=connection, library=self._library, live=self._live, actor=actor, now=self._clock()
        )

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        opened = self._database.connect().execution_options(reading=True)
        with opened as connection, self._library.over(connection):
            yield connection


def _page(actor: Actor, query: TaskQuery, now: datetime) -> sa.Select[Any]:
    if query.sort not in SORTS:
        raise InvalidInput(f"expected a sort of {sorted(SORTS)}, found {query.sort!r}", code="UNKNOWN_SORT")
    column = SORTS[query.sort]
    found = sa.select(tasks).where(*_conditions(actor, query, now))
    if query.sort == "ended":
        found = found.where(tasks.c.ended_at.is_not(None))
    if query.cursor is not None:
        found = found.where(_behind(query, column))
    order = (column.desc(), tasks.c.task_id.desc()) if query.descending else (column, tasks.c.task_id)
    return found.order_by(*order)


def _conditions(actor: Actor, query: TaskQuery, now: datetime) -> list[sa.ColumnElement[bool]]:
    equal = {
        tasks.c.case_process: query.process,
        tasks.c.element: query.element,
        tasks.c.authority: query.authority,
        tasks.c.batch_id: query.batch,
        tasks.c.unit_id: query.unit,
        tasks.c.assignee: query.assignee,
    }
    found = [_in_queue(query.queue, actor, now)]
    found += [column == value for column, value in equal.items() if value]
    found += [tasks.c.search.contains(word, autoescape=True) for word in query.q.lower().split()]
    if query.due:
        found.append(_due(query.due, now))
    if query.returned:
        found.append(tasks.c.round > 1)
    if query.provisional:
        found.append(tasks.c.provisional)
    return found


def _in_queue(name: str, actor: Actor, now: datetime) -> sa.ColumnElement[bool]:
    mine = (tasks.c.assignee == actor.id) & (tasks.c.state == "claimed")
    free = (tasks.c.state == "ready") & ~tasks.c.suspended & _candidate(actor, claimable=True)
    workable = (mine & ~tasks.c.suspended) | free
    match name:
        case "mine":
            return mine & ~tasks.c.suspended
        case "claimable":
            return free
        case "open":
            return workable
        case "today" | "overdue":
            return workable & _due(name, now)
        case "returned":
            return workable & (tasks.c.round > 1)
        case "delegated":
            return (tasks.c.owner == actor.id) & (tasks.c.state == "claimed")
        case "on_hold":
            return tasks.c.suspended & tasks.c.state.in_(OPEN) & (mine | _candidate(actor))
        case "team":
            return (tasks.c.state == "claimed") & (tasks.c.assignee != actor.id) & _candidate(actor)
        case "done":
            return (tasks.c.completed_by == actor.id) & (tasks.c.state == "completed")
    raise InvalidInput(f"expected a queue of {QUEUES}, found {name!r}", code="UNKNOWN_QUEUE")


def _candidate(actor: Actor, *, claimable: bool | None = None) -> sa.ColumnElement[bool]:
    in_person = (candidates.c.kind == "user") & (candidates.c.name == actor.id)
    in_group = (candidates.c.kind == "group") & candidates.c.name.in_(sorted(actor.groups))
    named = sa.select(candidates.c.task_id).where(in_person | in_group)
    if claimable is not None:
        named = named.where(candidates.c.claimable == claimable)
    return tasks.c.task_id.in_(named)


def _due(when: str, now: datetime) -> sa.ColumnElement[bool]:
    today = now.astimezone(SHANGHAI).date()
    midnight = datetime.combine(today + timedelta(days=1), time(), SHANGHAI)
    match when:
        case "overdue":
            return tasks.c.due_sort < now
        case "today":
            return (tasks.c.due_sort >= now) & (tasks.c.due_sort < midnight)
        case "week":
            return (tasks.c.due_sort >= now) & (tasks.c.due_sort < midnight + timedelta(days=6))
    raise InvalidInput(f"expected overdue, today or week, found {when!r}", code="UNKNOWN_DUE")


def _behind(query: TaskQuery, column: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    value, task_id = _read_cursor(query.cursor or "")
    if query.descending:
        beyond, next_one = column < value, tasks.c.task_id < task_id
    else:
        beyond, next_one = column > value, tasks.c.task_id > task_id
    return sa.or_(beyond, sa.and_(column == value, next_one))


def _cursor(query: TaskQuery, row: Mapping[str, Any]) -> str:
    value = row[SORTS[query.sort].name]
    place = [moment(value) if isinstance(value, datetime) else value, row["task_id"]]
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode()


def _read_cursor(cursor: str) -> tuple[Any, str]:
    try:
        value, task_id = orjson.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (ValueError, binascii.Error, TypeError):
        raise InvalidInput("this is no cursor of this list", code="BAD_CURSOR") from None
    if not isinstance(value, str | int) or not isinstance(task_id, str):
        raise InvalidInput("this is no cursor of this list", code="BAD_CURSOR")
    return value, task_id


def _named(connection: sa.Connection, actor: Actor, rows: list[dict[str, Any]]) -> tuple[TaskRow, ...]:
    names = names_of(connection, [row["assignee"] for row in rows])
    begun = set(
        connection.scalars(
            sa.select(drafts.c.task_id).where(
                drafts.c.person == actor.id, drafts.c.task_id.in_([row["task_id"] for row in rows])
            )
        )
    )
    return tuple(
        replace(
            _row(row),
            assignee_name=names.get(row["assignee"] or "", ""),
            has_draft=row["task_id"] in begun,
        )
        for row in rows
    )


def _row(row: Mapping[str, Any]) -> TaskRow:
    known = {field.name: row[field.name] for field in fields(TaskRow) if field.name in row}
    return TaskRow(**{**known, "groups": tuple(row["groups"]), "users": tuple(row["users"])})
