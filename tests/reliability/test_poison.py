"""One bad case among a thousand good ones: it alone is in trouble, for a bounded time, and can be mended."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
import sqlalchemy as sa

from engine.tables import journal, snapshots
from tests.reliability.timed import alarm, at_moments, begin, deploy, telling
from tests.workflows.letters import hearer, thrower
from workflows.actors.policy import SYSTEM
from workflows.commands import Commands
from workflows.store.leases import FIRST_PAUSE
from workflows.store.tables import incidents, jobs, leases, tasks, timers
from workflows.work import incidents as mending
from workflows.work.worker import MOST_FAILURES, Ticked, Worker

GOOD = 1_000
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def silent(caplog):
    """Poison is told with its whole trace, every time."""
    caplog.set_level(logging.CRITICAL, "tidu.worker")


class House:
    """A house whose processes forget everything when they are asked to."""

    def __init__(self, story):
        self.database = story.database
        self.clock = story.clock
        self.story = story
        self.restart()

    def restart(self):
        self.commands = Commands(self.database, self.story.catalog, clock=self.clock)
        self.worker = Worker(self.database, self.commands, clock=self.clock)

    def poison(self, case_id):
        """Nobody can load this case any more; what stood there before."""
        first = (journal.c.case_id == case_id) & (journal.c.seq == 2)
        with self.database.begin() as connection:
            connection.execute(sa.delete(snapshots).where(snapshots.c.case_id == case_id))
            sound = connection.scalar(sa.select(journal.c.body).where(first))
            connection.execute(sa.update(journal).where(first).values(body=sound.replace(":", ": ", 1)[:-9]))
        self.restart()
        return sound

    def mend(self, case_id, sound):
        first = (journal.c.case_id == case_id) & (journal.c.seq == 2)
        with self.database.begin() as connection:
            connection.execute(sa.update(journal).where(first).values(body=sound))

    def count(self, table, *conditions):
        with self.database.connect().execution_options(reading=True) as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(table).where(*conditions))

    def aside(self):
        with self.database.connect().execution_options(reading=True) as connection:
            return mending.set_aside(connection)

    def troubles(self):
        with self.database.connect().execution_options(reading=True) as connection:
            query = sa.select(leases.c.item, leases.c.trouble).where(leases.c.failures > 0)
            return [tuple(row) for row in connection.execute(query)]

    def wear_out(self):
        """Tick until nobody tries any more; how often it was tried."""
        tried = 0
        for _ in range(3 * MOST_FAILURES):
            tried += self.worker.tick().broken
            self.clock.move(HOUR)
        return tried


@pytest.fixture
def house(story):
    return House(story)


def test_one_poisoned_case_among_a_thousand_is_set_aside_and_stops_nobody(house, campaign):
    deploy(house.database, alarm())
    good = GOOD if house.database.dialect.name == "postgresql" else campaign.times(GOOD // 5, GOOD)
    for _ in range(campaign.times(1, 20)):
        due = house.clock() + HOUR
        cases = begin(house.commands, "alarm", good + 1, at_moments([due] * (good + 1)))
        bad = cases[good // 2]
        sound = house.poison(bad)
        house.clock.move(HOUR)

        first = house.worker.tick()
        assert first == Ticked(timers=good, broken=1), house.troubles()
        house.clock.move(FIRST_PAUSE - timedelta(seconds=1))
        assert house.worker.tick() == Ticked()
        house.clock.move(timedelta(seconds=4))
        assert house.worker.tick() == Ticked(broken=1)
        tried = 2 + house.wear_out()

        assert tried == MOST_FAILURES
        (aside,) = house.aside()
        assert (aside.case_id, aside.failures) == (bad, MOST_FAILURES)
        assert house.count(incidents) == 0
        assert house.count(timers, timers.c.state == "set") == 1
        house.clock.move("P10D")
        assert house.worker.tick() == Ticked()

        house.mend(bad, sound)
        with house.database.begin() as connection:
            told = {"reason": "日志已恢复", "actor": house.story.person("admin"), "now": house.clock()}
            mending.take_up_again(connection, aside.item, **told)
        assert house.worker.tick() == Ticked(timers=1)
        assert house.aside() == ()
        campaign.tell(
            "R29", poisoned=1, good_and_unharmed=first.timers, attempts=tried, set_aside=1, others_stopped=0
        )


def test_a_job_whose_case_cannot_be_loaded_is_set_aside_and_the_others_are_done(house):
    deploy(house.database, telling())
    cases = begin(house.commands, "telling", 20)
    house.poison(cases[3])

    assert house.worker.tick() == Ticked(jobs=19, broken=1), house.troubles()
    house.wear_out()

    (aside,) = house.aside()
    assert aside.case_id == cases[3]
    assert house.count(jobs, jobs.c.state == "waiting") == 1


def test_a_step_that_always_raises_is_set_aside_though_its_case_is_sound(house, monkeypatch):
    deploy(house.database, alarm())
    due = house.clock() + HOUR
    bad, *_ = begin(house.commands, "alarm", 10, at_moments([due] * 10))
    house.clock.move(HOUR)
    fire = house.commands.fire_timer

    def raising(case_id, timer_id, **more):
        if case_id == bad:
            raise ZeroDivisionError("a fault of ours")
        return fire(case_id, timer_id, **more)

    monkeypatch.setattr(house.commands, "fire_timer", raising)

    assert house.worker.tick() == Ticked(timers=9, broken=1)
    assert house.wear_out() == MOST_FAILURES - 1
    assert house.aside()[0].trouble == "ZeroDivisionError: a fault of ours"


def test_a_signal_is_heard_by_everybody_but_the_case_that_cannot_be_asked(house):
    deploy(house.database, thrower(), hearer())
    hearing = begin(house.commands, "hearer", 12)
    sound = house.poison(hearing[5])
    house.clock.move(timedelta(seconds=1))
    house.commands.start_case("thrower", {"word": "x"}, actor=SYSTEM, unit="u01")

    house.worker.tick()

    assert len(waiting_after(house, "hearer")) == 11
    assert house.count(jobs, jobs.c.state == "waiting") == 1
    house.mend(hearing[5], sound)
    house.clock.move(HOUR)
    house.worker.tick()
    assert len(waiting_after(house, "hearer")) == 12
    assert house.count(jobs, jobs.c.state == "succeeded") == 1


def waiting_after(house, own):
    query = sa.select(tasks.c.case_id).where(tasks.c.process_id == own, tasks.c.state == "ready")
    with house.database.connect().execution_options(reading=True) as connection:
        return list(connection.scalars(query))


def test_when_the_database_fails_nothing_is_held_against_the_cases(house, monkeypatch):
    deploy(house.database, alarm())
    due = house.clock() + HOUR
    begin(house.commands, "alarm", 3, at_moments([due] * 3))
    house.clock.move(HOUR)

    def away(*_, **__):
        raise sa.exc.OperationalError("INSERT", {}, Exception("disk full"))

    monkeypatch.setattr(house.commands, "fire_timer", away)
    for _ in range(2 * MOST_FAILURES):
        house.worker.tick()
        house.clock.move(HOUR)

    assert house.aside() == ()
    assert house.count(leases, leases.c.failures > 0) == 0
    monkeypatch.undo()
    assert house.worker.tick() == Ticked(timers=3)
