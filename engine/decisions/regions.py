"""The regions into which the cells of a column cut its values, one witness for each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from lark import Tree

from engine.decisions.items import Item, Items
from engine.decisions.tables import Input, Table
from engine.decisions.texts import UnreadableTests
from engine.expressions.budget import Budget, ExpressionError
from engine.expressions.comparison import kind
from engine.expressions.feel import UnaryTests, parse
from engine.expressions.scope import Run, Scope
from engine.temporal import YearsMonths
from engine.values import Value

LITERALS = frozenset({"number", "string", "at", "true", "false", "null"})
MADE = frozenset({"date", "date and time", "duration"})
TRANSPARENT = frozenset(
    {"cell", "cell_not", "comparison", "range", "group", "half_range", "list", "conjunction", "disjunction"}
) | {"compare", "in_", "in_list", "between"}
OTHER_TEXT = "…"


class Unclear(Exception):
    """The column tests more than literals, so its regions are not known."""


def witnesses(table: Table, place: int, items: Items) -> list[Value]:
    """One value out of each region of an input column; [None] for a column that tests nothing.

    Raises Unclear for cells that call functions, read other variables, or mix kinds of values.
    """
    column = table.inputs[place]
    cells = [rule.tests[place] for rule in table.rules]
    allowed = [*limits(column, items)]
    mentioned = [value for cell in (*cells, *allowed) for value in constants_of(cell)]
    constants = [value for value in mentioned if value is not None]
    if not constants:
        if any(cell.text != "-" for cell in cells):
            raise Unclear
        return [None]
    found = _spread(_distinct(constants), is_listed=bool(allowed))
    kept = [value for value in found if all(_admits(limit, value) for limit in allowed)]
    return [*kept, None] if len(constants) < len(mentioned) else kept


def limits(column: Input, items: Items) -> Iterator[UnaryTests]:
    """The allowed values of the column and of its type."""
    if column.allowed is not None:
        yield column.allowed
    item: Item | None = column.item
    for _ in range(10):
        if item is None or item.is_list:
            return
        if item.allowed is not None:
            yield item.allowed
        item = items.items.get(item.refers_to)


def _admits(tests: UnaryTests, value: Value) -> bool:
    return tests.matches(value, {}) is True


def constants_of(cell: UnaryTests) -> list[Value]:
    """The values a cell compares with, null among them. Raises Unclear."""
    if cell.text == "-":
        return []
    if isinstance(cell, UnreadableTests) or cell.names or cell.filter_names or cell.calls:
        raise Unclear
    return list(_constants(cell.tree, cell.text))


def _constants(node: Any, text: str) -> Iterator[Value]:
    if (
        node.data in LITERALS
        or _is_made(node)
        or (node.data == "negative" and node.children[1].data == "number")
    ):
        yield value_of(node, text)
    elif node.data == "name":
        if str(node.children[0]) != "?":
            raise Unclear
    elif node.data in TRANSPARENT:
        _refuse_order_of_texts(node)
        for inner in node.children:
            if isinstance(inner, Tree):
                yield from _constants(inner, text)
    else:
        raise Unclear


def _refuse_order_of_texts(node: Any) -> None:
    """Between two texts there is always another: texts are only told apart, not ordered."""
    signs = [
        child for child in node.children if not isinstance(child, Tree) and child.type in ("LT", "GT", "CMP")
    ]
    is_ordering = node.data in ("range", "between") or any(sign not in ("=", "!=") for sign in signs)
    if is_ordering and any(isinstance(c, Tree) and c.data == "string" for c in node.children):
        raise Unclear


def _is_made(node: Any) -> bool:
    if (
        node.data != "call"
        or node.children[0].data != "name"
        or str(node.children[0].children[0]) not in MADE
    ):
        return False
    return all(part.data in LITERALS for part in node.children[1:] if isinstance(part, Tree))


def value_of(node: Any, text: str) -> Value:
    """The value of a literal in `text`. Raises Unclear."""
    try:
        return parse(text[node.meta.start_pos : node.meta.end_pos]).evaluate({})
    except ExpressionError:
        raise Unclear from None


def _distinct(values: Iterable[Value]) -> list[Value]:
    found: list[Value] = []
    for value in values:
        if value not in found:
            found.append(value)
    return found


def _spread(constants: Sequence[Value], *, is_listed: bool) -> list[Value]:
    """The constants, and one value between, before and after them."""
    kinds = {kind(value) for value in constants}
    if len(kinds) > 1:
        raise Unclear
    match constants[0]:
        case bool():
            return [True, False]
        case str():
            return [*constants, *([] if is_listed else [OTHER_TEXT])]
        case datetime():
            return _ordered(constants, timedelta(hours=1))
        case date():
            return _ordered(constants, timedelta(days=1))
        case Decimal():
            return _ordered(constants, Decimal(1))
        case timedelta():
            return _ordered(constants, timedelta(hours=1))
        case YearsMonths():
            months = _ordered([value.months for value in constants], 1)
            return [YearsMonths(each) for each in months]
    raise Unclear


def _ordered(constants: Sequence[Any], step: Any) -> list[Any]:
    try:
        ordered = sorted(constants)
        found = [ordered[0] - step]
        for low, high in zip(ordered, [*ordered[1:], None], strict=True):
            found.append(low)
            between = low + step if high is None else _middle(low, high)
            if between not in (low, high):
                found.append(between)
    except (TypeError, OverflowError):
        raise Unclear from None
    return found


def _middle(low: Any, high: Any) -> Any:
    distance = high - low
    return low + (distance // 2 if isinstance(distance, int | timedelta) else distance / 2)


def hits(cells: Sequence[UnaryTests], values: Sequence[Value]) -> list[int]:
    """For each value the set of the cells that match it, as bits."""
    scope = Scope({}, None, Run(Budget(), {}, None))
    return [
        sum(1 << n for n, cell in enumerate(cells) if cell.in_scope(value, scope) is True) for value in values
    ]
