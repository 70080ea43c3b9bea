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
    rules = [["< 1", '"c"'], [">= 1", '"a"']]

    assert findings(table(rules, values='"a","b"')) == [("error", "dmn.output", "r1")]


def test_a_wide_table_is_answered_soon() -> None:
    columns = [f"c{n}" for n in range(12)]
    rules = [[*(f"< {n}" for n in range(12)), "1"], [*(["-"] * 12), "2"]]

    assert not messages(table(rules, inputs=columns), "dmn.gap")


def typed(body: str, kind: str, *, output: str = "") -> str:
    body = body.replace('<inputExpression id="e0">', f'<inputExpression id="e0" typeRef="{kind}">')
    return body.replace('name="level">', f'name="level" typeRef="{output}">') if output else body


@pytest.mark.parametrize(
    ("cell", "kind", "message"),
    [
        ('"a"', "number", "\"a\" is a string; input 'score' is a number"),
        ("[1..2]", "string", "1 is a number; input 'score' is a string"),
        ('< @"2026-01-01"', "date and time", "2026-01-01 is a date; input 'score' is a date and time"),
        ("not(1)", "date", "1 is a number; input 'score' is a date"),
    ],
)
def test_a_literal_of_another_type_than_its_input_is_an_error(cell: str, kind: str, message: str) -> None:
    assert messages(typed(table([[cell, "1"]]), kind), "dmn.cell-type") == [message]


def test_a_literal_of_another_type_than_its_output_is_an_error() -> None:
    rules = [["< 1", '"a"'], [">= 1", "2"]]

    assert messages(typed(table(rules), "number", output="number"), "dmn.cell-type") == [
        "\"a\" is a string; output 'level' is a number"
    ]


@pytest.mark.parametrize(
    ("cell", "kind"),
    [("1", "number"), ("null", "string"), ("true", "boolean"), ("-", "date"), ('@"P1D"', "dayTimeDuration")],
)
def test_a_literal_of_its_columns_type_is_sound(cell: str, kind: str) -> None:
    assert messages(typed(table([[cell, "1"]]), kind), "dmn.cell-type") == []


def test_a_literal_that_the_input_never_is_is_a_warning() -> None:
    rules = [['"a"', "1"], ['"b", "c"', "2"]]

    assert messages(GRADE + typed(table(rules), "tGrade"), "dmn.cell-value") == [
        "\"c\" is not among the allowed values of input 'score'"
    ]
    assert messages(GRADE + typed(table([['not("c")', "1"]]), "tGrade"), "dmn.cell-value") == []


def test_an_output_that_its_type_does_not_allow_is_an_error() -> None:
    rules = [["< 1", '"a"'], [">= 1", '"c"']]

    assert findings(GRADE + typed(table(rules), "number", output="tGrade")) == [("error", "dmn.output", "r2")]


def test_an_input_that_no_rule_tests_is_a_warning() -> None:
    assert findings(table([["-", "< 1", "1"], ["-", ">= 1", "2"]], inputs=("score", "score * 2"))) == [
        ("warning", "dmn.untested", "i0")
    ]


def test_a_rule_that_is_written_twice_is_a_warning() -> None:
    rules = [["< 1", "1"], [">= 1", "2"], [">=1", "2"]]

    assert messages(table(rules, policy="ANY"), "dmn.twice") == ["the rule repeats rule r2"]
    assert messages(table([["< 1", "1"], ["< 1", "2"]], policy="COLLECT"), "dmn.twice") == []


def test_input_data_that_nothing_reads_is_a_warning() -> None:
    body = f'<inputData id="a" name="a"/><inputData id="b" name="b"/><decision id="d" name="D">{needs("a")}'

    assert findings(f"{body}{literal('a')}</decision>") == [("warning", "dmn.unread", "b")]


def test_a_rule_that_never_has_the_highest_priority_is_masked() -> None:
    rules = [["> 5", '"low"'], ["-", '"high"'], ["< 3", '"high"']]

    assert findings(table(rules, policy="PRIORITY", values='"high","low"')) == [
        ("warning", "dmn.masked", "r1")
    ]
    assert findings(table(rules, policy="PRIORITY", values='"low","high"')) == []


@pytest.mark.parametrize(
    ("rules", "gap"),
    [
        ([["[0..10)", "1"], ["(10..20]", "2"], ["(< 0)", "3"], ["> 20", "4"]], "score = 10"),
        ([["true", "1"]], "score = false"),
        ([['<= @"2026-01-01"', "1"], ['>= @"2026-01-03"', "2"]], "score = 2026-01-02"),
        ([['< @"P1D"', "1"], ['> @"P1D"', "2"]], "score = P1D"),
        ([['< @"2026-01-01T00:00:00Z"', "1"], ['> @"2026-01-01T00:00:00Z"', "2"]], "2026-01-01T00:00:00Z"),
        ([["null", "1"], ["<= 0", "2"]], "score = 1"),
    ],
)
def test_each_kind_of_value_has_its_gaps(rules: list[list[str]], gap: str) -> None:
    (message,) = messages(table(rules), "dmn.gap")

    assert message.endswith(gap)
