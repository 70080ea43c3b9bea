"""Working days: a versioned calendar, due dates by it, and how each one was counted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any

from engine.errors import BadDefinition, InvalidInput, NotFound, Problem
from engine.execution.asking import Asker

FOLDER = Path(__file__).parents[2] / "bpmn" / "calendars"
SHANGHAI = timezone(timedelta(hours=8))
"""China keeps one zone without summer time; a fixed offset is the same on every machine."""

CLOSE = time(18, 0)
MAX_DAYS = 2500
FIRST_YEAR, LAST_YEAR = 1900, 2199
DAY = timedelta(days=1)
WEEKEND, WEEKEND_EN = "周末", "weekend"
STOPPED, STOPPED_EN = "中止计时", "clock stopped"


@dataclass(frozen=True, kw_only=True)
class Notice:
    """The State Council notice a year comes from; None where it is not known."""

    title: str
    number: str | None
    date: date | None


@dataclass(frozen=True, kw_only=True)
class Holiday:
    """One holiday of a year: its days off, and the weekend days worked for it (调休)."""

    name: str
    name_en: str
    first: date
    last: date
    working: tuple[date, ...]


@dataclass(frozen=True, kw_only=True)
class Year:
    """One year of a calendar. An unpublished year has weekends only, and all it yields is provisional."""

    year: int
    published: bool
    notice: Notice | None
    holidays: tuple[Holiday, ...]


@dataclass(frozen=True, kw_only=True)
class Pause:
    """The clock stands still from `since` to `until`, both days included; `until` None: still."""

    since: date
    until: date | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Day:
    """One day of a count: its `number` if it was counted, else None, and why in both languages."""

    day: date
    number: int | None
    reason: str
    reason_en: str
    provisional: bool


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """How a due date was computed, day by day. `due_at` is None while the clock stands still."""

    calendar: str
    start: datetime
    start_day: date
    days: int
    due_at: datetime | None
    provisional: bool
    walked: tuple[Day, ...]
    pauses: tuple[Pause, ...]
    notices: tuple[Notice, ...]

    @property
    def counted(self) -> tuple[Day, ...]:
        """The working days, in order; the last one is the due day."""
        return tuple(day for day in self.walked if day.number is not None)

    @property
    def skipped(self) -> tuple[Day, ...]:
        """The days passed over: weekends, holidays, days on which the clock stood still."""
        return tuple(day for day in self.walked if day.number is None)

    def sentences(self, language: str = "zh") -> tuple[str, ...]:
        """The explanation for a reader, one sentence per point, in `zh` or `en`."""
        return _chinese(self) if language == "zh" else _english(self)


class Calendar:
    """The working days of some years, with adjusted weekends. Years it lacks are provisional.

    Keeps the promise of the engine's WorkingDays: an `id` to pin, `add`, `between`, `is_working`.
    """

    def __init__(self, calendar_id: str, years: Iterable[Year], *, label: str, label_en: str, digest: str):
        self.id = calendar_id
        self.years: Mapping[int, Year] = {year.year: year for year in years}
        self.label = label
        self.label_en = label_en
        self.digest = digest
        holidays = [holiday for year in self.years.values() for holiday in year.holidays]
        self._off = {day: holiday for holiday in holidays for day in span(holiday.first, holiday.last)}
        self._working = {day: holiday for holiday in holidays for day in holiday.working}

    def is_working(self, day: date) -> bool:
        """Whether `day` is a working day. In an unpublished year every Monday to Friday is."""
        if day in self._working:
            return True
        return day.weekday() < 5 and day not in self._off

    def is_provisional(self, day: date) -> bool:
        """Whether no published notice settles what kind of day `day` is."""
        year = self.years.get(day.year)
        return year is None or not year.published

    def add(self, start: datetime, days: int) -> tuple[datetime, bool]:
        """The end (18:00 in Shanghai) of the `days`-th working day after the day of `start`, and whether
        it is provisional.

        The day of the event is not counted. 0 means that day, or the next working day if it is none;
        a negative number counts back. Raises InvalidInput for a naive `start` or an absurd number.
        """
        passed = self._passed(local_day(start), _checked(days))
        return end_of(passed[-1]), any(map(self.is_provisional, passed))

    def between(self, start: date, end: date) -> int:
        """How many working days come after `start` up to and including `end`; negative if `end` is earlier.

        The inverse of `add`: between(d, add(d, n)) is n.
        """
        if _near(end) < _near(start):
            return -sum(map(self.is_working, span(end, start - DAY)))
        return sum(map(self.is_working, span(start + DAY, end)))

    def minus(self, day: date, days: int) -> date:
        """The `days`-th working day before `day`, for reminders."""
        return self._passed(_near(day), -_checked(days))[-1]

    def explain(self, start: datetime, days: int, *, stopped: Iterable[Pause] = ()) -> Explanation:
        """How the due date `days` working days after `start` is found, every day told.

        A pause takes out only the working days in it. With a pause that has not ended before the
        count is full, `due_at` is None. `due_at` without pauses equals `add`. `days` is 1 or more.
        """
        if _checked(days) < 1:
            raise InvalidInput(f"expected at least 1 working day, found {days}")
        pauses = tuple(sorted(stopped, key=lambda pause: pause.since))
        walked = self._walk(local_day(start), days, pauses)
        full = bool(walked) and walked[-1].number == days
        return Explanation(
            calendar=self.id,
            start=start,
            start_day=local_day(start),
            days=days,
            due_at=end_of(walked[-1].day) if full else None,
            provisional=any(day.provisional for day in walked),
            walked=walked,
            pauses=pauses,
            notices=self._notices(walked),
        )

    def _passed(self, start: date, days: int) -> list[date]:
        """The days gone through to count so many working days; the last one is the due day."""
        if days == 0:
            start, days = start - DAY, 1
        step = DAY if days > 0 else -DAY
        passed, day, left = list[date](), start, abs(days)
        while left:
            day += step
            passed.append(day)
            left -= self.is_working(day)
        return passed

    def _walk(self, start: date, days: int, pauses: tuple[Pause, ...]) -> tuple[Day, ...]:
        walked: list[Day] = []
        number, day = 0, start
        while number < days and not _stands_still(day + DAY, pauses):
            day += DAY
            told = self._tell(day, number + 1, pauses)
            number = told.number or number
            walked.append(told)
        return tuple(walked)

    def _tell(self, day: date, number: int, pauses: tuple[Pause, ...]) -> Day:
        reason, reason_en = self._reason(day)
        working = self.is_working(day)
        if working and any(pause.since <= day <= (pause.until or day) for pause in pauses):
            working, reason, reason_en = False, STOPPED, STOPPED_EN
        return Day(
            day=day,
            number=number if working else None,
            reason=reason,
            reason_en=reason_en,
            provisional=self.is_provisional(day),
        )

    def _reason(self, day: date) -> tuple[str, str]:
        if worked := self._working.get(day):
            return f"{worked.name}调休上班", f"adjusted working weekend for {worked.name_en}"
        if off := self._off.get(day):
            return off.name, off.name_en
        return (WEEKEND, WEEKEND_EN) if day.weekday() >= 5 else ("", "")

    def _notices(self, walked: tuple[Day, ...]) -> tuple[Notice, ...]:
        touched = sorted({day.day.year for day in walked} & set(self.years))
        return tuple(notice for year in touched if (notice := self.years[year].notice))


def functions_at(now: datetime) -> Mapping[str, Callable[..., Any]]:
    """The functions of working days that a case started at `now` would have: by the newest calendar."""
    return Asker(load_calendar(calendar_ids()[-1]), now).functions


def load_calendar(name: str | Path) -> Calendar:
    """The calendar with this id (`cn-2026-1`), or in this file. Raises NotFound, BadDefinition."""
    path = name if isinstance(name, Path) else FOLDER / f"{name}.json"
    if not isinstance(name, Path) and name not in calendar_ids():
        raise NotFound(f"there is no calendar {name!r}", calendar=name)
    return _loaded(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=1)
def calendar_ids() -> tuple[str, ...]:
    """The ids of the calendars that ship with the product, oldest first."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


