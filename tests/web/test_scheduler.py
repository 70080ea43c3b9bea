"""The scheduler ticks, and goes on after a tick that failed and after a clock that was set."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from web.scheduler import Ticking


@pytest.fixture
def started():
    """Starts the ticking and ends it."""
    running = []

    def start(every=1, **ticks):
        ticking = Ticking(ticks, every=every)
        running.append(ticking)
        ticking.start()
        return ticking

    yield start
    for ticking in running:
        ticking.get_jobs()  # waits until it is done submitting: APScheduler may not be stopped meanwhile
        ticking.shutdown(wait=True)


def test_the_first_tick_comes_at_once(started):
    ticked = threading.Event()

    started(every=3600, tick=ticked.set)

    assert ticked.wait(60)


def test_a_failing_tick_does_not_end_the_ticking(started):
    ticked = threading.Semaphore(0)

    def failing_tick():
        ticked.release()
        raise RuntimeError("the database is away")

    started(tick=failing_tick)

    assert all(ticked.acquire(timeout=60) for _ in range(3))


def test_a_tick_that_takes_long_keeps_no_other_waiting(started):
    hanging, ticked = threading.Event(), threading.Semaphore(0)

    started(slow=lambda: hanging.wait(60), quick=ticked.release)

    assert all(ticked.acquire(timeout=60) for _ in range(3))
    hanging.set()


@pytest.mark.parametrize("step", [timedelta(days=1), timedelta(hours=1), timedelta(seconds=-30)])
def test_a_clock_that_is_put_back_does_not_stop_the_ticking(started, step):
    ticked = threading.Semaphore(0)
    with time_machine.travel(datetime(2026, 3, 2, tzinfo=UTC), tick=True) as traveller:
        started(tick=ticked.release)
        assert all(ticked.acquire(timeout=60) for _ in range(2))

        traveller.move_to(datetime(2026, 3, 2, tzinfo=UTC) - step)

        assert all(ticked.acquire(timeout=60) for _ in range(2))
