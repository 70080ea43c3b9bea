"""What an expression must never do, said exactly; the table of adversaries tries the texts everywhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from engine.expressions.budget import Budget, ExpressionError
from engine.expressions.feel import parse
from tests.adversaries.expressions import BOMBS, CHEAP, LARGE, PYTHON


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


@pytest.mark.parametrize("case", LARGE)
def test_a_text_too_large_is_refused_by_name(case: str) -> None:
    text = LARGE[case]
    started = time.process_time()

    with pytest.raises(ExpressionError) as refusal:
        parse(text)

    assert refusal.value.name in ("syntax", "syntax.size", "syntax.depth")
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
