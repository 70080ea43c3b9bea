"""What an installation looks like from its database: schema, durability, library, work left lying."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from engine.errors import WrongState
from engine.tables import assert_durable
from workflows.proof.evidence import Store, evidence, unsound
from workflows.store import schema
from workflows.store.leases import all_aside
from workflows.store.tables import (
    cases,
    definitions,
    incidents,
    jobs,
    leases,
    reading,
    timers,
)
from workflows.work.dispatches import counts

LATE = timedelta(minutes=10)
"""A worker that runs acts within seconds; what waits longer waits for a worker that does not run."""

GUARDS = ("fsync", "full_page_writes")
"""Settings of a PostgreSQL server, which no session can ask for, without which a power cut destroys it."""


@dataclass(frozen=True, kw_only=True)
class Late:
    """How much of running cases waits longer than it should, though nobody set it aside."""

    timers: int
    jobs: int

    def __bool__(self) -> bool:
        return bool(self.timers or self.jobs)


@dataclass(frozen=True, kw_only=True)
class Sign:
    """One thing that was looked at: is it well, and what was seen."""

    name: str
    ok: bool
    detail: str


def is_current(database: sa.Engine) -> bool:
    """Whether the schema is the one this release works with."""
    with reading(database) as connection:
        return schema.found(connection) == schema.newest()


def require_durable(database: sa.Engine) -> None:
    """Raises WrongState NOT_DURABLE where an acknowledged action could be lost in a power cut."""
    try:
        assert_durable(database)
    except RuntimeError as error:
        raise WrongState(str(error), code="NOT_DURABLE") from error


def examine(database: sa.Engine, *, now: datetime) -> tuple[Sign, ...]:
    """Everything the database tells about the installation; the later signs need the earlier ones."""
    with reading(database) as connection:
        signs = [_server(connection), _schema(connection)]
    if all(sign.ok for sign in signs):
        signs.append(_durability(database))
        with reading(database) as connection:
            signs.extend(_work(connection, now))
    return tuple(signs)


def late_work(connection: sa.Connection, *, now: datetime, by: timedelta = LATE) -> Late:
    """What has been due for longer than `by` and was not done. What failed and is tried again is not late."""
    before = now - by
    return Late(
        timers=_late(connection, timers.c.due_at, timers.c.timer_id, "set", before),
        jobs=_late(connection, jobs.c.next_at, jobs.c.job_id, "waiting", before),
    )


def release(connection: sa.Connection) -> str:
    """Which database this is, in words: `sqlite 3.53.4, journal mode wal`."""
    version = ".".join(map(str, connection.dialect.server_version_info or ()))
    if connection.dialect.name != "sqlite":
        return f"{connection.dialect.name} {version}"
    mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
    return f"sqlite {version}, journal mode {mode}"


def unsound_evidence(connection: sa.Connection, files: Store) -> Iterator[tuple[str, str, str]]:
    """Case id, digest and state (`damaged` or `missing`) of every evidence file that is not sound."""
    for digest, state in unsound(connection, files):
        query = sa.select(evidence.c.case_id).distinct().where(evidence.c.digest == digest)
        for case_id in sorted(connection.scalars(query)):
            yield case_id, digest, state


def _server(connection: sa.Connection) -> Sign:
    detail = release(connection)
    if connection.dialect.name == "postgresql":
        standbys = connection.exec_driver_sql("SHOW synchronous_standby_names").scalar_one()
        detail += f", waits for standby {standbys!r}" if standbys else ", waits for no standby"
    return Sign(name="database", ok=True, detail=detail)


def _schema(connection: sa.Connection) -> Sign:
    found, wanted = schema.found(connection), schema.newest()
    detail = f"at {found or 'nothing'}, this release has {wanted}"
    return Sign(name="schema", ok=found == wanted, detail=detail)


def _durability(database: sa.Engine) -> Sign:
    try:
        assert_durable(database)
    except RuntimeError as error:
        return Sign(name="durability", ok=False, detail=str(error))
    with reading(database) as connection:
        lax = [
            name for name in GUARDS if connection.dialect.name == "postgresql" and _is_off(connection, name)
        ]
    if lax:
        return Sign(name="durability", ok=False, detail=f"a power cut destroys it: off are {', '.join(lax)}")
    return Sign(name="durability", ok=True, detail="an acknowledged action survives a power cut")


def _is_off(connection: sa.Connection, setting: str) -> bool:
    return bool(connection.exec_driver_sql(f"SHOW {setting}").scalar_one() == "off")


def _work(connection: sa.Connection, now: datetime) -> Iterator[Sign]:
    processes = _count(connection, sa.select(definitions.c.key).distinct())
    yield Sign(name="library", ok=processes > 0, detail=f"{processes} processes deployed")
    late = late_work(connection, now=now)
    detail = f"{late.timers} timers and {late.jobs} jobs wait longer than they should"
    yield Sign(name="worker", ok=not late, detail=detail)
    aside, unsent = len(all_aside(connection, limit=1_000)), counts(connection)["failed"]
    yield Sign(name="set aside", ok=aside == 0, detail=f"{aside} timers and jobs are tried no more")
    yield Sign(name="outbox", ok=unsent == 0, detail=f"{unsent} dispatches failed for good")
    open_incidents = _count(
        connection, sa.select(incidents.c.incident_id).where(incidents.c.resolved_at.is_(None))
    )
    yield Sign(name="incidents", ok=open_incidents == 0, detail=f"{open_incidents} wait for a person")


def _late(
    connection: sa.Connection, due: sa.Column[datetime], item: sa.Column[str], state: str, before: datetime
) -> int:
    table = due.table
    running = sa.select(cases.c.case_id).where(cases.c.case_id == table.c.case_id, cases.c.status == "active")
    put_off = sa.select(leases.c.item).where(
        leases.c.case_id == table.c.case_id, leases.c.item == item, leases.c.failures > 0
    )
    late = (table.c.state == state, due < before, running.exists(), ~put_off.exists())
    return connection.execute(sa.select(sa.func.count()).select_from(table).where(*late)).scalar_one()


def _count(connection: sa.Connection, query: sa.Select[tuple[str]]) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(query.subquery())).scalar_one()
