"""A season through a running installation whose processes are killed all the time: `make siege`, in small."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.reliability.siege import besiege, fortress

pytestmark = pytest.mark.postgres


def test_a_besieged_house_carries_a_season_and_verify_finds_nothing(postgres_server, tmp_path, campaign):
    cases = campaign.times(20, 200)
    house = fortress(tmp_path, postgres_server, cases=cases)

    counts = besiege(house, cases=cases, seed=7, every=2, step=timedelta(days=campaign.times(20, 1)))

    assert cases // 2 < counts["cases"] < counts["verified"]  # affairs need a title, the province's are none
    assert counts["killed_server_processes"] > 0 < counts["killed_workers"]
    assert {counts[what] for what in ("stuck", "lost", "doubled", "found_by_verify")} == {0}
    campaign.tell("R2", **counts)
