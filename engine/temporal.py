"""Dates, times and durations as text: FEEL's and ISO 8601's spelling, both ways."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MAX_OFFSET_HOURS = 18
MAX_MONTHS = 12 * 1_000_000_000

_DATE = re.compile(r"(-?)([1-9][0-9]{4,8}|[0-9]{4})-([0-9]{2})-([0-9]{2})")
_TIME = re.compile(
    r"([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(Z|[+-][0-9]{2}:[0-9]{2}(?::[0-9]{2})?|@[A-Za-z][A-Za-z0-9_+\-]*(?:/[A-Za-z0-9_+\-]+)*)?"
)
_MONTHS = re.compile(r"(-?)P(?:([0-9]+)Y)?(?:([0-9]+)M)?")
_DAYS = re.compile(r"(-?)P(?:([0-9]+)D)?(?:T(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+)(?:\.([0-9]*))?S)?)?")


class Unrepresentable(ValueError):
    """The text is right, but the moment or the span is beyond years 1 to 9999 or below a microsecond."""


@dataclass(frozen=True, order=True)
class YearsMonths:
    """A years and months duration, in whole months; not comparable with days."""

    months: int

    def __str__(self) -> str:
        return months_text(self)


Duration = timedelta | YearsMonths


def date_parts(text: str) -> tuple[int, int, int]:
    """Year, month and day as written, for a year of any size. Raises ValueError."""
    found = _DATE.fullmatch(text)
    if not found:
        raise ValueError(f"not a date: {text[:40]!r}")
    sign, year, month, day = found.groups()
    return -int(year) if sign else int(year), int(month), int(day)


def parse_date(text: str) -> date:
    """`2026-03-01`. Raises ValueError; Unrepresentable for a year outside 1 to 9999."""
    return make_date(*date_parts(text))


def make_date(year: int, month: int, day: int) -> date:
    """Raises ValueError for a day that does not exist, Unrepresentable for a year outside 1 to 9999."""
    if 1 <= year <= 9999:
        return date(year, month, day)
    date(2000, month, day)
    if abs(year) > 999_999_999:
        raise ValueError("no such year")
    raise Unrepresentable(f"year {year} is outside 1 to 9999")


def time_parts(text: str) -> tuple[int, int, int, str, tzinfo | None]:
    """Hour, minute, second, its decimals and the zone, as written. Raises ValueError."""
    found = _TIME.fullmatch(text)
    if not found:
        raise ValueError(f"not a time: {text[:40]!r}")
    hour, minute, second, fraction, zone = found.groups()
    return int(hour), int(minute), int(second), fraction or "", parse_zone(zone) if zone else None


def parse_time(text: str) -> time:
    """`09:30:00`, with an offset, `Z` or `@Zone/Name` if any. Raises ValueError."""
    hour, minute, second, fraction, zone = time_parts(text)
    return time(hour, minute, second, tzinfo=zone).replace(microsecond=_microseconds(fraction))


def parse_datetime(text: str) -> datetime:
    """`2026-03-01T09:30:00+08:00`, or a date alone, which means its midnight. Raises ValueError."""
    day, mark, rest = text.partition("T")
    if not mark:
        return datetime.combine(parse_date(day), time())
    at = parse_time(rest)
    return datetime.combine(parse_date(day), at)


@lru_cache(maxsize=512)
def parse_zone(text: str) -> tzinfo:
    """`Z`, `+08:00` or `@Asia/Shanghai`. Raises ValueError for any other text."""
    if text == "Z":
        return UTC
    if text[0] == "@":
        try:
            return ZoneInfo(text[1:])
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"unknown zone {text[:60]!r}") from None
    hours, minutes, seconds = (int(part) for part in f"{text[1:]}:00".split(":")[:3])
    if hours > MAX_OFFSET_HOURS or minutes > 59 or seconds > 59:
        raise ValueError(f"no such offset: {text}")
    offset = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return timezone(-offset if text[0] == "-" else offset)


def parse_duration(text: str) -> Duration:
    """`P1Y2M` or `P3DT4H5M6.7S`, a minus in front if negative; never both kinds. Raises ValueError."""
    if len(text) > 80 or text[-1:] in ("P", "T") or not text:
        raise ValueError(f"not a duration: {text[:40]!r}")
    if found := _MONTHS.fullmatch(text):
        sign, years, months = found.groups()
        total = 12 * int(years or 0) + int(months or 0)
        if total > MAX_MONTHS:
            raise Unrepresentable("too many months")
        return YearsMonths(-total if sign else total)
    sign, seconds, fraction = days_parts(text)
    try:
        return sign * timedelta(seconds=seconds, microseconds=_microseconds(fraction))
    except OverflowError:
        raise Unrepresentable("too long a duration") from None


def days_parts(text: str) -> tuple[int, int, str]:
    """The sign, the seconds and their decimals of a days and time duration. Raises ValueError."""
    found = _DAYS.fullmatch(text)
    if not found:
        raise ValueError(f"not a duration: {text[:40]!r}")
    sign, days, hours, minutes, seconds, fraction = found.groups()
    total = ((int(days or 0) * 24 + int(hours or 0)) * 60 + int(minutes or 0)) * 60 + int(seconds or 0)
    return -1 if sign else 1, total, fraction or ""


def _microseconds(fraction: str) -> int:
    if fraction[6:].strip("0"):
        raise Unrepresentable("more than six decimals of a second")
    return int(fraction[:6].ljust(6, "0"))


def moment(at: datetime) -> str:
    """The one way a moment is written: UTC, microseconds, `Z`."""
    return _in_utc(at if at.tzinfo is UTC else at.astimezone(UTC))


@lru_cache(maxsize=64)
def _in_utc(at: datetime) -> str:
    """All that one command writes down happened at the same moment."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def date_text(value: date) -> str:
    """`2026-03-01`."""
    return f"{value.year:04}-{value.month:02}-{value.day:02}"


