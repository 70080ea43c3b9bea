"""Clocks that go wrong: nothing fires early by the database's clock, and a journal keeps its order."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import time_machine

from tests.reliability.test_kills import eventually
from tests.reliability.timed import alarm, at_moments, begin, deploy
from web.app import clock_of, put_together, wall_clock
from web.clock import DatabaseClock, time_of
from web.settings import Settings
from workflows.commands import Commands
from workflows.library.catalog import Catalog
from workflows.reading.history import History
from workflows.store.tables import open_database, timers
from workflows.work.worker import Ticked, Worker

NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
DAY = timedelta(days=1)


class Host:
    """The time of the database's server, and what passes on this host; the server's clock can be set."""

    def __init__(self, at: datetime, *, is_server: bool) -> None:
        self.server = at
        self.passed = 0.0
        ours = DatabaseClock(lambda: self.server, steady=lambda: self.passed)
        self.clock: Callable[[], datetime] = ours if is_server else lambda: self.server

    def pass_time(self, span: timedelta) -> None:
        self.server += span
        self.passed += span.total_seconds()

    def set_server(self, step: timedelta) -> None:
        self.server += step


STEPS = {
    "an hour forward": HOUR,
    "an hour back": -HOUR,
    "a day forward": DAY,
    "a day back": -DAY,
    "half a second back": -0.5 * SECOND,
    "not at all": timedelta(),
}
AGES = {"2038": datetime(2038, 1, 19, 3, 14, 6, tzinfo=UTC), "9999": datetime(9999, 12, 1, tzinfo=UTC)}


def hosts(database: sa.Engine, at: datetime) -> tuple[Host, Commands, Worker]:
    host = Host(at, is_server=database.dialect.name == "postgresql")
    commands = Commands(database, Catalog(database), clock=host.clock)
    return host, commands, Worker(database, commands, clock=host.clock)


def is_set(database: sa.Engine, case_id: str) -> bool:
    query = sa.select(timers.c.state).where(timers.c.case_id == case_id)
    with database.connect().execution_options(reading=True) as connection:
        return connection.scalar(query) == "set"


def in_order(story, case_id: str) -> bool:
    """Whether its moments never go back, entry by entry, and it verifies."""
    entries = History(story.database, story.catalog).entries(case_id)
    moments = [entry.at for entry in entries]
    seqs = [entry.seq for entry in entries]
    return (
        moments == sorted(moments)
        and seqs == list(range(1, len(seqs) + 1))
        and story.history.verify(case_id).ok
    )


@pytest.mark.parametrize("step", STEPS)
def test_a_clock_that_is_set_fires_nothing_early_and_keeps_the_order(story, campaign, step):
    dice = random.Random(step)
    deploy(story.database, alarm())
    rounds, early, fired = campaign.times(1, 50), 0, 0
    host, commands, worker = hosts(story.database, NOW)
    for _ in range(rounds):
        due = host.server + timedelta(seconds=dice.uniform(60, 7200))
        (case_id,) = begin(commands, "alarm", 1, at_moments([due]))
        host.pass_time((due - host.server) * dice.random() * 0.9)
        worker.tick()
        early += not is_set(story.database, case_id)
        host.set_server(STEPS[step])
        host.pass_time(1.1 * SECOND)
        for _ in range(40):
            worker.tick()
            if not is_set(story.database, case_id):
                early += host.server < due
                break
            assert host.server < due + 2 * SECOND, "it is due and does not fire"
            host.pass_time(max(due - host.server, timedelta()) * 0.5 + SECOND)
        fired += not is_set(story.database, case_id)
        assert in_order(story, case_id)
    assert (early, fired) == (0, rounds)
    campaign.tell("R19", clocks_set=rounds, fired=fired, early=early, out_of_order=0)


@pytest.mark.parametrize("age", AGES)
def test_no_age_is_special(story, campaign, age):
    host, commands, worker = hosts(story.database, NOW)
    deploy(story.database, alarm())
    rounds = campaign.times(3, 50)
    dues = [AGES[age] + timedelta(milliseconds=1500) * n for n in range(1, rounds + 1)]
    cases = begin(commands, "alarm", rounds, at_moments(dues))
    host.set_server(AGES[age] - host.server)
    for n, due in enumerate(dues):
        host.pass_time(due - timedelta(microseconds=1) - host.server)
        assert worker.tick() == Ticked()
        host.pass_time(timedelta(microseconds=1))
        assert worker.tick() == Ticked(timers=1), n
    assert all(in_order(story, case_id) for case_id in cases)
    campaign.tell("R19", timers=rounds, early=0)


# --- hosts that have another time than the server ------------------------------------------------------


@pytest.fixture
def settings(database_url, tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, database_url=database_url("pg"), secret_key="k" * 32)


@pytest.fixture(params=[10 * MINUTE, -10 * MINUTE, DAY, -DAY], ids=["fast", "slow", "a day on", "a day back"])
def elsewhere(request) -> Iterator[timedelta]:
    """This host believes in another time than the server's."""
    with time_machine.travel(wall_clock() + request.param, tick=True):
        yield request.param