@lru_cache(maxsize=32)
def _loaded(path: Path, changed: int) -> Calendar:
    return read_calendar(path.read_bytes())


def read_calendar(data: bytes) -> Calendar:
    """A calendar from its JSON file. Raises BadDefinition naming every contradiction in it."""
    try:
        content = json.loads(data)
        years = tuple(_year(row) for row in content["years"])
        facts = {"label": str(content["label"]), "label_en": str(content["labelEn"])}
        calendar_id = str(content["id"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        text = f"not a calendar file: {type(error).__name__} {error}"
        raise BadDefinition((Problem(element="", rule="calendar", severity="error", message=text),)) from None
    if problems := tuple(_problems(years)):
        raise BadDefinition(problems)
    return Calendar(calendar_id, years, digest=hashlib.sha256(data).hexdigest(), **facts)


def _year(row: Mapping[str, Any]) -> Year:
    notice = row["notice"]
    return Year(
        year=int(row["year"]),
        published=bool(row["published"]),
        notice=_notice(notice) if notice else None,
        holidays=tuple(_holiday(holiday) for holiday in row["holidays"]),
    )


def _notice(row: Mapping[str, Any]) -> Notice:
    day = row.get("date")
    return Notice(title=row["title"], number=row.get("number"), date=date.fromisoformat(day) if day else None)


def _holiday(row: Mapping[str, Any]) -> Holiday:
    return Holiday(
        name=row["name"],
        name_en=row["nameEn"],
        first=date.fromisoformat(row["from"]),
        last=date.fromisoformat(row["to"]),
        working=tuple(date.fromisoformat(day) for day in row["working"]),
    )


def _problems(years: tuple[Year, ...]) -> Iterable[Problem]:
    seen: dict[date, str] = {}
    if len({year.year for year in years}) < len(years):
        yield _problem("", "a year stands twice", "年份重复")
    for year in years:
        if year.published != (year.notice is not None):
            yield _problem(str(year.year), "a published year names its notice, no other does", "通知缺失")
        if year.holidays and not year.published:
            yield _problem(str(year.year), "an unpublished year has no holidays", "未公布年份不得有节假日")
        for holiday in year.holidays:
            yield from _holiday_problems(year, holiday, seen)


def _holiday_problems(year: Year, holiday: Holiday, seen: dict[date, str]) -> Iterable[Problem]:
    name = f"{year.year} {holiday.name}"
    if holiday.last < holiday.first:
        yield _problem(name, "it ends before it begins", "结束早于开始")
    for day in (*span(holiday.first, holiday.last), *holiday.working):
        if day in seen:
            yield _problem(name, f"{day} also belongs to {seen[day]}", f"{day} 重复")
        if not year.year - 1 <= day.year <= year.year:
            yield _problem(name, f"{day} lies outside the year", f"{day} 不在该年")
        seen[day] = name
    for day in holiday.working:
        if day.weekday() < 5:
            yield _problem(name, f"{day} is no weekend day", f"{day} 不是周末")


def _problem(element: str, message: str, message_zh: str) -> Problem:
    return Problem(element=element, rule="calendar", severity="error", message=message, message_zh=message_zh)


def span(first: date, last: date) -> Iterable[date]:
    """Every day from `first` to `last`, both included."""
    return (first + n * DAY for n in range((last - first).days + 1))


def local_day(moment: datetime) -> date:
    """The day in Shanghai on which an aware moment lies. Raises InvalidInput for a naive one."""
    if moment.tzinfo is None:
        raise InvalidInput(f"expected a moment with its zone, found {moment.isoformat()}")
    _near(moment)
    return moment.astimezone(SHANGHAI).date()


def _near(day: date) -> date:
    if FIRST_YEAR <= day.year <= LAST_YEAR:
        return day
    raise InvalidInput(f"expected a day between {FIRST_YEAR} and {LAST_YEAR}, found {day.isoformat()}")


def end_of(day: date) -> datetime:
    """The end of the working hours of `day`: 18:00 in Shanghai."""
    return datetime.combine(day, CLOSE, SHANGHAI)


def _checked(days: int) -> int:
    if isinstance(days, bool) or days != int(days) or abs(days) > MAX_DAYS:
        raise InvalidInput(f"expected a whole number of working days up to {MAX_DAYS}, found {days}")
    return int(days)


def _stands_still(day: date, pauses: tuple[Pause, ...]) -> bool:
    return any(pause.until is None and pause.since <= day for pause in pauses)


def _chinese(told: Explanation) -> tuple[str, ...]:
    days = "、".join(f"{day.day}（{day.number}{_aside(day.reason)}）" for day in told.counted)
    passed = "、".join(f"{day.day}（{day.reason}）" for day in told.skipped)
    due = f"{told.due_at:%Y-%m-%d %H:%M}" if told.due_at else "计时中止，尚无到期日"
    notices = "、".join(notice.number or notice.title for notice in told.notices)
    return _said(
        f"起算事件发生于{told.start_day}，当日不计。",
        f"期限为{told.days}个工作日。",
        days and f"计入：{days}。",
        passed and f"不计入：{passed}。",
        *(f"中止计时：{p.since}至{p.until or '今'}{_aside(p.reason)}。" for p in told.pauses),
        f"到期：{due}。",
        f"工作日历{told.calendar}：{notices or '无已公布通知'}。",
        "涉及尚未公布放假安排的年份，结果为暂定。" if told.provisional else "",
    )


def _english(told: Explanation) -> tuple[str, ...]:
    days = ", ".join(
        f"{day.day} ({day.number}{', ' * bool(day.reason_en)}{day.reason_en})" for day in told.counted
    )
    passed = ", ".join(f"{day.day} ({day.reason_en})" for day in told.skipped)
    due = f"{told.due_at:%Y-%m-%d %H:%M}" if told.due_at else "not yet, the clock stands still"
    notices = ", ".join(notice.number or notice.title for notice in told.notices)
    return _said(
        f"The event lies on {told.start_day}; that day is not counted.",
        f"The term is {told.days} working days.",
        days and f"Counted: {days}.",
        passed and f"Passed over: {passed}.",
        *(f"The clock stood still from {p.since} to {p.until or 'now'}." for p in told.pauses),
        f"Due: {due}.",
        f"Calendar {told.calendar}: {notices or 'no published notice'}.",
        "It touches a year without a published notice and is provisional." if told.provisional else "",
    )


def _said(*sentences: str) -> tuple[str, ...]:
    return tuple(sentence for sentence in sentences if sentence)


def _aside(text: str) -> str:
    return f"，{text}" if text else ""
