"""The form file itself: two languages, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import BadDefinition
from tests.workflows.library.forms.parts import choice, form, number, rows, text
from workflows.library.forms.form import read_form
from workflows.library.forms.problems import check_form

BPMN = Path(__file__).parents[4] / "bpmn"


def test_a_field_speaks_two_languages():
    made = form(
        text(
            description="全称",
            properties={"labelEn": "Name", "descriptionEn": "In full"},
            appearance={"suffixAdorner": "个"},
            layout={"row": "R1", "columns": 8},
        )
    )
    (field,) = made.fields

    assert (field.label("zh"), field.label("en")) == ("名称", "Name")
    assert (field.description("zh"), field.description("en")) == ("全称", "In full")
    assert (field.suffix, field.row, field.columns) == ("个", "R1", 8)


def test_a_missing_language_falls_back_to_the_other():
    (field,) = form(text()).fields

    assert field.label("en") == "名称"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"components": 5}',
        b'{"components": [5]}',
        b'{"components": [{}]}',
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_what_is_no_form_is_refused(data):
    with pytest.raises(BadDefinition):
        read_form(data)


def test_a_form_nested_without_end_is_refused():
    nested: dict = text()
    for _ in range(20):
        nested = {"type": "group", "components": [nested]}

    with pytest.raises(BadDefinition):
        form(nested)


def problems(*components, severity="error"):
    return [(p.element, p.rule) for p in check_form(form(*components)) if p.severity == severity]


def test_a_sound_form_in_two_languages_has_no_problem():
    made = form(text(properties={"labelEn": "Name"}), choice("a", properties={"labelEn": "Mode"}))

    assert check_form(made) == ()


@pytest.mark.parametrize(
    ("component", "rule"),
    [
        ({"type": "html", "id": "F_name", "content": "<script>"}, "form.component"),
        ({"type": "iframe", "id": "F_name", "url": "https://x"}, "form.component"),
        ({"type": "image", "id": "F_name"}, "form.component"),
        (text(key=""), "form.key"),
        (text(key="a.b"), "form.key"),
        (text(key="outcome"), "form.key"),
        (text(conditional={"hide": "=1 +"}), "form.feel"),
        (text(properties={"requiredIf": "=)"}), "form.feel"),
        (number(key="name", validate={"max": "=(("}), "form.feel"),
        ({"type": "expression", "id": "F_name", "key": "name", "label": "x"}, "form.feel"),
        (text(validate={"pattern": "(?=a)b"}), "form.pattern"),
        (text(validate={"pattern": "["}), "form.pattern"),
        (text(validate={"pattern": "a" * 301}), "form.pattern"),
        (choice(key="name"), "form.options"),
        (choice("a", "a", key="name"), "form.options"),
        ({"type": "datetime", "id": "F_name", "key": "name", "subtype": "week"}, "form.subtype"),
    ],
)
def test_a_form_that_cannot_work_has_an_error(component, rule):
    found = problems(component)

    assert [r for _, r in found] == [rule]


def test_a_key_twice_on_one_level_is_an_error_through_plain_groups_too():
    plain = {"type": "group", "id": "G", "components": [text() | {"id": "second"}]}

    assert problems(text(), plain) == [("second", "form.key")]
    assert problems(text(), rows(text())) == []
    assert problems(rows(text(), text() | {"id": "second"})) == [("second", "form.key")]


def test_what_has_no_english_is_a_warning():
    component = choice("a") | {"description": "说明"}
    component["values"][0].pop("labelEn")

    assert [rule for _, rule in problems(component, severity="warning")] == ["form.english"] * 3
    assert problems({"type": "text", "id": "T", "text": "说明"}, severity="warning") == [
        ("T", "form.english")
    ]


def test_every_form_that_ships_works_and_speaks_two_languages():
    paths = sorted(BPMN.glob("*/forms/*.form"))

    found = {path.name: check_form(read_form(path.read_bytes())) for path in paths}

    assert found
    assert {name: problems for name, problems in found.items() if problems} == {}
