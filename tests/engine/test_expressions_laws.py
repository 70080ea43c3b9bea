"""Laws that FEEL's operators keep for every value."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from engine.expressions.budget import Budget, ExpressionError
from engine.expressions.builtins.registry import BUILTINS
from engine.expressions.comparison import kind
from engine.expressions.feel import parse
from engine.expressions.scope import text_of
from engine.values import CONTEXT, to_json

NUMBER = st.decimals(-(10**9), 10**9, places=3)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


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


PLAIN = [
    "a",
    "missing",
    "1",
    "-1.5",
    "1e6000",
    '"s"',
    '"(a"',
    "[1, null]",
    "[1..3]",
    "{a: 1}",
    "null",
    "true",
]
TIMES = ['@"PT1H"', '@"P1M"', '@"P999999999D"', '@"2026-01-31"', '@"9999-12-31"', '@"10:00:00@Europe/Paris"']
ENDS = ['@"9999-12-31T23:59:59-12:00"', '@"0001-01-01T00:00:00+14:00"', "(< 5)", "(function(x, y) x)"]
LEAVES = st.sampled_from([*PLAIN, *TIMES, *ENDS])
SIGNS = st.sampled_from(["+", "-", "*", "/", "**", "=", "<", ">=", "and", "or", "in"])


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    calls = st.tuples(st.sampled_from(sorted(BUILTINS)), st.lists(inner, max_size=3))
    return st.one_of(
        st.tuples(inner, SIGNS, inner).map(lambda parts: f"({' '.join(parts)})"),
        calls.map(lambda call: f"{call[0]}({', '.join(call[1])})"),
        st.tuples(inner, inner).map(lambda parts: f"{parts[0]}[{parts[1]}]"),
        st.tuples(inner, inner).map(lambda parts: f"(for i in {parts[0]} return {parts[1]})"),
    )


@given(st.recursive(LEAVES, grown, max_leaves=8))
def test_whatever_is_asked_the_answer_is_a_value_or_an_error_with_a_name(text: str) -> None:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    try:
        value = parse(text).evaluate({"a": Decimal(3)}, now=now, budget=Budget(steps=20_000))
    except ExpressionError as error:
        named = error.name.split(".")[0]
    else:
        named = "value" if kind(value) != "nothing FEEL knows" else "no value"

    assert named in ("value", "budget", "temporal")


def test_the_ends_of_time_can_be_compared_and_subtracted() -> None:
    first, last = '@"0001-01-01T00:00:00+14:00"', '@"9999-12-31T23:59:59-12:00"'

    assert parse(f"{first} < {last}").evaluate({}) is True
    assert text_of(parse(f"{last} - {first}").evaluate({})) == "P3652060DT1H59M59S"
    assert text_of(parse(f'{last} + @"P1D"').evaluate({})) == "10000-01-01T23:59:59-12:00"
