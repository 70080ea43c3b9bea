"""Laws that FEEL's operators keep for every value."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Decimal,
)
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from engine.expressions.budget import Budget, ExpressionError
from engine.expressions.builtins.registry import BUILTINS
from engine.expressions.comparison import kind
from engine.expressions.feel import parse
from engine.expressions.scope import literal, text_of
from engine.temporal import YearsMonths
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


TRUTHS = st.sampled_from([True, False, None])
SIGNIFICANCE = {False: 0, None: 1, True: 2}


@given(TRUTHS, TRUTHS)
def test_logic_of_three_values_takes_the_least_and_the_most(a: Any, b: Any) -> None:
    scope = {"a": a, "b": b}
    ordered = sorted([a, b], key=SIGNIFICANCE.__getitem__)

    assert parse("a and b").evaluate(scope) is ordered[0]
    assert parse("a or b").evaluate(scope) is ordered[1]
    assert parse("not(a and b)").evaluate(scope) is parse("not(a) or not(b)").evaluate(scope)
    assert parse("all([a, b])").evaluate(scope) is ordered[0]
    assert parse("any([a, b])").evaluate(scope) is ordered[1]


OPERATORS = {"+": CONTEXT.add, "-": CONTEXT.subtract, "*": CONTEXT.multiply, "/": CONTEXT.divide}
WIDE_NUMBER = st.decimals(allow_nan=False, allow_infinity=False, places=6).map(CONTEXT.plus)


@given(WIDE_NUMBER, st.sampled_from(sorted(OPERATORS)), WIDE_NUMBER)
def test_arithmetic_is_that_of_decimals_with_34_digits(a: Decimal, sign: str, b: Decimal) -> None:
    found = parse(f"a {sign} b").evaluate({"a": a, "b": b})

    assert found == (None if sign == "/" and not b else OPERATORS[sign](a, b))


ROUNDING = {
    "round up": ROUND_UP,
    "round down": ROUND_DOWN,
    "round half up": ROUND_HALF_UP,
    "round half down": ROUND_HALF_DOWN,
    "decimal": ROUND_HALF_EVEN,
    "floor": ROUND_FLOOR,
    "ceiling": ROUND_CEILING,
}


@given(NUMBER, st.integers(-4, 4), st.sampled_from(sorted(ROUNDING)))
def test_rounding_is_that_of_decimals(number: Decimal, scale: int, name: str) -> None:
    found = parse(f"{name}(n, {scale})").evaluate({"n": number})

    assert found == number.quantize(Decimal(1).scaleb(-scale), ROUNDING[name])


PIECES = st.recursive(
    st.one_of(st.none(), NUMBER, TEXT, st.booleans()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=6,
)


@given(PIECES)
def test_whatever_is_written_is_read_again(value: Any) -> None:
    assert parse(literal(value)).evaluate({}) == value


ENDS_OF_RANGES = st.tuples(st.booleans(), st.integers(0, 6), st.integers(0, 6), st.booleans()).map(
    lambda parts: f"{'(['[parts[0]]}{min(parts[1:3])}..{max(parts[1:3])}{')]'[parts[3]]}"
)
INVERSE = {
    "before": "after",
    "meets": "met by",
    "overlaps": "overlaps",
    "overlaps before": "overlaps after",
    "finishes": "finished by",
    "during": "includes",
    "starts": "started by",
    "coincides": "coincides",
}


@given(ENDS_OF_RANGES, ENDS_OF_RANGES, st.sampled_from(sorted(INVERSE)))
def test_each_relation_of_ranges_has_its_inverse(a: str, b: str, name: str) -> None:
    assert parse(f"{name}({a}, {b})").evaluate({}) is parse(f"{INVERSE[name]}({b}, {a})").evaluate({})


@given(st.integers(-1, 7), ENDS_OF_RANGES)
def test_a_point_is_in_a_range_as_the_comparisons_say(point: int, span: str) -> None:
    low, high = span[1:-1].split("..")
    signs = (">=" if span[0] == "[" else ">", "<=" if span[-1] == "]" else "<")
    both = parse(f"x {signs[0]} {low} and x {signs[1]} {high}").evaluate({"x": Decimal(point)})

    assert parse(f"x in {span}").evaluate({"x": Decimal(point)}) is both


@given(st.lists(NUMBER, max_size=8))
def test_a_sorted_list_is_the_same_list_in_order(numbers: list[Decimal]) -> None:
    scope = {"xs": numbers}

    assert parse("sort(xs)").evaluate(scope) == sorted(numbers)
    assert parse("sort(xs, function(a, b) a > b)").evaluate(scope) == sorted(numbers, reverse=True)
    assert (
        parse("reverse(reverse(xs)) = xs and count(distinct values(xs)) <= count(xs)").evaluate(scope) is True
    )


@given(st.lists(TEXT.filter(lambda text: ";" not in text), min_size=1, max_size=5))
def test_what_is_joined_can_be_split(texts: list[str]) -> None:
    assert parse('split(string join(xs, ";"), ";")').evaluate({"xs": texts}) == texts


@given(TEXT, TEXT.filter(bool), TEXT)
def test_a_text_is_what_stands_before_and_after(before: str, middle: str, after: str) -> None:
    text = parse("substring before(t, m) + m + substring after(t, m)").evaluate(
        {"t": before + middle + after, "m": middle}
    )

    assert text == before + middle + after


@given(st.dates(date(1900, 1, 1), date(2200, 1, 1)), st.integers(-600, 600))
def test_months_added_are_the_months_between(day: date, months: int) -> None:
    scope = {"d": day.replace(day=min(day.day, 28)), "m": YearsMonths(months)}

    assert parse("years and months duration(d, d + m) = m").evaluate(scope) is True


SOUGHT = st.one_of(
    st.none(), st.booleans(), st.sampled_from(["a", "b"]), st.integers(0, 2).map(Decimal), st.just(1)
)
ITEM = st.one_of(SOUGHT, st.dictionaries(st.sampled_from(["no", "item", "row", "other"]), SOUGHT, max_size=4))
ROW = st.one_of(ITEM, st.fixed_dictionaries({"no": SOUGHT | ITEM}), st.lists(ITEM, max_size=2))


@given(
    st.lists(ITEM | st.fixed_dictionaries({"no": SOUGHT, "item": ITEM}), max_size=5),
    ROW,
    st.sampled_from(["row", "row.no", "row.no.no"]),
)
def test_a_filter_does_not_depend_on_how_its_condition_is_written(
    items: list[Any], row: Any, wanted: str
) -> None:
    """The first is looked up once for all items, brackets hide from the others that it could be."""
    told = []
    for condition in (f"item.no = {wanted}", f"(item.no) = {wanted}", f"item.no = ({wanted})"):
        budget = Budget()
        value = parse(f"items[{condition}]").evaluate({"items": items, "row": row}, budget=budget)
        told.append((literal(value), budget.warnings))

    assert told[0] == told[1] == told[2]
