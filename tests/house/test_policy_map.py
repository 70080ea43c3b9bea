"""The walk through the policy is fresh, and says of every step what carries it or why nothing does."""

from __future__ import annotations

import re

import pytest

from scripts.policy_map import CHAPTERS, CONFIDENCE, DOCUMENT, document, read_map
from workflows.register.clauses import clauses

MAP = read_map()
STEPS = {row["id"]: row for row in MAP.steps}


def test_the_page_is_fresh():
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "stale: run `make docs`"


def test_it_is_called_complete_as_soon_as_it_is_and_not_before():
    """`complete` in steps.json: no step without an element or a reason, no element with an unknown step."""
    assert MAP.content["complete"] == (MAP.missing + MAP.unknown == [])


@pytest.mark.parametrize("step", STEPS)
def test_a_step_is_told_in_full(step):
    row = STEPS[step]

    assert step.split("-")[0] in CHAPTERS
    assert re.search(r"[\u4e00-\u9fff]", row["zh"])
    assert re.search(r"[a-z]", row["en"])
    assert set(row["actors"]) <= MAP.content["actors"].keys()
    assert row["confidence"] in CONFIDENCE
    assert row["source"]
    assert set(row["source"]) <= clauses().keys()
    assert set(row.get("parameters", ())) <= MAP.rules.parameters.keys()


def test_a_step_that_something_carries_gives_no_reason_why_nothing_does():
    assert [row["id"] for row in MAP.steps if row.get("reason") and MAP.of(row["id"])] == []


def test_no_step_stands_there_twice():
    assert len(STEPS) == len(MAP.steps)


def test_an_element_may_carry_several_steps():
    (completeness,) = (one for one in MAP.carriers if one.element == "m_completeness")

    assert {"GF-M5", "SC-M4"} <= set(completeness.steps)
    assert completeness in MAP.of("GF-M5")
    assert completeness in MAP.of("SC-M4")
    assert f"`municipal_level`: `m_completeness` {completeness.name}" in document(MAP)
