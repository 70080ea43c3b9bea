"""What a form asks for when: required, hidden and computed fields, rows, read-only fields."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from engine.errors import InvalidInput
from engine.values import to_json
from tests.workflows.library.forms.parts import box, choice, faults, form, number, rows, text


def test_required_fields_are_asked_for_but_not_of_a_draft():
    made = form(text(validate={"required": True}), number(validate={"required": True}))

    assert faults(made, {"name": " "}) == {"/name": "required", "/amount": "required"}
    assert made.check({"name": "a"}, partial=True) == {"name": "a"}
    assert faults(made, {"amount": "x"}, partial=True) == {"/amount": "number"}


def test_a_field_may_be_required_only_sometimes():
    made = form(choice("yes", "no"), text("why", properties={"requiredIf": '=mode = "no"'}))

    assert made.check({"mode": "yes"}) == {"mode": "yes"}
    assert faults(made, {"mode": "no"}) == {"/why": "required"}


def test_a_hidden_field_is_neither_asked_for_nor_kept():
    hidden = text("evaluator", validate={"required": True}, conditional={"hide": '=mode != "third_party"'})
    made = form(choice("self", "third_party"), hidden)

    assert made.check({"mode": "self", "evaluator": "ev1"}) == {"mode": "self"}
    assert made.check({"mode": "self", "evaluator": {"bad": 1}}) == {"mode": "self"}
    assert faults(made, {"mode": "third_party"}) == {"/evaluator": "required"}
    assert made.hidden({"mode": "self"}) == {"/evaluator"}
    assert made.hidden({"mode": "third_party"}) == frozenset()


def test_english_is_shown_and_never_kept():
    shown = {"type": "expression", "key": "name", "expression": '="指标"'}
    made = form(
        text("note"), shown | {"properties": {"expressionEn": '="Indicator"'}}, shown | {"key": "other"}
    )

    assert made.compute({}, language="en") == {"name": "Indicator", "other": "指标"}
    assert made.compute({}) == made.check({}) == {"name": "指标", "other": "指标"}


def test_hiding_clears_what_the_case_holds():
    hidden = text("evaluator", conditional={"hide": '=mode = "self"'})

    checked = form(choice("self", "third_party"), hidden).check(
        {"mode": "self"}, context={"evaluator": "ev1"}
    )

    assert checked == {"mode": "self", "evaluator": None}


def test_a_value_not_filled_in_is_null_to_conditions_whatever_the_case_holds():
    made = form(text("a"), text("b", validate={"required": True}, conditional={"hide": "=a = null"}))

    assert made.check({}, context={"a": "old"}) == {"a": None}


def test_a_hidden_value_hides_what_hangs_on_it():
    made = form(
        box("a"),
        box("b", conditional={"hide": "=a = false"}),
        text("c", conditional={"hide": "=b != true"}),
    )

    assert made.check({"a": False, "b": True, "c": "x"}) == {"a": False}


def test_a_hidden_group_takes_its_fields_with_it():
    inner = text("inner", validate={"required": True})
    plain = {"type": "group", "id": "G", "components": [inner], "conditional": {"hide": "=a != true"}}
    nested = plain | {"path": "g", "id": "H", "components": [text("deep", validate={"required": True})]}
    made = form(box("a"), plain, nested)

    assert made.check({"a": False, "inner": "x", "g": {"deep": 5}}) == {"a": False}
    assert faults(made, {"a": True}) == {"/inner": "required", "/g/deep": "required"}
    assert made.hidden({"a": False}) == {"/#G", "/inner", "/g"}


def test_conditions_in_a_row_see_the_row_its_number_and_the_form():
    made = form(
        choice("x", "y"),
        rows(
            number("q"),
            text("why", validate={"required": True}, conditional={"hide": '=q > 0 or mode = "x"'}),
            {"type": "expression", "id": "E", "key": "line", "expression": "=i * 10 + this.q"},
        ),
    )

    assert made.check({"mode": "x", "rows": [{"q": 1}, {"q": 0}]}) == {
        "mode": "x",
        "rows": [{"q": 1, "line": 11}, {"q": 0, "line": 20}],
    }
    assert faults(made, {"mode": "y", "rows": [{"q": 1}, {"q": 0}]}) == {"/rows/1/why": "required"}
    assert made.hidden({"mode": "y", "rows": [{"q": 1}, {"q": 0}]}) == {"/rows/0/why"}


def test_computed_values_are_the_servers_whatever_the_browser_sends():
    total = {"type": "expression", "id": "E", "key": "total", "expression": "=sum(rows.q)"}
    made = form(total, rows(number("q")))

    assert made.check({"total": 1_000_000, "rows": [{"q": 1}, {"q": 2.5}]}) == {
        "total": Decimal("3.5"),
        "rows": [{"q": 1}, {"q": Decimal("2.5")}],
    }
    assert made.compute({"rows": [{"q": 2}, {"q": "?"}]}).get("total") is None
    assert made.compute({"rows": [{"q": 2}]})["total"] == 2


def test_a_read_only_field_cannot_be_written():
    made = form(text("status", readonly=True), text("role", disabled=True), text())

    assert made.check({"status": "designated", "role": "admin", "name": "a"}) == {"name": "a"}


def test_a_list_may_ask_for_rows():
    made = form(rows(text("a"), validate={"minLength": 2, "maxLength": 3}))

    assert faults(made, {"rows": [{"a": "x"}]}) == {"/rows": "min_rows"}
    assert faults(made, {"rows": [{"a": "x"}] * 4}) == {"/rows": "rows"}
    assert faults(form(rows(text("a"))), {"rows": [{}] * 501}) == {"/rows": "rows"}


def test_a_list_may_have_a_row_for_each_item_of_another():
    made = form(rows(number("a"), properties={"rowsOf": "=standard"}))
    standard = {"standard": [{"no": 1}, {"no": 2}, {"no": 3}]}

    assert faults(made, {"rows": [{"a": 1}] * 2}, context=standard) == {"/rows": "rows"}
    assert faults(made, {"rows": [{"a": 1}] * 4}, context=standard) == {"/rows": "rows"}
    assert faults(made, {"rows": [{"a": 1}]}) == {"/rows": "rows"}
    assert made.check({"rows": [{"a": 1}, {}, {"a": 3}]}, context=standard)["rows"][2] == {"a": 3}
    assert made.check({"rows": [{"a": 1}]}, context=standard, partial=True)["rows"] == [{"a": 1}]


def test_blank_rows_of_such_a_list_keep_their_place():
    made = form(rows(number("a"), properties={"rowsOf": "=standard"}))
    posted = MultiDict({"rows[0].a": "", "rows[1].a": "2"})

    assert made.parse_html(posted)["rows"] == [{"a": ""}, {"a": "2"}]


def test_an_expression_that_fails_is_null_and_hides_nothing():
    made = form(
        text(conditional={"hide": '="a" + 1'}),
        {"type": "expression", "id": "E", "key": "n", "expression": "=now()"},
    )

    assert made.check({"name": "x"}) == {"name": "x"}
    assert made.check({"name": "x"}, now=datetime(2026, 3, 1, tzinfo=UTC))["n"] is not None


def refused_fields(made, values):
    """The faults of these values; none if they are accepted, and then they can be stored."""
    try:
        to_json(made.check(values))
    except InvalidInput as refused:
        return refused.fields or [None]
    return []


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    )
)
def test_whatever_is_sent_is_refused_in_words_or_can_be_stored(value):
    made = form(text("a"), number("b"), box("c"), rows(text("d"), path="e"), choice("x", key="f"))

    for key in "abcdef":
        assert all(field.message and field.message_zh for field in refused_fields(made, {key: value}))
