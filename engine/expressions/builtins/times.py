"""Dates, times and durations: made from texts and parts, and taken apart."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal

from engine.expressions.budget import ExpressionError
from engine.expressions.builtins.registry import builtin, whole
from engine.expressions.comparison import instant, kind
from engine.expressions.scope import NullResult, Run
from engine.temporal import (
    MAX_OFFSET_HOURS,
    YearsMonths,
    add_months,
    make_date,
    parse_date,
    parse_datetime,
    parse_duration,
    parse_time,
    parse_zone,
)
from engine.values import Value

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


@builtin("date", "from: string|date and time|date")
def _to_date(_run: Run, source: str | date) -> Value:
    if isinstance(source, str):
        return parse_date(source)
    return source.date() if isinstance(source, datetime) else source


@builtin("date", "year: number, month: number, day: number")
def _date_of_parts(_run: Run, year: Decimal, month: Decimal, day: Decimal) -> Value:
    return make_date(whole(year, "the year"), whole(month, "the month"), whole(day, "the day"))


@builtin("time", "from: string|time|date and time|date")
def _to_time(_run: Run, source: str | date | time) -> Value:
    match source:
        case str():
            return parse_time(source)
        case datetime():
            return source.timetz()
        case date():
            return time(tzinfo=UTC)
    return source


@builtin("time", "hour: number, minute: number, second: number, offset?: days and time duration?")
def _time_of_parts(
    _run: Run, hour: Decimal, minute: Decimal, second: Decimal, offset: timedelta | None = None
) -> Value:
    return _clock(hour, minute, second, None if offset is None else _offset(offset))


def _clock(hour: Decimal, minute: Decimal, second: Decimal, zone: tzinfo | None) -> time:
    seconds, part = divmod(second, 1)
    micro = whole(part * 1_000_000, "the microsecond")
    return time(whole(hour, "the hour"), whole(minute, "the minute"), int(seconds), micro, zone)


def _offset(offset: timedelta) -> tzinfo:
    if abs(offset) > timedelta(hours=MAX_OFFSET_HOURS):
        raise NullResult("there is no such offset")
    return timezone(offset) if offset else UTC


@builtin("date and time", "from: string|date and time")
def _to_moment(_run: Run, source: str | datetime) -> Value:
    return parse_datetime(source) if isinstance(source, str) else source


@builtin("date and time", "date: date|date and time, time: time")
def _moment_of_date_and_time(_run: Run, day: date, clock: time) -> Value:
    return datetime.combine(day.date() if isinstance(day, datetime) else day, clock)


@builtin("date and time", "date: date and time, timezone: string")
def _moment_elsewhere(_run: Run, moment: datetime, zone: str) -> Value:
    return moment.astimezone(_named_zone(zone)) if moment.tzinfo else moment.replace(tzinfo=_named_zone(zone))


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
    offset: timedelta | None = None,
) -> Value:
    zone = None if offset is None else _offset(offset)
    return datetime.combine(_date_of_parts(run, year, month, day), _clock(hour, minute, second, zone))


@builtin(
    "date and time",
    "year: number, month: number, day: number, hour: number, minute: number, second: number,timezone: string",
)
def _moment_of_parts_in_zone(run: Run, *parts: Value) -> Value:
    moment: datetime = _moment_of_parts(run, *parts[:6])
    return moment.replace(tzinfo=_named_zone(parts[6]))


def _named_zone(name: str) -> tzinfo:
    return parse_zone(name if name[:1] in ("Z", "+", "-") and name else f"@{name}")


@builtin("duration", "from: string|days and time duration|years and months duration")
def _to_duration(_run: Run, source: str | timedelta | YearsMonths) -> Value:
    return parse_duration(source) if isinstance(source, str) else source


@builtin("years and months duration", "from: date|date and time, to: date|date and time")
def _months_between(run: Run, start: date, end: date) -> Value:
    one, other = _local(start), _local(end)
    months = (other.year - one.year) * 12 + other.month - one.month
    if months > 0 and _shifted(one, months) > other:
        months -= 1
    elif months < 0 and _shifted(one, months) < other:
        months += 1
    return YearsMonths(months)


def _shifted(moment: datetime, months: int) -> date:
    """Whole months are counted by the day's number, so the 31st is not reached on the 30th."""
    moved = add_months(moment, months)
    return moved if moved.day == moment.day else moved + timedelta(days=moment.day - moved.day)


def _local(value: date) -> datetime:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    return datetime.combine(value, time())


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
def _day_of_year(_run: Run, day: date) -> Value:
    return Decimal(day.timetuple().tm_yday)


@builtin("day of week", "date: date|date and time")
def _day_of_week(_run: Run, day: date) -> Value:
    return DAYS[day.weekday()]


@builtin("month of year", "date: date|date and time")
def _month_of_year(_run: Run, day: date) -> Value:
    return MONTHS[day.month - 1]


@builtin("week of year", "date: date|date and time")
def _week_of_year(_run: Run, day: date) -> Value:
    return Decimal(day.isocalendar().week)


@builtin("last day of month", "date: date|date and time")
def _last_day_of_month(_run: Run, day: date) -> Value:
    return Decimal((add_months(day.replace(day=1), 1) - timedelta(days=1)).day)


@builtin("is", "value1: any, value2: any")
def _is_identical(run: Run, left: Value, right: Value) -> Value:
    """The same value of the same kind, zones included."""
    if left is None or right is None or kind(left) != kind(right):
        return left is right
    if isinstance(left, datetime | time) and str(left.tzinfo) != str(right.tzinfo):
        return isinstance(left, datetime) and bool(_same_offset(left, right))
    return bool(left == right)


def _same_offset(left: datetime, right: datetime) -> bool:
    return (
        left.tzinfo is not None
        and right.tzinfo is not None
        and left.utcoffset() == right.utcoffset()
        and instant(left) == instant(right)
    )
