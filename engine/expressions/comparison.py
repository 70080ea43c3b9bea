"""Which values are equal, which comes first, and which lie within which."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from engine.expressions.scope import Function, Range, Run
from engine.expressions.wide import WIDE, WideDate, WideMoment, WideSpan, WideTime, key
from engine.temporal import YearsMonths
from engine.values import Value

SIMPLE = frozenset({str, Decimal, bool})
"""Values of the same of these types are equal as Python says."""
FIRST = datetime.min.replace(tzinfo=UTC)
KINDS: dict[type, str] = {
    type(None): "null",
    bool: "boolean",
    Decimal: "number",
    int: "number",
    float: "number",
    str: "string",
    datetime: "date and time",
    date: "date",
    time: "time",
    timedelta: "days and time duration",
    YearsMonths: "years and months duration",
    WideDate: "date",
    WideTime: "time",
    WideMoment: "date and time",
    WideSpan: "days and time duration",
    list: "list",
    dict: "context",
    Range: "range",
    Function: "function",
}


def kind(value: Value) -> str:
    """FEEL's name for what a value is."""
    found = KINDS.get(type(value))
    if found is not None:
        return found
    return next((name for each, name in KINDS.items() if isinstance(value, each)), "nothing FEEL knows")


def equal(left: Value, right: Value, run: Run) -> bool | None:
    """FEEL's `=`: null is only equal to null; values of two kinds give null."""
    if left is None or right is None:
        return left is right
    what = kind(left)
    if what != kind(right):
        run.null(f"a {what} cannot be equal to a {kind(right)}")
        return None
    if type(left) in WIDE or type(right) in WIDE:
        return key(left) == key(right)
    match left:
        case list():
            return _equal_lists(left, right, run)
        case dict():
            return _equal_contexts(left, right, run)
        case datetime():
            return (left.tzinfo is None) == (right.tzinfo is None) and instant(left) == instant(right)
        case time():
            return _clock(left) == _clock(right)
        case Range():
            return _equal_ranges(left, right, run)
        case Function():
            return left is right
    return bool(left == right)


def _equal_lists(left: list[Value], right: list[Value], run: Run) -> bool:
    if len(left) != len(right):
        return False
    run.budget.spend(len(left))
    return all(same(a, b, run) for a, b in zip(left, right, strict=True))


def _equal_contexts(left: dict[str, Value], right: dict[str, Value], run: Run) -> bool:
    if left.keys() != right.keys():
        return False
    run.budget.spend(len(left))
    return all(same(left[key], right[key], run) for key in left)


def _equal_ranges(left: Range, right: Range, run: Run) -> bool:
    if (left.start_included, left.end_included) != (right.start_included, right.end_included):
        return False
    return same(left.start, right.start, run) and same(left.end, right.end, run)


def same(left: Value, right: Value, run: Run) -> bool:
    """Whether two values are equal, where different kinds are simply different."""
    what = type(left)
    if what is type(right) and what in SIMPLE:
        return bool(left == right)
    if left is None or right is None:
        return left is right
    return kind(left) == kind(right) and equal(left, right, run) is True


def instant(value: datetime) -> timedelta:
    """How long after the first of all moments: in UTC if zoned, else on its own clock."""
    return value.replace(tzinfo=UTC) - FIRST - (value.utcoffset() or timedelta())


def _clock(value: time) -> object:
    """A time of day so that equal ones are equal; a zone without a day cannot be turned into an offset."""
    if value.tzinfo is None or isinstance(value.tzinfo, ZoneInfo):
        zone = value.tzinfo.key if isinstance(value.tzinfo, ZoneInfo) else None
        return zone, value.replace(tzinfo=None)
    return "offset", _seconds(value)


def _seconds(value: time) -> timedelta:
    passed = timedelta(
        hours=value.hour, minutes=value.minute, seconds=value.second, microseconds=value.microsecond
    )
    return passed - (value.utcoffset() or timedelta())


def order(left: Value, right: Value, run: Run) -> int | None:
    """Below, at or above zero as `left` comes before, with or after `right`; None if they have no order."""
    if type(left) is not type(right):
        return _order_mixed(left, right, run)
    match left:
        case Decimal() | str() | timedelta() | YearsMonths():
            return _sign(left < right, left > right)
        case datetime():
            return _order_moments(left, right, run)
        case date():
            return _sign(left < right, left > right)
        case time():
            return _order_times(left, right, run)
    return _order_wide(left, right, run)


def _order_mixed(left: Value, right: Value, run: Run) -> int | None:
    number = (int, float, Decimal)
    if isinstance(left, number) and isinstance(right, number) and not isinstance(left, bool):
        return None if isinstance(right, bool) else _sign(left < right, left > right)
    return _order_wide(left, right, run)


def _order_wide(left: Value, right: Value, run: Run) -> int | None:
    if kind(left) != kind(right) or not {type(left), type(right)} & WIDE:
        return _no_order(left, right, run)
    one, other = key(left), key(right)
    return _sign(one[1] < other[1], one[1] > other[1]) if one[0] == other[0] else _no_order(left, right, run)


def _order_moments(left: datetime, right: datetime, run: Run) -> int | None:
    if (left.tzinfo is None) != (right.tzinfo is None):
        return _no_order(left, right, run)
    return _sign(instant(left) < instant(right), instant(left) > instant(right))


def _order_times(left: time, right: time, run: Run) -> int | None:
    one, other = _clock(left), _clock(right)
    if not (isinstance(one, tuple) and isinstance(other, tuple) and one[0] == other[0]):
        return _no_order(left, right, run)
    return _sign(one[1] < other[1], one[1] > other[1])


def _sign(is_before: bool, is_after: bool) -> int:
    return int(is_after) - int(is_before)


def _no_order(left: Value, right: Value, run: Run) -> int | None:
    if left is not None and right is not None:
        run.null(f"a {kind(left)} is neither before nor after a {kind(right)}")
    return None


def contains(span: Range, value: Value, run: Run) -> bool | None:
    """Whether `value` lies within `span`; None if that cannot be said."""
    if span.test == "!=":
        return negate(equal(value, span.start, run))
    if span.test == "=":
        return equal(value, span.start, run)
    low = True if span.test in ("<", "<=") else _beyond(value, span.start, span.start_included, run)
    if low is False:
        return False
    high = True if span.test in (">", ">=") else _beyond(span.end, value, span.end_included, run)
    return None if low is None and high is not False else high if low is not None else None


def _beyond(value: Value, mark: Value, is_included: bool, run: Run) -> bool | None:
    place = order(value, mark, run)
    if place is None:
        return None
    return place >= 0 if is_included else place > 0


def negate(truth: bool | None) -> bool | None:
    """FEEL's `not`: of null it is null."""
    return None if truth is None else not truth


def is_in(value: Value, target: Value, run: Run) -> bool | None:
    """FEEL's `in` for one target: a range that contains, a list that has, or an equal value."""
    if isinstance(target, Range):
        return contains(target, value, run)
    if not isinstance(target, list):
        return equal(value, target, run)
    run.budget.spend(len(target))
    if isinstance(value, list) and same(value, target, run):
        return True
    return any(_fits(value, item, run) for item in target)


def _fits(value: Value, item: Value, run: Run) -> bool:
    if isinstance(item, Range) and not isinstance(value, Range):
        return contains(item, value, run) is True
    return same(value, item, run)
