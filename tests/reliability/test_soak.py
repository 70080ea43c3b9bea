"""A steady day's work through processes that are killed: `make soak`, in small."""

from __future__ import annotations

import pytest

from tests.reliability.installation import Installation
from tests.reliability.soak import Watch, is_sound, is_steady, soak

STEADY, LEAKING = [300, 400, 400, 400, 402, 401, 400, 403], [300, 400, 400, 410, 420, 430, 440, 450]


@pytest.mark.postgres
def test_officers_at_a_steady_rate_lose_nothing_and_nothing_piles_up(house, campaign):
    counts = soak(house, seconds=campaign.times(6, 3600), rate=20, every=campaign.times(2, 20))

    campaign.tell("R31", **counts)
    assert is_sound(counts)
    assert counts["kills"] > 0 < counts["completions"]
    assert counts["cases_verified"] > 0
    assert is_steady(counts) or not campaign.is_long  # seconds are too short to tell


@pytest.fixture
def house(database_url, tmp_path):
    house = Installation(tmp_path, database_url("pg"))
    house.deploy("small_review")
    return house


@pytest.mark.parametrize(
    ("memory", "by_case", "steady"),
    [(STEADY, 7, True), (LEAKING, 7, False), (STEADY, 9, False)],
    ids=["steady", "memory that leaks", "a store that takes more and more for a case"],
)
def test_what_piles_up_is_noticed(memory, by_case, steady):
    watch = Watch(house=None, programs=())
    watch.memory = memory
    watch.store = [(7_000 * n, n) for n in range(6)] + [(35_000 + 1_000 * by_case * n, 5 + n) for n in (1, 2)]

    assert is_steady(watch.figures()) is steady
