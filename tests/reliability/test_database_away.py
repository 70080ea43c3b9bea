"""The database dies, stops and comes back under a house at work: nothing is lost and nothing is doubled."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests import postgres
from tests.conftest import furnished, new_database
from tests.reliability.installation import Answer, Installation
from tests.reliability.load import Load
from tests.reliability.test_kills import eventually, everything_is_sound, nothing_is_lost_or_doubled

pytestmark = pytest.mark.postgres

CLIENTS = 6
LONGEST_AWAY = 2.0
"""Seconds."""


@dataclass(frozen=True)
class Told:
    """One answer that a client got, and when it was asked and answered."""

    status: int
    retry_after: str
    began: float
    ended: float


class Overheard(Installation):
    """A house whose answers to its clients are written down."""

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__(folder, url)
        self.answers: list[Told] = []

    def api(self, method: str, path: str, body: Any = None, *, by: str, **headers: str) -> Answer:
        began = time.monotonic()
        answer = super().api(method, path, body, by=by, **headers)
        told = Told(answer.status, answer.headers.get("Retry-After", ""), began, time.monotonic())
        self.answers.append(told)
        return answer

    def working(self) -> int:
        """How many workers said that they begin."""
        return (self.folder / "programs.log").read_text().count("tidu: working")


@dataclass
class Operator:
    """Who takes the database away from a house at work and gives it back, and remembers when."""

    server: postgres.Server
    house: Overheard
    loads: list[Load] = field(default_factory=list)
    away: list[tuple[float, float]] = field(default_factory=list)
    seeds: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @contextmanager
    def at_work(self) -> Iterator[Load]:
        """Clients and a worker go to work. In the end everybody has an answer, nobody had to start again,
        and the journal says what the clients' books say, those of earlier tests included."""
        load = Load(self.house, clients=CLIENTS, seed=next(self.seeds))
        self.loads.append(load)
        worker = self.house.start("worker")
        try:
            eventually(lambda: self.house.working() == len(self.loads), "the worker does not begin")
            load.begin()
            yield load
            load.end()
            assert worker.process.poll() is None, self.house.told()
        finally:
            worker.kill()
        self.house.wait_for_server()
        assert load.surprises == []

    def strike(self, load: Load, dice: random.Random, how: Any, pause: float) -> None:
        """Once something was done since the last time, `how` ends the server; after `pause` it is back."""
        before = len(load.completed)
        eventually(lambda: len(load.completed) > before, f"nothing gets done any more: {self.house.told()}")
        time.sleep(dice.uniform(0, 0.3))
        began = time.monotonic()
        how()
        time.sleep(pause)
        self.server.start()
        self.away.append((began, time.monotonic()))

    def compare(self) -> int:
        """The journal against all books; answers how many cases are sound."""
        books = Load(self.house, clients=0, seed=0)
        for load in self.loads:
            books.started += load.started
            books.completed += load.completed
        nothing_is_lost_or_doubled(self.house, books)
        return everything_is_sound(self.house)


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """A house of two web processes and a worker on a PostgreSQL of its own, with the settings that count."""
    if reason := postgres.unavailable():
        pytest.skip(reason)
    with postgres.running(fsync="on") as server:
        url = new_database(server.address, "away")
        furnished(url)
        house = Overheard(tmp_path_factory.mktemp("away"), url)
        house.deploy("small_review")
        with house.served():
            yield Operator(server, house)


def test_killing_all_of_postgresql_loses_nothing(operator, campaign):
    kills = campaign.times(5, 100)
    dice = random.Random(3)

    with operator.at_work() as load:
        for _ in range(kills):
            operator.strike(load, dice, operator.server.kill, pause=0)

    cases = operator.compare()
    assert len(load.completed) > kills
    campaign.tell(
        "R3",
        kills=kills,
        completions_acknowledged=len(load.completed),
        lost=0,
        doubled=0,
        cases_verified=cases,
    )


def test_a_database_that_is_away_for_moments_is_told_and_missed_by_nobody(operator, campaign):
    absences = campaign.times(4, 100)
    dice = random.Random(22)
    before = len(operator.away)

    with operator.at_work() as load:
        for _ in range(absences):
            operator.strike(load, dice, operator.server.stop, pause=dice.uniform(0, LONGEST_AWAY))

    cases = operator.compare()
    refused = [told for told in operator.house.answers if told.status == 503]
    assert {told.status for told in operator.house.answers} <= {200, 201, 204, 503}
    assert all(told.retry_after.isdigit() for told in refused)
    assert [told for told in refused if not any(_met(told, away) for away in operator.away)] == []
    campaign.tell(
        "R22",
        absences=len(operator.away) - before,
        refused_while_away=len(refused),
        completions_acknowledged=len(load.completed),
        lost=0,
        doubled=0,
        cases_verified=cases,
    )


def _met(told: Told, away: tuple[float, float]) -> bool:
    """Whether the request was under way while the database was not there."""
    return told.began <= away[1] and away[0] <= told.ended
