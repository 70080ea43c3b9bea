"""Moments and spans that Python's own types cannot hold: years outside 1 to 9999, parts of a microsecond."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from engine.temporal import (
    Unrepresentable,
    YearsMonths,
    date_parts,
    date_text,
    days_parts,
    parse_duration,
    time_parts,
    time_text,
    zone_text,
)
from engine.values import Value

NANO = 1_000_000_000
DAY = 86_400 * NANO
MICROSECOND = timedelta(microseconds=1)
SOME_DAY = date(2000, 1, 2)
MAX_YEAR = 999_999_999
MAX_SPAN = 2 * (MAX_YEAR + 1) * 366 * DAY
DECIMALS = 9
CYCLE, CYCLE_DAYS = 400, 146_097
LATE = 9200
"""A whole number of cycles: late enough for the rule that a zone's table ends with."""


@dataclass(frozen=True)
class WideDate:
    """A day in a year before 1 or after 9999."""

    year: int
    month: int
    day: int

    @property
    def twin(self) -> date:
        """The same day in the first 400 years, which has the same weekday and number in its year."""
        return date((self.year - 1) % CYCLE + 1, self.month, self.day)

    def __str__(self) -> str:
        return f"{'-' if self.year < 0 else ''}{abs(self.year):04}-{self.month:02}-{self.day:02}"


@dataclass(frozen=True)
class WideTime:
    """A time of day whose second has more than six decimals."""

    hour: int
    minute: int
    second: int
    nanosecond: int
    tzinfo: tzinfo | None = None

    def __str__(self) -> str:
        text = time_text(time(self.hour, self.minute, self.second))
        return text + _fraction_text(self.nanosecond) + zone_text(self.tzinfo)


@dataclass(frozen=True)
class WideMoment:
    """A date and time of which one is wide."""

    on: date | WideDate
    clock: time | WideTime

    @property
    def tzinfo(self) -> tzinfo | None:
        return self.clock.tzinfo

    def __str__(self) -> str:
        day = date_text(self.on) if isinstance(self.on, date) else str(self.on)
        return f"{day}T{time_text(self.clock) if isinstance(self.clock, time) else self.clock}"


@dataclass(frozen=True)
class WideSpan:
    """A days and time duration below a microsecond or beyond a thousand million days."""

    nanoseconds: int

    def __str__(self) -> str:
        seconds, part = divmod(abs(self.nanoseconds), NANO)
        days, seconds = divmod(seconds, 86_400)
        hours, minutes, seconds = seconds // 3600, seconds // 60 % 60, seconds % 60
        clock = f"{hours}H" * bool(hours) + f"{minutes}M" * bool(minutes)
        clock += f"{seconds}{_fraction_text(part)}S" * bool(seconds or part)
        sign = "-" if self.nanoseconds < 0 else ""
        return f"{sign}P" + f"{days}D" * bool(days) + f"T{clock}" * bool(clock)


AnyDate = date | WideDate
AnyTime = time | WideTime
AnyMoment = datetime | WideMoment
AnySpan = timedelta | WideSpan
WIDE = frozenset({WideDate, WideTime, WideMoment, WideSpan})


def _fraction_text(nanoseconds: int) -> str:
    return f".{nanoseconds:09}".rstrip("0") if nanoseconds else ""


# Made: Python's own type where it suffices, so that equal values have one form


def make_day(year: int, month: int, day: int) -> AnyDate:
    """The day. Raises ValueError for one that does not exist."""
    if 1 <= year <= 9999:
        return date(year, month, day)
    if abs(year) > MAX_YEAR:
        raise ValueError(f"year {year} is beyond {MAX_YEAR}")
    date((year - 1) % CYCLE + 1, month, day)
    return WideDate(year, month, day)


