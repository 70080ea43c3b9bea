"""What happens without a person: never early, never twice, and one bad case stops nobody."""

from __future__ import annotations

import logging
import shutil
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from engine.errors import WrongState
from tests.story import PACKAGES
from workflows.services import registry as services
from workflows.store.leases import FIRST_PAUSE, lease_jobs, lease_timers, pause
from workflows.store.tables import idempotency, jobs, timers
from workflows.work.worker import LEASE, Worker


@pytest.fixture
def broken_service(monkeypatch):
    """`notice.send` fails as often as it is told to."""
    sound = services.OPERATIONS["notice.send"]
    left = {"failures": 0}

    def run(inputs, read):
        if left["failures"] > 0:
            left["failures"] -= 1
            raise ConnectionError("the mail server is away")
        return sound.run(inputs, read)

    monkeypatch.setitem(services.OPERATIONS, "notice.send", replace(sound, run=run))
    return left


def announced(story):
    """A case whose announcement waits to be made."""
    story.start().do("check", "lz.officer", outcome="accepted").do("review", "lz.leader", outcome="agreed")
    return story.do("ecology", "dee").do("market", "amr")


def test_a_timer_does_not_fire_early(story):
    story.start().do("check", "lz.officer", outcome="accepted")

    story.pass_time(timedelta(days=3) - timedelta(seconds=1))

    assert story.timers() == ["late"]
    assert story.notices() == []
    timer = story.rows(timers)[0]["timer_id"]
    with pytest.raises(WrongState):
        story.commands.fire_timer(story.case_id, timer)


def test_a_due_timer_fires_and_what_follows_is_done_in_the_same_tick(story):
    story.start().do("check", "lz.officer", outcome="accepted")

    story.pass_time("P3D")

    assert story.timers() == []
    assert story.notices() == ["late to municipal_leader@620100"]
    assert story.is_waiting_at("review")


def test_a_worker_that_was_away_catches_up_once(story):
    story.start().do("check", "lz.officer", outcome="accepted")

    story.pass_time("P400D").pass_time("PT1M")

    assert story.entries().count("TimerFired") == 1
    fired = story.rows(timers)[0]
    assert fired["fired_at"] - fired["due_at"] == timedelta(days=397)


def test_nothing_moves_in_a_suspended_case_and_all_of_it_when_it_is_resumed(story):
    story.start().do("check", "lz.officer", outcome="accepted")
    leader = story.person("lz.leader")
    story.commands.suspend_case(story.case_id, "等待司法鉴定结论", actor=leader)
    story.pass_time("P5D")
    assert story.notices() == []

    story.commands.resume_case(story.case_id, "鉴定已完成可恢复", actor=leader)
    story.work()

    assert story.notices() == ["late to municipal_leader@620100"]


def test_a_failed_job_is_tried_again_after_a_pause(story, broken_service):
    broken_service["failures"] = 1
    announced(story).work()
    job = story.rows(jobs)[0]
    assert (job["state"], job["attempts"]) == ("waiting", 1)
    assert "the mail server is away" in job["message"]

    story.work()
    assert story.rows(jobs)[0]["attempts"] == 1
    story.pass_time(FIRST_PAUSE * 2)

    assert story.rows(jobs)[0]["state"] == "succeeded"
    assert story.notices() == ["decided to app01"]


def test_attempts_that_are_used_up_become_an_incident(story, broken_service):
    broken_service["failures"] = 99
    announced(story).work()

    story.pass_time("PT1H").pass_time("P1D")

    assert len(story.incidents()) == 1
    assert story.rows_of_jobs()[0]["attempts"] == 2
    assert story.entries().count("JobFailed") == 2


def test_a_service_nobody_offers_is_an_incident_at_once(story, monkeypatch):
    monkeypatch.delitem(services.OPERATIONS, "notice.send")

    announced(story).work()

    assert len(story.incidents()) == 1
    assert story.entries().count("JobFailed") == 1


def test_pauses_double_and_are_the_same_for_the_same_job():
    waits = [pause("SR-1.5", n) for n in range(4)]

    assert all(FIRST_PAUSE * 2**n <= wait <= FIRST_PAUSE * 2**n * 1.2 for n, wait in enumerate(waits))
    assert waits == [pause("SR-1.5", n) for n in range(4)]
    assert pause("SR-1.5", 60) <= timedelta(hours=8)


