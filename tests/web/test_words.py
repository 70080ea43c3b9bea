"""Everything a person reads is said in Chinese and in English; times are Shanghai's, terms working days."""

import ast
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from web import words

WEB = Path(words.__file__).parent
CHINESE = re.compile(r"[一-鿿]")
IN_TEMPLATES = re.compile(r"""\b_\(\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")""")
BOTH_LANGUAGES = {"pick", "Field", "Actor"}  # calls that are given both languages, or a name
NOT_SAID = {"codes.py", "words.py", "mail.py", "certificate.py"}  # they carry their English themselves
NOW = datetime(2026, 8, 19, 2, 0, tzinfo=UTC)


def template_texts(path):
    return {first or second for first, second in IN_TEMPLATES.findall(path.read_text(encoding="utf-8"))}


def module_texts(path):
    """Chinese constants that are not documentation and not given together with their English."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    passed = set()
    for node in ast.walk(tree):
        name = getattr(node.func, "attr", getattr(node.func, "id", "")) if isinstance(node, ast.Call) else ""
        documents = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if name in BOTH_LANGUAGES or documents:
            passed |= {id(inner) for inner in ast.walk(node)}
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in passed
        and CHINESE.search(node.value)
    }


def test_every_text_of_the_templates_has_its_english():
    said = {text for path in WEB.glob("templates/**/*.html") for text in template_texts(path)}

    assert len(said) > 100
    assert set() == said - words.english().keys()


def test_every_text_of_the_pages_has_its_english():
    modules = [p for p in WEB.rglob("*.py") if p.name not in NOT_SAID and "cli" not in p.parts]
    said = {text for path in modules for text in module_texts(path)}

    assert len(said) > 100
    assert set() == said - words.english().keys()


def test_both_languages_have_the_same_places():
    for zh, en in words.english().items():
        assert set(re.findall(r"{(\w+)}", zh)) == set(re.findall(r"{(\w+)}", en)), zh


def test_no_chinese_is_left_in_the_english():
    assert {zh: en for zh, en in words.english().items() if CHINESE.search(en)} == {}


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        ("2026-08-21T10:00:00+00:00", "2026年8月21日 周五 18:00"),
        ("2026-08-21T10:00:00", "2026年8月21日 周五 18:00"),
        (datetime(2026, 12, 31, 16, 30, tzinfo=UTC), "2027年1月1日 周五 00:30"),
        (None, ""),
    ],
)
def test_moments_are_told_in_shanghai(moment, told):
    assert words.at(moment) == told


def test_a_date_is_told_with_its_weekday():
    assert words.on(date(2026, 8, 21)) == "2026年8月21日 周五"
    assert words.on("2026-08-21") == "2026年8月21日 周五"


@pytest.mark.parametrize(
    ("due", "told"),
    [
        (datetime(2026, 8, 21, 10, 0, tzinfo=UTC), "剩 2 工作日"),
        (datetime(2026, 8, 19, 10, 0, tzinfo=UTC), "今日到期"),
        (datetime(2026, 8, 19, 1, 0, tzinfo=UTC), "今日已逾期"),
        (datetime(2026, 8, 18, 10, 0, tzinfo=UTC), "逾期 1 工作日"),
    ],
)
def test_terms_are_told_in_working_days(due, told):
    between = lambda first, last: (last - first).days  # noqa: E731  (no weekend lies between these days)

    assert words.due_phrase(due, now=NOW, between=between) == told


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (True, "是"),
        (Decimal("2.10"), "2.1"),
        (Decimal("1E+3"), "1000"),
        (12, "12"),
        ([], "—"),
        (["甲", "乙"], "甲、乙"),
        (None, "—"),
        ({"a": 1}, "a: 1"),
    ],
)
def test_any_value_is_one_line_for_people(value, told):
    assert words.shown(value) == told


def test_texts_of_data_fall_back_to_the_language_there_is():
    assert words.pick("中", "en") == "中"
    assert words.pick("", "en") == "en"
