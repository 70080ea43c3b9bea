"""What is filled in: typed values, strictly, and every fault at once in both languages."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest

from engine.errors import InvalidInput
from tests.workflows.library.forms.parts import CHINA, box, choice, faults, form, number, rows, text


def test_values_come_back_as_the_values_of_expressions():
    made = form(
        text(),
        number(),
        box(),
        choice("self", "third_party"),
        {"type": "datetime", "id": "D", "key": "day", "subtype": "date"},
        {"type": "datetime", "id": "T", "key": "clock", "subtype": "time"},
        {"type": "datetime", "id": "M", "key": "at", "subtype": "datetime"},
        choice("a", "b", key="some", kind="checklist"),
        {"type": "filepicker", "id": "P", "key": "proof", "multiple": True},
    )

    values = made.check(
        {
            "name": "  兰州兰岭水泥有限公司 ",
            "amount": 12.5,
            "agreed": False,
            "mode": "self",
            "day": "2026-03-01",
            "clock": "09:30",
            "at": "2026-03-01T09:30",
            "some": ["b"],
            "proof": ["e1", "e2"],
        }
    )

    assert values == {
        "name": "兰州兰岭水泥有限公司",
        "amount": Decimal("12.5"),
        "agreed": False,
        "mode": "self",
        "day": date(2026, 3, 1),
        "clock": time(9, 30),
        "at": datetime(2026, 3, 1, 9, 30, tzinfo=CHINA),
        "some": ["b"],
        "proof": ["e1", "e2"],
    }


def test_typed_values_are_accepted_as_they_are():
    made = form(number(), {"type": "datetime", "id": "D", "key": "day", "subtype": "date"})
    values = {"amount": Decimal("1.25"), "day": date(2026, 3, 1)}

    assert made.check(values) == values


def test_a_blank_field_is_absent():
    assert form(text(), number()).check({"name": "  ", "amount": ""}) == {}


def test_a_blank_field_clears_what_the_case_holds():
    made = form(text(), number())

    assert made.check({"name": ""}, context={"name": "old", "other": 1}) == {"name": None}


def test_a_rare_character_is_kept_and_accents_are_composed():
    assert form(text()).check({"name": "𠮷e\u0301"}) == {"name": "𠮷é"}


def test_line_ends_are_kept_in_paragraphs_only():
    paragraphs = {"type": "textarea", "id": "A", "key": "why"}

    assert form(paragraphs).check({"why": "一\r\n二"}) == {"why": "一\n二"}
    assert faults(form(text()), {"name": "一\n二"}) == {"/name": "characters"}


@pytest.mark.parametrize(
    "value",
    [
        "１２",
        "٣",
        "1e9",
        "1e1000000",
        "0x10",
        "1_000",
        "1,000",
        "NaN",
        "+1",
        "1.",
        True,
        False,
        [1],
        {"a": 1},
    ],
)
def test_only_plain_digits_are_a_number(value):
    assert faults(form(number()), {"amount": value}) == {"/amount": "number"}


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), 10**400, Decimal("1e1000000"), Decimal("1e-1000000"), 10**18]
)
def test_numbers_beyond_reason_are_refused(value):
    assert faults(form(number()), {"amount": value}) == {"/amount": "number"}


@pytest.mark.parametrize("value", [1.9, "1.9", Decimal("0.1")])
def test_a_whole_number_is_never_rounded(value):
    assert faults(form(number(decimalDigits=0)), {"amount": value}) == {"/amount": "decimals"}


def test_trailing_zeros_are_no_decimals():
    assert form(number(decimalDigits=0)).check({"amount": "5.0"}) == {"amount": Decimal("5.0")}


def test_a_number_stays_within_its_bounds():
    made = form(number(validate={"min": 0, "max": "100"}))

    assert faults(made, {"amount": -1}) == {"/amount": "min"}
    assert faults(made, {"amount": 100.5}) == {"/amount": "max"}
    assert made.check({"amount": 100}) == {"amount": 100}


def test_a_bound_may_depend_on_the_case():
    made = form(number(validate={"max": "=rules.weights.gf.energy"}))
    context = {"rules": {"weights": {"gf": {"energy": Decimal(30)}}}}

    assert faults(made, {"amount": 31}, context=context) == {"/amount": "max"}
    assert made.check({"amount": 30}, context=context) == {"amount": 30}


@pytest.mark.parametrize("value", ["on", "true", 1, 0, "", None, [True]])
def test_only_true_and_false_are_a_box(value):
    made = form(box())
    if value in ("", None):
        assert made.check({"agreed": value}) == {}
    else:
        assert faults(made, {"agreed": value}) == {"/agreed": "type"}


def test_a_required_box_must_be_ticked():
    assert faults(form(box(validate={"required": True})), {"agreed": False}) == {"/agreed": "required"}


@pytest.mark.parametrize("value", ["a\u0000b", "a\ud800", "\u202excod.exe", "a\u2066b", "\x1b[31m"])
def test_deceiving_characters_are_refused(value):
    assert faults(form(text()), {"name": value}) == {"/name": "characters"}


def test_text_has_a_length_even_if_the_file_names_none():
    assert faults(form(text()), {"name": "长" * 501}) == {"/name": "max_length"}
    assert faults(form(text(validate={"minLength": 3})), {"name": "ab"}) == {"/name": "min_length"}
    paragraphs = {"type": "textarea", "id": "A", "key": "why"}
    assert faults(form(paragraphs), {"why": "长" * 10_001}) == {"/why": "max_length"}


def test_a_pattern_must_fit_the_whole_text_and_its_message_is_the_files():
    own = {"message": "应为18位", "messageEn": "18 characters"}
    made = form(text(validate={"pattern": "^[0-9A-Z]{18}$"}, properties=own))

    assert made.check({"name": "91620103MA807932XD"})
    assert faults(form(text(validate={"pattern": "[0-9]{4}"})), {"name": "12345"}) == {"/name": "pattern"}
    with pytest.raises(InvalidInput) as refused:
        made.check({"name": "９１"})
    (field,) = refused.value.fields
    assert (field.code, field.message, field.message_zh) == ("pattern", "18 characters", "应为18位")


def test_a_wicked_pattern_takes_no_time():
    made = form(text(validate={"pattern": "^(a+)+$"}))

    assert faults(made, {"name": "a" * 499 + "!"}) == {"/name": "pattern"}


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [("email", "u01@example.com", "u01@"), ("phone", "0931-5550101", "十一")],
)
def test_addresses_and_numbers_have_their_form(kind, good, bad):
    made = form(text(validate={"validationType": kind}))

    assert made.check({"name": good}) == {"name": good}
    assert faults(made, {"name": bad}) == {"/name": "format"}


@pytest.mark.parametrize("kind", ["select", "radio"])
def test_a_choice_is_one_of_the_options(kind):
    made = form(choice("self", "third_party", kind=kind))

    assert faults(made, {"mode": "bribe"}) == {"/mode": "choice"}
    assert faults(made, {"mode": ["self"]}) == {"/mode": "type"}


@pytest.mark.parametrize("kind", ["checklist", "taglist"])
def test_several_choices_stand_once_each(kind):
    made = form(choice("a", "b", kind=kind))

    assert faults(made, {"mode": ["a", "c"]}) == {"/mode": "choice"}
    assert faults(made, {"mode": ["a", "a"]}) == {"/mode": "twice"}
    assert faults(made, {"mode": "a"}) == {"/mode": "type"}
    assert faults(made, {"mode": ["a"] * 1_000_000}) == {"/mode": "type"}


def test_options_may_come_from_the_case():
    made = form(
        {"type": "select", "id": "S", "key": "expert", "label": "专家", "valuesKey": "experts"},
        {"type": "select", "id": "X", "key": "dept", "valuesExpression": "=rules.departments"},
    )
    context = {
        "experts": [{"value": "expert1", "label": "王磊"}, {"value": "expert2", "label": "李静"}],
        "rules": {"departments": [{"id": "ecology", "name": "生态环境厅", "nameEn": "Ecology"}]},
    }

    assert made.check({"expert": "expert2", "dept": "ecology"}, context=context)
    assert faults(made, {"expert": "expert3"}, context=context) == {"/expert": "choice"}
    assert faults(made, {"expert": "expert1"}) == {"/expert": "choice"}
    (option,) = made.options(made.fields[1], context)
    assert (option.value, option.label("zh"), option.label("en")) == ("ecology", "生态环境厅", "Ecology")


@pytest.mark.parametrize(
    "value", ["2026-02-30", "0001-01-01", "9999-12-31", "-0044-03-15", "1.3.2026", 5, "x"]
)
def test_a_date_is_a_day_that_was_or_will_be(value):
    made = form({"type": "datetime", "id": "D", "key": "day", "subtype": "date"})

    assert faults(made, {"day": value}) == {"/day": "date"}


def test_a_moment_with_another_zone_keeps_it():
    made = form({"type": "datetime", "id": "D", "key": "at", "subtype": "datetime"})

    assert made.check({"at": "2026-03-01T01:30:00Z"}) == {"at": datetime(2026, 3, 1, 1, 30, tzinfo=UTC)}


@pytest.mark.parametrize("value", [["../x"], ["e1", "e1"], [5], {"a": 1}, ["e1", "e2"]])
def test_files_are_ids_of_evidence(value):
    made = form({"type": "filepicker", "id": "P", "key": "proof"})

    assert set(faults(made, {"proof": value})) == {"/proof"}
    assert made.check({"proof": "e1"}) == {"proof": ["e1"]}


def test_unknown_fields_are_refused_wherever_they_stand():
    made = form(text(), rows(text("a")), {"type": "group", "id": "G", "path": "g", "components": [text("b")]})

    wrong = faults(made, {"role": "admin", "rows": [{"case_id": "x"}], "g": {"status": "designated"}})

    assert wrong == {"/role": "unknown", "/rows/0/case_id": "unknown", "/g/status": "unknown"}


@pytest.mark.parametrize("values", [[], "x", 5, None, [{"name": "x"}]])
def test_values_are_an_object(values):
    with pytest.raises(InvalidInput):
        form(text()).check(values)


def test_every_fault_is_named_at_once_in_form_order_and_both_languages():
    made = form(text(validate={"required": True}), number(), rows(number("q")))

    with pytest.raises(InvalidInput) as refused:
        made.check({"zz": 1, "rows": [{"q": 1}, {"q": "x"}, 5], "amount": "x"})

    told = [(f.pointer, f.code, f.message_zh) for f in refused.value.fields]
    assert told == [
        ("/name", "required", "此项必填"),
        ("/amount", "number", "应为普通数字"),
        ("/rows/1/q", "number", "应为普通数字"),
        ("/rows/2", "type", "应为字段对象"),
        ("/zz", "unknown", "表单没有此字段"),
    ]
    assert all(f.message for f in refused.value.fields)


def test_pointers_are_escaped():
    assert faults(form(text()), {"a/b~c": 1}) == {"/a~1b~0c": "unknown"}
