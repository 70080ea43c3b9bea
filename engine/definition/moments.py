"""When a timer is due: dates, durations and cycles, counted on the calendar of Asia/Shanghai."""

from __future__ import annotations

import re
from bisect import bisect_right
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone

from engine.temporal import YearsMonths, parse_datetime
from engine.values import Value

SHANGHAI = timezone(timedelta(hours=8))
SHORTEST_CYCLE = timedelta(seconds=1)
NEVER = datetime.max.replace(tzinfo=UTC)
_NUMBER = r"(\d{1,9})"
_PERIOD = re.compile(
    rf"P(?:{_NUMBER}W|(?:{_NUMBER}Y)?(?:{_NUMBER}M)?(?:{_NUMBER}D)?"
    rf"(?:T(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:(\d{{1,9}}(?:\.\d{{1,6}})?)S)?)?)",
    re.ASCII,
)
_CYCLE = re.compile(r"R(\d{0,9})/(?:([^/]+)/)?(P[^/]+)", re.ASCII)


class NoMoment(ValueError):
    """This value does not say when."""


@dataclass(frozen=True)
class Period:
    """A span of calendar months and of exact time; never negative."""

    months: int
    span: timedelta

    def __str__(self) -> str:
        return f"P{self.months}M{self.span.days}DT{self.span.seconds}.{self.span.microseconds:06}S"

    def after(self, start: datetime, times: int = 1) -> datetime:
        """`times` periods after `start`; a month's end stays a month's end. Raises NoMoment."""
        try:
            there = _add_months(start.astimezone(SHANGHAI), self.months * times) + self.span * times
            return there.astimezone(UTC)
        except (OverflowError, ValueError):
            raise NoMoment("the moment lies beyond the year 9999") from None

    def count(self, start: datetime, end: datetime) -> int:
        """How many whole periods after `start` have passed at `end`; the period is not zero."""
        shortest = timedelta(days=28 * self.months) + self.span
        most = max(0, (end - start) // shortest)
        return bisect_right(range(1, most + 1), end, key=lambda times: self._after_or_never(start, times))

    def _after_or_never(self, start: datetime, times: int) -> datetime:
        try:
            return self.after(start, times)
        except NoMoment:
            return NEVER


@dataclass(frozen=True)
class Cycle:
    """Firings at `anchor` plus one, two, … periods; `repeats` None means for ever."""

    period: Period
    repeats: int | None
    anchor: datetime | None = None


def period_of(value: Value) -> Period:
    """A duration: ISO 8601 text or a FEEL duration of either kind. Raises NoMoment."""
    match value:
        case timedelta() if value >= timedelta(0):
            return Period(0, value)
        case YearsMonths(months=months) if months >= 0:
            return Period(months, timedelta(0))
        case str():
            return _read_period(value)
    raise NoMoment(f"expected a duration that is not negative, found {_shown(value)}")


def moment_of(value: Value) -> datetime:
    """A date and time with its offset. Raises NoMoment for naive moments and anything else."""
    if isinstance(value, str):
        try:
            value = parse_datetime(value)
        except ValueError:
            raise NoMoment(f"expected a date and time, found {_shown(value)}") from None
    if not isinstance(value, datetime):
        raise NoMoment(f"expected a date and time, found {_shown(value)}")
    if value.tzinfo is None:
        raise NoMoment(f"{value.isoformat()} has no offset; write for example +08:00")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise NoMoment("the moment lies beyond the year 9999") from None


def cycle_of(value: Value) -> Cycle:
    """`R3/P1D`, `R/P1W`, `R3/2026-03-01T09:00:00+08:00/P1D`, or a duration: for ever. Raises NoMoment."""
    if isinstance(value, str) and value.startswith("R"):
        found = _CYCLE.fullmatch(value)
        if not found:
            raise NoMoment(f"expected a cycle such as R3/P1D, found {_shown(value)}")
        repeats, start, period = found.groups()
        cycle = Cycle(
            _read_period(period), int(repeats) if repeats else None, moment_of(start) if start else None
        )
    else:
        cycle = Cycle(period_of(value), None)
    if cycle.period.months == 0 and cycle.period.span < SHORTEST_CYCLE:
        raise NoMoment("a cycle repeats at most once a second")
    if cycle.repeats == 0:
        raise NoMoment("a cycle of no repetitions never fires")
    return cycle


def _read_period(text: str) -> Period:
    found = _PERIOD.fullmatch(text.strip())
    if not found or text.strip()[-1] in "PT":
        raise NoMoment(f"expected a duration such as P14D, found {_shown(text)}")
    weeks, years, months, days, hours, minutes, seconds = (part or "0" for part in found.groups())
    whole, _, fraction = seconds.partition(".")
    try:
        span = timedelta(
            weeks=int(weeks),
            days=int(days),
            hours=int(hours),
            minutes=int(minutes),
            seconds=int(whole),
            microseconds=int(fraction.ljust(6, "0")),
        )
    except OverflowError:
        raise NoMoment(f"{_shown(text)} is too long") from None
    return Period(12 * int(years) + int(months), span)


def _add_months(start: datetime, months: int) -> datetime:
    if not months:
        return start
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    if year > 9999:
        raise OverflowError
    return start.replace(year=year, month=month + 1, day=min(start.day, monthrange(year, month + 1)[1]))


def _shown(value: Value) -> str:
    return repr(value.isoformat() if isinstance(value, date) else value)[:60]
