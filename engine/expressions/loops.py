"""Everything that runs once for each item: for, some, every and filters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from engine.expressions.comparison import SIMPLE, kind, order
from engine.expressions.scope import Range, Run, Scope
from engine.expressions.wide import day_of, ordinal
from engine.values import Value

Code = Callable[[Scope], Value]
COPIED_IN_A_STEP = 100


@dataclass(frozen=True)
class Iteration:
    """`name in source`, or `name in source..end`."""

    name: str
    source: Code
    end: Code | None = None


class _NoDomain(Exception):
    """There is nothing to go through: the whole loop is null."""


class _Partial(dict[str, Value]):
    """The name `partial`: each time the results so far, in a list of their own."""

    def __init__(self, results: list[Value], run: Run) -> None:
        super().__init__(partial=results)
        self.run = run

    def __getitem__(self, name: str) -> Value:
        results: list[Value] = super().__getitem__(name)
        self.run.budget.spend(len(results) // COPIED_IN_A_STEP)
        return list(results)


def for_each(iterations: Sequence[Iteration], body: Code, size: int) -> Code:
    """`for x in xs, y in ys return body`; `partial` holds the results so far."""

    def loop(scope: Scope) -> Value:
        budget, results = scope.run.budget, list[Value]()
        try:
            for inner in _turns(iterations, Scope(_Partial(results, scope.run), scope, scope.run)):
                budget.spend(size)
                results.append(body(inner))
                if len(results) > budget.list_size:
                    budget.check_list(len(results))
        except _NoDomain as nothing:
            return scope.run.null(str(nothing))
        return results

    return loop


def quantified(iterations: Sequence[Iteration], body: Code, size: int, *, until: bool) -> Code:
    """`some` stops at the first true, `every` at the first false; nulls make the answer null."""

    def loop(scope: Scope) -> Value:
        is_certain = True
        try:
            for inner in _turns(iterations, scope):
                scope.run.budget.spend(size)
                truth = body(inner)
                if truth is until:
                    return until
                is_certain = is_certain and isinstance(truth, bool)
        except _NoDomain as nothing:
            return scope.run.null(str(nothing))
        return (not until) if is_certain else None

    return loop


def _turns(iterations: Sequence[Iteration], scope: Scope) -> Iterator[Scope]:
    first, rest = iterations[0], iterations[1:]
    for item in _domain(first, scope):
        scope.run.budget.spend(1)
        inner = Scope({first.name: item}, scope, scope.run)
        if rest:
            yield from _turns(rest, inner)
        else:
            yield inner


def _domain(iteration: Iteration, scope: Scope) -> Iterator[Value] | Sequence[Value]:
    source = iteration.source(scope)
    if iteration.end is not None:
        return _steps(source, iteration.end(scope))
    if isinstance(source, list):
        return list(source)
    if isinstance(source, Range):
        return _inside(source, scope.run)
    if source is None:
        raise _NoDomain("null cannot be gone through")
    return [source]


def _steps(start: Value, end: Value) -> Iterator[Value]:
    """Whole numbers or days from one to the other, both included, up or down."""
    if isinstance(start, Decimal) and isinstance(end, Decimal):
        if start != start.to_integral_value() or end != end.to_integral_value():
            raise _NoDomain("a loop counts in whole numbers")
        return _count(int(start), int(end))
    if kind(start) == kind(end) == "date":
        return (day_of(int(number)) for number in _count(ordinal(start), ordinal(end)))
    raise _NoDomain("a loop counts numbers or days")


def _count(start: int, end: int) -> Iterator[Value]:
    step = 1 if start <= end else -1
    return (Decimal(number) for number in range(start, end + step, step))


def _inside(span: Range, run: Run) -> Iterator[Value]:
    def is_end(value: Value) -> bool:
        at_start = not span.start_included and order(value, span.start, run) == 0
        return at_start or (not span.end_included and order(value, span.end, run) == 0)

    if span.test:
        raise _NoDomain("a loop counts numbers or days")
    return (value for value in _steps(span.start, span.end) if not is_end(value))


def at_index(source: Code, index: Decimal) -> Code:
    """`list[2]`"""

    def pick(scope: Scope) -> Value:
        value = source(scope)
        return item_at(value if isinstance(value, list) else [value], index, scope.run)

    return pick


def item_at(items: list[Value], index: Decimal, run: Run) -> Value:
    """The item at a position from 1, or from the end if negative; null outside."""
    if index != index.to_integral_value() or not 1 <= abs(index) <= len(items):
        return run.null(f"there is no item {index}")
    return items[int(index) - 1 if index > 0 else int(index)]


@dataclass(frozen=True)
class Sought:
    """`item.entry = path`, the commonest condition of a filter. `path` are names, as in `row.no`."""

    entry: str
    path: tuple[str, ...]

    def value(self, scope: Scope) -> Value:
        """The text, number or boolean at `path`, and None for everything less simple."""
        inner: Scope | None = scope
        while inner is not None and self.path[0] not in inner.names:
            inner = inner.parent
        value: Value = None if inner is None else inner.names
        for name in self.path:
            if type(value) is not dict or name not in value:
                return None
            value = value[name]
        return value if type(value) in SIMPLE else None


def filtered(source: Code, condition: Code, size: int, sought: Sought | None = None) -> Code:
    """`list[condition]`: `item` is the item, and a context's entries are names as well. `sought` says the
    condition again, if it is as simple as that."""

    def sift(scope: Scope) -> Value:
        value = source(scope)
        if value is None:
            return []
        items = value if isinstance(value, list) else [value]
        return sift_items(items, condition, size, scope, sought)

    return sift


def sift_items(
    items: list[Value], condition: Code, size: int, scope: Scope, sought: Sought | None = None
) -> Value:
    """The items for which `condition` is true; a number picks one item instead.

    What is sought is looked up once, and compared with items whose entries hide none of its names.
    """
    kept: list[Value] = []
    run, budget = scope.run, scope.run.budget
    wanted = None if sought is None else sought.value(scope)
    entry, root = (sought.entry, sought.path[0]) if sought else ("", "")
    for item in items:
        budget.steps -= size
        if budget.steps < 0:
            budget.spend(0)
        if wanted is not None and type(item) is dict and not (root in item or "item" in item):
            found = item.get(entry)
            if type(found) is type(wanted):
                if found == wanted:
                    kept.append(item)
                continue
        truth = condition(_at_item(item, scope))
        if truth is True:
            kept.append(item)
        elif isinstance(truth, Decimal):
            return item_at(items, truth, run)
        elif truth is not False and truth is not None:
            return run.null("a filter must be true, false or a number")
    return kept


def _at_item(item: Value, scope: Scope) -> Scope:
    inner = Scope({"item": item}, scope, scope.run)
    return Scope(item, inner, scope.run) if isinstance(item, dict) else inner
