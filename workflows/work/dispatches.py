"""What left the house and what could not: for those who look after it, with the log of every attempt."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from engine.errors import NotFound, WrongState
from workflows.actors.policy import SYSTEM, Actor
from workflows.acts.task_acts import needs_reason
from workflows.store.tables import OVER, cases, leases
from workflows.transaction.change import record_operation
from workflows.transaction.outbox import delivery_log, outbox

STATES = ("waiting", "sent", "failed", "given_up")


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One thing that left the house, or shall. `state` is one of STATES; `trouble` what went wrong last."""

    case_id: str
    number: str
    channel: str
    outlet: str
    address: str
    state: str
    attempts: int
    trouble: str
    created_at: datetime
    next_at: datetime
    ended_at: datetime | None
    what: str

    @property
    def key(self) -> str:
        return f"{self.case_id}.{self.number}"


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One line of the delivery log."""

    at: datetime
    outcome: str
    status: str
    answer: str
    milliseconds: int


def find(
    connection: sa.Connection, *, state: str = "", case_id: str = "", outlet: str = "", limit: int = 100
) -> tuple[Sent, ...]:
    """The newest that fit."""
    query = sa.select(outbox)
    asked = ((outbox.c.state, state), (outbox.c.case_id, case_id), (outbox.c.outlet, outlet))
    for column, value in asked:
        query = query.where(column == value) if value else query
    order = (outbox.c.created_at.desc(), outbox.c.case_id, outbox.c.number)
    return tuple(map(_sent, connection.execute(query.order_by(*order).limit(limit)).mappings()))


def get(connection: sa.Connection, key: str) -> Sent:
    """One of them. Raises NotFound."""
    row = connection.execute(sa.select(outbox).where(*_mine(outbox, key))).mappings().first()
    if row is None:
        raise NotFound(f"there is no dispatch {key}", code="DISPATCH_NOT_FOUND")
    return _sent(row)


def attempts_of(connection: sa.Connection, key: str) -> tuple[Attempt, ...]:
    """Its lines in the delivery log, in order."""
    columns = [delivery_log.c[field.name] for field in fields(Attempt)]
    query = sa.select(*columns).where(*_mine(delivery_log, key)).order_by(delivery_log.c.fence)
    return tuple(Attempt(**row) for row in connection.execute(query).mappings())


def counts(connection: sa.Connection) -> dict[str, int]:
    """How many are in each state that asks for something: waiting and failed."""
    query = sa.select(outbox.c.state, sa.func.count()).where(outbox.c.state.in_(("waiting", "failed")))
    found = {state: number for state, number in connection.execute(query.group_by(outbox.c.state))}  # noqa: C416
    return {state: found.get(state, 0) for state in ("waiting", "failed")}


def retry(connection: sa.Connection, key: str, *, actor: Actor, now: datetime, request_id: str = "") -> Sent:
    """What failed for good is tried again, as often as at first. Raises NotFound, WrongState."""
    found = _change(connection, key, {"state": "waiting", "attempts": 0, "next_at": now})
    what = {"action": "dispatch.retry", "entity": key, "case_id": found.case_id}
    record_operation(connection, actor, **what, at=now, request_id=request_id)
    return found


def give_up(
    connection: sa.Connection, key: str, *, reason: str, actor: Actor, now: datetime, request_id: str = ""
) -> Sent:
    """What failed for good shall not leave any more. Raises NotFound, WrongState, InvalidInput."""
    needs_reason(reason)
    found = _change(connection, key, {"state": "given_up", "ended_at": now})
    what = {"action": "dispatch.give_up", "entity": key, "case_id": found.case_id, "reason": reason}
    record_operation(connection, actor, **what, at=now, request_id=request_id)
    return found


# --- keeping -------------------------------------------------------------------------------------------


def sweep(connection: sa.Connection, *, now: datetime, keep: timedelta) -> int:
    """Take away what left the house longer than `keep` ago, with its log; never of a case that goes on.

    Leases of such cases go, too, when they have ended. Answers how many dispatches went; if any did, an
    operation record tells it.
    """
    old = sa.select(outbox.c.case_id, outbox.c.number).where(
        outbox.c.state.in_(("sent", "given_up")),
        outbox.c.ended_at < now - keep,
        outbox.c.case_id.in_(sa.select(cases.c.case_id).where(cases.c.status.in_(OVER))),
    )
    names = [tuple(row) for row in connection.execute(old.limit(1_000))]
    for table in (delivery_log, outbox) if names else ():
        its_name = sa.tuple_(table.c.case_id, table.c.number)
        connection.execute(sa.delete(table).where(its_name.in_(names)))
    ended = sa.select(cases.c.case_id).where(cases.c.status.in_(OVER), cases.c.ended_at < now - keep)
    connection.execute(sa.delete(leases).where(leases.c.case_id.in_(ended), leases.c.until < now - keep))
    if names:
        what = {"action": "dispatch.sweep", "entity": "outbox", "new": {"dispatches": len(names)}}
        record_operation(connection, SYSTEM, **what, at=now)
    return len(names)


def _mine(table: sa.Table, key: str) -> tuple[sa.ColumnElement[bool], ...]:
    case_id, _, number = key.partition(".")
    return (table.c.case_id == case_id, table.c.number == number)


def _change(connection: sa.Connection, key: str, values: dict[str, Any]) -> Sent:
    """A dispatch that failed for good, as it is then."""
    failed = sa.update(outbox).where(*_mine(outbox, key), outbox.c.state == "failed")
    changed = connection.execute(failed.values(**values)).rowcount
    found = get(connection, key)
    if not changed:
        raise WrongState(
            f"dispatch {key} is {found.state}, not failed", code="DISPATCH_NOT_FAILED", state=found.state
        )
    return found


def _sent(row: sa.RowMapping) -> Sent:
    content = row["content"]
    known = {field.name: row[field.name] for field in fields(Sent) if field.name in row}
    return Sent(**known, what=str(content.get("type") or content.get("template") or ""))