def make_clock(hour: int, minute: int, second: int, nanosecond: int, zone: tzinfo | None) -> AnyTime:
    """The time of day. Raises ValueError."""
    whole = time(hour, minute, second, nanosecond // 1000, zone)
    return WideTime(hour, minute, second, nanosecond, zone) if nanosecond % 1000 else whole


def make_moment(day: AnyDate, clock: AnyTime) -> AnyMoment:
    """The date and time; of a date and time as `day` the date counts."""
    day = day.date() if isinstance(day, datetime) else day
    if isinstance(day, date) and isinstance(clock, time):
        return datetime.combine(day, clock)
    return WideMoment(day, clock)


def make_span(nanoseconds: int) -> AnySpan:
    """The duration. Raises OverflowError for one longer than all time."""
    if abs(nanoseconds) > MAX_SPAN:
        raise OverflowError("too long a duration")
    if nanoseconds % 1000 or abs(nanoseconds) // DAY >= MAX_YEAR:
        return WideSpan(nanoseconds)
    return timedelta(microseconds=nanoseconds // 1000)


# Read


def read_date(text: str) -> AnyDate:
    """`-0044-03-15`. Raises ValueError."""
    return make_day(*date_parts(text))


def read_time(text: str) -> AnyTime:
    """`09:30:00.123456789@Asia/Shanghai`. Raises ValueError; Unrepresentable beyond nine decimals."""
    hour, minute, second, fraction, zone = time_parts(text)
    return make_clock(hour, minute, second, _nanoseconds(fraction), zone)


def read_moment(text: str) -> AnyMoment:
    """A date, `T` and a time, or a date alone, which means its midnight. Raises ValueError."""
    day, mark, rest = text.partition("T")
    return make_moment(read_date(day), read_time(rest) if mark else time())


def read_duration(text: str) -> AnySpan | YearsMonths:
    """`P1Y2M` or `P3DT4H5M6.123456789S`. Raises ValueError; Unrepresentable beyond nine decimals."""
    try:
        return parse_duration(text)
    except Unrepresentable:
        sign, seconds, fraction = days_parts(text)
        return make_span(sign * (seconds * NANO + _nanoseconds(fraction)))


def _nanoseconds(fraction: str) -> int:
    if fraction[DECIMALS:].strip("0"):
        raise Unrepresentable("more than nine decimals of a second")
    return int(fraction[:DECIMALS].ljust(DECIMALS, "0"))


# Taken apart


def midnight(day: AnyDate) -> AnyMoment:
    """What a date is where a date and time is wanted: its first moment in UTC."""
    return make_moment(day, time(tzinfo=UTC))


def date_of(value: AnyDate | AnyMoment) -> AnyDate:
    """The date of a date or of a date and time."""
    if isinstance(value, datetime):
        return value.date()
    return value.on if isinstance(value, WideMoment) else value


def clock_of(value: AnyTime | AnyMoment | AnyDate) -> AnyTime:
    """The time of day, with its zone; a date's is midnight, in UTC."""
    match value:
        case datetime():
            return value.timetz()
        case WideMoment():
            return value.clock
        case time() | WideTime():
            return value
    return time(tzinfo=UTC)


def twin_of(value: AnyDate | AnyMoment) -> date:
    """A date of Python's own that has the same weekday, week and day of the year."""
    day = date_of(value)
    return day if isinstance(day, date) else day.twin


def ordinal(value: AnyDate | AnyMoment) -> int:
    """The number of the day, where 1 is the first of January of year 1."""
    day = date_of(value)
    if isinstance(day, date):
        return day.toordinal()
    return day.twin.toordinal() + (day.year - 1) // CYCLE * CYCLE_DAYS


def day_of(number: int) -> AnyDate:
    """The day of that number. Raises ValueError."""
    cycles, rest = divmod(number - 1, CYCLE_DAYS)
    twin = date.fromordinal(rest + 1)
    return make_day(twin.year + cycles * CYCLE, twin.month, twin.day)


def nanoseconds_of_day(value: AnyTime | AnyMoment | AnyDate) -> int:
    """How long after midnight."""
    clock = clock_of(value)
    seconds = (clock.hour * 60 + clock.minute) * 60 + clock.second
    return seconds * NANO + nanosecond_of(clock)


def nanosecond_of(clock: AnyTime) -> int:
    """The part of the second."""
    return clock.nanosecond if isinstance(clock, WideTime) else clock.microsecond * 1000


def nanoseconds_of(span: AnySpan) -> int:
    """The length of a duration."""
    return span.nanoseconds if isinstance(span, WideSpan) else span // MICROSECOND * 1000


def offset_of(value: AnyMoment | AnyTime) -> timedelta | None:
    """How far the clock is ahead of UTC; None if that is not known."""
    if isinstance(value, datetime | time):
        return value.utcoffset()
    if isinstance(value, WideTime):
        return value.tzinfo.utcoffset(None) if value.tzinfo else None
    clock = clock_of(value)
    whole = time(clock.hour, clock.minute, clock.second, tzinfo=value.tzinfo)
    return datetime.combine(_stand_in(value.on), whole).utcoffset()


def _stand_in(day: AnyDate) -> date:
    """A day for which Python knows the zones' rules, with room for any offset."""
    if isinstance(day, date) and 1 < day.year < 9999:
        return day
    twin = twin_of(day)
    return twin.replace(year=twin.year + (LATE if day.year > 1 else CYCLE))


def _local(value: AnyMoment | AnyDate) -> int:
    return ordinal(value) * DAY + nanoseconds_of_day(value)


def _instant(value: AnyMoment) -> int:
    return _local(value) - nanoseconds_of(offset_of(value) or timedelta())


# Computed


def key(value: Value) -> tuple[object, int]:
    """What equal values share: the first parts must agree for the second to have an order."""
    match value:
        case datetime() | WideMoment():
            return value.tzinfo is None, _instant(value)
        case date() | WideDate():
            return "day", ordinal(value)
        case time() | WideTime():
            return _clock_key(value)
        case timedelta() | WideSpan():
            return "span", nanoseconds_of(value)
    raise TypeError


def _clock_key(value: AnyTime) -> tuple[object, int]:
    """A zone without a day cannot be turned into an offset."""
    passed = nanoseconds_of_day(value)
    if value.tzinfo is None or isinstance(value.tzinfo, ZoneInfo):
        return value.tzinfo and str(value.tzinfo), passed
    return "offset", passed - nanoseconds_of(offset_of(value) or timedelta())


def plus(value: Value, span: AnySpan | YearsMonths) -> Value:
    """`value + span`. Raises TypeError for other kinds, ValueError or OverflowError beyond time."""
    if isinstance(span, YearsMonths):
        return _plus_months(value, span.months)
    amount = nanoseconds_of(span)
    match value:
        case datetime() | WideMoment():
            return _moment_plus(value, amount)
        case date() | WideDate():
            return day_of(ordinal(value) + amount // DAY)
        case time() | WideTime():
            return _clock((nanoseconds_of_day(value) + amount) % DAY, value.tzinfo)
        case timedelta() | WideSpan():
            return make_span(nanoseconds_of(value) + amount)
    raise TypeError


def _plus_months(value: Value, months: int) -> Value:
    match value:
        case datetime() | WideMoment():
            return make_moment(_months_later(date_of(value), months), clock_of(value))
        case date() | WideDate():
            return _months_later(value, months)
    raise TypeError


def _months_later(day: AnyDate, months: int) -> AnyDate:
    """The same day, or the last one of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return make_day(year, month + 1, min(day.day, monthrange((year - 1) % CYCLE + 1, month + 1)[1]))


def _moment_plus(value: AnyMoment, amount: int) -> AnyMoment:
    """Hours are real hours, also across a change of the clock."""
    return _moment(_instant(value) + amount, value.tzinfo)


def _moment(passed: int, zone: tzinfo | None) -> AnyMoment:
    """The moment so many nanoseconds after the start of day 0, in UTC or on the clock of no zone."""
    if zone is not None:
        microseconds = timedelta(microseconds=passed % DAY // 1000)
        there = datetime.combine(_stand_in(day_of(passed // DAY)), time(), UTC) + microseconds
        passed += nanoseconds_of(there.astimezone(zone).utcoffset() or timedelta())
    return make_moment(day_of(passed // DAY), _clock(passed % DAY, zone))


def at_zone(value: AnyMoment, zone: tzinfo) -> AnyMoment:
    """The same moment on the clock of another zone."""
    return _moment(_instant(value), zone)


def with_zone(value: AnyMoment, zone: tzinfo) -> AnyMoment:
    """The same date and time of day, said to be in that zone."""
    return make_moment(date_of(value), _clock(nanoseconds_of_day(value), zone))


def _clock(passed: int, zone: tzinfo | None) -> AnyTime:
    second, part = divmod(passed, NANO)
    return make_clock(second // 3600, second // 60 % 60, second % 60, part, zone)


def distance(left: Value, right: Value) -> AnySpan | None:
    """`left - right` of two days, moments or times of day; None between a zoned and a local one.

    A date is its midnight in UTC, and beside it a moment without a zone is one in UTC. Raises OverflowError.
    """
    are_days = [type(value) in (date, WideDate) for value in (left, right)]
    if not any(are_days) and (left.tzinfo is None) != (right.tzinfo is None):
        return None
    return make_span(_point(left) - _point(right))


def _point(value: Value) -> int:
    if isinstance(value, time | WideTime):
        return _instant(make_moment(SOME_DAY, value))
    return _local(value) if type(value) in (date, WideDate) else _instant(value)
