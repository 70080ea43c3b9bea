"""Several workers on one database: everything due is done once, nothing early, sleepers are refused."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import orjson
import pytest
import sqlalchemy as sa

from engine.errors import WrongState
from engine.tables import journal
from tests.reliability.installation import LONG_AGO
from tests.reliability.test_kills import eventually
from web.app import wall_clock
from workflows.leases import lease_jobs, lease_timers
from workflows.people import find_person
from workflows.tables import notifications, open_database, timers
from workflows.worker import LEASE

PAST = LONG_AGO.replace(year=2026, month=3, day=2)
NOT_DUE = 5


def waiting_reviews(installation, number, at):
    """Cases whose review has begun at that moment: each sets a timer of three days."""
    with installation.rooms(lambda: at) as (commands, _), installation.opened() as database:
        with database.connect() as connection:
            applicant, officer = (find_person(connection, who) for who in ("app01", "lz.officer"))
        for _ in range(number):
            (task,) = commands.start_case("small_review", {"days": 3}, actor=applicant).tasks
            commands.claim_task(task.task_id, actor=officer)
            commands.complete_task(task.task_id, {"outcome": "accepted"}, actor=officer)


def fired(installation):
    rows = installation.rows(sa.select(journal.c.body).where(journal.c.body.contains('"type":"TimerFired"')))
    return [orjson.loads(row.body) for row in rows]


def rows_in(installation, table, *conditions):
    ((number,),) = installation.rows(sa.select(sa.func.count()).select_from(table).where(*conditions))
    return number


@pytest.mark.parametrize("workers", [2, 4])
def test_due_timers_fire_once_each_and_none_early(installation, often, workers):
    due = (
        often("due_timers") if workers == 4 and "postgresql" in installation.url else often("due_timers") // 5
    )
    waiting_reviews(installation, due, PAST)
    waiting_reviews(installation, NOT_DUE, wall_clock())

    programs = [installation.start("worker") for _ in range(workers)]
    try:
        eventually(lambda: rows_in(installation, notifications) >= due, "the timers never all fired")
    finally:
        for program in programs:
            program.kill()

    done = fired(installation)
    assert len(done) == due
    assert set(Counter(body["data"]["timer_id"] for body in done).values()) == {1}
    assert all(moment(body["at"]) >= moment(body["data"]["due_at"]) for body in done)
    assert rows_in(installation, timers, timers.c.state == "set") == NOT_DUE
    assert rows_in(installation, notifications) == due


def moment(text):
    return datetime.fromisoformat(text)


def leased(story, lease, holder):
    with story.database.begin() as connection:
        (one,) = lease(connection, holder=holder, now=story.clock(), span=LEASE, limit=10)
    return one


@pytest.fixture
def late(story):
    """A review that is late: its timer is due."""
    story.start().do("check", "lz.officer", outcome="accepted")
    story.clock.move("P3D")
    return story


def test_who_slept_through_a_lease_on_a_timer_is_refused(late):
    sleeper = leased(late, lease_timers, "sleeper")
    late.clock.move(LEASE + timedelta(seconds=1))
    successor = leased(late, lease_timers, "successor")

    with pytest.raises(WrongState) as refused:
        late.commands.fire_timer(sleeper.case_id, sleeper.item, lease=sleeper)
    late.commands.fire_timer(successor.case_id, successor.item, lease=successor)

    assert refused.value.code == "LEASE_LOST"
    assert late.entries().count("TimerFired") == 1


def test_who_slept_through_a_lease_on_a_job_is_refused_and_its_result_is_not_taken(late):
    timer = leased(late, lease_timers, "anybody")
    late.commands.fire_timer(timer.case_id, timer.item, lease=timer)
    sleeper = leased(late, lease_jobs, "sleeper")
    late.clock.move(LEASE + timedelta(seconds=1))
    successor = leased(late, lease_jobs, "successor")
    late.commands.finish_job(successor.item, {"sent": True}, lease=successor)

    with pytest.raises(WrongState) as refused:
        late.commands.finish_job(sleeper.item, {"sent": False}, lease=sleeper)

    assert refused.value.code == "LEASE_LOST"
    assert late.entries().count("JobSucceeded") == 1


def test_a_lease_that_holds_is_nobody_elses(late):
    leased(late, lease_timers, "first")

    with late.database.begin() as connection:
        assert lease_timers(connection, holder="second", now=late.clock(), span=LEASE, limit=10) == []


@pytest.mark.postgres
def test_a_process_that_hangs_in_a_transaction_does_not_stop_its_case_for_ever(postgres_server):
    database = open_database(postgres_server.format(database="postgres"))
    with database.connect() as connection:
        assert connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar() == "5min"
    database.dispose()
