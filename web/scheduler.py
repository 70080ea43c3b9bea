"""The ticking that makes worker and postman work; it keeps no state, the tables do."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from engine.errors import Rejected
from web.app import wall_clock

OTHER_RELEASE = "OTHER_RELEASE"


class Ticking(BackgroundScheduler):
    """Makes each tick at once, then every `every` seconds, in a thread of its own and never twice at a time.

    A tick that raises is logged by APScheduler and the next one comes all the same; ticks missed meanwhile
    are made up once.
    """

    def __init__(self, ticks: Mapping[str, Callable[[], Any]], *, every: int) -> None:
        super().__init__()
        self._every = every
        for name, tick in ticks.items():
            self.add_executor(ThreadPoolExecutor(1), alias=name)
            once: dict[str, Any] = {"executor": name, "misfire_grace_time": None}
            self.add_job(tick, id=f"first {name}", **once)
            self.add_job(tick, "interval", seconds=every, id=name, max_instances=1, coalesce=True, **once)

    def _process_jobs(self) -> float | None:
        """APScheduler plans by the wall clock. When that is put back, what was planned by the old time is due
        now, and not when the clock has come there again."""
        now = wall_clock()
        for job in self.get_jobs():
            if job.next_run_time > now + timedelta(seconds=self._every):
                job.modify(next_run_time=now)
        return min(super()._process_jobs() or self._every, self._every)


def work_until_stopped(ticks: Mapping[str, Callable[[], Any]], *, every: int) -> None:
    """Tick until SIGTERM or SIGINT; the ticks under way are let finish. Raises what made it stop: a refusal
    with the code OTHER_RELEASE, after which there is nothing to do for this program any more."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    reasons: list[Rejected] = []

    def ends(refused: Rejected) -> None:
        reasons.append(refused)
        stopped.set()

    ticking = Ticking({name: _watched(tick, ends) for name, tick in ticks.items()}, every=every)
    ticking.start()
    stopped.wait()
    ticking.get_jobs()  # waits until it is done submitting: APScheduler may not be stopped meanwhile
    ticking.shutdown()
    if reasons:
        raise reasons[0]


def _watched(tick: Callable[[], Any], ends: Callable[[Rejected], None]) -> Callable[[], Any]:
    def watched() -> Any:
        try:
            return tick()
        except Rejected as refused:
            if refused.code != OTHER_RELEASE:
                raise
            return ends(refused)

    return watched
