"""Our token machine and SpiffWorkflow as it comes agree, wherever SpiffWorkflow is right."""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.engine.drawing import NOW
from tests.engine.stock import Blocks, Ours, Stock, hand_clock

DRAWINGS = range(60)
LONGEST = 40


@pytest.mark.parametrize("seed", DRAWINGS)
def test_random_drawings_walked_at_random_go_the_same_way_with_the_same_data(seed, monkeypatch):
    hand_clock(monkeypatch)
    blocks = Blocks(seed)
    files = {d.process_id: d.xml for d in (blocks.drawing, blocks.called)}
    chance, now = random.Random(seed), NOW
    stock = Stock(files, "main", {"x": 1, "true_": True})
    ours = Ours(blocks.drawing, blocks.called, {"x": Decimal(1), "true_": True})

    for _ in range(LONGEST):
        assert ours.waiting() == stock.waiting()
        assert ours.is_done == stock.is_done
        if ours.is_done:
            break
        for element in ours.waiting():
            assert ours.seen_by(element) == stock.seen_by(element)
        if chance.random() < 0.15:
            now += timedelta(days=4)
            stock.pass_time(now)
            ours.pass_time(now)
            continue
        element = chance.choice(sorted(ours.waiting()))
        values = {f"v_{element.rpartition('/')[2]}": 7} | (
            {"x": chance.randrange(4)} if is_alone(ours) else {}
        )
        stock.complete(element, values)
        ours.complete(element, {key: Decimal(value) for key, value in values.items()})

    assert {e: n for e, n in ours.passed.items() if n} == dict(stock.completed())
    if ours.is_done:
        assert ours.data == {k: v for k, v in stock.data.items() if k != "data_objects"}


def is_alone(ours):
    """Whether no other branch is open: what both write would be a conflict, which SpiffWorkflow settles by
    the order of arrival."""
    return all(not token.frames for token in ours.execution._workflow.numbers.values())


def test_most_of_these_walks_reach_the_end(monkeypatch):
    hand_clock(monkeypatch)
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
