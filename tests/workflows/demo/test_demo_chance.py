"""Chance is the same on every machine, spread evenly, and its streams do not disturb each other."""

from __future__ import annotations

from collections import Counter

import pytest

from workflows.demo.chance import Chance


def draws(chance, count=20, limit=1000):
    return [chance.below(limit) for _ in range(count)]


def test_the_same_name_draws_the_same_numbers():
    assert draws(Chance(7, "case", 1)) == draws(Chance(7, "case", 1))
    assert draws(Chance(7)) != draws(Chance(8))


def test_these_numbers_are_what_they_were_in_every_release():
    assert draws(Chance(7), count=5) == [150, 702, 505, 662, 874]


def test_a_stream_within_is_not_moved_by_draws_outside():
    quiet, busy = Chance(7), Chance(7)
    draws(busy)

    assert draws(quiet.about("a")) == draws(busy.about("a"))


def test_draws_are_spread_evenly():
    counted = Counter(draws(Chance("even"), count=6000, limit=6))

    assert all(850 < counted[face] < 1150 for face in range(6))


def test_weights_are_kept():
    chance = Chance("weights")
    counted = Counter(chance.weighted({"often": 90, "rarely": 10, "never": 0}) for _ in range(1000))

    assert 860 < counted["often"] < 940
    assert counted["never"] == 0


def test_nothing_lies_below_nothing():
    with pytest.raises(ValueError, match="nothing lies below 0"):
        Chance(1).below(0)
