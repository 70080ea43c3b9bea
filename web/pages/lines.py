"""A task as one line for people: names, terms and holders in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from web import words
from web.answers import moment
from web.context import now, rooms
from workflows.actors.policy import Actor
from workflows.reading.inbox import TaskRow

STATES = {"ready": "待认领", "claimed": "办理中", "completed": "已办结", "cancelled": "已撤销"}


@dataclass(frozen=True, kw_only=True)
class Term:
    """A due moment as people read it: `剩 2 工作日`, its look, and the absolute time."""

    text: str
    look: str
    short: str
    full: str
    iso: str | None
    is_provisional: bool = False


@dataclass(frozen=True, kw_only=True)
class Line:
    """What a list shows of a task."""

    id: str
    case_id: str
    name: str
    step: str
    clause: str
    unit_name: str
    authority_name: str
    batch_name: str
    round: int
    priority: int
    state: str
    is_done: bool
    is_mine: bool
    can_claim: bool
    is_escalated: bool
    is_suspended: bool
    has_draft: bool
    assignee_name: str
    group_names: str
    term: Term | None
    created: Term
    outcome: str


def line(row: TaskRow, actor: Actor) -> Line:
    """The line of a task for this reader."""
    is_open = row.state in ("ready", "claimed")
    is_candidate = bool(actor.groups & set(row.groups)) or actor.id in row.users
    return Line(
        id=row.task_id,
        case_id=row.case_id,
        name=words.pick(row.name, row.name_en),
        step=own_step(row.step, row.case_id),
        clause=row.clause,
        unit_name=row.unit_name,
        authority_name=row.authority_name,
        batch_name=row.batch_name,
        round=row.round,
        priority=row.priority,
        state=words.say(STATES.get(row.state, row.state)),
        is_done=not is_open,
        is_mine=row.state == "claimed" and row.assignee == actor.id,
        can_claim=row.state == "ready" and not row.suspended and is_candidate,
        is_escalated=row.escalated_at is not None and is_open,
        is_suspended=row.suspended,
        has_draft=row.has_draft,
        assignee_name=row.assignee_name or row.assignee or "",
        group_names=group_names(row.groups),
        term=term(row.due_at, is_provisional=row.provisional) if is_open else None,
        created=since(row.created_at),
        outcome=row.outcome or "",
    )


def own_step(steps: str, case_id: str) -> str:
    """Of the steps that an element has on all tracks, those of the case's own: `GF-M5 SC-M4` → `GF-M5`."""
    own = [step for step in steps.split() if step.startswith(case_id.partition("-")[0] + "-")]
    return " ".join(own) or steps


def term(due_at: datetime | None, *, is_provisional: bool = False) -> Term | None:
    """When something is due, counted in working days of the calendar of new cases."""
    if due_at is None:
        return None
    calendar = rooms().catalog.calendar(rooms().catalog.calendar_id)
    left = (due_at - now()).total_seconds()
    return Term(
        text=words.due_phrase(due_at, now=now(), between=calendar.between),
        look="is-late" if left < 0 else "is-soon" if left < 2 * 86_400 else "",
        short=words.shortly(due_at, now=now()),
        full=words.at(due_at),
        iso=moment(due_at),
        is_provisional=is_provisional,
    )


def since(at: datetime) -> Term:
    """A past moment, short, with its full form at hand."""
    short = words.shortly(at, now=now())
    return Term(text=short, look="", short=short, full=words.at(at), iso=moment(at))


GROUPS = {
    "applicant": "申报单位",
    "evaluator": "评价机构",
    "county_officer": "县区工信局",
    "municipal_officer": "市州工信局经办",
    "municipal_leader": "市州工信局领导",
    "water_bureau": "市州水务部门",
    "provincial_officer": "省工信厅经办",
    "provincial_leader": "省工信厅领导",
    "department": "省级部门",
    "expert": "评审专家",
    "complaint_officer": "举报受理",
}
DEPARTMENTS = {
    "ecology": "生态环境厅",
    "emergency": "应急管理厅",
    "market": "市场监督管理局",
    "water": "水利厅",
}


def group_names(groups: Iterable[str]) -> str:
    """Candidate groups in words."""
    return words.say("、").join(dict.fromkeys(group_name(group) for group in groups))


def group_name(group: str) -> str:
    """`department@ecology` → 生态环境厅; of local authorities the office, the list shows where."""
    kind, _, place = group.partition("@")
    if kind == "department" and place in DEPARTMENTS:
        return words.say(DEPARTMENTS[place])
    return words.say(GROUPS[kind]) if kind in GROUPS else group


def outcome_name(code: str | None) -> str:
    """An outcome code in words."""
    return words.say(OUTCOMES[code]) if code in OUTCOMES else code or ""


OUTCOMES: dict[Any, str] = {
    "accepted": "已受理",
    "returned_for_correction": "退回补正",
    "withdrawn": "已撤回",
    "rejected_ineligible": "不符合条件",
    "rejected_quality": "评价未达标",
    "deferred_next_batch": "转入下一批次",
    "stays_in_cultivation": "继续培育",
    "not_selected": "未入选",
    "objection_upheld": "异议成立",
    "objection_dismissed": "异议不成立",
    "suspended_pending_investigation": "暂停待查",
    "designated": "已认定",
    "recommended_up": "已推荐上报",
    "removed": "已移出",
    "expired": "已失效",
    "renewed": "已续期",
    "promoted": "已获称号出库",
    "no_progress": "连续未达标出库",
    "removed_veto": "因排除情形出库",
    "kept": "保留",
    "removal_proposed": "已移送移出",
    "not_listed": "无此称号",
    "renamed": "已更名",
    "merged": "已并入",
    "reported": "已报告",
    "filed": "已备案",
    "confirmed": "已部署",
    "not_now": "暂不部署",
    "unfounded": "举报不属实",
    "rectify": "限期整改",
    "removal_case": "移送移出",
    "evaluator_case": "移送评价机构监管",
    "not_accepted": "不予受理",
    "warning": "警告",
    "none": "未见问题",
    "published": "已公布",
    "nobody_listed": "无拟列入单位",
}
LEVELS = {"municipal": "市级", "provincial": "省级", "national": "国家级", "none": "未获级别"}


def level_name(code: str | None) -> str:
    """A level of designation in words."""
    return words.say(LEVELS[code]) if code in LEVELS else code or ""
