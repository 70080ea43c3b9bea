"""Many at once: one winner, everybody else told who it was, and the journal shows one order."""

from __future__ import annotations

from collections import Counter

import pytest

from engine.errors import Rejected, WrongState
from tests.workflows.crowd import at_once
from workflows.actors.policy import Actor
from workflows.commands import Commands
from workflows.library.catalog import Catalog
from workflows.transaction.results import Idempotency
from workflows.work.worker import Worker


def crowd_of(size: int) -> list[Actor]:
    group = frozenset({"municipal_officer@620100"})
    return [
        Actor(id=f"officer{n}", name=f"officer {n}", groups=group, authority="620100", level="municipal")
        for n in range(size)
    ]


def test_fifty_claim_one_task_and_one_gets_it(story):
    task = story.start().task("check")

    answers = at_once(
        [lambda actor=actor: story.commands.claim_task(task, actor=actor) for actor in crowd_of(50)]
    )

    winners = [answer for answer in answers if not isinstance(answer, Rejected)]
    losers = [answer for answer in answers if isinstance(answer, Rejected)]
    assert (len(winners), len(losers)) == (1, 49)
    assert {type(loser) for loser in losers} == {WrongState}
    assert {loser.code for loser in losers} == {"TASK_ALREADY_CLAIMED"}
    assert {loser.facts["assignee"] for loser in losers} == {winners[0].assignee}
    assert story.entries().count("TaskClaimed") == 1


def test_claims_from_several_processes_have_one_winner_too(story):
    """Each process has its own cache of live cases; the journal is the judge between them."""
    story.start()
    task = story.task("check")
    doors = [Commands(story.database, Catalog(story.database), clock=story.clock) for _ in range(4)]

    answers = at_once(
        [
            lambda door=doors[n % 4], actor=actor: door.claim_task(task, actor=actor)
            for n, actor in enumerate(crowd_of(16))
        ]
    )

    assert Counter(type(answer).__name__ for answer in answers) == {"Held": 1, "WrongState": 15}
    assert story.entries().count("TaskClaimed") == 1


def test_the_same_request_sent_many_times_at_once_is_done_once(story):
    task = story.start().claim("check", "lz.officer").task("check")
    request = Idempotency(key="once", request_digest="d")
    actor = story.person("lz.officer")

    def complete() -> object:
        return story.commands.complete_task(task, {"outcome": "accepted"}, actor=actor, idempotency=request)

    answers = at_once([complete] * 20)

    assert {type(answer).__name__ for answer in answers} == {"Completed"}
    assert Counter(answer.replayed for answer in answers) == {False: 1, True: 19}
    assert {answer.seq for answer in answers} == {answers[0].seq}
    assert story.entries().count("TaskCompleted") == 1


def test_starts_with_one_key_make_one_case(story):
    story.deploy("small_review")
    request = Idempotency(key="start", request_digest="d")
    actor = story.person("app01")

    answers = at_once(
        [lambda: story.commands.start_case("small_review", {"days": 1}, actor=actor, idempotency=request)]
        * 10
    )

    assert len({answer.case_id for answer in answers}) == 1


def test_many_starts_at_once_are_numbered_without_a_gap_or_a_double(story):
    story.deploy("small_review")
    actor = story.person("app01")

    answers = at_once([lambda: story.commands.start_case("small_review", {"days": 1}, actor=actor)] * 12)

    assert sorted(answer.case_id for answer in answers) == [f"SR-2026-{n:06}" for n in range(1, 13)]


@pytest.mark.parametrize("round_", range(5))
def test_two_branches_completed_at_once_join_once(story, round_):
    story.start().do("check", "lz.officer", outcome="accepted").do("review", "lz.leader", outcome="agreed")
    story.claim("ecology", "dee").claim("market", "amr")

    answers = at_once([lambda: story.complete("ecology", "dee"), lambda: story.complete("market", "amr")])

    assert [answer for answer in answers if isinstance(answer, Rejected)] == []
    assert story.jobs() == ["announce"]
    assert story.history.verify(story.case_id).ok


@pytest.mark.parametrize("round_", range(5))
def test_completing_and_suspending_at_once_come_in_one_order(story, round_):
    story.start().claim("check", "lz.officer")
    suspend, leader = story.commands.suspend_case, story.person("lz.leader")

    at_once(
        [
            lambda: story.complete("check", "lz.officer", outcome="accepted"),
            lambda: suspend(story.case_id, "同时发生的中止", actor=leader),
        ]
    )

    entries = story.entries()
    assert story.case().status == "suspended"
    assert "TaskCompleted" not in entries[entries.index("CaseSuspended") :]
    assert story.history.verify(story.case_id).ok


def test_two_workers_fire_a_timer_once(story):
    story.start().do("check", "lz.officer", outcome="accepted")
    story.clock.move("P4D")
    workers = [
        Worker(
            story.database,
            Commands(story.database, Catalog(story.database), clock=story.clock),
            clock=story.clock,
            name=f"worker{n}",
        )
        for n in range(4)
    ]

    done = at_once([worker.tick for worker in workers])

    assert story.entries().count("TimerFired") == 1
    assert sum(ticked.timers for ticked in done) == 1
    assert story.entries().count("JobSucceeded") == 1
    assert len(story.notices()) == 1
