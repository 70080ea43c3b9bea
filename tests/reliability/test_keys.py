"""Requests that are sent again under their key: at once, given up and repeated, to a server that has started
again, a day later, with another body. Each has one effect and one answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import orjson
import pytest
import sqlalchemy as sa

from engine.tables import journal
from tests.reliability.installation import LONG_AGO, SECRET
from tests.reliability.test_races import at_once
from tests.story import Story
from web.app import create_app
from web.settings import Settings
from workflows.actors import tokens
from workflows.store.tables import idempotency

START = "/api/v1/process-definition/key/small_review/start"
TWINS = 3
DAY = timedelta(hours=24)
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Told:
    """One answer, and whether it was told to be the answer to an earlier request."""

    status: int
    body: str
    is_replayed: bool


class Servers:
    """Server processes' worth of web applications over one database and one clock."""

    def __init__(self, story: Story, folder: Path) -> None:
        self.story = story
        self.settings = Settings(
            data_dir=folder,
            database_url=story.database.url.render_as_string(hide_password=False),
            secret_key="only for the tests of this house, 32 and more",
            log="WARNING",
            starts_per_hour=1_000_000,
        )
        self.apps = [self.another() for _ in range(2)]
        with story.database.begin() as connection:
            terms = {"secret": SECRET, "name": "keys", "scopes": ("read", "write"), "now": LONG_AGO}
            expires_at = LONG_AGO + 9999 * DAY
            self.token = tokens.issue_token(
                connection, "app01", token_id="keys", expires_at=expires_at, **terms
            )

    def another(self):
        return create_app(self.settings, clock=self.story.clock)

    def start_again(self) -> None:
        """All that the servers had in their memory is gone."""
        self.close()
        self.apps = [self.another() for _ in range(2)]

    def close(self) -> None:
        for app in self.apps:
            app.extensions["tidu"].database.dispose()

    def start(self, key: str, *, at: int = 0, days: int = 3) -> Told:
        """A case is started under the key, through one of the servers."""
        said = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": key}
        answer = self.apps[at % 2].test_client().post(START, json={"values": {"days": days}}, headers=said)
        return Told(answer.status_code, answer.text, "Idempotency-Replayed" in answer.headers)


@pytest.fixture
def servers(story, tmp_path) -> Iterator[Servers]:
    opened = Servers(story.deploy("small_review"), tmp_path)
    yield opened
    opened.close()


Answers = dict[str, list[Told]]


def twins_at_once(servers: Servers, keys: list[str]) -> Answers:
    return {key: at_once([partial(servers.start, key, at=at) for at in range(TWINS)]) for key in keys}


def given_up_and_sent_again(servers: Servers, keys: list[str]) -> Answers:
    """While the first is held up inside, its sender loses patience and asks once more, elsewhere."""
    told: Answers = {}
    row = {"actor": "app01", "request_digest": "", "answer": {}, "at": servers.story.clock()}
    with ThreadPoolExecutor(2) as pool:
        for key in keys:
            with servers.story.database.connect() as holding:
                holding.execute(idempotency.insert(), {**row, "key": key})
                asked = [pool.submit(servers.start, key, at=at) for at in range(2)]
                holding.rollback()
            told[key] = [one.result(timeout=120) for one in asked]
    return told


def sent_again_to_a_server_that_has_started_again(servers: Servers, keys: list[str]) -> Answers:
    first = {key: [servers.start(key)] for key in keys}
    servers.start_again()
    return {key: [*told, servers.start(key)] for key, told in first.items()}


def sent_again_within_a_day(servers: Servers, keys: list[str]) -> Answers:
    first = {key: [servers.start(key)] for key in keys}
    servers.story.clock.now += DAY - SECOND
    sweep(servers)
    return {key: [*told, servers.start(key, at=1)] for key, told in first.items()}


def sweep(servers: Servers) -> None:
    """What the worker clears away, it clears away now."""
    servers.story.work()


WAYS: tuple[Callable[[Servers, list[str]], Answers], ...] = (
    twins_at_once,
    given_up_and_sent_again,
    sent_again_to_a_server_that_has_started_again,
    sent_again_within_a_day,
)


def test_a_request_that_is_sent_again_has_one_effect_and_one_answer(servers, campaign):
    number = campaign.times(100, 2_000)
    told: Answers = {}
    for way in WAYS:
        told |= way(servers, [f"{way.__name__}-{n}" for n in range(number)])

    refused = {key: servers.start(key, at=1, days=4) for key in list(told)[::4]}

    counts = Counter(
        keys=len(told),
        requests=sum(map(len, told.values())) + len(refused),
        unanswered=sum(one.status != 201 for answers in told.values() for one in answers),
        answered_differently=sum(len({one.body for one in answers}) != 1 for answers in told.values()),
        not_told_to_be_repeated=sum(
            sum(not one.is_replayed for one in answers) != 1 for answers in told.values()
        ),
        lost=len({case_of(answers) for answers in told.values()} - begun(servers)),
        doubled=len(begun(servers)) - len(told),
        other_bodies_refused=sum(
            one.status == 422 and "IDEMPOTENCY_REUSED" in one.body for one in refused.values()
        ),
    )
    assert counts["keys"] == len(WAYS) * number
    assert counts["other_bodies_refused"] == len(refused)
    for wrong in ("unanswered", "answered_differently", "not_told_to_be_repeated", "lost", "doubled"):
        assert counts[wrong] == 0, counts
    campaign.tell("R11", **counts)


def test_a_day_later_a_key_is_free_again(servers, campaign):
    keys = [f"late-{n}" for n in range(campaign.times(100, 2_000))]
    first = {key: servers.start(key) for key in keys}
    servers.story.clock.now += DAY + SECOND
    swept_at = len(keys) // 2
    later = {key: servers.start(key, at=1, days=4) for key in keys[:swept_at]}
    sweep(servers)
    with servers.story.database.connect() as connection:
        kept = set(connection.scalars(sa.select(idempotency.c.key)))
    later |= {key: servers.start(key, at=1, days=4) for key in keys[swept_at:]}

    assert kept == set(keys[:swept_at])
    again = sum(case_of([later[key]]) != case_of([first[key]]) for key in keys)
    assert again == len(keys)
    assert not any(one.is_replayed for one in later.values())
    campaign.tell("R11", keys=len(keys), free_after_a_day=again, cases=len(begun(servers)))
    assert len(begun(servers)) == 2 * len(keys)


def case_of(answers: list[Told]) -> str:
    return str(orjson.loads(answers[0].body)["id"])


def begun(servers: Servers) -> set[str]:
    """The cases that the journal holds."""
    with servers.story.database.connect() as connection:
        return set(connection.scalars(sa.select(journal.c.case_id)))
