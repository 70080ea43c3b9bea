"""Say it in the reader's language: texts, times and amounts for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.messages.pofile import read_po
from flask import g, has_request_context, request, session

ZONE = ZoneInfo("Asia/Shanghai")
LANGUAGES = {"zh": "zh-CN", "en": "en"}
WEEKDAYS = {
    "zh": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
CATALOGUES = Path(__file__).parent / "translations"


@cache
def english() -> Mapping[str, str]:
    """Chinese text → English text. Read as .po, so that translators' tools can edit it."""
    found: dict[str, str] = {}
    for path in sorted(CATALOGUES.glob("en*.po")):
        with path.open("rb") as file:
            told = read_po(file, locale="en")
        found |= {str(one.id): str(one.string) for one in told if one.id and one.string}
    return found


def language() -> str:
    """`zh` or `en`: as chosen, else as the browser prefers, else Chinese."""
    if not has_request_context():
        return "zh"
    if "language" not in g:
        g.language = _chosen() or _preferred()
    return g.language


def _chosen() -> str | None:
    chosen = session.get("language") if session else None
    return chosen if chosen in LANGUAGES else None


def _preferred() -> str:
    best = request.accept_languages.best_match(["zh-CN", "zh", "en"], default="zh")
    return "en" if best == "en" else "zh"


def say(zh: str, **facts: Any) -> str:
    """The text in the reader's language, its `{places}` filled with `facts`."""
    text = zh if language() == "zh" else english().get(zh, zh)
    return text.format(**facts) if facts else text


def pick(zh: str | None, en: str | None) -> str:
    """Of two texts that data carries, the reader's; the other where one is missing."""
    first, second = (zh, en) if language() == "zh" else (en, zh)
    return first or second or ""


def as_time(value: datetime | str | None) -> datetime | None:
    """An aware moment from a stored value; stored naive times are UTC."""
    if value is None or value == "":
        return None
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def at(value: datetime | str | None) -> str:
    """`2026年8月21日 周五 18:00` in Asia/Shanghai."""
    moment = as_time(value)
    return "" if moment is None else f"{on(moment)} {moment.astimezone(ZONE):%H:%M}"


def on(value: datetime | date | str | None) -> str:
    """`2026年8月21日 周五`, of a date or of a moment's day in Asia/Shanghai."""
    day = _day(value)
    if day is None:
        return ""
    weekday = WEEKDAYS[language()][day.weekday()]
    if language() == "zh":
        return f"{day.year}年{day.month}月{day.day}日 {weekday}"
    return f"{weekday} {day:%d %b %Y}"


def dated(day: date) -> str:
    """`2026年6月10日`, as a letter bears it."""
    if language() == "zh":
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day} {day:%B %Y}"


def shortly(value: datetime | str | None, *, now: datetime) -> str:
    """`8月21日 周五 18:00`: the year is told only when it is not this year."""
    moment = as_time(value)
    if moment is None:
        return ""
    if moment.astimezone(ZONE).year != now.astimezone(ZONE).year:
        return at(moment)
    there, weekday = moment.astimezone(ZONE), WEEKDAYS[language()][moment.astimezone(ZONE).weekday()]
    if language() == "zh":
        return f"{there.month}月{there.day}日 {weekday} {there:%H:%M}"
    return f"{weekday} {there:%d %b} {there:%H:%M}"


def _day(value: datetime | date | str | None) -> date | None:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return date.fromisoformat(value) if len(value) == 10 else _day(as_time(value))
    return value.astimezone(ZONE).date() if isinstance(value, datetime) else value


def number(value: Any) -> str:
    """An amount as people write it: no exponent, no trailing zeros."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return "" if value is None else str(value)
    text = f"{Decimal(str(value)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def shown(value: Any) -> str:
    """Any case value as one line for a person."""
    match value:
        case None | "":
            return "—"
        case bool():
            return say("是") if value else say("否")
        case datetime():
            return at(value)
        case date():
            return on(value)
        case list() | tuple():
            return "、".join(shown(item) for item in value) or "—"
        case dict():
            return "；".join(f"{key}: {shown(item)}" for key, item in value.items()) or "—"
        case _:
            return number(value)


def due_phrase(due_at: datetime | str, *, now: datetime, between: Callable[[date, date], int]) -> str:
    """`剩 2 工作日`, `今日到期`, `逾期 1 工作日`; `between` counts working days from a day to a later one."""
    due = as_time(due_at)
    assert due is not None
    today, last = now.astimezone(ZONE).date(), due.astimezone(ZONE).date()
    if due < now:
        return say("逾期 {n} 工作日", n=between(last, today)) if last < today else say("今日已逾期")
    return say("今日到期") if last == today else say("剩 {n} 工作日", n=between(today, last))
