"""The page about BPMN says what the validator does, and every rule has its words."""

from __future__ import annotations

import re

import pytest

from engine.definition.model import check_definition
from engine.definition.support import event_table, support_rows
from scripts.bpmn_support import DOCUMENT, document, rules
from tests.engine.test_definition import REFUSED

RULES = rules()


def test_the_page_is_fresh():
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "stale: run `make docs`"


@pytest.mark.parametrize("rule", sorted({rule for row in support_rows() for rule in row.rules}))
def test_a_rule_that_the_table_names_exists(rule):
    assert rule in RULES


def test_rules_of_the_event_table_exist():
    cells = [cell for cells in event_table().values() for cell in cells.values()]

    assert {cell.rule for cell in cells if cell.rule} <= RULES.keys()


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_has_a_severity_and_words_in_both_languages(rule):
    for said in RULES[rule]:
        assert set(said.severity.split("/")) <= {"error", "warning"}
        assert re.search(r"\w|…", said.message)
        assert re.search(r"[\u4e00-\u9fff]|…", said.message_zh)


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_validator_says_is_on_the_page(case):
    drawing, _ = REFUSED[case]

    assert {problem.rule for problem in check_definition(drawing().sources())} <= RULES.keys()


def test_the_rules_are_read_from_the_code_with_severity_and_sentence():
    (double,) = RULES["flow.double"]

    assert (double.severity, double.message, double.message_zh) == (
        "warning",
        "… is drawn twice",
        "顺序流 … 重复",
    )
    assert RULES["flow.level"][0].message == RULES["flow.dangling"][0].message
    assert {"message.name", "signal.name", "link.name"} <= RULES.keys()
    assert RULES["xml.doctype"][0].message_zh == "不允许使用 DOCTYPE"
