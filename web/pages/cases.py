"""A case for those who may see it: where it stands, what happened, what is known; the unit may withdraw."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, render_template, request, url_for

from web import clause_words, sight, words
from web.context import actor, rooms
from web.pages import drawings, materials, messaging, recommendations, telling
from web.pages.lines import group_names, level_name, outcome_name, since, term
from web.pages.messaging import Answer
from web.sight import seen_case
from workflows.reading.history import CaseLine, CaseQuery, State

pages = Blueprint("cases", __name__)

STATES = {
    "active": ("办理中", "is-active"),
    "suspended": ("已暂停", "is-held"),
    "completed": ("已办结", "is-ok"),
    "terminated": ("已终止", "is-late"),
}
TABS = {"course": "进度", "data": "材料", "diagram": "流程", "history": "过程"}
PAGE = 50
MILESTONES = ("people", "interventions")
HANDLING = ("TaskClaimed", "TaskReleased")


@pages.get("/cases/mine")
def mine() -> str:
    """The cases of one's own unit, in plain words."""
    return _list("cases.mine", CaseQuery(unit=actor().unit or "-", limit=200))


@pages.get("/cases")
def search() -> str:
    """The cases in one's sight."""
    first = request.args.get("first", "0")
    return _list(
        "cases.search",
        CaseQuery(
            q=" ".join(request.args.get("q", "").split())[:100],
            status=request.args.get("status", "") if request.args.get("status") in STATES else "",
            outcome=request.args.get("outcome", "")[:60],
            first=int(first) if first.isascii() and first.isdigit() and len(first) < 7 else 0,
            limit=PAGE,
        ),
    )


@pages.get("/case/<case_id>")
def show(case_id: str) -> str:
    row = seen_case(case_id)
    tabs = {name: label for name, label in TABS.items() if name != "history" or sight.looks_inside()}
    tab = request.args.get("tab", "course") if request.args.get("tab") in tabs else "course"
    return render_template(
        "case.html",
        case=_summary(row),
        tab=tab,
        tabs=[{"name": name, "label": words.say(label)} for name, label in tabs.items()],
        hearings=messaging.offers(case_id, actor()),
        table_href=recommendations.address_from(row),
        refusals=_refusals(row),
        **_tab(tab, row),
    )


@pages.get("/case/<case_id>/message/<message>")
def compose(case_id: str, message: str) -> str:
    """The form of a message the case would hear now: a withdrawal, a request, an objection."""
    row = seen_case(case_id)
    return messaging.page(row, messaging.heard(case_id, message, actor()), values={})


@pages.post("/case/<case_id>/message/<message>")
def send(case_id: str, message: str) -> Answer:
    row = seen_case(case_id)
    hearing = messaging.heard(case_id, message, actor())
    return messaging.send(row, hearing, sender=actor(), then=url_for("cases.show", case_id=case_id))


def _list(endpoint: str, query: CaseQuery) -> str:
    page = rooms().history.find(query, actor())
    behind = query.first + len(page.items)
    return render_template(
        "cases.html",
        endpoint=endpoint,
        query=query,
        cases=[_line(one) for one in page.items],
        total=page.total,
        states={name: words.say(label) for name, (label, _) in STATES.items()},
        next_href=_address(query, behind) if endpoint == "cases.search" and behind < page.total else "",
        first_href=_address(query, 0) if query.first else "",
    )


def _address(query: CaseQuery, first: int) -> str:
    told: dict[str, Any] = {"q": query.q, "status": query.status, "outcome": query.outcome, "first": first}
    return url_for("cases.search", **{name: value for name, value in told.items() if value})


def _summary(row: Mapping[str, Any]) -> dict[str, Any]:
    label, look = STATES.get(row["status"], (row["status"], ""))
    return {
        "id": row["case_id"],
        "name": words.pick(row["process_name"], row["process_name_en"]),
        "unit": words.pick(row["unit_name"], row["unit_name_en"]),
        "uscc": row["uscc"],
        "authority": row["authority_name"],
        "batch": row["batch_name"],
        "state": words.say(label),
        "look": look,
        "status": row["status"],
        "outcome": outcome_name(row["outcome"]),
        "level": level_name(row["level"]),
        "definition": row["definition_id"],
        "started": since(row["started_at"]),
        "updated": since(row["updated_at"]),
        "ended": since(row["ended_at"]) if row["ended_at"] else None,
        "incidents": row["open_incidents"],
    }


def _line(line: CaseLine) -> dict[str, Any]:
    steps = dict.fromkeys(words.pick(name, name_en) for _, name, name_en in line.steps)
    return _summary(line.row) | {"steps": words.say("、").join(steps)}


def _tab(tab: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """What only one tab shows."""
    case_id, seq = row["case_id"], row["seq"]
    if tab == "history":
        return {"steps": telling.steps(rooms().history.timeline(case_id), _definition(row))}
    state = rooms().history.state(case_id, seq)
    if tab == "data":
        inside = materials.tree(state.variables) if sight.looks_inside() else []
        return {"handed": materials.handed_in(case_id), "variables": inside}
    if tab == "diagram":
        return drawings.shown(row, state)
    return {"waiting": _waiting(row, state), "steps": _milestones(row), "draws": _draws(row)}


def _waiting(row: Mapping[str, Any], state: State) -> list[dict[str, Any]]:
    """What the case waits for, from whom, until when, and whether that is the reader."""
    elements = _definition(row).elements
    return [
        {
            "id": task.task_id,
            "name": words.pick(elements[task.element].name, elements[task.element].name_en),
            "holders": group_names(task.groups) or "、".join(task.users),
            "is_ours": bool(actor().groups & set(task.groups)) or actor().id in (*task.users, task.assignee),
            "term": term(words.as_time(task.due_at)),
        }
        for task in state.standing.tasks.values()
    ]


def _refusals(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rules that refused the case: why, by which row of which table, and what it rests on."""
    if row["status"] != "completed":
        return []
    found = rooms().history.refusals(row["case_id"])
    elements = _definition(row).elements if found else {}
    return [
        {
            "text": words.pick(one.zh, one.en),
            "decision": words.pick(elements[one.element].name, elements[one.element].name_en),
            "row": one.row,
            "rule": one.rule,
            "is_inferred": one.is_inferred,
            "clause": clause_words.clause(one.clause),
        }
        for one in found
    ]


def _draws(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What was drawn by lot, with its proof: for those who look inside."""
    found = rooms().history.draws(row["case_id"]) if sight.looks_inside() else ()
    elements = _definition(row).elements if found else {}
    return [
        {
            "draw": one,
            "name": words.pick(elements[one.element].name, elements[one.element].name_en),
            "lots": [{"name": name, "lot": lot, "is_drawn": name in one.drawn} for name, lot in one.lots],
        }
        for one in found
    ]


def _milestones(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What people did, the latest first, without the machine's own steps and without mere claiming."""
    told = [
        event
        for event in sight.own_part(rooms().history.timeline(row["case_id"]))
        if event.lane in MILESTONES and event.type not in HANDLING
    ]
    return telling.steps(reversed(told), _definition(row))


def _definition(row: Mapping[str, Any]) -> Any:
    """The drawings the case runs on."""
    return rooms().catalog.definition(row["pins"], row["process_id"])