def test_one_bad_case_does_not_stop_the_others(story, monkeypatch, caplog):
    story.start().do("check", "lz.officer", outcome="accepted")
    bad = story.case_id
    story.start(by="app02").do("check", "lz.officer", outcome="accepted")
    fire = story.commands.fire_timer

    def fail_for_one(case_id, timer_id, **more):
        if case_id == bad:
            raise ZeroDivisionError("poison")
        return fire(case_id, timer_id, **more)

    monkeypatch.setattr(story.commands, "fire_timer", fail_for_one)
    story.clock.move("P4D")
    with caplog.at_level(logging.ERROR):
        ticked = story.work()

    assert (ticked.broken, ticked.timers) == (1, 1)
    assert story.timers() == []
    assert "poison" in caplog.text


def test_what_is_leased_is_left_alone_until_the_lease_ends(story):
    story.start().do("check", "lz.officer", outcome="accepted")
    story.clock.move("P4D")
    ask = {"span": LEASE, "limit": 10}
    with story.database.begin() as connection:
        (mine,) = lease_timers(connection, holder="a", now=story.clock(), **ask)
        assert lease_timers(connection, holder="b", now=story.clock(), **ask) == []
        (theirs,) = lease_timers(connection, holder="b", now=story.clock() + LEASE, **ask)

    assert theirs.fence == mine.fence + 1


def test_a_worker_that_overslept_is_fenced_off(story):
    announced(story)
    ask = {"span": LEASE, "limit": 10}
    with story.database.begin() as connection:
        (old,) = lease_jobs(connection, holder="a", now=story.clock(), **ask)
        (new,) = lease_jobs(connection, holder="b", now=story.clock() + 2 * LEASE, **ask)

    with pytest.raises(WrongState) as refused:
        story.commands.finish_job(old.item, {"sent": True}, lease=old)
    story.commands.finish_job(new.item, {"sent": True}, lease=new)

    assert refused.value.code == "LEASE_LOST"
    assert story.entries().count("JobSucceeded") == 1


def test_old_answers_are_tidied_away(story):
    with story.database.begin() as connection:
        row = {"actor": "a", "key": "k", "request_digest": "d", "answer": {}, "at": story.clock()}
        connection.execute(idempotency.insert().values(**row))

    story.pass_time("P2D")

    with story.database.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(idempotency)) == 0


def test_a_tick_with_nothing_due_does_nothing(story):
    story.start()

    assert set(vars(Worker(story.database, story.commands, clock=story.clock).tick()).values()) == {0}


def test_a_daily_reminder_after_ten_days_away_is_one_that_says_nine_were_missed(story, tmp_path):
    folder = shutil.copytree(PACKAGES / "small_review", tmp_path / "small_review")
    drawing = folder / "process.bpmn"
    text = drawing.read_text(encoding="utf-8")
    daily = text.replace("timeDuration", "timeCycle").replace(">P3D<", ">R/P1D<")
    drawing.write_text(daily, encoding="utf-8")
    story.start().deploy(folder)
    story.case_id = story.commands.start_case(
        "small_review", {"days": 3}, actor=story.person("app01")
    ).case_id
    story.do("check", "lz.officer", outcome="accepted").pass_time("P10D")

    assert story.notices() == ["late to municipal_leader@620100"]
    assert story.entries().count("TimerFired") == 1
    fired = next(e for e in story.history.entries(story.case_id) if type(e.event).__name__ == "TimerFired")
    assert fired.event.missed == 9
    assert story.pass_time("P1D").notices() == ["late to municipal_leader@620100"] * 2
    assert all(proof.ok for proof in story.history.verify_all())


def test_a_worker_with_several_lanes_does_everything_once_and_shares_commits(story, monkeypatch):
    cases = []
    for _ in range(12):
        cases.append(story.start().do("check", "lz.officer", outcome="accepted").case_id)
    story.clock.move("P3D")
    together = []
    commit = story.commands._commits._commit
    monkeypatch.setattr(
        story.commands._commits, "_commit", lambda group: together.append(len(group)) or commit(group)
    )

    ticked = Worker(story.database, story.commands, clock=story.clock, lanes=6).tick()

    assert (ticked.timers, ticked.jobs, ticked.broken) == (12, 12, 0)
    assert sum(together) == 24
    assert len(together) < 24
    for story.case_id in cases:
        assert story.notices() == ["late to municipal_leader@620100"]
        assert story.history.verify(story.case_id).ok
