"""Laws that FEEL's operators keep for every value."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from engine.expressions.feel import parse
from engine.expressions.scope import text_of
from engine.values import CONTEXT, to_json

NUMBER = st.decimals(-(10**9), 10**9, places=3)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@given(NUMBER, NUMBER, NUMBER)
def test_sums_commute_and_products_distribute(a: Decimal, b: Decimal, c: Decimal) -> None:
    scope = {"a": a, "b": b, "c": c}

    assert parse("a + b = b + a and a * (b + c) = a * b + a * c and a - b = -(b - a)").evaluate(scope) is True


@given(NUMBER, NUMBER)
def test_an_order_is_total_on_numbers(a: Decimal, b: Decimal) -> None:
    scope = {"a": a, "b": b}

    assert [parse(t).evaluate(scope) for t in ("a < b", "a = b", "a > b")].count(True) == 1
    assert parse("(a <= b) = not(a > b)").evaluate(scope) is True


@given(NUMBER, NUMBER.filter(bool))
def test_modulo_is_what_floor_leaves(a: Decimal, b: Decimal) -> None:
    rest = parse("modulo(a, b)").evaluate({"a": a, "b": b})

    assert (rest == 0) or (rest < 0) == (b < 0)
    assert abs(rest) < abs(b)
    assert CONTEXT.remainder(a - rest, b) == 0


@given(st.dates(date(1900, 1, 1), date(2200, 1, 1)), st.dates(date(1900, 1, 1), date(2200, 1, 1)))
def test_a_date_and_a_distance_give_the_other_date(a: date, b: date) -> None:
    assert parse("b + (a - b) = a").evaluate({"a": a, "b": b}) is True


@given(
    st.one_of(NUMBER, TEXT, st.booleans(), st.dates(), st.datetimes(timezones=st.just(UTC)), st.timedeltas())
)
def test_a_value_written_as_text_and_read_again_is_the_same(value: Any) -> None:
    readers = {bool: "{}", Decimal: "{}", date: '@"{}"', datetime: '@"{}"'}
    text = readers.get(type(value), '@"{}"').format(text_of(value))

    again = parse(text_of([value])[1:-1]).evaluate({}) if isinstance(value, str) else parse(text).evaluate({})

    assert again == value
    assert to_json(again) == to_json(value)


@given(
    st.sampled_from(["and", "or"]),
    st.lists(st.sampled_from(["true", "false", "null"]), min_size=2, max_size=4),
)
def test_logic_does_not_depend_on_the_order(word: str, parts: list[str]) -> None:
    forwards, backwards = f" {word} ".join(parts), f" {word} ".join(reversed(parts))

    assert parse(forwards).evaluate({}) is parse(backwards).evaluate({})
