"""The page about FEEL lists the functions, the limits and the errors that there are."""

from __future__ import annotations

import re

from engine import values
from engine.decisions import check as decision_check
from engine.execution import asking
from engine.expressions import budget, compiler, feel, lexer, regex, wide
from engine.expressions.builtins.registry import BUILTINS, Builtin
from tests.house import tree
from workflows.library import typed_json

PAGE = (tree.ROOT / "docs/feel.md").read_text(encoding="utf-8")
LIMITS = {
    "syntax.size": (lexer.MAX_TEXT, lexer.MAX_TOKENS),
    "syntax.depth": (lexer.MAX_NESTING, compiler.MAX_DEPTH),
    "budget.steps": (budget.STEPS,),
    "budget.depth": (budget.DEPTH,),
    "budget.list": (budget.LIST_SIZE,),
    "budget.text": (budget.TEXT_SIZE,),
    "null (pattern)": (regex.MAX_PATTERN,),
    "null (number)": (values.DIGITS, values.MAX_EXPONENT),
    "null (year)": (wide.MAX_YEAR,),
    "temporal.range": (wide.DECIMALS,),
    "calendar.range": (asking.MOST_DAYS,),
    "VALUE_SIZE": (typed_json.MAX_VALUES, typed_json.MAX_LEVELS),
    "not analysed": (decision_check.MAX_COMBINATIONS, decision_check.MAX_FINDINGS),
}
MARK = re.compile(r'ExpressionError\(\s*f?"([a-z]+(?:[.-][a-z]+)*)')


def signature(form: Builtin) -> str:
    """`sublist(list, start position, length?)`, with … before what may be repeated."""
    parts = [
        "…" * parameter.is_variadic + parameter.name + "?" * parameter.is_optional
        for parameter in form.parameters
    ]
    return f"{form.name}({', '.join(parts)})"


def test_every_function_stands_in_the_page_with_its_parameters_and_no_other() -> None:
    assert feel.ROOMS
    wanted = {signature(form) for forms in BUILTINS.values() for form in forms}
    section = PAGE[PAGE.index("## Functions") : PAGE.index("## Functions of ours")]

    assert set(re.findall(r"`([a-z][a-z ]*\([^`]*\))`", section)) == wanted


def test_the_functions_of_ours_are_those_the_check_knows() -> None:
    section = PAGE[PAGE.index("## Functions of ours") : PAGE.index("## Limits")]

    assert set(re.findall(r"^\| `([a-z ]+)\(", section, re.MULTILINE)) == decision_check.HOST_FUNCTIONS


def test_every_limit_stands_in_the_page_with_its_number() -> None:
    rows = {
        row.split("|")[3].strip(" `"): row.split("|")[2]
        for row in PAGE[PAGE.index("## Limits") :].splitlines()
        if row.startswith("|") and row.count("|") == 4
    }

    for name, numbers in LIMITS.items():
        told = re.sub(r"(?<=\d),(?=\d)", "", rows[name])
        assert [n for n in map(str, numbers) if not re.search(rf"\b{n}\b", told)] == [], name


def test_every_error_that_an_expression_can_raise_is_named_in_the_page() -> None:
    folders = ("engine/expressions", "engine/decisions", "engine/execution")
    texts = [path.read_text(encoding="utf-8") for one in folders for path in (tree.ROOT / one).rglob("*.py")]
    raised = {name for text in texts for name in MARK.findall(text)}

    assert {name for name in raised if f"`{name}" not in PAGE} == set()
