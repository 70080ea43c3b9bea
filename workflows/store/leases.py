"""Who is at work on what is due: leases that end by themselves, with a fence against those who overslept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from engine.errors import NotFound, WrongState
from workflows.store.tables import GOING_ON, NEVER, cases, jobs, leases, timers

FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(hours=6)


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The right to work on one timer, job or dispatch until it ends.

    `fence` grows with every new holder; `failures` counts the attempts in a row that came to nothing.
    """

    case_id: str
    item: str
    fence: int
    failures: int = 0


@dataclass(frozen=True, kw_only=True)
class Aside:
    """A timer or a job that failed so often that nobody tries it again until a person says so."""

    case_id: str
    item: str
    failures: int
    trouble: str
    since: datetime


def lease_timers(
    connection: sa.Connection, *, holder: str, now: datetime, span: timedelta, limit: int
) -> list[Lease]:
    """Due timers of running cases, oldest first, that nobody else is at work on."""
    found = connection.execute(_DUE_TIMERS, {"now": now, "most": limit}).all()
    return take(connection, [(row.case_id, row.item) for row in found], holder=holder, now=now, span=span)


def lease_jobs(
    connection: sa.Connection,
    *,
    holder: str,
    now: datetime,
    span: timedelta,
    limit: int,
    leave: frozenset[str] = frozenset(),
) -> list[Lease]:
    """Jobs of running cases whose next attempt may begin, oldest first, that nobody is at work on.

    Those of elements in `leave` stay where they are.
    """
    found = connection.execute(_DUE_JOBS, {"now": now, "most": limit, "leave": sorted(leave)}).all()
    return take(connection, [(row.case_id, row.item) for row in found], holder=holder, now=now, span=span)


def take(
    connection: sa.Connection,
    wanted: Sequence[tuple[str, str]],
    *,
    holder: str,
    now: datetime,
    span: timedelta,
) -> list[Lease]:
    """Those of `wanted` (case, item) that are free, as leases until `now` + `span`, in the order asked for.

    The database decides for each one: of two who want it at once, one gets it.
    """
    if not wanted:
        return []
    row = {"holder": holder, "until": now + span, "fence": 1}
    rows = [{"case_id": case_id, "item": item, **row} for case_id, item in sorted(wanted)]
    insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(leases).values(rows)
    mine = insert.on_conflict_do_update(
        index_elements=[leases.c.case_id, leases.c.item],
        set_={
            "holder": insert.excluded.holder,
            "until": insert.excluded.until,
            "fence": leases.c.fence + 1,
        },
        where=leases.c.until <= now,
    ).returning(leases.c.case_id, leases.c.item, leases.c.fence, leases.c.failures)
    got = {(lease.case_id, lease.item): Lease(**lease._mapping) for lease in connection.execute(mine)}
    return [got[name] for name in wanted if name in got]


def still_held(connection: sa.Connection, lease: Lease) -> None:
    """Raises WrongState LEASE_LOST if somebody else took over in the meantime."""
    if not is_still_held(connection, lease):
        raise WrongState(f"another worker took over {lease.item}", code="LEASE_LOST")


def is_still_held(connection: sa.Connection, lease: Lease) -> bool:
    """Whether nobody took over, though the lease may have ended."""
    mine = _on(lease.case_id, lease.item)
    return connection.scalar(sa.select(leases.c.fence).where(mine)) == lease.fence


def give_back(connection: sa.Connection, given: Iterable[Lease], *, now: datetime) -> None:
    """These leases end now, and what failed before is forgotten. The fence stays, so that it only grows."""
    named = [{"its_case": one.case_id, "its_item": one.item, "its_fence": one.fence} for one in given]
    if named:
        connection.execute(_END, [{**name, "now": now} for name in named])


def defer(connection: sa.Connection, lease: Lease, *, until: datetime, trouble: str) -> None:
    """The attempt came to nothing: nobody tries again before `until`."""
    _change(connection, lease, until=until, failures=lease.failures + 1, trouble=trouble)


