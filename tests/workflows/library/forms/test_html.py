"""What a page without scripts posts means the same."""

from __future__ import annotations

from decimal import Decimal

import pytest
from werkzeug.datastructures import MultiDict

from engine.errors import InvalidInput
from tests.workflows.library.forms.parts import box, choice, faults, form, number, rows, text
from workflows.library.forms.html import html_name


def test_what_a_plain_page_posts_means_the_same():
    made = form(
        text(),
        number(),
        box(),
        box("other"),
        choice("a", "b", key="some", kind="checklist"),
        {"type": "group", "id": "G", "path": "g", "components": [text("b")]},
        rows(text("a"), number("q"), box("c")),
        {"type": "filepicker", "id": "P", "key": "proof", "multiple": True},
    )
    posted = MultiDict(
        [
            ("csrf_token", "x"),
            ("name", " 甲 "),
            ("amount", "12.5"),
            ("agreed", "on"),
            ("some", "a"),
            ("some", "b"),
            ("g.b", "乙"),
            ("rows[0].a", "一"),
            ("rows[0].q", "1"),
            ("rows[0].c", "on"),
            ("rows[1]._", ""),
            ("rows[1].a", ""),
            ("rows[4].a", "二"),
            ("proof", "e1"),
            ("proof", ""),
        ]
    )

    values = made.parse_html(posted)

    assert values == {
        "name": "甲",
        "amount": "12.5",
        "agreed": True,
        "other": False,
        "some": ["a", "b"],
        "g": {"b": "乙"},
        "rows": [{"a": "一", "q": "1", "c": True}, {"a": "二", "c": False}],
        "proof": ["e1"],
    }
    assert made.check(values)["amount"] == Decimal("12.5")


@pytest.mark.parametrize(
    ("name", "pointer"),
    [
        ("role", "/role"),
        ("rows[0].case_id", "/rows/0/case_id"),
        ("g.status", "/g/status"),
        ("name.x", "/name"),
    ],
)
def test_a_posted_name_the_form_does_not_know_is_refused_too(name, pointer):
    made = form(text(), rows(text("a")), {"type": "group", "id": "G", "path": "g", "components": [text("b")]})
    posted = MultiDict([(name, "admin"), ("rows[0].a", "x")])

    assert pointer in faults(made, made.parse_html(posted))


def test_a_value_posted_twice_is_no_value():
    made = form(text())

    assert faults(made, made.parse_html(MultiDict([("name", "a"), ("name", "b")]))) == {"/name": "type"}


@pytest.mark.parametrize(
    "name", ["", "rows[", "rows[x].a", "rows[99999].a", "rows[1000].a", "a..b", ".".join("a" * 20)]
)
def test_an_impossible_name_is_refused(name):
    with pytest.raises(InvalidInput):
        form(rows(text("a"))).parse_html(MultiDict([(name, "1")]))


def test_clashing_names_are_refused_not_crashed_upon():
    made = form(rows(text("a")))

    with pytest.raises(InvalidInput):
        made.parse_html(MultiDict([("rows", "1"), ("rows[0].a", "2")]))
    with pytest.raises(InvalidInput):
        made.parse_html(MultiDict([("x", "1"), ("x.y", "2")]))


def test_a_flood_of_names_is_refused():
    with pytest.raises(InvalidInput):
        form(text()).parse_html(MultiDict([(f"n{n}", "") for n in range(5001)]))


def test_a_pointer_becomes_the_name_on_the_page():
    assert html_name("/rows/0/a") == "rows[0].a"
    assert html_name("/g/b") == "g.b"
    assert html_name("/name") == "name"
