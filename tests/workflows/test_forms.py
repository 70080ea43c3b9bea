"""Forms: every fault at once, both languages, typed values, hidden and computed fields, plain HTML."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from engine.errors import BadDefinition, InvalidInput
from engine.values import to_json
from workflows.forms.form import read_form
from workflows.forms.html import html_name
from workflows.forms.problems import check_form

CHINA = timezone(timedelta(hours=8))


def form(*components, **facts):
    return read_form(json.dumps({"type": "default", "components": list(components)} | facts).encode())


def text(key="name", **more):
    return {"type": "textfield", "id": f"F_{key}", "key": key, "label": "名称"} | more


def number(key="amount", **more):
    return {"type": "number", "id": f"F_{key}", "key": key, "label": "数量"} | more


def box(key="agreed", **more):
    return {"type": "checkbox", "id": f"F_{key}", "key": key, "label": "同意"} | more


def choice(*values, key="mode", kind="select", **more):
    options = [{"value": value, "label": value.upper(), "labelEn": value} for value in values]
    return {"type": kind, "id": f"F_{key}", "key": key, "label": "方式", "values": options} | more


def rows(*components, path="rows", **more):
    return {"type": "dynamiclist", "id": f"F_{path}", "path": path, "components": list(components)} | more


def faults(made, values, **more):
    with pytest.raises(InvalidInput) as refused:
        made.check(values, **more)
    return {field.pointer: field.code for field in refused.value.fields}


# --- what is accepted, and as what -------------------------------------------------------------------


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


# --- what is refused ---------------------------------------------------------------------------------


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


def test_a_pattern_is_searched_as_a_browser_does_and_its_message_is_the_files():
    own = {"message": "应为18位", "messageEn": "18 characters"}
    made = form(text(validate={"pattern": "^[0-9A-Z]{18}$"}, properties=own))

    assert made.check({"name": "91620103MA807932XD"})
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


# --- required, hidden, computed ----------------------------------------------------------------------


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


# --- plain HTML --------------------------------------------------------------------------------------


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


# --- the file ----------------------------------------------------------------------------------------


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