@pytest.mark.postgres
def test_a_host_with_a_wrong_clock_goes_by_the_servers(settings, elsewhere, campaign):
    rooms = put_together(settings)
    deploy(rooms.database, alarm())
    worker = Worker(rooms.database, rooms.commands, clock=rooms.clock)
    early = 0
    for _ in range(campaign.times(1, 20)):
        due = time_of(rooms.database) + SECOND
        (case_id,) = begin(rooms.commands, "alarm", 1, at_moments([due]))
        while is_set(rooms.database, case_id):
            worker.tick()
            seen = time_of(rooms.database)
            early += seen < due and not is_set(rooms.database, case_id)
            assert seen < due + 5 * MINUTE
        (told,) = [e for e in rooms.history.entries(case_id) if type(e.event).__name__ == "TimerFired"]
        assert told.at >= due
        assert abs(wall_clock() - told.at) > 5 * MINUTE
    rooms.database.dispose()
    assert early == 0
    campaign.tell("R19", hosts_with_a_wrong_clock=1, fired=campaign.times(1, 20), early=early)


@pytest.mark.postgres
def test_the_clock_of_a_house_on_postgresql_is_the_servers(settings, elsewhere):
    database = open_database(settings.database_url)

    ours, theirs = clock_of(database)(), time_of(database)

    assert ours <= theirs < ours + MINUTE
    database.dispose()


def test_a_house_on_sqlite_has_the_clock_of_its_host(database_url):
    database = open_database(database_url("sqlite"))

    assert clock_of(database) is wall_clock
    database.dispose()


def test_between_two_questions_we_count_on_and_are_never_ahead():
    dice = random.Random(7)
    host = Host(NOW, is_server=True)
    asked = []
    clock = DatabaseClock(lambda: asked.append(1) or host.server, steady=lambda: host.passed)

    for _ in range(1_000):
        host.pass_time(timedelta(milliseconds=dice.uniform(0, 30)))
        assert host.server - timedelta(seconds=1) < clock() <= host.server

    assert len(asked) < 30


def test_the_time_that_an_answer_takes_makes_us_late_never_early():
    host = Host(NOW, is_server=True)

    def slow() -> datetime:
        told = host.server
        host.pass_time(3 * SECOND)
        return told

    clock = DatabaseClock(slow, steady=lambda: host.passed)

    assert clock() == host.server - 3 * SECOND


@pytest.mark.postgres
def test_many_threads_may_ask(settings):
    database = open_database(settings.database_url)
    clock = clock_of(database)
    with ThreadPoolExecutor(8) as crowd:
        told = list(crowd.map(lambda _: clock(), range(64)))
    assert max(told) - min(told) < MINUTE
    eventually(lambda: clock() > max(told), "the clock stands still")
    database.dispose()
