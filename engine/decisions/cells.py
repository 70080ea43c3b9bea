"""Single cells and rows: values their columns cannot have, columns nobody tests, rows written twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lark import Tree

from engine.decisions.items import Item, Items
from engine.decisions.regions import Unclear, constants_of, limits, value_of
from engine.decisions.tables import Input, Output, Rule, Table
from engine.decisions.texts import UnreadableExpression, UnreadableTests
from engine.errors import Problem
from engine.expressions.budget import Budget, ExpressionError
from engine.expressions.comparison import kind
from engine.expressions.feel import Expression, UnaryTests
from engine.expressions.scope import Run, literal
from engine.expressions.types import ANY, coerce
from engine.values import Value


def finding(element: str, rule: str, severity: str, message: str, message_zh: str) -> Problem:
    """A finding of the check."""
    return Problem(element=element, rule=rule, severity=severity, message=message, message_zh=message_zh)


def check_cells(table: Table, items: Items) -> Iterator[Problem]:
    """As errors literals of another type than their column and outputs that are not allowed; as warnings
    literals among which an input never is, inputs that no rule tests, rules written twice."""
    for rule in table.rules:
        for column, cell in zip(table.inputs, rule.tests, strict=True):
            yield from _input_cell(rule, column, cell, items)
        for output, expression in zip(table.outputs, rule.results, strict=True):
            if not (isinstance(expression, UnreadableExpression) or expression.names or expression.calls):
                yield from _output_cell(rule, output, expression, items)
    yield from _untested(table)
    yield from _twice(table)


def _input_cell(rule: Rule, column: Input, cell: UnaryTests, items: Items) -> Iterator[Problem]:
    if isinstance(cell, UnreadableTests):
        return
    wrong = [value for value in _mentioned(cell) if not _is_of_type(value, column.item, items)]
    for value in wrong[:1]:
        wanted = column.item.name if column.item else ""
        yield finding(
            rule.id,
            "dmn.cell-type",
            "error",
            f"{literal(value)} is a {kind(value)}; input {column.label!r} is a {wanted}",
            f"{literal(value)} 的类型与输入“{column.label}”的类型 {wanted} 不符",
        )
    if wrong:
        return
    for value in _wanted(cell):
        if not all(limit.matches(value, {}) is True for limit in limits(column, items)):
            yield finding(
                rule.id,
                "dmn.cell-value",
                "warning",
                f"{literal(value)} is not among the allowed values of input {column.label!r}",
                f"{literal(value)} 不在输入“{column.label}”的允许值之内",
            )


def _mentioned(cell: UnaryTests) -> list[Value]:
    """What the cell compares its input with; `true` may stand for itself, null for any type."""
    try:
        found = constants_of(cell)
    except Unclear:
        return []
    return [value for value in found if value is not None and not isinstance(value, bool)]


def _is_of_type(value: Value, item: Item | None, items: Items) -> bool:
    return item is None or items.type_of(item).name in ("Any", "list", kind(value))


def _wanted(cell: UnaryTests) -> Iterator[Value]:
    """The literals that the input must be equal to, in a cell such as `"a", "b"`."""
    if cell.text == "-" or cell.names or cell.filter_names or cell.calls:
        return
    nodes: list[Any] = [node for node in cell.tree.children if isinstance(node, Tree)]
    for node in nodes if cell.tree.data == "cell" else []:
        if node.data in ("string", "number", "at"):
            yield value_of(node, cell.text)


def _output_cell(rule: Rule, output: Output, expression: Expression, items: Items) -> Iterator[Problem]:
    wanted = items.type_of(output.item) if output.item else ANY
    try:
        value = expression.evaluate({})
        run = Run(Budget(), {}, None)
        is_of_type = coerce(value, wanted, run)[0]
        fits, fitted = items.fit(value, output.item, run)
    except ExpressionError:
        return
    if not is_of_type:
        yield finding(
            rule.id,
            "dmn.cell-type",
            "error",
            f"{literal(value)} is a {kind(value)}; output {output.name!r} is a {wanted.name}",
            f"{literal(value)} 的类型与输出“{output.name}”的类型 {wanted.name} 不符",
        )
    elif not fits or not _is_allowed(fitted, output.allowed):
        yield finding(
            rule.id,
            "dmn.output",
            "error",
            f"{literal(value)} is not among the allowed values of {output.name!r}",
            f"{literal(value)} 不在输出“{output.name}”的允许值之内",
        )


def _is_allowed(value: Value, allowed: UnaryTests | None) -> bool:
    values = value if isinstance(value, list) else [value]
    return allowed is None or value is None or all(allowed.matches(each, {}) is True for each in values)


def _untested(table: Table) -> Iterator[Problem]:
    for place, column in enumerate(table.inputs):
        if table.rules and all(rule.tests[place].text == "-" for rule in table.rules):
            yield finding(
                column.id,
                "dmn.untested",
                "warning",
                f"no rule tests input {column.label!r}",
                f"没有规则判断输入“{column.label}”",
            )


def _twice(table: Table) -> Iterator[Problem]:
    first: dict[tuple[str, ...], Rule] = {}
    for rule in table.rules:
        texts = tuple("".join(cell.text.split()) for cell in (*rule.tests, *rule.results))
        earlier = first.setdefault(texts, rule)
        if earlier is not rule:
            yield finding(
                rule.id,
                "dmn.twice",
                "warning",
                f"the rule repeats rule {earlier.id}",
                f"规则与规则 {earlier.id} 重复",
            )
