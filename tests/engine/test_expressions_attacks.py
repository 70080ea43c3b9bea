"""What an expression must never do: reach Python, hang, swallow memory, or leak what it was not given."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from engine.expressions.budget import Budget, ExpressionError
from engine.expressions.feel import parse, parse_unary

PYTHON = {
    "30 import": "__import__('os').system('id')",
    "30 import quoted": '__import__("os").system("id")',
    "31 subclasses": "().__class__.__base__.__subclasses__()",
    "31 subclasses of a text": '"".__class__.__mro__',
    "32 getattr": 'getattr("", "__cl" + "ass__")',
    "33 format": '"{0.__class__}".format("x")',
    "33 f-string": 'f"{1}"',
    "34 frames": "(for i in [1] return i).gi_frame.f_back",
    "36 attribute": "secret.obj.__dict__",
    "37 lambda": "lambda: 1",
    "37 walrus": "(a := 1)",
    "38 reduce": "[].append.__reduce_ex__(2)",
    "38 self": "print.__self__",
    "45 exit": "raise SystemExit",
    "47 builtins": "__builtins__",
    "48 environment": "os.environ",
    "48 globals": "count.__globals__",
    "49 open": 'open("/etc/passwd").read()',
    "49 eval": 'eval("1+1")',
    "49 external": '(function(a) external {java: {class: "Runtime", method signature: "exec()"}})(1)',
    "50 random": "random number()",
    "51 comment": 'name // "; import os"',
    "52 template": "{{7*7}}",
    "52 shell": "${7*7}",
}
BOMBS = {
    "39 endless recursion": "{f: function(x) f(x + 1), r: f(1)}.r",
    "41 long text": 'for i in 1..30 return if i = 1 then "aaaaaaaaaa" else partial[-1] + partial[-1]',
    "41 large list": "for i in 1..1000000000000 return i",
    "42 nested loops": "for a in 1..100000, b in 1..100000 return a * b",
    "42 nested quantifiers": "every a in 1..100000 satisfies every b in 1..100000 satisfies a + b > 0",
    "42 shared lists": "string(for i in 1..40 return if i = 1 then [1, 1] else [partial[-1], partial[-1]])",
    "43 mutual recursion": "{f: function(g, n) g(g, n) + g(g, n), r: f(f, 1)}.r",
    "44 sorting": "sort(for i in 1..20000 return modulo(i * 7919, 10007), function(a, b) a < b)",
    "42 shared lists told apart": "{f: function() for i in 1..40 return if i = 1 then [1] else"
    " [partial[-1], partial[-1]], r: is(f()[-1], f()[-1])}.r",
    "42 one list in many": "{xs: for i in 1..2000 return i, ys: for i in 1..2000 return xs,"
    " r: ys instance of list<list<number>>}.r",
    "42 all results so far": "for i in 1..100000 return count(partial)",
    "44 distinct": "distinct values(for i in 1..50000 return i)",
    "44 filter in filter": "(for i in 1..3000 return i)[count((for j in 1..3000 return j)[item > 1]) > 0]",
}
CHEAP = {
    "40 power tower": "9 ** 9 ** 9",
    "40 power tower to the right": "9 ** (9 ** (9 ** 9))",
    "40 large exponent": "exp(10 ** 30)",
    "40 root of a large number": "sqrt(10 ** 6000) ** 0.333",
    "44 nested quantifier": 'matches("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "(a+)+$")',
    "44 alternation": 'matches("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "(a|aa)+$")',
    "44 replace": 'replace("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "(a*)*c", "x")',
    "44 large repetition": 'matches("a", "((a{1000}){1000}){1000}")',
    "44 split": 'split("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "(a|a)*c")',
    "56 long duration": 'duration("P1000000000000000000000000000000Y")',
    "56 many days": '@"P999999999D" * 1000000',
    "41 scale": "decimal(1, 6000)",
}
TOO_LARGE = {
    "deep brackets": ("(" * 10_000 + "1" + ")" * 10_000, "syntax.depth"),
    "deep lists": ("[" * 10_000, "syntax.depth"),
    "deep minus": ("-" * 4_000 + "1", "syntax.depth"),
    "deep if": ("if true then 1 else " * 900 + "1", "syntax.depth"),
    "a megabyte": ("1 + " * 300_000 + "1", "syntax.size"),
    "NUL": (r'"\u0000"', "syntax"),
    "half a character": (r'"\uD83D"', "syntax"),
    "open comments": ("/* " * 30_000, "syntax"),
    "a key that never ends": ("{a" + " b" * 45_000, "syntax"),
    "many words": ("1 + " * 5_000 + "1", "syntax.size"),
}


def answer_of(question: Callable[[], Any]) -> Any:
    """The value, or the name of the error."""
    try:
        return question()
    except ExpressionError as error:
        return error.name


@pytest.mark.parametrize("attack", PYTHON)
def test_python_is_out_of_reach(attack: str) -> None:
    """Refused, or null: never a value that came from anywhere but the variables."""
    answer = answer_of(lambda: parse(PYTHON[attack]).evaluate({"secret": Decimal(1), "name": None}))

    assert answer in ("syntax", "function.external", None, [], [None])


@pytest.mark.parametrize("attack", PYTHON)
def test_python_is_out_of_reach_in_cells(attack: str) -> None:
    answer = answer_of(lambda: parse_unary(PYTHON[attack]).matches("x", {"secret": Decimal(1), "name": None}))

    assert answer in ("syntax", "function.external", None, False)


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_ends_with_a_name_and_soon(bomb: str) -> None:
    started = time.process_time()

    with pytest.raises(ExpressionError) as stop:
        parse(BOMBS[bomb]).evaluate({})

    assert stop.value.name.startswith("budget.")
    assert time.process_time() - started < 5


@pytest.mark.parametrize("text", CHEAP)
def test_what_looks_like_a_bomb_costs_nothing(text: str) -> None:
    started = time.process_time()

    answer = answer_of(lambda: parse(CHEAP[text]).evaluate({}))

    assert not str(answer).startswith(("budget", "syntax"))
    assert time.process_time() - started < 1


@pytest.mark.parametrize("case", TOO_LARGE)
def test_a_text_too_large_is_refused_by_name(case: str) -> None:
    text, name = TOO_LARGE[case]
    started = time.process_time()

    with pytest.raises(ExpressionError) as refusal:
        parse(text)

    assert refusal.value.name == name
    assert time.process_time() - started < 3


def test_data_stay_data() -> None:
    """43, 51, 52: no text out of the variables is ever read as an expression."""
    nasty = {"a": '"; import os', "b": "{{config}}", "c": "1 + 1", "__class__": "mine"}

    assert parse("[a, b, c, __class__]").evaluate(nasty) == ['"; import os', "{{config}}", "1 + 1", "mine"]
    assert parse("range(c)").evaluate(nasty) is None


def test_names_of_python_objects_are_only_names() -> None:
    class Trap:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError(name)

    assert parse("trap.secret").evaluate({"trap": Trap()}) is None
    assert parse("trap = 1 or trap < 1").evaluate({"trap": Trap()}) is None


def test_the_variables_are_not_changed() -> None:
    variables = {"xs": [Decimal(2), Decimal(1)], "c": {"a": Decimal(1)}}

    parse('[sort(xs), append(xs, 3), context put(c, "a", 2), concatenate(xs, xs), reverse(xs)]').evaluate(
        variables
    )

    assert variables == {"xs": [Decimal(2), Decimal(1)], "c": {"a": Decimal(1)}}


def test_one_budget_serves_many_evaluations() -> None:
    budget = Budget(steps=1_000)

    with pytest.raises(ExpressionError, match=r"budget\.steps"):
        [parse("for i in 1..50 return i").evaluate({}, budget=budget) for _ in range(100)]
