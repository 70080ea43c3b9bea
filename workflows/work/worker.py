"""What happens without a person: due timers, service jobs, retries that end in incidents, tidying up."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from engine.definition.shapes import DELIVERIES
from engine.errors import NotFound, Rejected
from engine.values import from_json
from workflows.acts.echoes import MOST
from workflows.commands import Commands
from workflows.services.operation import DrawnError, Reading
from workflows.services.registry import run
from workflows.store.leases import Lease, defer, give_back, lease_jobs, lease_timers, pause, set_aside
from workflows.store.schema import require_current
from workflows.store.tables import idempotency, jobs, reading
from workflows.transaction.repetition import REMEMBERED
from workflows.transaction.results import LASTING
from workflows.work.deliveries import Deliveries, Endless, Unclear
from workflows.work.dispatches import sweep

LOG = logging.getLogger("tidu.worker")
LEASE = timedelta(seconds=60)
BATCH = 50
ROUNDS = 200
SWEEP_EVERY = timedelta(hours=1)
KEEP = timedelta(days=365)
MOST_FAILURES = 8
"""Attempts in a row that may come to nothing, for reasons that no drawing knows: over half an hour."""

ENDED = frozenset({"timers", "jobs", "failed"})
"""What an attempt came to after which the lease is given back."""

DATABASE_AWAY = (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.InternalError)
"""No fault of the case that was worked on: the lease ends by itself, and then it is tried again."""

Act = Callable[[Lease, datetime], str]


@dataclass(frozen=True, kw_only=True)
class Ticked:
    """What one tick did. `failed` counts attempts whose failure stands in the journal, `skipped` those that
    were refused because others were first, `broken` those that came to nothing for no reason of the case."""

    timers: int = 0
    jobs: int = 0
    failed: int = 0
    skipped: int = 0
    broken: int = 0


class Worker:
    """Any number of workers may run: what is due is leased, and the journal decides in the end."""

    def __init__(
        self,
        database: sa.Engine,
        commands: Commands,
        *,
        clock: Callable[[], datetime],
        name: str = "worker",
        echoes: int = MOST,
        keep: timedelta = KEEP,
        lanes: int = 1,
    ) -> None:
        """`echoes` deliveries may follow from one letter before a person must look. What left the house of
        cases that are over is kept so long. With several `lanes` commands share commits, and a tick does
        what is due in no certain order."""
        self._database = database
        self._commands = commands
        self._deliveries = Deliveries(database, commands.library, commands, most=echoes)
        self._clock = clock
        self._name = name
        self._keep = keep
        self._lanes = lanes
        self._swept_at: datetime | None = None

    def tick(self, now: datetime | None = None, *, leave: frozenset[str] = frozenset()) -> Ticked:
        """Do everything due at `now` (else the clock's), and what becomes due by doing it. Never early.

        Jobs of elements in `leave` are somebody else's to answer. One bad case never stops the others: it
        is looked at again after growing pauses, and set aside after a few. Raises WrongState OTHER_RELEASE.
        """
        done = {"timers": 0, "jobs": 0, "failed": 0, "skipped": 0, "broken": 0}
        for _ in range(ROUNDS):
            at = now or self._clock()
            found = self._lease(at, leave)
            if not found:
                break
            ended = []
            for word, (_, lease) in zip(self._each(found, at), found, strict=True):
                done[word] += 1
                ended += [lease] if word in ENDED else []
            self._give_back(ended, at)
        self._tidy(at)
        return Ticked(**done)

    def _lease(self, now: datetime, leave: frozenset[str]) -> list[tuple[Act, Lease]]:
        terms: dict[str, Any] = {"holder": self._name, "now": now, "span": LEASE, "limit": BATCH}
        with self._database.begin() as connection:
            require_current(connection)
            due = lease_timers(connection, **terms)
            waiting = lease_jobs(connection, leave=leave, **terms)
        return [*((self._fire, lease) for lease in due), *((self._work_off, lease) for lease in waiting)]

    def _each(self, found: list[tuple[Act, Lease]], now: datetime) -> list[str]:
        """What became of each."""
        if self._lanes == 1:
            return [self._survive(act, lease, now) for act, lease in found]
        with ThreadPoolExecutor(self._lanes) as lanes:
            return list(lanes.map(lambda pair: self._survive(pair[0], pair[1], now), found))

    def _give_back(self, ended: list[Lease], now: datetime) -> None:
        if ended:
            with self._database.begin() as connection:
                give_back(connection, ended, now=now)

    def _survive(self, act: Act, lease: Lease, now: datetime) -> str:
        try:
            return act(lease, now)
        except Rejected as refused:  # gone, done by another, suspended meanwhile: nothing is lost
            LOG.info("skipped %s: %s", lease.item, refused.code)
            if refused.code != "LEASE_LOST":
                self._put_off(lease, f"{refused.code}: {refused}", now)
            return "skipped"
        except DATABASE_AWAY:
            LOG.exception("case %s: the database failed at %s", lease.case_id, lease.item)
            return "broken"
        except Exception as error:
            LOG.exception("case %s: %s came to nothing", lease.case_id, lease.item)
            self._put_off(lease, f"{type(error).__name__}: {error}", now)
            return "broken"

    def _put_off(self, lease: Lease, trouble: str, now: datetime) -> None:
        """Nothing of the attempt was written, and nothing can be: this case may not even load."""
        with self._database.begin() as connection:
            if lease.failures + 1 < MOST_FAILURES:
                defer(connection, lease, until=now + pause(lease.item, lease.failures), trouble=trouble)
            else:
                LOG.error("case %s: %s is set aside: %s", lease.case_id, lease.item, trouble)
                set_aside(connection, lease, now=now, trouble=trouble)

    def _fire(self, lease: Lease, now: datetime) -> str:
        self._commands.fire_timer(lease.case_id, lease.item, lease=lease)
        return "timers"

    def _work_off(self, lease: Lease, now: datetime) -> str:
        job = self._job(lease)
        try:
            result = self._run(job, now)
        except DrawnError as drawn:
            self._commands.fail_job(lease.item, str(drawn), error_code=drawn.code, lease=lease)
            return "jobs"
        except Exception as error:
            self._fail(job, lease, error, now)
            return "failed"
        self._commands.finish_job(lease.item, result, lease=lease)
        return "jobs"

    def _job(self, lease: Lease) -> sa.Row[tuple[object, ...]]:
        with reading(self._database) as connection:
            return connection.execute(
                sa.select(jobs).where(jobs.c.case_id == lease.case_id, jobs.c.job_id == lease.item)
            ).one()

    def _run(self, job: sa.Row[tuple[object, ...]], now: datetime) -> dict[str, object]:
        if job.type in DELIVERIES:
            return self._deliveries.deliver(job, now)
        inputs = {name: from_json(value) for name, value in job.inputs.items()}
        with reading(self._database) as connection:
            read = Reading(connection=connection, case_id=job.case_id, job_id=job.job_id, now=now)
            return run(job.type, inputs, read)

    def _fail(self, job: sa.Row[tuple[object, ...]], lease: Lease, error: Exception, now: datetime) -> None:
        message = f"{type(error).__name__}: {error}"
        unknown = isinstance(error, NotFound) and error.code == "SERVICE_UNKNOWN"
        hopeless = unknown or isinstance(error, Unclear | Endless)
        used_up = hopeless or job.attempts + 1 >= job.retries
        retry_at = None if used_up else now + pause(job.job_id, job.attempts)
        self._commands.fail_job(job.job_id, message, retry_at=retry_at, lease=lease)

    def _tidy(self, now: datetime) -> None:
        with self._database.begin() as connection:
            old = (idempotency.c.at < now - REMEMBERED) & ~idempotency.c.key.startswith(LASTING)
            connection.execute(sa.delete(idempotency).where(old))
            if self._swept_at is None or not self._swept_at <= now < self._swept_at + SWEEP_EVERY:
                self._swept_at = now
                sweep(connection, now=now, keep=self._keep)
