"""The province of the demonstration: what it begins itself, and what it fills in at its batches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from engine.values import Value
from workflows.demo.years import BATCHES, DRAFTED, Batch, statute_of
from workflows.register.calendar import local_day

BATCH, CALLER, APPROVAL = "batch", "prov.officer", "bat_approve"
LEADING = frozenset((BATCH, "annual_campaign", "evaluator_oversight", "re_evaluation_order", "renewals"))
"""Processes about no unit of their own: their cases are not counted among those of the season."""


@dataclass(frozen=True, kw_only=True)
class Led:
    """A case that the province begins; everybody does at once what is to be done in it."""

    process: str
    begun: datetime
    given: Mapping[str, Any] = field(default_factory=dict)


def _at(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, 1, 30, tzinfo=UTC)


LED = {
    **{
        number: Led(
            process=BATCH,
            begun=batch.begun,
            given={"wanted_year": batch.year, "basis": f"年度工作安排（{batch.batch}）"},
        )
        for number, batch in BATCHES.items()
    },
    -11: Led(process="evaluator_oversight", begun=_at(2025, 2, 10), given={"evaluator": "ev1", "year": 2025}),
    -12: Led(process="evaluator_oversight", begun=_at(2025, 2, 10), given={"evaluator": "ev2", "year": 2025}),
    -13: Led(process="evaluator_oversight", begun=_at(2026, 2, 9), given={"evaluator": "ev1", "year": 2026}),
    -14: Led(process="evaluator_oversight", begun=_at(2026, 2, 9), given={"evaluator": "ev2", "year": 2026}),
    -15: Led(process="annual_campaign", begun=_at(2025, 3, 3), given={"year": 2025}),
    -16: Led(process="annual_campaign", begun=_at(2026, 3, 3), given={"year": 2026}),
    -17: Led(
        process="re_evaluation_order",
        begun=_at(2025, 10, 9),
        given={
            "track": "gp",
            "level": "national",
            "kind": "standard",
            "standard": "绿色工业园区评价要求",
            "reason": "国家级园区按新要求对标（工信厅节函〔2025〕390号）。",
        },
    ),
    -18: Led(process="renewals", begun=_at(2026, 1, 5), given={"year": 2026}),
}
"""By the number of the case, all below those of the units."""

OPEN = ("municipal", "provincial", "national")
BODY = "甘肃省工业和信息化厅"
DEFERRED = 25
"""One in so many of a ranked list waits for the next batch where no number is set."""
NOT_SELECTED = 10
"""One in so many of it is not selected."""


def answers(
    batch: Batch | None, element: str, context: Mapping[str, Value], now: datetime
) -> dict[str, Any] | None:
    """What the province fills in at an element of a batch; None for the elements of all others. The meeting
    is another matter."""
    if batch is None:
        return None
    today, year = local_day(now).isoformat(), local_day(now).year
    match element:
        case "bat_call":
            return called(batch, context)
        case "bat_approve":
            return {"approver": "省工信厅负责人"}
        case "bat_publish":
            url = f"https://gxt.example.gov.cn/gs/{year}/{batch.meeting}"
            return {"url": url, "published_on": today, "contact": "0931-5550001"}
        case "bat_check":
            return {"note": "异议已逐件核对，未办结的等待下一批次。"}
        case "bat_notice":
            number = f"甘工信发〔{year}〕{200 + batch.meeting}号"
            url = f"https://gxt.example.gov.cn/gb/{year}/{batch.meeting}"
            return {"document_no": number, "url": url, "body": BODY, "date": today}
    return None


def called(batch: Batch, context: Mapping[str, Any]) -> dict[str, Any]:
    """The call of a batch: what it says of its own, the rest as the rules have it."""
    known = context["rules"]["tracks"]
    own = statute_of(batch).changes
    tracks = {
        f"tracks_{level}": own[f"tracks.{level}"]["value"] if f"tracks.{level}" in own else list(known[level])
        for level in OPEN
    }
    return {**tracks, **batch.called()}


def met(batch: Batch, now: datetime) -> dict[str, Any]:
    """What a meeting says of itself."""
    year = local_day(now).year
    meeting = {"meeting": f"{year}年第{batch.meeting}次厅务会", "body": BODY}
    return {**meeting, "document_no": f"甘工信会纪〔{year}〕{batch.meeting}号", "date": f"{local_day(now)}"}


def waits(number: int, element: str) -> bool:
    """Whether this is what the leader finds on the desk: the next year's batch, to be approved."""
    return number == DRAFTED and element == APPROVAL


def decided(
    candidates: Any,
    missing: Mapping[str, int],
    *,
    first: frozenset[str],
    barred: frozenset[str],
    last: bool,
) -> list[dict[str, str]]:
    """The meeting's word on every row. On a track with a number so many of the best are selected, the cases
    in `first` before all others, those in `barred` never; of the rest half waits for the next batch unless
    this is the `last` one."""
    words: dict[int, tuple[str, str]] = {}
    for track in sorted({str(row["track"]) for row in candidates}):
        rows = [place for place, row in enumerate(candidates) if row["track"] == track]
        able = [place for place in rows if candidates[place]["case"] not in barred]
        ranked = sorted(able, key=lambda place: _rank(candidates[place], first))
        words |= dict.fromkeys(rows, ("not_selected", "处于禁报期或已有称号。"))
        words |= _chosen(ranked, missing.get(track), last=last)
    return [{"decision": words[place][0], "reason": words[place][1]} for place in range(len(candidates))]


def _rank(row: Mapping[str, Any], first: frozenset[str]) -> tuple[bool, Decimal, str]:
    return row["case"] not in first, -Decimal(row["score"] or 0), str(row["case"])


def _chosen(ranked: list[int], wanted: int | None, *, last: bool) -> dict[int, tuple[str, str]]:
    """By the place in the list: the word, and why."""
    out, later = len(ranked) // NOT_SELECTED, len(ranked) // DEFERRED
    if wanted is None:
        wanted = len(ranked) - out - later
    else:
        left = max(len(ranked) - wanted, 0)
        later = 0 if last else (left + 1) // 2
    taken, waiting = ranked[:wanted], ranked[wanted : wanted + later]
    word = dict.fromkeys(taken, ("selected", "同意列入。"))
    word |= dict.fromkeys(waiting, ("deferred_next_batch", "尚有事项待核，转入下一批次。"))
    rest = ranked[wanted + later :]
    return word | dict.fromkeys(rest, ("not_selected", "排序在入选线以下。"))
