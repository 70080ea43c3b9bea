"""Many want the same thing at the same moment: one gets it, the others are told who did."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial

import sqlalchemy as sa

from engine.tables import journal
from tests.reliability.installation import CROWD, Answer, Installation
from workflows.store.tables import operations, tasks

ACCEPT = {"values": {"opinion": "材料齐全"}, "outcome": "accepted"}


def at_once(acts):
    """Do all of it at the same moment; the answers, in order."""
    gate = threading.Barrier(len(acts))

    def act(one):
        gate.wait()
        return one()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(act, acts))


def application(installation: Installation) -> str:
    """A fresh case; answers the id of its first task."""
    answer = installation.api(
        "POST", "/process-definition/key/small_review/start", {"values": {"days": 3}}, by="app01"
    )
    assert answer.status == 201, answer
    return answer.body["tasks"][0]["id"]


def entries(installation: Installation, case_id: str, kind: str) -> list[str]:
    query = sa.select(journal.c.body).where(journal.c.case_id == case_id)
    return [row.body for row in installation.rows(query) if f'"type":"{kind}"' in row.body]


def records(installation: Installation, task_id: str, action: str) -> list[str]:
    query = sa.select(operations.c.actor).where(operations.c.entity == task_id, operations.c.action == action)
    return [row.actor for row in installation.rows(query)]


def test_of_fifty_who_claim_one_task_at_once_one_gets_it_and_all_learn_who(served):
    task = application(served)

    answers = at_once(
        [lambda who=who: (who, served.api("POST", f"/task/{task}/claim", by=who)) for who in CROWD]
    )

    (winner,) = [who for who, answer in answers if answer.status == 204]
    losers = [answer for who, answer in answers if who != winner]
    assert [answer.status for answer in losers] == [409] * 49
    assert {answer.body["code"] for answer in losers} == {"TASK_ALREADY_CLAIMED"}
    assert {answer.body["assignee"] for answer in losers} == {winner}
    (held,) = served.rows(sa.select(tasks).where(tasks.c.task_id == task))
    assert held.assignee == winner
    assert {datetime.fromisoformat(answer.body["claimed_at"]) for answer in losers} == {held.claimed_at}
    assert len(entries(served, task.rpartition(".")[0], "TaskClaimed")) == 1
    assert records(served, task, "claim") == [winner]


def test_of_twenty_completions_of_one_task_at_once_one_counts(served, campaign):
    completed = []
    for _ in range(campaign.times(3, 200)):
        task = application(served)
        assert served.api("POST", f"/task/{task}/claim", by="crowd00").status == 204

        answers = at_once([partial(served.api, "POST", f"/task/{task}/complete", ACCEPT, by="crowd00")] * 20)

        assert sorted(answer.status for answer in answers).count(200) == 1
        assert {answer.status for answer in answers} <= {200, 409, 410}
        completed.append(len(entries(served, task.rpartition(".")[0], "TaskCompleted")))
        assert completed[-1] == 1
        assert records(served, task, "complete") == ["crowd00"]
    campaign.tell("R9", races=len(completed), completed_twice=sum(count > 1 for count in completed))


def test_twenty_cases_started_at_once_are_twenty_cases_with_gapless_numbers(served):
    answers: list[Answer] = at_once(
        [
            lambda: served.api(
                "POST", "/process-definition/key/small_review/start", {"values": {"days": 3}}, by="app01"
            )
        ]
        * 20
    )

    assert [answer.status for answer in answers] == [201] * 20
    numbers = sorted(int(answer.body["id"].rpartition("-")[2]) for answer in answers)
    assert numbers == list(range(numbers[0], numbers[0] + 20))
