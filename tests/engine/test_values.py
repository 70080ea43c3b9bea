"""Values survive their JSON form exactly, and what cannot be stored is refused by place."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidInput
from engine.temporal import YearsMonths, add_months, parse_duration
from engine.values import from_json, number_text, temporal_text, to_json, to_plain

SHANGHAI = ZoneInfo("Asia/Shanghai")
ZONES = st.sampled_from([None, UTC, SHANGHAI, timezone(timedelta(hours=-5, minutes=-30))])
NUMBERS = st.decimals(
    allow_nan=False, allow_infinity=False, places=None, min_value=-(10**30), max_value=10**30
).filter(lambda n: len(n.as_tuple().digits) <= 34 and abs(n.adjusted()) < 6000)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    NUMBERS,
    TEXTS,
    st.dates(),
    st.times(timezones=ZONES),
    st.datetimes(timezones=ZONES),
    st.timedeltas(),
    st.integers(-9999, 9999).map(YearsMonths),
)
KEYS = st.one_of(TEXTS, st.sampled_from(["@date", "@number", "@context", "@"]))
VALUES = st.recursive(
    LEAVES, lambda v: st.lists(v, max_size=4) | st.dictionaries(KEYS, v, max_size=4), max_leaves=20
)


@given(VALUES)
def test_a_value_survives_its_json_form(value: Any) -> None:
    text = json.dumps(to_json(value), allow_nan=False)

    back = from_json(json.loads(text))

    assert back == value
    assert repr(to_json(back)) == repr(to_json(value))


@given(NUMBERS, st.integers(0, 5))
def test_equal_numbers_have_one_text(number: Decimal, zeros: int) -> None:
    sign, digits, exponent = number.as_tuple()
    longer = Decimal((sign, digits + (0,) * zeros, int(exponent) - zeros))

    assert number_text(longer) == number_text(number)
    assert Decimal(number_text(number)) == number


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (Decimal("5"), 5),
        (Decimal("5.00"), 5),
        (Decimal("-0"), 0),
        (Decimal("1E+3"), 1000),
        (Decimal("12.50"), {"@number": "12.5"}),
        (Decimal(2**53), {"@number": "9007199254740992"}),
        (Decimal("1E-50"), {"@number": "1E-50"}),
        (date(2026, 3, 1), {"@date": "2026-03-01"}),
        (time(9, 30), {"@time": "09:30:00"}),
        (datetime(2026, 3, 1, 9, 30, tzinfo=SHANGHAI), {"@datetime": "2026-03-01T09:30:00@Asia/Shanghai"}),
        (datetime(2026, 3, 1, 9, 30, 0, 500000, UTC), {"@datetime": "2026-03-01T09:30:00.5Z"}),
        (timedelta(days=3, hours=4), {"@duration": "P3DT4H"}),
        (timedelta(), {"@duration": "PT0S"}),
        (-timedelta(seconds=1.5), {"@duration": "-PT1.5S"}),
        (YearsMonths(14), {"@months": "P1Y2M"}),
        (YearsMonths(0), {"@months": "P0M"}),
        ({"@date": "x"}, {"@context": {"@date": "x"}}),
        ([True, None, "甘"], [True, None, "甘"]),
    ],
)
def test_the_written_form_is_fixed(value: Any, form: Any) -> None:
    assert repr(to_json(value)) == repr(form)


def test_what_people_write_becomes_exact() -> None:
    assert from_json({"score": 0.1, "big": 10**20}) == {"score": Decimal("0.1"), "big": Decimal(10**20)}


@pytest.mark.parametrize(
    ("obj", "pointer", "code"),
    [
        (float("nan"), "", "number"),
        ([1, float("inf")], "/1", "number"),
        ({"a/b": {"c": "\ud800"}}, "/a~1b/c", "text"),
        ({"a": "x\0"}, "/a", "text"),
        ({1: "x"}, "", "name"),
        (1 << 20_000, "", "number"),
        ({"@number": "1E+1000000"}, "", "number"),
        ({"@number": "NaN"}, "", "number"),
        ({"@number": "１２"}, "", "tag"),
        ({"@number": "1_000"}, "", "tag"),
        ({"@date": "2026-02-30"}, "", "tag"),
        ({"@datetime": "2026-03-01T25:00:00"}, "", "tag"),
        ({"@duration": "P1Y"}, "", "tag"),
        ({"@months": "P1D"}, "", "tag"),
        ({"@months": 3}, "", "tag"),
        ({"a": {"@unknown": "x"}}, "/a", "tag"),
        (object(), "", "type"),
        ("x" * 10_000_001, "", "size"),
    ],
    ids=lambda part: part[:20] if isinstance(part, str) else type(part).__name__,
)
def test_what_cannot_be_a_value_is_refused_at_its_place(obj: Any, pointer: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        from_json(obj)

    assert [(f.pointer, f.code) for f in refusal.value.fields] == [(pointer, code)]


@pytest.mark.parametrize("value", [1.5, object(), {1: 2}, "\ud800", Decimal("NaN"), {"f": len}])
def test_what_cannot_be_stored_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInput):
        to_json(value)


def nested(levels: int) -> Any:
    value: Any = []
    for _ in range(levels):
        value = [value]
    return value


def test_depth_is_bounded_in_both_directions() -> None:
    assert from_json(nested(60)) == nested(60)
    for way in (to_json, from_json):
        with pytest.raises(InvalidInput, match="levels deep"):
            way(nested(100_000))


def test_a_shared_value_cannot_be_blown_up() -> None:
    value: Any = ["x"] * 10
    for _ in range(12):
        value = [value] * 10

    with pytest.raises(InvalidInput, match="bytes"):
        to_json(value)


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Decimal("3"), 3),
        (Decimal("0.1"), 0.1),
        (Decimal("1234567890.1234567"), "1234567890.1234567"),
        (Decimal(10**20), "100000000000000000000"),
        ({"d": date(2026, 3, 1), "l": [timedelta(days=1)]}, {"d": "2026-03-01", "l": ["P1D"]}),
    ],
)
def test_the_plain_form_is_for_reading(value: Any, plain: Any) -> None:
    assert to_plain(value) == plain
    assert type(to_plain(value)) is type(plain)


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [("2026-01-31", 1, "2026-02-28"), ("2024-02-29", 12, "2025-02-28"), ("2026-03-31", -1, "2026-02-28")],
)
def test_month_ends_clamp(day: str, months: int, expected: str) -> None:
    assert add_months(date.fromisoformat(day), months) == date.fromisoformat(expected)


@given(st.one_of(st.timedeltas(), st.integers(-(10**6), 10**6).map(YearsMonths)))
def test_durations_are_read_as_they_are_written(span: Any) -> None:
    assert parse_duration(temporal_text(span)) == span


@pytest.mark.parametrize(
    "text", ["P", "PT", "P1M2D", "P1DT", "1D", "P1H", "P-1D", "", "P1.5D", "P1W", "P１D"]
)
def test_a_wrong_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)
