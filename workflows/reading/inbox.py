"""What is waiting for an actor: queues with counts, filtered pages, one task opened. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from engine.replay import LiveCases
from workflows.actors.policy import Actor, Verdict
from workflows.library.catalog import Catalog
from workflows.reading import desk
from workflows.reading.lists import CAP, QUEUES, TaskQuery, count_of, cursor_behind, page_of
from workflows.store.tables import drafts, notifications, reading
from workflows.transaction.facts import names_of

LARGEST_PAGE = 200


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
        counts = [count_of(actor, TaskQuery(queue=name), now=now).label(name) for name in QUEUES]
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
            asked = page_of(actor, query, now=now, limit=limit + 1)
            rows = connection.execute(asked).mappings().all()
            items = _named(connection, actor, [dict(row) for row in rows[:limit]])
        more = cursor_behind(query, dict(rows[limit - 1])) if len(rows) > limit else None
        return Page(items=items, next=more, as_of=now)

    def count(self, actor: Actor, query: TaskQuery) -> Queue:
        """How many tasks a query finds, up to CAP."""
        asked = sa.select(count_of(actor, query, now=self._clock()))
        with self._reading() as connection:
            count = connection.execute(asked).scalar_one()
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
        with reading(self._database) as connection, self._library.over(connection):
            yield connection


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
        TaskRow(
            **{name: row[name] for name in PLAIN},
            groups=tuple(row["groups"]),
            users=tuple(row["users"]),
            assignee_name=names.get(row["assignee"] or "", ""),
            has_draft=row["task_id"] in begun,
        )
        for row in rows
    )


WORKED_OUT = frozenset({"groups", "users", "assignee_name", "has_draft"})
PLAIN = tuple(field.name for field in fields(TaskRow) if field.name not in WORKED_OUT)
"""What stands in a row of the table as a list shows it."""
