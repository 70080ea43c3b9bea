"""The scheduler ticks, and goes on after a tick that failed."""

import threading

import pytest
from apscheduler.schedulers.background import BackgroundScheduler

from web.scheduler import schedule


@pytest.fixture
def scheduler():
    scheduler = BackgroundScheduler()
    yield scheduler
    scheduler.get_jobs()  # waits until it is done submitting: APScheduler may not be stopped meanwhile
    scheduler.shutdown(wait=True)


def test_the_first_tick_comes_at_once(scheduler):
    ticked = threading.Event()
    schedule(scheduler, ticked.set, every=3600)

    scheduler.start()

    assert ticked.wait(5)


def test_a_failing_tick_does_not_end_the_ticking(scheduler):
    ticked = threading.Semaphore(0)

    def failing_tick():
        ticked.release()
        raise RuntimeError("the database is away")

    schedule(scheduler, failing_tick, every=1)

    scheduler.start()

    assert all(ticked.acquire(timeout=5) for _ in range(3))
