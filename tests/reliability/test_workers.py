"""Several workers on one database: everything due is done once, nothing early, sleepers are refused."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from subprocess import PIPE, Popen
from threading import Barrier

import orjson
import pytest
import sqlalchemy as sa

from engine.errors import WrongState
from engine.tables import journal
from tests.reliability.installation import CHECKOUT
from tests.reliability.timed import alarm, at_moments, begin, deploy, telling
from tests.workflows.test_races import at_once
from web.app import wall_clock
from workflows.commands import Commands
from workflows.library.catalog import Catalog
from workflows.store.leases import lease_jobs, lease_timers
from workflows.store.tables import open_database, timers
from workflows.work.worker import LEASE, Ticked, Worker

HOUR = timedelta(hours=1)
NOT_DUE = 5
FAR = datetime(2400, 1, 1, tzinfo=UTC)
TRIED = 40
"""So many timers are set to learn how long one takes."""

LEAD = timedelta(seconds=2)
"""At least so long before the first one is due the last one is set, if nothing is slower than at first."""

WITNESS = {
    "postgresql": (
        "CREATE TABLE witness (case_id text, at text)",
        """CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             INSERT INTO witness VALUES (NEW.case_id, to_char(clock_timestamp() AT TIME ZONE 'UTC',
               'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'));
             RETURN NULL;
           END $$""",
        """CREATE TRIGGER sees AFTER INSERT ON journal FOR EACH ROW
             WHEN (NEW.body LIKE '%"type":"TimerFired"%') EXECUTE FUNCTION see()""",
    ),
    "sqlite": (
        "CREATE TABLE witness (case_id text, at text)",
        """CREATE TRIGGER sees AFTER INSERT ON journal WHEN NEW.body LIKE '%"type":"TimerFired"%' BEGIN
             INSERT INTO witness VALUES (NEW.case_id, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
           END""",
    ),
}
"""The database itself writes down, by its own clock, when a timer fires."""

PATIENCE = timedelta(minutes=5)
COARSE = timedelta(milliseconds=1)
"""SQLite's clock tells no less."""


def prepared(installation):
    """The process with the alarm is there, and the database watches."""
    with installation.opened() as database:
        deploy(database, alarm())
        with database.begin() as connection:
            for statement in WITNESS[database.dialect.name]:
                connection.execute(sa.text(statement))


def waiting_alarms(installation, number, window):
    """Cases whose timers come due one after the other within `window`; when the first one does."""
    with installation.rooms(wall_clock) as (commands, _):
        begin(commands, "alarm", NOT_DUE, lambda _: {"due": FAR})
        each = timed(lambda: begin(commands, "alarm", TRIED, lambda _: {"due": FAR})) / TRIED
        first = wall_clock() + 1.3 * number * each + LEAD
        begin(commands, "alarm", number, at_moments(first + window * n / number for n in range(number)))
    return first


def timed(act):
    begun = wall_clock()
    act()
    return wall_clock() - begun


def fired(installation):
    rows = installation.rows(sa.select(journal.c.body).where(journal.c.body.contains('"type":"TimerFired"')))
    return [orjson.loads(row.body) for row in rows]


def rows_in(installation, table, *conditions):
    ((number,),) = installation.rows(sa.select(sa.func.count()).select_from(table).where(*conditions))
    return number


def witnessed(installation):
    """Case → when the database saw its timer fire."""
    rows = installation.rows(sa.select(sa.text("case_id, at")).select_from(sa.text("witness")))
    return {row[0]: moment(row[1]) for row in rows}


def have_fired(installation, number, *, due):
    """Wait until so many timers have, and then some after the last of them was `due`."""
    query = sa.select(sa.func.count()).select_from(timers).where(timers.c.state == "fired")
    with installation.opened() as database, database.connect().execution_options(reading=True) as look:
        while look.scalar(query) < number:
            look.rollback()
            assert wall_clock() < due + PATIENCE, f"{number} timers never fired: {installation.told()}"
            time.sleep(0.1)


def all_fire_once_and_none_early(installation, campaign, *, number, window, workers):
    """`workers` says how many programs run at first, and how many more join them half-way."""
    prepared(installation)
    programs = [installation.start("worker") for _ in range(workers[0])]
    try:
        first = waiting_alarms(installation, number, window)
        have_fired(installation, number // 2, due=first + window)
        programs += [installation.start("worker") for _ in range(workers[1])]
        have_fired(installation, number, due=first + window)
    finally:
        for program in programs:
            program.kill()

    done, seen = fired(installation), witnessed(installation)
    due = {body["case"]: moment(body["data"]["due_at"]) for body in done}
    assert len(done) == number
    assert set(Counter(body["data"]["timer_id"] for body in done).values()) == {1}
    early = [case for case in due if seen[case] + COARSE < due[case]]
    early += [body["case"] for body in done if moment(body["at"]) < due[body["case"]]]
    assert early == []
    assert min(due.values()) == first
    assert rows_in(installation, timers, timers.c.state == "set") == NOT_DUE + TRIED
    lags = sorted((seen[case] - due[case]).total_seconds() for case in due)
    campaign.tell(
        "R17",
        timers_fired_once=len(done),
        workers=sum(workers),
        early=len(early),
        lag_p50_ms=round(1000 * lags[len(lags) // 2]),
        lag_p99_ms=round(1000 * lags[len(lags) * 99 // 100]),
    )


def test_due_timers_fire_once_each_and_none_early(installation, campaign):
    """Two workers, and two more that join them."""
    number = 1_000 if installation.is_postgres else campaign.times(300, 1_000)
    window = timedelta(milliseconds=6 * number)
    all_fire_once_and_none_early(installation, campaign, number=number, window=window, workers=(2, 2))


@pytest.mark.long
@pytest.mark.parametrize("workers", [2, 4, 8])
def test_ten_thousand_timers_within_a_minute(installation, campaign, workers):
    all_fire_once_and_none_early(
        installation, campaign, number=10_000, window=timedelta(minutes=1), workers=(workers, 0)
    )


def moment(text):
    return datetime.fromisoformat(text)


def begun(story, drawing, number):
    """So many cases of a process, and an hour later."""
    deploy(story.database, drawing)
    begin(story.commands, drawing.process_id, number, at_moments([story.clock() + HOUR] * number))
    story.clock.move(HOUR)


def leased(story, lease, holder, limit=1_000):
    with story.database.begin() as connection:
        return lease(connection, holder=holder, now=story.clock(), span=LEASE, limit=limit)


def taken_over(story, lease):
    """What a sleeper has leased, and what a successor has since then: the same things."""
    slept = leased(story, lease, "sleeper")
    story.clock.move(LEASE)
    return list(zip(slept, leased(story, lease, "successor"), strict=True))


def refused_in_either_order(pairs, act):
    """Let sleepers wake before and after their successors have done it; how often they were refused."""
    refused = 0
    for place, (sleeper, successor) in enumerate(pairs):
        if place % 2:
            act(successor)
        with pytest.raises(WrongState) as told:
            act(sleeper)
        assert told.value.code == "LEASE_LOST"
        refused += 1
        if not place % 2:
            act(successor)
    return refused


def entries_of(story, kind):
    with story.database.connect().execution_options(reading=True) as connection:
        bodies = journal.c.body.contains(f'"type":"{kind}"')
        return connection.scalar(sa.select(sa.func.count()).select_from(journal).where(bodies))


def test_who_slept_through_a_lease_on_a_timer_is_refused(story, campaign):
    number = campaign.times(20, 500)
    begun(story, alarm(), number)
    pairs = taken_over(story, lease_timers)

    refused = refused_in_either_order(
        pairs, lambda lease: story.commands.fire_timer(lease.case_id, lease.item, lease=lease)
    )

    assert len(pairs) == refused == entries_of(story, "TimerFired") == number
    campaign.tell("R18", sleepers=len(pairs), refused=refused, fired_twice=0)


def test_who_slept_through_a_lease_on_a_job_is_refused_and_its_result_is_not_taken(story, campaign):
    number = campaign.times(20, 500)
    begun(story, telling(), number)
    pairs = taken_over(story, lease_jobs)

    refused = refused_in_either_order(
        pairs,
        lambda lease: story.commands.finish_job(lease.item, {"sent": lease.fence == 2}, lease=lease),
    )

    assert len(pairs) == refused == entries_of(story, "JobSucceeded") == number
    assert entries_of(story, "JobSucceeded") == bodies_with(story, '"sent":true')
    campaign.tell("R18", sleepers=len(pairs), refused=refused, done_twice=0)


def bodies_with(story, text):
    with story.database.connect().execution_options(reading=True) as connection:
        done = journal.c.body.contains('"type":"JobSucceeded"') & journal.c.body.contains(text)
        return connection.scalar(sa.select(sa.func.count()).select_from(journal).where(done))


def test_a_process_that_is_stopped_while_it_holds_a_lease_does_no_harm_when_it_goes_on(
    installation, clock, campaign
):
    """SIGSTOP after the lease, SIGCONT when another has fired: a pause of any length looks like this."""
    with installation.opened() as database:
        deploy(database, alarm())
    pauses = campaign.times(1, 20)
    for _ in range(pauses):
        due = clock() + HOUR
        with installation.rooms(clock) as (commands, _), installation.opened() as database:
            begin(commands, "alarm", 3, at_moments([due] * 3))
            clock.move(HOUR)
            sleeping = Popen(
                [sys.executable, "-m", "tests.reliability.sleeper", installation.url, clock().isoformat()],
                cwd=CHECKOUT,
                env=installation.environment(),
                stdout=PIPE,
                text=True,
            )
            _, state = os.waitpid(sleeping.pid, os.WUNTRACED)
            assert os.WIFSTOPPED(state)
            assert Worker(database, commands, clock=clock).tick() == Ticked()
            clock.move(LEASE)
            assert Worker(database, commands, clock=clock).tick() == Ticked(timers=3)
        sleeping.send_signal(signal.SIGCONT)
        told, _ = sleeping.communicate(timeout=300)
        assert told.strip() == str(Ticked(skipped=3))

    assert len(fired(installation)) == 3 * pauses
    campaign.tell("R18", processes_stopped=pauses, fired_once=len(fired(installation)), fired_twice=0)


def test_a_lease_that_holds_is_nobody_elses(story):
    begun(story, alarm(), 1)
    assert len(leased(story, lease_timers, "first")) == 1

    assert leased(story, lease_timers, "second") == []


def test_of_several_who_lease_at_once_each_gets_something_else(story):
    begun(story, alarm(), 40)
    together = Barrier(4)

    def lease(holder):
        together.wait(60)
        return [one.item for _ in range(3) for one in leased(story, lease_timers, holder, limit=5)]

    with ThreadPoolExecutor(4) as crowd:
        found = [item for items in crowd.map(lease, "abcd") for item in items]

    assert len(found) == len(set(found))
    assert len(found) + len(leased(story, lease_timers, "rest")) == 40


def test_on_sqlite_a_lease_begins_by_taking_the_right_to_write(clock, database_url):
    database = open_database(database_url("sqlite"))
    said = []
    sa.event.listen(
        database, "before_cursor_execute", lambda *told: said.append(told[2].split("\n")[0].upper())
    )

    Worker(database, Commands(database, Catalog(database), clock=clock), clock=clock)._lease(
        clock(), frozenset()
    )

    database.dispose()
    first, second, third, *_ = (one for one in said if not one.startswith("PRAGMA"))  # those come once
    assert first == "BEGIN IMMEDIATE"
    assert "ALEMBIC_VERSION" in second
    assert "SELECT TIMERS" in third


@pytest.mark.parametrize("act", ["suspend", "terminate"])
def test_a_case_that_is_stopped_at_the_moment_its_timer_is_due(story, campaign, act):
    """One of the two is first, the journal says which, and nothing happens in a case that stands still."""
    races = campaign.times(15, 500)
    deploy(story.database, alarm())
    leader, firsts = story.person("lz.leader"), Counter()
    steer = getattr(story.commands, f"{act}_case")
    for _ in range(races):
        story.case_id, *_ = begin(story.commands, "alarm", 1, at_moments([story.clock() + HOUR]))
        story.clock.move(HOUR)
        case_id = story.case_id
        others = Worker(
            story.database, Commands(story.database, story.catalog, clock=story.clock), clock=story.clock
        )
        at_once([lambda c=case_id: steer(c, "等待司法鉴定结论", actor=leader), others.tick])

        told = [kind for kind in story.entries() if kind in ("TimerFired", "CaseSuspended", "CaseTerminated")]
        stopped = {"suspend": "CaseSuspended", "terminate": "CaseTerminated"}[act]
        assert told in ([stopped], ["TimerFired", stopped])
        firsts[told[0]] += 1
        story.clock.move(2 * LEASE)
        story.work()
        assert story.entries().count("TimerFired") == told.count("TimerFired")
        if act == "suspend":
            story.commands.resume_case(case_id, "鉴定已完成可恢复", actor=leader)
            story.clock.move(HOUR)
            story.work()
            assert story.entries().count("TimerFired") == 1
    campaign.tell("R9", races=races, timer_first=firsts["TimerFired"], fired_in_a_stopped_case=0)


@pytest.mark.postgres
def test_a_process_that_hangs_in_a_transaction_does_not_stop_its_case_for_ever(postgres_server):
    database = open_database(postgres_server.format(database="postgres"))
    with database.connect() as connection:
        assert connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar() == "5min"
    database.dispose()
