"""A request that is repeated with its key is answered as the first time, and happens once."""

from __future__ import annotations

import sqlalchemy as sa

from tests.reliability.test_races import at_once, entries
from workflows.store.tables import cases, idempotency, operations

START = "/process-definition/key/small_review/start"
THREE_DAYS = {"values": {"days": 3}}


def start(house, *, key, by="app01", body=THREE_DAYS):
    return house.api("POST", START, body, by=by, Idempotency_Key=key)


def remembered(house, key):
    """The cases that requests with this key began."""
    query = sa.select(idempotency.c.answer).where(idempotency.c.key == key)
    return [row.answer["case_id"] for row in house.rows(query)]


def count(house, table, *conditions):
    ((number,),) = house.rows(sa.select(sa.func.count()).select_from(table).where(*conditions))
    return number


def test_a_repeated_start_is_one_case(served):
    first = start(served, key="k-1")
    again = start(served, key="k-1")

    assert (again.status, again.body) == (first.status, first.body) == (201, first.body)
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert remembered(served, "k-1") == [again.body["id"]]


def test_ten_twins_at_once_are_one_case_and_one_answer(served):
    answers = at_once([lambda: start(served, key="twin")] * 10)

    assert {answer.status for answer in answers} == {201}
    assert len({answer.body["id"] for answer in answers}) == 1
    assert remembered(served, "twin") == [answers[0].body["id"]]
    assert count(served, operations, operations.c.case_id == answers[0].body["id"]) == 1


def test_ten_twins_of_a_completion_write_one_entry(served):
    begun = start(served, key="k-2").body
    task = begun["tasks"][0]["id"]
    served.api("POST", f"/task/{task}/claim", by="lz.officer")
    accept = {"values": {"opinion": "材料齐全"}, "outcome": "accepted"}

    answers = at_once(
        [
            lambda: served.api(
                "POST", f"/task/{task}/complete", accept, by="lz.officer", Idempotency_Key="done"
            )
        ]
        * 10
    )

    assert {answer.status for answer in answers} == {200}
    assert len({str(answer.body) for answer in answers}) == 1
    assert sorted("Idempotency-Replayed" in answer.headers for answer in answers) == [False] + [True] * 9
    assert len(entries(served, begun["id"], "TaskCompleted")) == 1
    assert count(served, operations, operations.c.entity == task, operations.c.action == "complete") == 1


def test_the_answer_outlives_a_killed_server(installation):
    installation.token("app01")
    with installation.served():
        first = start(installation, key="k-3")

    with installation.served():
        again = start(installation, key="k-3")

    assert (again.status, again.body) == (first.status, first.body)
    assert count(installation, cases) == 1


def test_the_same_key_on_another_body_is_refused(served):
    first = start(served, key="k-4")

    refused = start(served, key="k-4", body={"values": {"days": 4}})

    assert (refused.status, refused.body["code"]) == (422, "IDEMPOTENCY_REUSED")
    assert remembered(served, "k-4") == [first.body["id"]]


def test_the_same_key_on_another_path_is_refused(served):
    task = start(served, key="k-5").body["tasks"][0]["id"]

    refused = served.api("POST", f"/task/{task}/claim", THREE_DAYS, by="app01", Idempotency_Key="k-5")

    assert (refused.status, refused.body["code"]) == (422, "IDEMPOTENCY_REUSED")


def test_another_persons_request_with_the_same_key_is_their_own(served):
    mine = start(served, key="k-6", by="app01")
    theirs = start(served, key="k-6", by="app02")

    assert (mine.status, theirs.status) == (201, 201)
    assert mine.body["id"] != theirs.body["id"]
    assert "Idempotency-Replayed" not in theirs.headers


def test_a_refusal_is_not_remembered(served):
    task = start(served, key="k-7").body["tasks"][0]["id"]
    served.api("POST", f"/task/{task}/claim", by="lz.officer")
    early = served.api("POST", f"/task/{task}/claim", by="lz.officer2", Idempotency_Key="mine")
    served.api("POST", f"/task/{task}/unclaim", {}, by="lz.officer")

    late = served.api("POST", f"/task/{task}/claim", by="lz.officer2", Idempotency_Key="mine")

    assert (early.status, late.status) == (409, 204)
