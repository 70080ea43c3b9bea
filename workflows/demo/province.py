"""The province of the demonstration: it leads the spring batch to its notice, and drafts that of 2027."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from engine.values import Value
from workflows.demo.rounds import END, SPRING
from workflows.register.calendar import local_day

BATCH, CALLER, APPROVAL = "batch", "prov.officer", "bat_approve"
LED, DRAFTED = -1, -2
"""The numbers of its cases among those of the applications: everybody does at once what is to be done."""

BEGUN = {LED: SPRING.opens + timedelta(hours=1), DRAFTED: END - timedelta(days=4)}
YEARS = {LED: 2026, DRAFTED: 2027}
CALLS = {
    2026: {
        "batch_id": SPRING.batch,
        "name": "甘肃省2026年度绿色制造梯度培育第一批",
        "name_en": "Gansu green manufacturing 2026, first batch",
        "apply_until": "2026-05-31",
        "recommend_until": "2026-06-30",
        "meeting_on": "2026-08-24",
        "document_no": "甘工信函〔2026〕66号",
    },
    2027: {
        "batch_id": "2027-1",
        "name": "甘肃省2027年度绿色制造梯度培育第一批",
        "name_en": "Gansu green manufacturing 2027, first batch",
        "apply_until": "2027-05-31",
        "recommend_until": "2027-06-30",
        "meeting_on": "2027-08-23",
        "document_no": "甘工信函〔2026〕301号",
    },
}
OPEN = ("municipal", "provincial", "national")
MEETING = {"meeting": "2026年第9次厅务会", "document_no": "甘工信会纪〔2026〕9号"}
NOTICE = {"document_no": "甘工信发〔2026〕210号", "url": "https://gxt.example.gov.cn/gb/2026/9"}
BODY = "甘肃省工业和信息化厅"
NOT_SELECTED, DEFERRED = 10, 25
"""One in so many of a ranked list is not selected, one in so many waits for the next batch."""


def answers(element: str, context: Mapping[str, Value], now: datetime) -> dict[str, Any] | None:
    """What the province fills in at an element of its batch; None for the elements of all others."""
    today = local_day(now).isoformat()
    match element:
        case "bat_call":
            return called(context)
        case "bat_approve":
            return {"approver": "省工信厅负责人"}
        case "bat_meeting":
            return {**MEETING, "body": BODY, "date": today, "rows": decided(context["candidates"])}
        case "bat_publish":
            return {
                "url": "https://gxt.example.gov.cn/gs/2026/8",
                "published_on": today,
                "contact": "0931-5550001",
            }
        case "bat_check":
            return {"note": "异议已逐件核对，未办结的等待下一批次。"}
        case "bat_notice":
            return {**NOTICE, "body": BODY, "date": today}
    return None


def called(context: Mapping[str, Any]) -> dict[str, Any]:
    """The call of a year's batch: what it says of its own, the rest as the rules have it."""
    rules, year = context["rules"], int(context["wanted_year"])
    tracks = {f"tracks_{level}": list(rules["tracks"][level]) for level in OPEN}
    own = {"year": year, "rules_id": rules["id"], "calendar": "cn-2026-1", "publicity_days": 5}
    return {**CALLS[year], **tracks, **own}


def waits(number: int, element: str) -> bool:
    """Whether this is what the leader finds on the desk: the next year's batch, to be approved."""
    return number == DRAFTED and element == APPROVAL


def decided(candidates: Any) -> list[dict[str, str]]:
    """The meeting's word on every row: the weakest are not selected, the next weakest are deferred."""
    weakest = sorted(
        range(len(candidates)), key=lambda row: (candidates[row]["score"], candidates[row]["case"])
    )
    out, later = len(candidates) // NOT_SELECTED, len(candidates) // DEFERRED
    word = dict.fromkeys(weakest[:out], ("not_selected", "排序在入选线以下。"))
    word |= dict.fromkeys(weakest[out : out + later], ("deferred_next_batch", "尚有事项待核，转入下一批次。"))
    chosen = [word.get(row, ("selected", "同意列入。")) for row in range(len(candidates))]
    return [{"decision": decision, "reason": reason} for decision, reason in chosen]
