"""What stands behind a dot: entries of contexts, parts of dates, ends of ranges."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from engine.expressions.comparison import kind
from engine.expressions.scope import Range, Run
from engine.expressions.wide import (
    NANO,
    AnyMoment,
    AnySpan,
    AnyTime,
    WideDate,
    WideMoment,
    WideSpan,
    WideTime,
    clock_of,
    date_of,
    nanosecond_of,
    nanoseconds_of,
    offset_of,
    twin_of,
)
from engine.temporal import YearsMonths
from engine.values import Value


def property_of(value: Value, name: str, run: Run) -> Value:
    """`value.name`; of a list, the list of each item's; null where there is no such thing."""
    if isinstance(value, dict):
        if name in value:
            return value[name]
        return run.null(f"there is no entry {name!r}")
    if isinstance(value, list):
        run.budget.check_list(len(value))
        return [property_of(item, name, run) for item in value]
    return _part(value, name, run)


def _part(value: Value, name: str, run: Run) -> Value:
    for types, parts in PARTS:
        if isinstance(value, types) and name in parts:
            found = parts[name](value)
            return Decimal(found) if type(found) is int else found
    return None if value is None else run.null(f"a {kind(value)} has no {name!r}")


def _timezone(value: AnyMoment | AnyTime) -> str | None:
    return value.tzinfo.key if isinstance(value.tzinfo, ZoneInfo) else None


def _split(value: AnySpan) -> tuple[int, int, int, int]:
    """Days, hours, minutes, nanoseconds of the last minute; all negative for a negative span."""
    length = nanoseconds_of(value)
    minutes, rest = divmod(abs(length), 60 * NANO)
    hours, minutes = divmod(minutes, 60)
    sign = -1 if length < 0 else 1
    return sign * (hours // 24), sign * (hours % 24), sign * minutes, sign * rest


def _seconds(value: AnySpan) -> Decimal:
    return Decimal(_split(value)[3]) / NANO


def _second(value: AnyMoment | AnyTime) -> Decimal:
    clock = clock_of(value)
    return clock.second + Decimal(nanosecond_of(clock)) / NANO


def _years(value: YearsMonths) -> int:
    return int(value.months / 12)


Parts = dict[str, Callable[..., object]]
_DATE: Parts = {
    "year": lambda v: date_of(v).year,
    "month": lambda v: date_of(v).month,
    "day": lambda v: date_of(v).day,
    "weekday": lambda v: twin_of(v).isoweekday(),
}
_TIME: Parts = {
    "hour": lambda v: clock_of(v).hour,
    "minute": lambda v: clock_of(v).minute,
    "second": _second,
    "time offset": offset_of,
    "timezone": _timezone,
}
PARTS: tuple[tuple[type | tuple[type, ...], Parts], ...] = (
    ((date, WideDate, WideMoment), _DATE),
    ((datetime, time, WideMoment, WideTime), _TIME),
    (
        (timedelta, WideSpan),
        {
            "days": lambda v: _split(v)[0],
            "hours": lambda v: _split(v)[1],
            "minutes": lambda v: _split(v)[2],
            "seconds": _seconds,
        },
    ),
    (YearsMonths, {"years": _years, "months": lambda v: v.months - 12 * _years(v)}),
    (
        Range,
        {
            "start": lambda v: v.start,
            "end": lambda v: v.end,
            "start included": lambda v: v.start_included,
            "end included": lambda v: v.end_included,
        },
    ),
)
