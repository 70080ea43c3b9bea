"""Lots: nobody knows them before, everybody can draw them again after, and a share is a share."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import journal
from engine.events import JobCreated
from workflows.reading.draws import draws_in
from workflows.services import lots, registry
from workflows.services.operation import Reading

NAMES = [f"GF-2025-{n:06}-gf-provincial" for n in range(1, 31)]


def lines_of(register):
    with register.reading() as connection:
        return list(journal.read(connection, register.case_id))


def asked(register):
    """The entry that asked for the draw."""
    (line,) = [line for line in lines_of(register) if isinstance(line.entry().event, JobCreated)]
    return line


def by_hand(seed, names):
    """As an auditor with nothing but SHA-256 would order them."""
    return sorted(names, key=lambda name: hashlib.sha256(seed.encode() + b"\0" + name.encode()).digest())


def test_an_auditor_draws_the_same_from_the_journal_alone(register):
    told = register.ask("lots.draw", names=NAMES, share=0.2)
    line = asked(register)

    assert (told["seed"], told["entry"]) == (line.digest, line.seq)
    assert told["drawn"] == by_hand(line.digest, NAMES)[:6]
    assert [one["name"] for one in told["lots"]] == by_hand(line.digest, NAMES)
    assert all(0 <= one["lot"] < 1 for one in told["lots"])
    assert [one["lot"] for one in told["lots"]] == sorted(one["lot"] for one in told["lots"])


def test_trying_again_draws_the_same(register):
    told = register.ask("lots.draw", names=NAMES, share=0.2)
    job = asked(register).entry().event.job_id
    with register.reading() as connection:
        later = Reading(connection=connection, case_id=register.case_id, job_id=job, now=register.clock())
        again = registry.run("lots.draw", {"names": NAMES, "share": Decimal("0.2")}, later)

    assert again == told


def test_the_same_question_of_another_case_has_another_answer(register):
    first = register.ask("lots.draw", names=NAMES, share=0.2)
    second = register.ask("lots.draw", names=NAMES, share=0.2)

    assert first["seed"] != second["seed"]
    assert first["lots"] != second["lots"]


@given(count=st.integers(0, 500), share=st.decimals(0, 1, places=4))
def test_a_share_is_never_too_little_nor_one_too_many(count, share):
    drawn = lots.how_many(count, share)

    assert count * share <= drawn < count * share + 1
    assert drawn <= count


@given(seed=st.text("0123456789abcdef", min_size=64, max_size=64), below=st.decimals(0, 1, places=3))
def test_each_below_the_line_is_drawn_and_nobody_else(seed, below):
    low = {name for name in NAMES if lots.lot(seed, name) < below}
    order = lots.in_order(seed, NAMES)

    assert set(order[: len(low)]) == low


def test_lots_fall_evenly(register):
    names = [f"unit {n}" for n in range(4000)]
    low = sum(1 for name in names if lots.lot("seed", name) < Decimal("0.2"))

    assert 700 < low < 900


@pytest.mark.parametrize(
    ("inputs", "why"),
    [
        ({"names": NAMES, "share": 1.2}, "expected a `share` from 0 to 1"),
        ({"names": NAMES}, "expected a `share` from 0 to 1"),
        ({"names": NAMES, "below": -1}, "expected a `below` from 0 to 1"),
        ({"names": ["a", "a"], "share": 0.5}, "expected every name once"),
        ({"names": "a", "share": 0.5}, "expected `names` to be a list of texts"),
    ],
)
def test_what_cannot_be_drawn_is_refused(register, inputs, why):
    assert why in register.refused("lots.draw", **inputs)


def test_nobody_and_everybody_can_be_drawn(register):
    assert register.ask("lots.draw", names=[], share=0.2)["drawn"] == []
    assert register.ask("lots.draw", names=["a", "b"], share=0)["drawn"] == []
    assert sorted(register.ask("lots.draw", names=["a", "b"], below=1)["drawn"]) == ["a", "b"]


def test_experts_are_drawn_by_lot_from_all_who_may(register):
    told = register.ask("experts.draw", count=3, exclude=["expert1"])
    pool = [one["name"] for one in told["lots"]]

    assert "expert1" not in pool
    assert [one["id"] for one in told["experts"]] == by_hand(asked(register).digest, pool)[:3]


def test_the_page_sees_whether_a_draw_holds(register):
    register.ask("lots.draw", names=NAMES, share=0.2)
    (draw,) = register.history.draws(register.case_id)

    assert draw.holds
    assert (draw.element, len(draw.lots), len(draw.drawn)) == ("ask", 30, 6)


def test_a_draw_that_was_tampered_with_does_not_hold(register):
    told = register.ask("lots.draw", names=NAMES, share=0.2)
    loser, winner = told["lots"][-1]["name"], told["drawn"][0]
    lines = [
        replace(line, body=line.body.replace(f'"drawn":["{winner}"', f'"drawn":["{loser}"'))
        for line in lines_of(register)
    ]
    other = [replace(line, digest="0" * 64) for line in lines_of(register)]

    assert lines != lines_of(register)
    assert not next(draws_in(lines)).holds
    assert not next(draws_in(other)).holds
