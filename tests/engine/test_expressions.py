"""FEEL expressions and what they are worth."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.expressions.budget import Budget, ExpressionError
from engine.expressions.feel import parse, parse_unary
from engine.expressions.scope import text_of

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
VARIABLES: dict[str, Any] = {
    "score": Decimal(82),
    "企业名称": "兰州绿能",
    "申报 分数": Decimal(60),
    "pre-check": Decimal(7),
    "risk and impact": "high",
    "unit": {"name": "u01", "key sector": True, "sizes": [Decimal(1), Decimal(2)]},
    "tasks": [{"id": "a", "days": Decimal(3)}, {"id": "b", "days": Decimal(9)}],
    "none": None,
}

ARITHMETIC = {
    "1 + 2 * 3 - 4 / 2": "5",
    "0.1 + 0.2": "0.3",
    "-3 ** 2": "9",
    "2 ** 3 ** 2": "64",
    "(1 + 2) * 3": "9",
    "1 / 3": "0." + "3" * 34,
    "1 / 0": "null",
    "1 + null": "null",
    '1 + "1"': "null",
    "true + 1": "null",
    '"甘" + "肃"': "甘肃",
    "1.5e3": "1500",
    ".5": "0.5",
    "10 ** 7000": "null",
    "score + 1": "83",
    "none + 1": "null",
    "申报 分数 / 2": "30",
    "pre-check - 1": "6",
    "score-1": "81",
}
LOGIC = {
    "true and null": "null",
    "false and null": "false",
    "null and false": "false",
    "true or null": "true",
    "false or null": "null",
    "not(null)": "null",
    "not(true)": "false",
    "true and 1": "null",
    "1 = 1.0": "true",
    '1 = "1"': "null",
    "null = null": "true",
    "1 = null": "false",
    "1 != null": "true",
    "null < 1": "null",
    '"a" < "b"': "true",
    "true < false": "null",
    "[1, 2] = [1, 2]": "true",
    '[1] = ["1"]': "false",
    "{a: 1, b: 2} = {b: 2, a: 1}": "true",
    "5 between 1 and 5": "true",
    "5 between 6 and 9 or true": "true",
    "score >= 80 and score < 90": "true",
    "if score > 90 then 1 else if score > 80 then 2 else 3": "2",
    "if null then 1 else 2": "2",
    '企业名称 = "兰州绿能"': "true",
    'risk and impact = "high"': "true",
    "unit.key sector": "true",
    "missing": "null",
    "missing > 3": "null",
}
RANGES = {
    "5 in [1..5]": "true",
    "5 in [1..5)": "false",
    "5 in ]1..5[": "false",
    "3 in ]1..5[": "true",
    "5 in (1, 5, 9)": "true",
    "5 in (< 3, > 4)": "true",
    "5 in [1, 5]": "true",
    "5 in > 4": "true",
    "5 in (> 4)": "true",
    '"b" in ["a".."c"]': "true",
    "5 in [[1..2], [4..6]]": "true",
    "5 in (null..10]": "null",
    "[1..3].end included": "true",
    "(1..3].start included": "false",
    "before(1, [2..3])": "true",
    "overlaps([1..5], [3..8])": "true",
    "meets([1..5], [5..8])": "true",
    "meets([1..5), [5..8])": "false",
    "during(3, [1..5])": "true",
    "starts([1..3], [1..5])": "true",
    "coincides([1..3], [1..3])": "true",
    "overlaps before([1..5), (1..5])": "true",
    "overlaps before([1..5), [1..5])": "false",
    "overlaps after((1..5], [1..5])": "true",
    "overlaps after([1..5], [1..5))": "false",
    "overlaps after([5..8], [1..5])": "true",
    "overlaps after([6..8], [1..5])": "false",
    "before(point: 1, range: [2..3])": "true",
    "before(range: [1..2], point: 3)": "true",
    "after(range: [1..2], point: 3)": "false",
    'range("[1..3)") = [1..3)': "true",
    'range("nonsense")': "null",
    '5 in range("[2..)")': "true",
    '1 in range("(..2)")': "true",
    'range("[..]")': "null",
    'range("[..2]")': "null",
    'range("[3..1]")': "null",
    'range("[1..count([1])]")': "null",
    "(< 5) = (< 5)": "true",
    "string([(< 5), (>= 5), [1..2)])": "[(< 5), (>= 5), [1..2)]",
}
LISTS = {
    "[1, 2, 3][2]": "2",
    "[1, 2, 3][-1]": "3",
    "[1, 2, 3][4]": "null",
    "[1, 2, 3][0]": "null",
    "[1, 2, 3][item > 1]": "[2, 3]",
    "5[1]": "5",
    "[][1]": "null",
    "tasks.id": '["a", "b"]',
    "tasks[days > 5].id": '["b"]',
    'tasks[id = "a"][1].days': "3",
    "tasks[item.days > score]": "[]",
    "unit.sizes[2]": "2",
    "for i in 1..4 return i * i": "[1, 4, 9, 16]",
    "for i in 3..1 return i": "[3, 2, 1]",
    "for i in 1..2, j in [10, 20] return i * j": "[10, 20, 20, 40]",
    "for i in 1..4 return if i <= 2 then 1 else sum(partial)": "[1, 1, 2, 4]",
    "for i in 1..3 return partial": "[[], [[]], [[], [[]]]]",
    'for d in @"2026-02-27"..@"2026-03-01" return d.day': "[27, 28, 1]",
    "some t in tasks satisfies t.days > 5": "true",
    "every t in tasks satisfies t.days > 5": "false",
    "every t in [] satisfies false": "true",
    "some t in null satisfies true": "null",
    "some x in [1, null] satisfies x > 5": "null",
    "count([1, 2])": "2",
    "sum([])": "null",
    "sum(1, 2, 3)": "6",
    "mean([1, 2])": "1.5",
    "median([3, 1, 2, 8])": "2.5",
    "stddev([2, 4, 7, 5])": "2.081665999466132735282297706979931",
    "mode([6, 3, 9, 6, 6])": "[6]",
    "min([3, 1])": "1",
    'max("a", "b")': "b",
    "min([1, null])": "null",
    "all([true, null])": "null",
    "any([false, true])": "true",
    "append([1], 2, 3)": "[1, 2, 3]",
    "concatenate([1], [2])": "[1, 2]",
    "insert before([1, 3], 2, 2)": "[1, 2, 3]",
    "remove([1, 2, 3], 2)": "[1, 3]",
    "reverse([1, 2])": "[2, 1]",
    "index of([1, 2, 1], 1)": "[1, 3]",
    "union([1, 2], [2, 3])": "[1, 2, 3]",
    "distinct values([1, 1.0, 2])": "[1, 2]",
    "flatten([[1, [2]], 3])": "[1, 2, 3]",
    "product([2, 3])": "6",
    "sublist([1, 2, 3], 2)": "[2, 3]",
    "sublist([1, 2, 3], -2, 1)": "[2]",
    "list contains([1, null], null)": "true",
    "sort([3, 1, 2], function(a, b) a < b)": "[1, 2, 3]",
    "sort(list: [1, 2], precedes: function(a, b) a > b)": "[2, 1]",
    "list replace([1, 2, 3], 2, 9)": "[1, 9, 3]",
    "list replace([1, 2, 3], function(i, n) i > 1, 0)": "[1, 0, 0]",
    'string join(["a", null, "b"], "、")': "a、b",
}
TEXTS = {
    'string length("𠮷田")': "2",
    'upper case("aß")': "ASS",
    'substring("foobar", 3)': "obar",
    'substring("foobar", -2, 1)': "a",
    'substring("foobar", 0)': "null",
    'substring("foobar", 7)': "null",
    'substring("foobar", 3.8, 2.9)': "ob",
    'substring(string: "foobar", start position: 3, length: 3)': "oba",
    'substring before("foobar", "bar")': "foo",
    'substring after("foobar", "ob")': "ar",
    'contains("foobar", "of")': "false",
    'starts with("foobar", "fo")': "true",
    'ends with("foobar", "r")': "true",
    'matches("foobar", "^fo*bar")': "true",
    'matches("兰州", "^\\p{L}+$")': "true",
    'matches("ABC", "b", "i")': "true",
    'matches("a", "(")': "null",
    'replace("abracadabra", "bra", "*")': "a*cada*",
    'replace("darted", "^(.*?)d(.*)$", "$1c$2")': "carted",
    'replace("abc", "x*", "y")': "null",
    'split("a;b;;c", ";")': '["a", "b", "", "c"]',
    'number("1 000,5", " ", ",")': "1000.5",
    'number("x")': "null",
    "string(1.50)": "1.5",
    'string([1, "a", null])': '[1, "a", null]',
    "string({a: {b c: 1}})": "{a: {b c: 1}}",
    r'"\u5170\U020BB7\n"': "兰𠮷\n",
}
NUMBERS = {
    "decimal(1 / 3, 2)": "0.33",
    "decimal(2.5, 0)": "2",
    "round half up(2.5, 0)": "3",
    "round half down(-2.5, 0)": "-2",
    "round up(1.121, 2)": "1.13",
    "round down(-1.126, 2)": "-1.12",
    "floor(-1.5)": "-2",
    "ceiling(-1.5)": "-1",
    "floor(1.56, 1)": "1.5",
    "abs(-10)": "10",
    'abs(@"-P1D")': "P1D",
    "modulo(-10, 4)": "2",
    "modulo(10.1, -4.5)": "-3.4",
    "modulo(1, 0)": "null",
    "sqrt(16)": "4",
    "sqrt(-1)": "null",
    "log(0)": "null",
    "decimal(exp(1), 10)": "2.7182818285",
    "odd(5)": "true",
    "even(5)": "false",
}
TIMES = {
    'date("2026-01-31") + duration("P1M")': "2026-02-28",
    'date("2024-02-29") + @"P1Y"': "2025-02-28",
    '@"2026-03-31" - @"P1M"': "2026-02-28",
    "date(2026, 2, 30)": "null",
    'date("2026-02-30")': "null",
    '@"2026-03-01" - @"2026-02-01"': "P28D",
    '@"2026-03-01T00:00:00+08:00" - @"2026-03-01T00:00:00Z"': "-PT8H",
    '@"2026-03-01T00:00:00" - @"2026-03-01T00:00:00Z"': "null",
    '@"2026-03-01T08:00:00+08:00" = @"2026-03-01T00:00:00Z"': "true",
    'is(@"2026-03-01T08:00:00+08:00", @"2026-03-01T00:00:00Z")': "false",
    '@"2026-03-29T00:30:00@Europe/Paris" + @"PT3H"': "2026-03-29T04:30:00@Europe/Paris",
    '@"23:30:00" + @"PT1H"': "00:30:00",
    '@"P1D" * 1.5': "P1DT12H",
    '@"P1Y" / 2': "P6M",
    '@"P1D" / @"PT12H"': "2",
    '@"P1Y" + @"P1D"': "null",
    '@"P1D" < @"PT25H"': "true",
    '@"P1Y" > @"P1D"': "null",
    "now()": "2026-03-02T09:30:00@Asia/Shanghai",
    "today()": "2026-03-02",
    'today() + @"P10D"': "2026-03-12",
    'day of week(@"2026-03-02")': "Monday",
    'day of year(@"2026-03-02")': "61",
    'week of year(@"2026-03-02")': "10",
    'month of year(@"2026-03-02")': "March",
    '@"2026-03-02".weekday': "1",
    '@"PT90061S".hours': "1",
    '@"P14M".years': "1",
    '@"10:00:00+08:00".time offset': "PT8H",
    '@"2026-03-01T10:00:00@Asia/Shanghai".timezone': "Asia/Shanghai",
    'years and months duration(@"2026-01-31", @"2027-03-01")': "P1Y1M",
    'date and time(@"2026-03-01", @"10:00:00")': "2026-03-01T10:00:00",
    'time(10, 30, 0, @"PT8H")': "10:30:00+08:00",
    '@"nonsense"': "null",
}
CONTEXTS = {
    "{a: 1, b: a + 1}.b": "2",
    '{"a b": 1}.a b': "1",
    "{a-b: 1, c: a-b + 1}.c": "2",
    "{a: 1, a: 2}": "null",
    "{a: 1}.b": "null",
    'get value({a: 1}, "a")': "1",
    "get entries({a: 1})": '[{key: "a", value: 1}]',
    'context([{key: "a", value: 1}])': "{a: 1}",
    'context put({a: {b: 1}}, ["a", "b"], 2)': "{a: {b: 2}}",
    "context merge([{a: 1}, {a: 2, b: 3}])": "{a: 2, b: 3}",
    "(function(a, b) a - b)(b: 1, a: 3)": "2",
    "{f: function(n) if n <= 1 then 1 else n * f(n - 1), r: f(5)}.r": "120",
    '(function(a: number) a)("x")': "null",
    "abs([-1])": "1",
    'sort([@"P1D", @"PT1H"], before)': "[PT1H, P1D]",
    "{f: abs, r: f(-2)}.r": "2",
    "upper case(1)": "null",
    "unheard of(1)": "null",
    "twice(4)": "8",
    "get or else(none, 3)": "3",
}
TYPES = {
    "1 instance of number": "true",
    "null instance of number": "false",
    "[1, 2] instance of list<number>": "true",
    '[1, "a"] instance of list<number>': "false",
    "{a: 1} instance of context<a: number>": "true",
    "[1..2] instance of range<number>": "true",
    '@"P1D" instance of days and time duration': "true",
    '@"2026-01-01" instance of date and time': "false",
    "(function(a: number) a) instance of function<number> -> Any": "true",
    "1 instance of nonsense": "null",
}
ALL = ARITHMETIC | LOGIC | RANGES | LISTS | TEXTS | NUMBERS | TIMES | CONTEXTS | TYPES


@pytest.mark.parametrize("text", ALL)
def test_an_expression_has_the_value_the_standard_gives_it(text: str) -> None:
    value = parse(text).evaluate(VARIABLES, functions={"twice": lambda n: n * 2}, now=NOW)

    assert text_of(value) == ALL[text]


@pytest.mark.parametrize(
    ("cell", "value", "expected"),
    [
        ("-", None, True),
        ("5", Decimal(5), True),
        ('"A", "B"', "B", True),
        ('"A", "B"', "C", False),
        ("[1..6]", Decimal(6), True),
        ("(1..6)", Decimal(6), False),
        ("< 5", Decimal(5), False),
        ("< 5", None, None),
        ("not(7)", Decimal(7), False),
        ("not(< 5, 9)", Decimal(7), True),
        ("null", None, True),
        ("true", False, False),
        ("true", None, False),
        ("limit > 5", "any text", True),
        ("? > limit", Decimal(11), True),
        ("? > 5 and ? < limit", Decimal(7), True),
        ("limit", Decimal(10), True),
        ("> limit * 2", Decimal(21), True),
        ("[1, 2, 3]", Decimal(2), True),
        ('contains(?, "绿")', "绿色工厂", True),
        ('date("2026-01-01")', date(2026, 1, 1), True),
        ('>= date("2026-01-01")', date(2025, 12, 31), False),
        ('"x"', Decimal(1), False),
    ],
)
def test_a_cell_tests_its_input(cell: str, value: Any, expected: bool | None) -> None:
    assert parse_unary(cell).matches(value, {"limit": Decimal(10)}) is expected


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 0),
        ("1 +", 3),
        ("1 + + 2", 4),
        ("(1", 2),
        ("a b)", 3),
        ("x ! y", 2),
        ("if a then b", 11),
        ('"open', 0),
    ],
)
def test_a_wrong_text_is_refused_where_it_is_wrong(text: str, position: int) -> None:
    with pytest.raises(ExpressionError) as refusal:
        parse(text)

    assert (refusal.value.name, refusal.value.position) == ("syntax", position)


def test_an_expression_knows_what_it_needs() -> None:
    expression = parse(
        "for t in tasks return working days between(t.a, b) + {c: 1, d: c}.d + xs[limit > item][1]"
    )

    assert expression.names == {"tasks", "b", "xs"}
    assert expression.filter_names == {"limit"}
    assert expression.calls == {"working days between"}


def test_a_null_is_explained() -> None:
    budget = Budget()

    assert parse("score + missing").evaluate({"score": Decimal(1)}, budget=budget) is None
    assert budget.warnings == ["there is no 'missing'", "there is no number + null"]


def test_without_the_commands_time_now_is_an_error() -> None:
    with pytest.raises(ExpressionError, match=r"\[now\]"):
        parse('today() > @"2026-01-01"').evaluate({})


def test_a_moment_that_cannot_be_held_is_an_error_not_a_wrong_value() -> None:
    for text in ('time("10:00:00.1234567891")', '@"PT0.0000000001S"'):
        with pytest.raises(ExpressionError, match=r"temporal\.range"):
            parse(text).evaluate({})


def test_a_pattern_that_cannot_be_run_in_bounded_time_is_an_error_not_a_wrong_value() -> None:
    with pytest.raises(ExpressionError, match=r"regex\.unsupported"):
        parse(r'matches("aa", "(a)\\1")').evaluate({})


def test_a_variable_hides_a_function_only_as_a_value() -> None:
    assert parse("count([count])").evaluate({"count": Decimal(7)}) == 1
    assert parse("date + 1").evaluate({"date": Decimal(7)}) == 8


def test_numbers_from_careless_callers_are_exact() -> None:
    assert parse("a + b.c").evaluate({"a": 0.1, "b": {"c": 1}}) == Decimal("1.1")