def set_aside(connection: sa.Connection, lease: Lease, *, now: datetime, trouble: str) -> None:
    """The last attempt came to nothing: nobody tries again until a person says so."""
    failures = lease.failures + 1
    _change(connection, lease, until=NEVER, failures=failures, trouble=trouble, set_aside_at=now)


def all_aside(connection: sa.Connection, *, limit: int) -> tuple[Aside, ...]:
    """What was set aside, the longest first, of cases that are not over."""
    going_on = sa.select(cases.c.case_id).where(
        cases.c.case_id == leases.c.case_id, cases.c.status.in_(GOING_ON)
    )
    columns = (leases.c.case_id, leases.c.item, leases.c.failures, leases.c.trouble)
    found = connection.execute(
        sa.select(*columns, leases.c.set_aside_at.label("since"))
        .where(leases.c.set_aside_at.is_not(None), going_on.exists())
        .order_by(leases.c.set_aside_at, leases.c.item)
        .limit(limit)
    )
    return tuple(Aside(**row) for row in found.mappings())


def take_up_again(connection: sa.Connection, case_id: str, item: str, *, now: datetime) -> None:
    """What was set aside may be tried at once. Raises NotFound for what was not."""
    aside = _on(case_id, item) & leases.c.set_aside_at.is_not(None)
    again = sa.update(leases).where(aside).values(until=now, failures=0, set_aside_at=None)
    if not connection.execute(again).rowcount:
        raise NotFound(f"{item} was not set aside", code="NOT_ASIDE")


def pause(item: str, failures: int) -> timedelta:
    """How long to wait after failure number `failures` (from 0): 10 s doubled each time, at most 6 h,
    up to a fifth longer so that what failed together does not return together; the same for the same
    item, so that a repeated run is the same run."""
    spread = hashlib.sha256(f"{item}/{failures}".encode()).digest()[0] / 255 / 5
    doubled: timedelta = FIRST_PAUSE * (1 << min(failures, 20))
    return min(doubled, LONGEST_PAUSE) * (1 + spread)


def _change(connection: sa.Connection, lease: Lease, **values: Any) -> None:
    mine = _on(lease.case_id, lease.item) & (leases.c.fence == lease.fence)
    connection.execute(sa.update(leases).where(mine).values(**values))


def _on(case_id: str, item: str) -> sa.ColumnElement[bool]:
    return (leases.c.case_id == case_id) & (leases.c.item == item)


def _free(table: sa.Table, due: sa.Select[tuple[str, str]]) -> sa.Select[tuple[str, str]]:
    """Those of `due` whose case runs and which nobody holds; asked at every tick, so built once."""
    running = sa.select(cases.c.case_id).where(cases.c.case_id == table.c.case_id, cases.c.status == "active")
    taken = sa.select(leases.c.case_id).where(
        leases.c.case_id == table.c.case_id, leases.c.item == due.selected_columns.item, leases.c.until > _NOW
    )
    query = due.where(running.exists(), ~taken.exists()).limit(sa.bindparam("most", type_=sa.Integer))
    return query.with_for_update(skip_locked=True, of=table)


_NOW: sa.BindParameter[datetime] = sa.bindparam("now", type_=timers.c.due_at.type)
_END = (
    sa.update(leases)
    .where(
        leases.c.case_id == sa.bindparam("its_case"),
        leases.c.item == sa.bindparam("its_item"),
        leases.c.fence == sa.bindparam("its_fence"),
    )
    .values(until=_NOW, failures=0, trouble="", set_aside_at=None)
)
_DUE_TIMERS = _free(
    timers,
    sa.select(timers.c.case_id, timers.c.timer_id.label("item"))
    .where(timers.c.state == "set", timers.c.due_at <= _NOW)
    .order_by(timers.c.due_at, timers.c.timer_id),
)
_DUE_JOBS = _free(
    jobs,
    sa.select(jobs.c.case_id, jobs.c.job_id.label("item"))
    .where(
        jobs.c.state == "waiting",
        jobs.c.next_at <= _NOW,
        jobs.c.element.not_in(sa.bindparam("leave", expanding=True)),
    )
    .order_by(jobs.c.next_at, jobs.c.job_id),
)
