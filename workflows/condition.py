"""What an installation looks like from its database: schema, durability, library, work left lying."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import alembic.migration
import alembic.script
import sqlalchemy as sa

from engine.tables import assert_durable
from workflows.evidence import Store, evidence, unsound
from workflows.tables import alembic_config, definitions, incidents, jobs, timers

LATE = timedelta(minutes=10)
"""A worker that runs acts within seconds; what waits longer waits for a worker that does not run."""


@dataclass(frozen=True, kw_only=True)
class Sign:
    """One thing that was looked at: is it well, and what was seen."""

    name: str
    ok: bool
    detail: str


def is_current(database: sa.Engine) -> bool:
    """Whether the schema is the one this release works with."""
    with database.connect().execution_options(reading=True) as connection:
        return _revision(connection) == _newest(connection)


def examine(database: sa.Engine, *, now: datetime) -> tuple[Sign, ...]:
    """Everything the database tells about the installation; the later signs need the earlier ones."""
    with database.connect().execution_options(reading=True) as connection:
        signs = [_server(connection), _schema(connection)]
    if all(sign.ok for sign in signs):
        signs.append(_durability(database))
        with database.connect().execution_options(reading=True) as connection:
            signs.extend(_work(connection, now))
    return tuple(signs)


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


def _revision(connection: sa.Connection) -> str | None:
    return alembic.migration.MigrationContext.configure(connection).get_current_revision()


def _newest(connection: sa.Connection) -> str | None:
    return alembic.script.ScriptDirectory.from_config(alembic_config(connection)).get_current_head()


def _server(connection: sa.Connection) -> Sign:
    return Sign(name="database", ok=True, detail=release(connection))


def _schema(connection: sa.Connection) -> Sign:
    found, wanted = _revision(connection), _newest(connection)
    detail = f"at {found or 'nothing'}, this release has {wanted}"
    return Sign(name="schema", ok=found == wanted, detail=detail)


def _durability(database: sa.Engine) -> Sign:
    try:
        assert_durable(database)
    except RuntimeError as error:
        return Sign(name="durability", ok=False, detail=str(error))
    return Sign(name="durability", ok=True, detail="an acknowledged action survives a power cut")


def _work(connection: sa.Connection, now: datetime) -> Iterator[Sign]:
    processes = _count(connection, sa.select(definitions.c.key).distinct())
    yield Sign(name="library", ok=processes > 0, detail=f"{processes} processes deployed")
    late_timers = _count(
        connection, sa.select(timers.c.timer_id).where(timers.c.state == "set", timers.c.due_at < now - LATE)
    )
    late_jobs = _count(
        connection, sa.select(jobs.c.job_id).where(jobs.c.state == "waiting", jobs.c.next_at < now - LATE)
    )
    detail = f"{late_timers} timers and {late_jobs} jobs wait longer than they should"
    yield Sign(name="worker", ok=not (late_timers or late_jobs), detail=detail)
    open_incidents = _count(
        connection, sa.select(incidents.c.incident_id).where(incidents.c.resolved_at.is_(None))
    )
    yield Sign(name="incidents", ok=open_incidents == 0, detail=f"{open_incidents} wait for a person")


def _count(connection: sa.Connection, query: sa.Select[tuple[str]]) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(query.subquery())).scalar_one()
