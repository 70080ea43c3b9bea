"""JSON that keeps types: every value survives the way there and back."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest

from engine.errors import InvalidInput
from engine.temporal import YearsMonths
from workflows.library.typed_json import from_typed, to_typed


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        "text",
        Decimal(7),
        Decimal("2.5"),
        Decimal("0.1234567890123456789"),
        Decimal("1E+30"),
        date(2026, 2, 13),
        time(18, 0),
        datetime(2026, 2, 13, 16, tzinfo=UTC),
        timedelta(days=2, hours=3),
        YearsMonths(14),
        [Decimal(1), [date(2026, 1, 1)]],
        {"a": {"b": Decimal("1.5")}},
        {"type": "date", "value": "a context that looks like a typed value"},
    ],
    ids=str,
)
def test_a_value_survives(value):
    assert from_typed(json.loads(json.dumps(to_typed(value)))) == value


def test_what_people_write_is_understood():
    assert from_typed({"d": {"type": "date", "value": "2026-02-13"}, "n": 2.31}) == {
        "d": date(2026, 2, 13),
        "n": Decimal("2.31"),
    }


def test_common_numbers_are_plain():
    assert to_typed({"n": Decimal("95.5"), "m": Decimal("100")}) == {"n": 95.5, "m": 100}


def test_a_wrong_text_is_refused():
    with pytest.raises(InvalidInput, match="expected a date, found 'tomorrow'"):
        from_typed({"type": "date", "value": "tomorrow"})