def time_text(value: time) -> str:
    """`09:30:00`, decimals only if there are any, then the zone as it was written."""
    text = f"{value.hour:02}:{value.minute:02}:{value.second:02}"
    return text + _fraction_text(value.microsecond) + zone_text(value.tzinfo)


def datetime_text(value: datetime) -> str:
    """`2026-03-01T09:30:00+08:00`."""
    return f"{date_text(value)}T{time_text(value.timetz())}"


def zone_text(zone: tzinfo | None) -> str:
    """`` for none, `Z`, `+08:00` or `@Asia/Shanghai`."""
    if zone is None:
        return ""
    if isinstance(zone, ZoneInfo):
        return f"@{zone.key}"
    offset = zone.utcoffset(None)
    if not offset:
        return "Z"
    minutes, seconds = divmod(abs(offset) // timedelta(seconds=1), 60)
    text = f"{'-' if offset < timedelta() else '+'}{minutes // 60:02}:{minutes % 60:02}"
    return f"{text}:{seconds:02}" if seconds else text


def days_text(value: timedelta) -> str:
    """`P3DT4H`; zero is `PT0S`."""
    sign, span = ("-", -value) if value < timedelta() else ("", value)
    minutes, seconds = divmod(span.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    clock = f"{hours}H" * bool(hours) + f"{minutes}M" * bool(minutes)
    if seconds or span.microseconds:
        clock += f"{seconds}{_fraction_text(span.microseconds)}S"
    text = f"{span.days}D" * bool(span.days) + f"T{clock}" * bool(clock)
    return f"{sign}P{text or 'T0S'}"


def months_text(value: YearsMonths) -> str:
    """`P1Y2M`; zero is `P0M`."""
    years, months = divmod(abs(value.months), 12)
    text = f"{years}Y" * bool(years) + f"{months}M" * bool(months)
    return f"{'-' if value.months < 0 else ''}P{text or '0M'}"


def add_months(day: date, months: int) -> date:
    """The same day `months` later, or the last day of a shorter month. Raises Unrepresentable."""
    count = day.year * 12 + day.month - 1 + months
    year, month = divmod(count, 12)
    if not 1 <= year <= 9999:
        raise Unrepresentable(f"year {year} is outside 1 to 9999")
    return day.replace(year=year, month=month + 1, day=min(day.day, monthrange(year, month + 1)[1]))


def _fraction_text(microseconds: int) -> str:
    return f".{microseconds:06}".rstrip("0") if microseconds else ""
