"""The outbox: what shall leave the house, written with the entries that cause it and sent after the commit.

It is no read model: a rebuild neither empties nor fills it, so nothing is sent again by one.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

import sqlalchemy as sa

from engine import events as ev
from engine.events import Entry
from engine.tables import metadata
from engine.temporal import moment
from workflows.actors.people import accounts, grants, persons
from workflows.services.notices import recipients
from workflows.store.columns import Document, Moment
from workflows.store.rows import Pending
from workflows.store.tables import jobs

KNOWN_FOR = timedelta(seconds=5)
"""So long a process goes by the subscriptions it has read; one that is new is heard of after it."""

TOLD = frozenset(
    {"process", "element", "task_id", "timer_id", "job_id", "incident_id", "due_at", "outcome", "level"}
    | {"type", "decision", "code", "missed"}
)
"""Fields of an event that a webhook may tell: names and moments, never a value of the case or a person."""


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, default="")


outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("case_id", sa.Text, primary_key=True),
    sa.Column("number", sa.Text, primary_key=True),  # seq of the entry, channel, and to whom
    sa.Column("seq", sa.Integer, nullable=False),
    _text("channel"),  # mail, webhook
    _text("outlet"),  # what it goes through: mail, or the id of a subscription
    _text("address"),  # of a mail
    sa.Column("content", Document, nullable=False),
    _text("state"),  # waiting, sent, failed, given_up
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    _text("trouble"),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("next_at", Moment, nullable=False),
    sa.Column("ended_at", Moment),
    sa.Index(None, "state", "next_at"),
    sa.Index(None, "created_at"),
)

delivery_log = sa.Table(
    "delivery_log",
    metadata,
    sa.Column("case_id", sa.Text, primary_key=True),
    sa.Column("number", sa.Text, primary_key=True),
    sa.Column("fence", sa.Integer, primary_key=True, autoincrement=False),  # of the lease it was tried under
    sa.Column("at", Moment, nullable=False),
    _text("outcome"),  # sent, failed
    _text("status"),  # what the other side's protocol calls it: 204, 550, timeout
    _text("answer"),
    sa.Column("milliseconds", sa.Integer, nullable=False),
)

subscriptions = sa.Table(
    "subscriptions",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    _text("url"),
    sa.Column("events", Document, nullable=False),  # patterns such as bpm.task.*
    _text("created_by"),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("ended_at", Moment),
)


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """Somebody's server that wants to be told: `events` are patterns of types."""

    id: str
    url: str
    events: tuple[str, ...]
    created_by: str
    created_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, row: sa.RowMapping) -> Subscription:
        """As the table keeps it."""
        return cls(**{**row, "events": tuple(row["events"])})

    def wants(self, type_: str) -> bool:
        """Whether one of its patterns fits."""
        return any(fnmatchcase(type_, pattern) for pattern in self.events)


class Outbox:
    """Puts into the outbox what an installation lets out; one for each process, safe for its threads."""

    def __init__(self, *, mail: bool) -> None:
        """`mail`: notices are mailed, too."""
        self._mail = mail
        self._known: tuple[datetime, tuple[Subscription, ...]] | None = None

    def put_in(
        self,
        rows: Pending,
        entries: Iterable[Entry],
        *,
        process: str,
        connection: sa.Connection,
        now: datetime,
    ) -> None:
        """What these entries of one case set off, as rows of the same transaction."""
        known = self._subscriptions(connection, now)
        for entry in entries:
            shared = {"case_id": entry.case_id, "seq": entry.seq, "state": "waiting"}
            shared |= {"created_at": entry.at, "next_at": entry.at}
            for row in (*_calls(entry, process, known), *self._mails(entry, connection)):
                rows.add(outbox, {**shared, **row})

    def _mails(self, entry: Entry, connection: sa.Connection) -> Iterator[dict[str, Any]]:
        if self._mail and isinstance(entry.event, ev.JobSucceeded) and entry.event.type == "notice.send":
            yield from _mails(connection, entry, entry.event.job_id)

    def _subscriptions(self, connection: sa.Connection, now: datetime) -> tuple[Subscription, ...]:
        known = self._known
        if known is None or abs(now - known[0]) >= KNOWN_FOR:
            self._known = known = (now, tuple(open_subscriptions(connection)))
        return known[1]


def open_subscriptions(connection: sa.Connection) -> Iterator[Subscription]:
    """Those that have not ended, the oldest first."""
    query = sa.select(subscriptions).where(subscriptions.c.ended_at.is_(None))
    for row in connection.execute(query.order_by(subscriptions.c.created_at, subscriptions.c.id)).mappings():
        yield Subscription.of(row)


def name_of(kind: type[ev.Event]) -> str:
    """What a webhook calls an event of this kind: `bpm.task.claimed.v1` for TaskClaimed."""
    words = re.findall(r"[A-Z][a-z]+", kind.__name__)
    return ".".join(["bpm", *(word.lower() for word in words), "v1"])


def told(entry: Entry, process: str) -> dict[str, Any]:
    """An entry as a CloudEvent (1.0) without its source; the id is the same however often it is sent."""
    fields = {field.name: getattr(entry.event, field.name) for field in dataclasses.fields(entry.event)}
    data = {name: value for name, value in fields.items() if name in TOLD and value is not None}
    return {
        "specversion": "1.0",
        "id": f"{entry.case_id}/{entry.seq}",
        "type": name_of(type(entry.event)),
        "subject": entry.case_id,
        "time": moment(entry.at),
        "datacontenttype": "application/json",
        "data": {"case_id": entry.case_id, "seq": entry.seq, "process": process, **data},
    }


def _calls(entry: Entry, process: str, known: Iterable[Subscription]) -> Iterator[dict[str, Any]]:
    for subscription in known:
        if subscription.wants(name_of(type(entry.event))):
            yield {
                "number": f"{entry.seq}.webhook.{subscription.id}",
                "channel": "webhook",
                "outlet": subscription.id,
                "content": told(entry, process),
            }


def _mails(connection: sa.Connection, entry: Entry, job_id: str) -> Iterator[dict[str, Any]]:
    mine = (jobs.c.case_id == entry.case_id) & (jobs.c.job_id == job_id)
    inputs: Mapping[str, Any] = connection.scalar(sa.select(jobs.c.inputs).where(mine)) or {}
    for person, address in _addresses(connection, recipients(inputs)):
        yield {
            "number": f"{entry.seq}.mail.{person}",
            "channel": "mail",
            "outlet": "mail",
            "address": address,
            "content": {"template": inputs.get("template", ""), "time": moment(entry.at)},
        }


def _addresses(connection: sa.Connection, recipients: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Everybody once who has an address and an account that is not closed."""
    named = list(recipients)
    groups = [name for kind, name in named if kind == "group"]
    inside = sa.select(grants.c.person).where(grants.c.kind == "group", grants.c.name.in_(groups))
    people = [name for kind, name in named if kind == "user"]
    closed = sa.select(accounts.c.person).where(accounts.c.person == persons.c.id, accounts.c.disabled)
    query = sa.select(persons.c.id, persons.c.email).where(
        persons.c.id.in_(people) | persons.c.id.in_(inside), persons.c.email != "", ~closed.exists()
    )
    for row in connection.execute(query.order_by(persons.c.id)):
        yield row.id, row.email
