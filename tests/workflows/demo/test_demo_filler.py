"""The filler satisfies any form: required, conditional and nested fields, bounds, choices of the case."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from engine.errors import InvalidInput
from workflows.demo.chance import Chance
from workflows.demo.filler import Circumstances, fill
from workflows.library.forms.form import read_form

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)


def form(*components):
    return read_form(json.dumps({"id": "f", "type": "default", "components": components}).encode())


def desk(**context):
    return Circumstances(context=context, now=NOW, chance=Chance("desk"), papers="file")


def required(kind, key, **more):
    return {
        "type": kind,
        "key": key,
        "id": key,
        "validate": {"required": True, **more.pop("validate", {})},
        **more,
    }


def filled(given, *components, **context):
    subject = form(*components)
    values = fill(subject, given, desk(**context))
    subject.check(values, context=context, now=NOW)
    return values


OPTIONS = [{"label": "甲", "value": "a"}, {"label": "乙", "value": "b"}]


@pytest.mark.parametrize(
    "component",
    [
        required("textfield", "x", validate={"minLength": 30, "maxLength": 31}),
        required("textfield", "x", validate={"validationType": "email"}),
        required("textarea", "x"),
        required("number", "x", validate={"min": 5, "max": 6}, decimalDigits=0),
        required("number", "x", decimalDigits=2),
        required("datetime", "x", subtype="date"),
        required("datetime", "x", subtype="datetime"),
        required("checkbox", "x"),
        required("select", "x", values=OPTIONS),
        required("radio", "x", valuesKey="choices"),
        required("taglist", "x", values=OPTIONS),
        required("filepicker", "x"),
    ],
    ids=lambda component: component["type"],
)
def test_every_kind_of_field_is_filled(component):
    assert "x" in filled({}, component, choices=[{"value": "c", "label": "丙"}])


def test_what_is_not_asked_for_stays_empty():
    assert filled({}, {"type": "textfield", "key": "x", "id": "x"}) == {}


def test_what_was_given_stays():
    assert filled({"x": "已填"}, required("textfield", "x"), required("number", "y"))["x"] == "已填"


def test_what_no_field_asks_for_is_left_out():
    assert filled({"strange": 1}, {"type": "textfield", "key": "x", "id": "x"}) == {}


def test_what_is_out_of_bounds_is_replaced():
    values = filled({"x": 900}, required("number", "x", validate={"min": 1, "max": 9}))

    assert 1 <= float(values["x"]) <= 9


def test_a_field_that_another_answer_asks_for_is_filled():
    reason = {"type": "textfield", "key": "reason", "id": "reason", "properties": {"requiredIf": '=x = "b"'}}

    assert filled({"x": "b"}, required("radio", "x", values=OPTIONS), reason)["reason"]
    assert "reason" not in filled({"x": "a"}, required("radio", "x", values=OPTIONS), reason)


def test_groups_and_rows_are_filled_inside():
    rows = {
        "type": "dynamiclist",
        "path": "rows",
        "id": "rows",
        "validate": {"minLength": 2},
        "components": [required("number", "n")],
    }
    group = {"type": "group", "path": "g", "id": "g", "components": [required("textfield", "t"), rows]}

    values = filled({}, group)

    assert values["g"]["t"]
    assert len(values["g"]["rows"]) == 2


def test_a_list_gets_a_row_for_each_item_that_its_rows_stand_for():
    rows = {"type": "dynamiclist", "id": "F_rows", "path": "rows", "properties": {"rowsOf": "=standard"}}
    rows["components"] = [{"type": "number", "id": "F_point", "key": "point", "label": "得分"}]

    assert len(filled({}, rows, standard=[1, 2, 3])["rows"]) == 3
    assert filled({"rows": [{"point": 1}] * 5}, rows, standard=[1, 2])["rows"] == [{"point": 1}] * 2


def test_evidence_of_others_is_replaced_by_the_own():
    given = {"g": {"rows": [{"file": ["theirs"]}]}}
    picker = {"type": "filepicker", "key": "file", "id": "file"}
    rows = {"type": "dynamiclist", "path": "rows", "id": "rows", "components": [picker]}
    around = desk()

    values = fill(form({"type": "group", "path": "g", "id": "g", "components": [rows]}), given, around)

    assert values == {"g": {"rows": [{"file": ["file-1"]}]}}
    assert around.attached == {"file-1": "file.pdf"}


def test_the_diligent_attach_what_nobody_demands():
    picker = {"type": "filepicker", "key": "file", "id": "file", "label": "报告"}
    around = Circumstances(context={}, now=NOW, chance=Chance("desk"), papers="file", diligence=100)

    assert fill(form(picker), {}, around) == {"file": ["file-1"]}
    assert around.attached == {"file-1": "报告.pdf"}


def test_what_the_button_needs_is_filled_whatever_the_form_says():
    around = Circumstances(context={}, now=NOW, chance=Chance("desk"), papers="file", needed=("why",))

    assert fill(form({"type": "textfield", "key": "why", "id": "why"}), {}, around)["why"]


def test_a_form_nobody_can_fill_is_told_as_the_form_tells_it():
    with pytest.raises(InvalidInput):
        fill(form(required("select", "x", valuesKey="choices")), {}, desk(choices=[]))


def test_a_bound_that_only_the_form_can_work_out_is_approached():
    bounded = required("number", "x", decimalDigits=1, validate={"max": "=limit"})

    assert filled({}, bounded, limit=2.5)["x"] <= "2.5"
    assert filled({"x": "90"}, bounded, limit=2.5)["x"] <= "2.5"
