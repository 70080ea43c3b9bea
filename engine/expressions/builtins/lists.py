"""List functions; positions count from 1, or from the end if negative."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import cmp_to_key

from engine.expressions.builtins.registry import builtin, whole
from engine.expressions.comparison import order, same
from engine.expressions.scope import Function, NullResult, Run
from engine.values import CONTEXT, Value

Items = list[Value]


def _paid(run: Run, items: Items) -> Items:
    run.budget.check_list(len(items))
    return items


def _numbers(run: Run, items: Sequence[Value]) -> list[Decimal]:
    run.budget.spend(len(items))
    if not all(isinstance(item, Decimal) for item in items):
        raise NullResult("every item must be a number")
    return list(items)


def _spread(arguments: tuple[Value, ...]) -> Sequence[Value]:
    """`f([1, 2])` and `f(1, 2)` are the same."""
    return arguments[0] if len(arguments) == 1 and isinstance(arguments[0], list) else arguments


def _place(position: Decimal, size: int) -> int:
    place = whole(position, "the position")
    if place == 0 or abs(place) > size:
        raise NullResult("the position is outside the list")
    return place - 1 if place > 0 else size + place


@builtin("list contains", "list: list, element: any")
def _list_contains(run: Run, items: Items, element: Value) -> Value:
    return any(same(item, element, run) for item in _paid(run, items))


@builtin("count", "list: list")
def _count(_run: Run, items: Items) -> Value:
    return Decimal(len(items))


def _extreme(run: Run, items: Sequence[Value], sign: int) -> Value:
    run.budget.spend(len(items))
    best: Value = None
    for place, item in enumerate(items):
        rank = order(item, item if place == 0 else best, run)
        if rank is None:
            raise NullResult("the items cannot be compared")
        if place == 0 or rank * sign > 0:
            best = item
    return best


@builtin("min", "list: list")
def _minimum_of_list(run: Run, items: Items) -> Value:
    return _extreme(run, items, -1)


@builtin("min", "*c: any")
def _minimum(run: Run, *items: Value) -> Value:
    return _extreme(run, items, -1)


@builtin("max", "list: list")
def _maximum_of_list(run: Run, items: Items) -> Value:
    return _extreme(run, items, 1)


@builtin("max", "*c: any")
def _maximum(run: Run, *items: Value) -> Value:
    return _extreme(run, items, 1)


def _sum(numbers: list[Decimal]) -> Decimal:
    total = Decimal(0)
    for number in numbers:
        total = CONTEXT.add(total, number)
    return total


def _mean(numbers: list[Decimal]) -> Decimal:
    return CONTEXT.divide(_sum(numbers), Decimal(len(numbers)))


def _declare_over_numbers(name: str, work: object) -> None:
    if not callable(work):
        raise TypeError(name)

    def over(run: Run, *items: Value) -> Value:
        numbers = _numbers(run, _spread(items))
        if not numbers:
            raise NullResult("the list is empty")
        return work(numbers)

    builtin(name, "list: list")(over)
    builtin(name, "*n: any")(over)


def _product(numbers: list[Decimal]) -> Decimal:
    total = Decimal(1)
    for number in numbers:
        total = CONTEXT.multiply(total, number)
    return total


def _median(numbers: list[Decimal]) -> Decimal:
    ordered, middle = sorted(numbers), len(numbers) // 2
    return ordered[middle] if len(numbers) % 2 else _mean(ordered[middle - 1 : middle + 1])


def _deviation(numbers: list[Decimal]) -> Decimal:
    if len(numbers) < 2:
        raise NullResult("one number has no deviation")
    mean = _mean(numbers)
    squares = [CONTEXT.power(CONTEXT.subtract(number, mean), 2) for number in numbers]
    return CONTEXT.sqrt(CONTEXT.divide(_sum(squares), Decimal(len(numbers) - 1)))


_declare_over_numbers("sum", _sum)
_declare_over_numbers("mean", _mean)
_declare_over_numbers("product", _product)
_declare_over_numbers("median", _median)
_declare_over_numbers("stddev", _deviation)


def _mode(run: Run, *items: Value) -> Value:
    times: dict[Decimal, int] = {}
    for number in _numbers(run, _spread(items)):
        times[number] = times.get(number, 0) + 1
    most = max(times.values(), default=0)
    return sorted(number for number, often in times.items() if often == most)


builtin("mode", "list: list")(_mode)
builtin("mode", "*n: any")(_mode)


def _truths(run: Run, items: Sequence[Value]) -> list[Value]:
    run.budget.spend(len(items))
    return [item if isinstance(item, bool) else None for item in items]


def _all(run: Run, *items: Value) -> Value:
    truths = _truths(run, _spread(items))
    return False if False in truths else None if None in truths else True


def _any(run: Run, *items: Value) -> Value:
    truths = _truths(run, _spread(items))
    return True if True in truths else None if None in truths else False


for _name, _body in {"all": _all, "any": _any}.items():
    builtin(_name, "list: list")(_body)
    builtin(_name, "*b: any")(_body)


@builtin("sublist", "list: list, start position: number, length?: number?")
def _sublist(run: Run, items: Items, start: Decimal, length: Decimal | None = None) -> Value:
    first = _place(start, len(items))
    if length is None:
        return _paid(run, items[first:])
    if length < 1 or first + length > len(items):
        raise NullResult("the length goes beyond the list")
    return _paid(run, items[first : first + whole(length, "the length")])


@builtin("append", "list: list?, *item: any")
def _append(run: Run, items: Items | None, *more: Value) -> Value:
    return _paid(run, [*(items if items is not None else [None]), *more])


@builtin("concatenate", "*list: list")
def _concatenate(run: Run, *lists: Items) -> Value:
    run.budget.check_list(sum(map(len, lists)))
    return [item for items in lists for item in items]


@builtin("insert before", "list: list, position: number, newItem: any")
def _insert_before(run: Run, items: Items, position: Decimal, item: Value) -> Value:
    place = _place(position, len(items))
    return _paid(run, [*items[:place], item, *items[place:]])


@builtin("remove", "list: list, position: number")
def _remove(run: Run, items: Items, position: Decimal) -> Value:
    place = _place(position, len(items))
    return _paid(run, [*items[:place], *items[place + 1 :]])


@builtin("list replace", "list: list, position: number, newItem: any")
def _list_replace(run: Run, items: Items, position: Decimal, item: Value) -> Value:
    place = _place(position, len(items))
    return _paid(run, [*items[:place], item, *items[place + 1 :]])


@builtin("list replace", "list: list, match: function, newItem: any")
def _list_replace_where(run: Run, items: Items, match: Function, new: Value) -> Value:
    if len(match.parameters) != 2:
        raise NullResult("the function needs two parameters")
    answers = [match.call([item, new], run) for item in _paid(run, items)]
    if not all(isinstance(answer, bool) for answer in answers):
        raise NullResult("the function must answer true or false")
    return [new if answer else item for item, answer in zip(items, answers, strict=True)]


@builtin("reverse", "list: list")
def _reverse(run: Run, items: Items) -> Value:
    return _paid(run, items[::-1])


@builtin("index of", "list: list, match: any")
def _index_of(run: Run, items: Items, match: Value) -> Value:
    return [Decimal(n) for n, item in enumerate(_paid(run, items), start=1) if same(item, match, run)]


def _distinct(run: Run, items: Sequence[Value]) -> Items:
    found: Items = []
    for item in items:
        run.budget.spend(len(found) + 1)
        if not any(same(item, other, run) for other in found):
            found.append(item)
    return found


@builtin("union", "*list: list")
def _union(run: Run, *lists: Items) -> Value:
    return _distinct(run, _concatenate(run, *lists))


@builtin("distinct values", "list: list")
def _distinct_values(run: Run, items: Items) -> Value:
    return _distinct(run, items)


@builtin("flatten", "list: list")
def _flatten(run: Run, items: Items) -> Value:
    flat: Items = []
    for item in items:
        run.budget.spend(1)
        flat.extend(_flatten(run, item) if isinstance(item, list) else [item])
        if len(flat) > run.budget.list_size:
            run.budget.check_list(len(flat))
    return flat


@builtin("sort", "list: list, precedes?: function")
def _sort(run: Run, items: Items, precedes: Function | None = None) -> Value:
    if precedes is not None and len(precedes.parameters) != 2:
        raise NullResult("the function needs two parameters")

    def compare(left: Value, right: Value) -> int:
        if precedes is not None:
            return -1 if _precedes(precedes, left, right, run) else _precedes(precedes, right, left, run)
        run.budget.spend(1)
        rank = order(left, right, run)
        if rank is None:
            raise NullResult("the items cannot be compared")
        return rank

    return sorted(_paid(run, items), key=cmp_to_key(compare))


def _precedes(precedes: Function, left: Value, right: Value, run: Run) -> int:
    answer = precedes.call([left, right], run)
    if not isinstance(answer, bool):
        raise NullResult("the function must answer true or false")
    return int(answer)
