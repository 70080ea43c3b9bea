"""The ticking that makes `worker.tick` happen; it keeps no state, the tables do."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.base import BaseScheduler
from apscheduler.schedulers.blocking import BlockingScheduler


def schedule(scheduler: BaseScheduler, tick: Callable[[], Any], *, every: int) -> None:
    """Tick at once, then every `every` seconds, never two at a time. A tick that raises is logged by
    APScheduler and the next one comes all the same; ticks missed meanwhile are made up once."""
    scheduler.add_executor(ThreadPoolExecutor(1))
    scheduler.add_job(tick, id="first", misfire_grace_time=None)
    scheduler.add_job(
        tick, "interval", seconds=every, id="tick", max_instances=1, coalesce=True, misfire_grace_time=None
    )


def work_until_stopped(tick: Callable[[], Any], *, every: int) -> None:
    """Tick until SIGTERM or SIGINT; the tick under way is let finish.

    The signal stops it from a thread of its own: APScheduler may not be stopped while it submits.
    """
    scheduler = BlockingScheduler()
    schedule(scheduler, tick, every=every)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=scheduler.shutdown).start())
    scheduler.start()
