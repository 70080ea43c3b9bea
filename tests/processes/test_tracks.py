"""What the tracks have in their tables and rules, and for whom they are."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import NotAllowed
from tests.processes import drawn
from tests.processes.stage import played, theatre
from workflows.register.rules import load_rules

RULES = {name: rule.value for name, rule in load_rules("gansu-2026").parameters.items()}
TRACKS = {"sc": "supply_chain", "gp": "industrial_park"}


@pytest.mark.parametrize("track", TRACKS)
def test_the_rows_of_a_dimension_are_worth_what_the_rules_give_the_dimension(track: str) -> None:
    given: dict[str, Any] = {}
    for row in standard(track):
        given[row["dimension"]] = given.get(row["dimension"], 0) + float(row["weight"])

    expected = {
        name.rpartition(".")[2]: RULES[name] for name in RULES if name.startswith(f"weights.{track}.")
    }
    assert {name: round(points, 6) for name, points in given.items()} == expected
    assert sum(expected.values()) == 100


def test_a_park_has_18_mandatory_indicators_and_13_optional_ones_in_six_groups() -> None:
    rows = standard("gp")

    assert [sum(row["mandatory"] is wanted for row in rows) for wanted in (True, False)] == [18, 13]
    assert {row["group"] for row in rows} == {"EG", "RG", "IG", "CG", "HG", "MG"}


@pytest.mark.parametrize(("process", "unit"), [("industrial_park", "u01"), ("supply_chain", "u08")])
def test_a_track_is_for_units_of_one_kind(process: str, unit: str) -> None:
    example = {"process": process, "start": {"by": f"app{unit[1:]}", "unit": unit, "values": start(process)}}

    with pytest.raises(NotAllowed) as refused:
        theatre().play(drawn.ROOT / process, example)

    assert refused.value.code == "WRONG_KIND"


def standard(track: str) -> list[dict[str, Any]]:
    """The table of indicators of a case that was played."""
    rows: list[dict[str, Any]] = played(f"{TRACKS[track]}/unmet").variables["standard"]
    return rows


def start(process: str) -> dict[str, Any]:
    """What its own examples start with."""
    values: dict[str, Any] = drawn.examples()[f"{process}/unmet"]["start"]["values"]
    return values
