"""What leaves the house is written with the entry that causes it: once, or not at all, and names only."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from engine.errors import InvalidInput, Rejected
from tests.workflows.outgoing import letting_out, lying_ready, subscribed
from workflows.actors.people import disable_account, persons, set_password
from workflows.transaction.outbox import outbox
from workflows.transaction.projections import rebuild
from workflows.work.subscriptions import TYPES, subscribe, unsubscribe


@pytest.fixture
def open_house(story):
    return letting_out(story)


def addressed(story, *people):
    with story.database.begin() as connection:
        for person in people:
            address = f"{person}@example.org"
            connection.execute(sa.update(persons).where(persons.c.id == person).values(email=address))


def kinds(story):
    return [row["content"]["type"] for row in lying_ready(story)]


def test_every_entry_that_somebody_subscribed_to_lies_ready_under_its_own_key(open_house):
    subscribed(open_house, "all")
    open_house.start().claim("check", "lz.officer")

    rows = lying_ready(open_house)

    assert [row["seq"] for row in rows] == list(range(1, len(open_house.entries()) + 1))
    assert {row["number"] for row in rows} == {f"{row['seq']}.webhook.all" for row in rows}
    assert kinds(open_house)[-1] == "bpm.task.claimed.v1"
    event = rows[-1]["content"]
    assert event["id"] == f"{open_house.case_id}/{rows[-1]['seq']}"
    assert event["data"]["task_id"] == open_house.task("check")
    assert (event["specversion"], event["subject"]) == ("1.0", open_house.case_id)


def test_who_subscribed_to_some_is_told_some(open_house):
    subscribed(open_house, "some", "bpm.task.c*", "bpm.case.started.v1")
    open_house.start().do("check", "lz.officer", outcome="accepted")

    assert kinds(open_house) == [
        "bpm.case.started.v1",
        "bpm.task.created.v1",
        "bpm.task.claimed.v1",
        "bpm.task.completed.v1",
        "bpm.task.created.v1",
    ]


def test_no_value_of_the_case_and_no_person_is_told(open_house):
    subscribed(open_house, "all")
    open_house.start(values={"days": 3}).claim("check", "lz.officer")
    open_house.complete("check", "lz.officer", outcome="accepted", opinion="secret-opinion")

    told = json.dumps([row["content"] for row in lying_ready(open_house)])

    assert "secret-opinion" not in told
    assert "lz.officer" not in told
    assert "app01" not in told


def test_what_is_refused_leaves_nothing(open_house):
    subscribed(open_house, "all")
    open_house.start()
    before = lying_ready(open_house)

    with pytest.raises(Rejected):
        open_house.claim("check", "dee")

    assert lying_ready(open_house) == before


def test_a_rebuild_puts_nothing_out_again(open_house):
    subscribed(open_house, "all")
    open_house.start().do("check", "lz.officer", outcome="accepted")
    before = lying_ready(open_house)

    with open_house.database.begin() as connection:
        rebuild(connection, open_house.catalog)

    assert lying_ready(open_house) == before


def test_a_request_that_is_repeated_puts_nothing_out_again(open_house):
    subscribed(open_house, "all")
    open_house.start().claim("check", "lz.officer")
    before = lying_ready(open_house)

    open_house.claim("check", "lz.officer")

    assert lying_ready(open_house) == before


def test_a_notice_is_mailed_to_everybody_it_is_to_who_has_an_address(open_house):
    addressed(open_house, "lz.leader")
    open_house.start().do("check", "lz.officer", outcome="accepted").pass_time("P3D")

    (mail,) = lying_ready(open_house)

    assert open_house.notices() == ["late to municipal_leader@620100"]
    assert (mail["channel"], mail["address"]) == ("mail", "lz.leader@example.org")
    assert mail["number"] == f"{mail['seq']}.mail.lz.leader"
    assert mail["content"]["template"] == "late"


def test_whose_account_is_closed_gets_no_mail(open_house):
    addressed(open_house, "lz.leader")
    with open_house.database.begin() as connection:
        set_password(connection, "lz.leader", "a password of hers", now=open_house.clock())
        disable_account(connection, "lz.leader", disabled=True)
    open_house.start().do("check", "lz.officer", outcome="accepted").pass_time("P3D")

    assert lying_ready(open_house) == []


def test_a_house_without_a_mail_server_puts_no_mail_aside_for_later(story):
    letting_out(story, mail=False)
    addressed(story, "lz.leader")
    story.start().do("check", "lz.officer", outcome="accepted").pass_time("P3D")

    assert story.notices() == ["late to municipal_leader@620100"]
    assert lying_ready(story) == []


def test_who_has_ended_is_told_nothing_more(open_house):
    subscribed(open_house, "all")
    open_house.start()
    ready = len(lying_ready(open_house))
    with open_house.database.begin() as connection:
        actor = open_house.person("admin")
        given_up = unsubscribe(connection, "all", actor=actor, now=open_house.clock())
    open_house.pass_time("PT1M").claim("check", "lz.officer")

    rows = lying_ready(open_house)

    assert given_up == ready == len(rows)
    assert {row["state"] for row in rows} == {"given_up"}


@pytest.mark.parametrize(
    ("url", "events"),
    [
        ("ftp://example.org", ["*"]),
        ("file:///etc/passwd", ["*"]),
        ("https://", ["*"]),
        ("https://user:word@example.org/", ["*"]),
        ("https://example.org/" + "x" * 1000, ["*"]),
        ("https://example.org/", ["bpm.tusk.*"]),
        ("https://example.org/", ["["]),
        ("https://example.org/", ["bpm.task.claimed.v1", ""]),
    ],
)
def test_a_subscription_that_can_never_be_told_is_refused(story, url, events):
    told = {"actor": story.person("admin"), "now": story.clock()}
    with story.database.begin() as connection, pytest.raises(InvalidInput):
        subscribe(connection, "wrong", url=url, events=events, **told)


def test_every_kind_of_event_has_a_name_of_its_own():
    assert len(set(TYPES)) == len(TYPES) > 25
    assert {"bpm.task.claimed.v1", "bpm.case.completed.v1", "bpm.incident.raised.v1"} <= set(TYPES)


def test_a_group_commit_puts_out_what_each_command_caused(open_house):
    subscribed(open_house, "all", "bpm.case.started.v1")
    open_house.deploy("small_review")
    applicant = open_house.person("app01")
    start = lambda _: open_house.commands.start_case("small_review", {"days": 3}, actor=applicant)  # noqa: E731

    with ThreadPoolExecutor(8) as crowd:
        begun = {started.case_id for started in crowd.map(start, range(24))}

    assert {row["case_id"] for row in lying_ready(open_house, outbox.c.seq == 1)} == begun
