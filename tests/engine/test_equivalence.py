"""Our token machine and SpiffWorkflow as it comes agree, wherever SpiffWorkflow is right."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.engine.equivalence import (
    LONGEST,
    PAGE,
    defects,
    drawn_walk,
    examples_of,
    left_out,
    package_walks,
    table,
)
from tests.engine.stock import Blocks, Ours, hand_clock

DRAWINGS = range(60)
EXAMPLES = {
    "supply_chain": examples_of("supply_chain"),
    "green_factory": (
        "straight_to_national",
        "municipal_objection_suspended",
        "returned_twice_then_listed",
        "silence_escalated",
        "reconsideration_changed",
    ),
}
"""The examples whose answers the walks of the suite draw from; `make equivalence` draws from all."""


@pytest.mark.parametrize("seed", DRAWINGS)
def test_random_drawings_walked_at_random_go_the_same_way_with_the_same_data(seed, monkeypatch):
    hand_clock(monkeypatch)

    drawn_walk(seed)


def test_most_of_these_walks_reach_the_end():
    done = sum(reaches_end(seed) for seed in DRAWINGS)

    assert done > len(DRAWINGS) // 2


def reaches_end(seed):
    blocks = Blocks(seed)
    ours = Ours(blocks.drawing, blocks.called, {"x": Decimal(1), "true_": True})
    for _ in range(LONGEST):
        if ours.is_done:
            return True
        ours.complete(sorted(ours.waiting())[0], {"x": Decimal(1)})
    return ours.is_done


@pytest.mark.parametrize("process", EXAMPLES)
def test_walks_through_the_shipped_packages_go_the_same_way_with_the_same_data(
    process, campaign, monkeypatch
):
    hand_clock(monkeypatch)

    walked = package_walks(process, EXAMPLES[process], range(campaign.times(6, 60)))

    assert [one.difference for one in walked if one.difference] == []
    assert sum(len(one.steps) for one in walked) > len(walked)
    assert any(one.is_done for one in walked)


def test_the_page_names_every_known_difference():
    text = PAGE.read_text(encoding="utf-8")

    assert table(("left out", "because SpiffWorkflow is wrong there", "ours"), left_out()) in text
    assert table(("defect", "SpiffWorkflow as it comes", "our engine", "test"), defects()) in text
