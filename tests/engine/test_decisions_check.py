"""What the check says about a decision model before it is used."""

from __future__ import annotations

import pytest

from engine.decisions.check import check
from engine.decisions.reader import parse_decisions
from tests.engine.drawn_decisions import GRADE, knows, literal, model, needs, table


def findings(body: str) -> list[tuple[str, str, str]]:
    return [(p.severity, p.rule, p.element) for p in check(parse_decisions(model(body)))]


def messages(body: str, rule: str) -> list[str]:
    return [p.message for p in check(parse_decisions(model(body))) if p.rule == rule]


SOUND = [["< 60", '"d"'], ["[60..80)", '"c"'], [">= 80", '"a"']]


def test_a_sound_table_has_no_findings() -> None:
    assert findings(table(SOUND)) == []


def test_gaps_are_shown_by_an_input_that_falls_into_them() -> None:
    assert messages(table([["< 60", "1"], ["> 60", "2"]]), "dmn.gap") == ["no rule matches score = 60"]
    assert messages(table([["[0..59]", "1"], [">= 60", "2"]]), "dmn.gap") == [
        "no rule matches score = -1",
        "no rule matches score = 59.5",
    ]


def test_a_gap_in_two_columns_names_both() -> None:
    rules = [["true", '"A"', "1"], ["false", "-", "2"]]

    found = messages(table(rules, inputs=("key", "grade")), "dmn.gap")

    assert found == ['no rule matches key = true, grade = "…"']


def test_a_default_output_fills_every_gap() -> None:
    assert findings(table([["< 60", "1"]], default="0")) == []


@pytest.mark.parametrize("policy", ["COLLECT", "RULE ORDER"])
def test_lists_of_matches_have_no_gaps(policy: str) -> None:
    assert findings(table([["< 60", "1"]], policy=policy)) == []


def test_overlaps_of_a_unique_table_name_the_rules_and_an_input() -> None:
    rules = [["<= 60", "1"], [">= 60", "2"]]

    assert messages(table(rules), "dmn.overlap") == ["rules r1, r2 all match score = 60"]
    assert messages(table(rules, policy="FIRST"), "dmn.overlap") == []


def test_overlaps_of_an_any_table_matter_only_if_the_rules_disagree() -> None:
    assert messages(table([["<= 60", "1"], [">= 60", "1"]], policy="ANY"), "dmn.overlap") == []
    assert messages(table([["<= 60", "1"], [">= 60", "2"]], policy="ANY"), "dmn.overlap") != []


def test_masked_and_unreachable_rules_are_named() -> None:
    rules = [["-", "1"], ["> 5", "2"], ["[9..3]", "3"]]

    assert findings(table(rules, policy="FIRST")) == [
        ("warning", "dmn.masked", "r2"),
        ("warning", "dmn.unreachable", "r3"),
    ]


def test_allowed_values_narrow_what_can_happen() -> None:
    rules = [['"a"', "1"], ['"b"', "2"]]
    loose = table(rules)
    tight = GRADE + loose.replace('<inputExpression id="e0">', '<inputExpression id="e0" typeRef="tGrade">')

    assert messages(loose, "dmn.gap") == ['no rule matches score = "…"']
    assert findings(tight) == []


def test_null_is_a_region_only_where_it_is_mentioned() -> None:
    rules = [["true", "1"], ["false", "2"], ["null", "3"]]

    assert findings(table(rules)) == []
    assert findings(table(rules[:2])) == []


def test_dates_are_regions_too() -> None:
    rules = [['< date("2026-01-01")', "1"], ['> @"2026-01-01"', "2"]]

    assert messages(table(rules), "dmn.gap") == ["no rule matches score = 2026-01-01"]


@pytest.mark.parametrize("cell", ["> limit", "string length(?) > 2", '< "m"', "? * 2 > 5"])
def test_what_cannot_be_known_is_not_guessed(cell: str) -> None:
    rules = {p.rule for p in check(parse_decisions(model(table([[cell, "1"]]))))}

    assert not rules & {"dmn.gap", "dmn.overlap", "dmn.unreachable", "dmn.masked"}


def test_a_text_that_is_not_feel_is_an_error_at_its_element() -> None:
    assert findings(table([["import os", "1 +"], ["-", "2"]])) == [
        ("error", "feel.syntax", "r1"),
        ("error", "feel.name", "r1"),
    ]


def test_unknown_names_and_functions_are_errors() -> None:
    body = (
        f'<inputData id="a" name="a"/><decision id="d" name="D">{needs("a")}'
        f"{literal('a + b + add working days(a, 1) + nonsense(a) + count([a])')}</decision>"
    )

    assert findings(body) == [("error", "feel.name", "d"), ("error", "feel.function", "d")]


def test_a_requirement_that_is_not_used_is_a_warning() -> None:
    body = (
        f'<inputData id="a" name="a"/><decision id="c" name="C">{needs("a")}{literal("a")}</decision>'
        f'<decision id="d" name="D">{needs("a")}{needs("c", kind="Decision")}{literal("a")}</decision>'
    )

    assert findings(body) == [("warning", "dmn.unused", "d")]


def test_an_unknown_type_is_a_warning() -> None:
    body = (
        f'<decision id="d" name="D"><variable name="D" typeRef="tNothing"/>{knows()}{literal("1")}</decision>'
    )

    assert findings(body) == [("warning", "dmn.type", "d")]


def test_an_output_that_is_not_allowed_is_an_error() -> None:
    assert findings(table([["-", '"c"']], values='"a","b"')) == [("error", "dmn.output", "r1")]


def test_a_wide_table_is_answered_soon() -> None:
    columns = [f"c{n}" for n in range(12)]
    rules = [[*(f"< {n}" for n in range(12)), "1"], [*(["-"] * 12), "2"]]

    assert not messages(table(rules, inputs=columns), "dmn.gap")
