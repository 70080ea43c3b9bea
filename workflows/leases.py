"""Who is at work on what is due: leases that end by themselves, with a fence against those who overslept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from engine.errors import WrongState
from workflows.tables import cases, jobs, leases, timers


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The right to work on one timer or job until it ends; `fence` grows with every new holder."""

    case_id: str
    item: str
    fence: int


def lease_timers(
    connection: sa.Connection, *, holder: str, now: datetime, span: timedelta, limit: int
) -> list[Lease]:
    """Due timers of running cases, oldest first, that nobody else is at work on."""
    found = connection.execute(_DUE_TIMERS, {"now": now, "most": limit}).all()
    return [_take(connection, row.case_id, row.item, holder, now + span) for row in found]


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
    return [_take(connection, row.case_id, row.item, holder, now + span) for row in found]


def still_held(connection: sa.Connection, lease: Lease) -> None:
    """Raises WrongState LEASE_LOST if somebody else took over in the meantime."""
    fence = connection.scalar(
        sa.select(leases.c.fence).where(leases.c.case_id == lease.case_id, leases.c.item == lease.item)
    )
    if fence != lease.fence:
        raise WrongState(f"another worker took over {lease.item}", code="LEASE_LOST")


def give_back(connection: sa.Connection, given: Iterable[Lease], *, now: datetime) -> None:
    """These leases end now. The fence stays, so that it only ever grows."""
    for lease in given:
        connection.execute(
            sa.update(leases)
            .where(
                leases.c.case_id == lease.case_id,
                leases.c.item == lease.item,
                leases.c.fence == lease.fence,
            )
            .values(until=now)
        )


def _free(table: sa.Table, due: sa.Select[tuple[str, str]]) -> sa.Select[tuple[str, str]]:
    """Those of `due` whose case runs and which nobody holds; asked at every tick, so built once."""
    running = sa.select(cases.c.case_id).where(cases.c.case_id == table.c.case_id, cases.c.status == "active")
    taken = sa.select(leases.c.case_id).where(
        leases.c.case_id == table.c.case_id, leases.c.item == due.selected_columns.item, leases.c.until > _NOW
    )
    query = due.where(running.exists(), ~taken.exists()).limit(sa.bindparam("most", type_=sa.Integer))
    return query.with_for_update(skip_locked=True, of=table)


_NOW: sa.BindParameter[datetime] = sa.bindparam("now", type_=timers.c.due_at.type)
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


def _take(connection: sa.Connection, case_id: str, item: str, holder: str, until: datetime) -> Lease:
    mine = (leases.c.case_id == case_id) & (leases.c.item == item)
    before = connection.scalar(sa.select(leases.c.fence).where(mine))
    fence = (before or 0) + 1
    row = {"holder": holder, "until": until, "fence": fence}
    if before is None:
        connection.execute(leases.insert().values(case_id=case_id, item=item, **row))
    else:
        connection.execute(sa.update(leases).where(mine).values(**row))
    return Lease(case_id=case_id, item=item, fence=fence)
