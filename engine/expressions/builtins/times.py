"""Dates, times and durations: made from texts and parts, and taken apart."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal

from engine.expressions.budget import ExpressionError
from engine.expressions.builtins.registry import builtin, whole
from engine.expressions.comparison import kind, same
from engine.expressions.scope import NullResult, Run
from engine.expressions.wide import (
    NANO,
    AnyDate,
    AnyMoment,
    AnySpan,
    AnyTime,
    at_zone,
    clock_of,
    date_of,
    make_clock,
    make_day,
    make_moment,
    nanoseconds_of_day,
    offset_of,
    read_date,
    read_duration,
    read_moment,
    read_time,
    twin_of,
    with_zone,
)
from engine.temporal import MAX_OFFSET_HOURS, YearsMonths, parse_zone
from engine.values import Value

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


@builtin("date", "from: string|date and time|date")
def _to_date(_run: Run, source: str | AnyDate | AnyMoment) -> Value:
    return read_date(source) if isinstance(source, str) else date_of(source)


@builtin("date", "year: number, month: number, day: number")
def _date_of_parts(_run: Run, year: Decimal, month: Decimal, day: Decimal) -> Value:
    return make_day(whole(year, "the year"), whole(month, "the month"), whole(day, "the day"))


@builtin("time", "from: string|time|date and time|date")
def _to_time(_run: Run, source: str | AnyTime | AnyMoment | AnyDate) -> Value:
    return read_time(source) if isinstance(source, str) else clock_of(source)


@builtin("time", "hour: number, minute: number, second: number, offset?: days and time duration?")
def _time_of_parts(
    _run: Run, hour: Decimal, minute: Decimal, second: Decimal, offset: AnySpan | None = None
) -> Value:
    return _clock(hour, minute, second, None if offset is None else _offset(offset))


def _clock(hour: Decimal, minute: Decimal, second: Decimal, zone: tzinfo | None) -> AnyTime:
    seconds, part = divmod(second, 1)
    nanoseconds = whole(part * NANO, "the nanosecond")
    return make_clock(whole(hour, "the hour"), whole(minute, "the minute"), int(seconds), nanoseconds, zone)


def _offset(offset: AnySpan) -> tzinfo:
    if not isinstance(offset, timedelta) or abs(offset) > timedelta(hours=MAX_OFFSET_HOURS):
        raise NullResult("there is no such offset")
    return timezone(offset) if offset else UTC


@builtin("date and time", "from: string|date and time")
def _to_moment(_run: Run, source: str | AnyMoment) -> Value:
    return read_moment(source) if isinstance(source, str) else source


@builtin("date and time", "date: date|date and time, time: time")
def _moment_of_date_and_time(_run: Run, day: AnyDate | AnyMoment, clock: AnyTime) -> Value:
    return make_moment(date_of(day), clock)


@builtin("date and time", "date: date and time, timezone: string")
def _moment_elsewhere(_run: Run, moment: AnyMoment, zone: str) -> Value:
    there = _named_zone(zone)
    return at_zone(moment, there) if moment.tzinfo else with_zone(moment, there)


@builtin(
    "date and time",
    "year: number, month: number, day: number, hour: number, minute: number, second: number,"
    "offset?: days and time duration?",
)
def _moment_of_parts(
    run: Run,
    year: Decimal,
    month: Decimal,
    day: Decimal,
    hour: Decimal,
    minute: Decimal,
    second: Decimal,
    offset: AnySpan | None = None,
) -> Value:
    zone = None if offset is None else _offset(offset)
    return make_moment(_date_of_parts(run, year, month, day), _clock(hour, minute, second, zone))


@builtin(
    "date and time",
    "year: number, month: number, day: number, hour: number, minute: number, second: number,timezone: string",
)
def _moment_of_parts_in_zone(run: Run, *parts: Value) -> Value:
    return with_zone(_moment_of_parts(run, *parts[:6]), _named_zone(parts[6]))


def _named_zone(name: str) -> tzinfo:
    return parse_zone(name if name[:1] in ("Z", "+", "-") and name else f"@{name}")


@builtin("duration", "from: string|days and time duration|years and months duration")
def _to_duration(_run: Run, source: str | AnySpan | YearsMonths) -> Value:
    return read_duration(source) if isinstance(source, str) else source


@builtin("years and months duration", "from: date|date and time, to: date|date and time")
def _months_between(run: Run, start: AnyDate | AnyMoment, end: AnyDate | AnyMoment) -> Value:
    one, other = _local(start), _local(end)
    months = (other[0] - one[0]) * 12 + other[1] - one[1]
    if months > 0 and one[2:] > other[2:]:
        months -= 1
    elif months < 0 and one[2:] < other[2:]:
        months += 1
    return YearsMonths(months)


def _local(value: AnyDate | AnyMoment) -> tuple[int, int, int, int]:
    """Whole months are counted by the day's number, so the 31st is not reached on the 30th."""
    day = date_of(value)
    return day.year, day.month, day.day, nanoseconds_of_day(value)


@builtin("now")
def _now(run: Run) -> Value:
    if run.now is None:
        raise ExpressionError("now", "now() needs the command's time")
    return run.now


@builtin("today")
def _today(run: Run) -> Value:
    moment: datetime = _now(run)
    return moment.date()


@builtin("day of year", "date: date|date and time")
def _day_of_year(_run: Run, day: AnyDate | AnyMoment) -> Value:
    return Decimal(twin_of(day).timetuple().tm_yday)


@builtin("day of week", "date: date|date and time")
def _day_of_week(_run: Run, day: AnyDate | AnyMoment) -> Value:
    return DAYS[twin_of(day).weekday()]


@builtin("month of year", "date: date|date and time")
def _month_of_year(_run: Run, day: AnyDate | AnyMoment) -> Value:
    return MONTHS[date_of(day).month - 1]


@builtin("week of year", "date: date|date and time")
def _week_of_year(_run: Run, day: AnyDate | AnyMoment) -> Value:
    return Decimal(twin_of(day).isocalendar().week)


@builtin("last day of month", "date: date|date and time")
def _last_day_of_month(_run: Run, day: AnyDate | AnyMoment) -> Value:
    return Decimal(monthrange(twin_of(day).year, date_of(day).month)[1])


@builtin("is", "value1: any, value2: any")
def _is_identical(run: Run, left: Value, right: Value) -> Value:
    """The same value of the same kind, zones included."""
    if left is None or right is None or kind(left) != kind(right):
        return left is right
    if kind(left) == "date and time":
        return offset_of(left) == offset_of(right) and same(left, right, run)
    if kind(left) == "time" and str(left.tzinfo) != str(right.tzinfo):
        return False
    return same(left, right, run)
