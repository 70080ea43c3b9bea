"""Papers of the right year from the right office: numbers, bodies and dates in what people fill in.

The played examples, from which the demonstration takes its words, are of 2026 and mostly of Lanzhou.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from workflows.demo.chance import Chance

WRITTEN_IN = 2026
"""The year of the examples."""

ABBREVIATIONS = {
    "620100": "兰",
    "620200": "嘉",
    "620300": "金",
    "620400": "白",
    "620500": "天",
    "620600": "武",
    "620700": "张",
    "620800": "平",
    "620900": "酒",
    "621000": "庆",
    "621100": "定",
    "621200": "陇",
    "622900": "临州",
    "623000": "甘南",
    "620171": "兰新",
}
"""How each authority begins its document numbers; invented."""

NUMBER = re.compile(r"^(?P<office>[^〔]*)〔(?P<year>\d{4})〕(?P<number>\d+)号$")
LOCAL = re.compile(r"^[兰嘉金白天武张平酒庆定陇临]?(?P<kind>工信(?![厅部])|经发)")
BUREAU = re.compile(r"^..+?(市|州|新区)(工业和信息化局|经济发展局)$")
TODAY = frozenset(
    ("date", "published_on", "answered_on", "signed_on", "visited_on", "checked_on", "graded_on")
)
"""Fields that say when what is filled in was done."""
AS_WRITTEN = frozenset(("registered_on", "received_on", "fact_date"))
"""Fields that say when something was before; who begins a case says it."""
YEARS = frozenset(("year", "target_year"))
MOST = 400
"""Numbers of one office in a year."""


@dataclass(frozen=True, kw_only=True)
class Office:
    """Where and when papers are written."""

    authority: str
    body: str
    today: date
    chance: Chance


def rewritten(values: Mapping[str, Any], office: Office) -> dict[str, Any]:
    """The same, as it is written on this day in the unit's authority."""
    return {key: _value(key, value, office) for key, value in values.items()}


def _value(key: str, value: Any, office: Office) -> Any:
    match value:
        case dict():
            return rewritten(value, office)
        case list():
            return [_value(key, inner, office) for inner in value]
        case str():
            return _text(key, value, office)
        case int() | Decimal() if key in YEARS and not isinstance(value, bool):
            return value + office.today.year - WRITTEN_IN
    return value


def _text(key: str, text: str, office: Office) -> str:
    if key in AS_WRITTEN:
        return text
    if (day := _day(text)) is not None:
        return office.today.isoformat() if key in TODAY else _shifted(day, office.today.year - WRITTEN_IN)
    if (numbered := NUMBER.match(text)) is not None:
        return _numbered(numbered["office"], office)
    if key == "body" and BUREAU.match(text) and office.body:
        return office.body
    return text.replace(f"/{WRITTEN_IN}/", f"/{office.today.year}/") if text.startswith("http") else text


def _numbered(written: str, office: Office) -> str:
    """A number of the same office, or of the unit's authority where a municipality's was written."""
    head = written
    if (local := LOCAL.match(written)) and office.authority in ABBREVIATIONS:
        head = ABBREVIATIONS[office.authority] + written[local.start("kind") :]
    number = office.chance.about(head).between(1, MOST)
    return f"{head}〔{office.today.year}〕{number}号"


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None


def _shifted(day: date, years: int) -> str:
    return day.replace(year=day.year + years, day=min(day.day, 28) if day.month == 2 else day.day).isoformat()
