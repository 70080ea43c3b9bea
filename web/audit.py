"""The auditor's pages: find a case, walk through it entry by entry, verify its record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, abort, g, render_template, request, url_for

from web import audit_words, outline
from web.answers import xml_text
from web.context import actor, now, rooms
from web.sight import seen_case
from web.words import ZONE, say, shortly
from workflows.reading.history import CaseQuery, Event
from workflows.transaction.change import record_operation
from workflows.transaction.facts import case_row

pages = Blueprint("audit", __name__, url_prefix="/audit")

PAGE = 50
LANES = ("process", "people", "decisions", "services", "interventions")
MOMENT_TABS = (
    ("step", "本步"),
    ("data", "数据"),
    ("tasks", "任务与期限"),
    ("decisions", "决策"),
    ("outline", "流程"),
    ("operations", "操作记录"),
)


@pages.before_request
def _only_in_sight() -> None:
    """A confined case is nobody's by office, not an auditor's either. Raises NotFound."""
    if case_id := (request.view_args or {}).get("case_id"):
        seen_case(case_id)


@pages.get("/")
def search() -> str:
    asked, first = _asked(), max(0, request.args.get("first", 0, type=int))
    if any(asked.values()):
        _note_reading("search-cases", "; ".join(f"{k}={v}" for k, v in asked.items() if v))
    page = rooms().history.find(_query(asked, first), actor())
    following = first + PAGE if first + PAGE < page.total else None
    return render_template(
        "audit/search.html",
        asked=asked,
        is_filtered=any(asked.values()),
        choices=audit_words.choices(asked),
        cases=[audit_words.case_line(line.row) for line in page.items],
        summary=_summary(first, len(page.items), page.total),
        next_href=_page_at(following) if following is not None else None,
        first_href=_page_at(0) if first else None,
    )


@pages.get("/<case_id>")
def replay(case_id: str) -> str:
    told = rooms().history.timeline(case_id)
    seq, definition = _seq(len(told)), _definition(told)
    rules = audit_words.rules_of(told[0].data["pins"])
    _note_reading("read-case", case_id, case_id)
    return render_template(
        "audit/replay.html",
        case=_case(case_id),
        last=len(told),
        lanes=[(lane, audit_words.lane(lane)) for lane in LANES],
        ticks=[{"seq": e.seq, "lane": e.lane, "row": LANES.index(e.lane)} for e in told],
        entries=[_entry_line(event, definition, rules) for event in told],
        previous_human=next((e.seq for e in reversed(told) if e.seq < seq and _is_human(e)), seq),
        next_human=next((e.seq for e in told if e.seq > seq and _is_human(e)), seq),
        seq=seq,
        **_moment(case_id, seq, told),
    )


@pages.get("/<case_id>/moment")
def moment(case_id: str) -> str:
    """The part of the replay page that changes from step to step."""
    told = rooms().history.timeline(case_id)
    return render_template("audit/_moment.html", **_moment(case_id, _seq(len(told)), told))


@pages.get("/<case_id>/drawing/<process>")
def drawing(case_id: str, process: str) -> Response:
    """The drawing the case runs on: the version pinned at its start, not today's."""
    definition = _definition(rooms().history.timeline(case_id, upto=1))
    if (text := definition.sources.bpmn.get(process)) is None:
        abort(404)
    return xml_text(text)


@pages.get("/<case_id>/verification")
def verification(case_id: str) -> str:
    return _verification(case_id, None)


@pages.post("/<case_id>/verification")
def verify(case_id: str) -> str:
    proof = rooms().history.verify(case_id)
    return _verification(case_id, {**audit_words.verdict(proof), "at": now()})


# --- below --------------------------------------------------------------------------------------------


def _verification(case_id: str, result: dict[str, Any] | None) -> str:
    return render_template(
        "audit/verification.html",
        case=_case(case_id),
        result=result,
        proved=audit_words.proved(),
        not_proved=audit_words.not_proved(),
    )


def _moment(case_id: str, seq: int, told: Sequence[Event]) -> dict[str, Any]:
    state = rooms().history.state(case_id, seq)
    definition = _definition(told)
    standing, event = state.standing, told[seq - 1]
    names = audit_words.labels(told[0].data["pins"])
    rules = audit_words.rules_of(told[0].data["pins"])
    return {
        "sentence": audit_words.announcement(event, definition, rules),
        "entry": audit_words.entry_facts(event, definition),
        "changes": audit_words.data_lines(state, names, only_changed=True),
        "data": audit_words.data_lines(state, names),
        "tasks": audit_words.task_lines(standing, definition),
        "timers": [
            {"name": outline.name_of(definition, element), "due_at": due}
            for element, due in standing.timers.values()
        ],
        "incidents": [
            {"name": outline.name_of(definition, element), "message": message}
            for element, message in standing.incidents.values()
        ],
        "decisions": audit_words.decision_cards(standing, definition, rules),
        "nodes": outline.tree(definition, standing),
        "operations": audit_words.operation_lines(rooms().history.operations(case_id), state.at),
        "diagrams": _diagrams(case_id, definition, standing, event),
        "tabs": [(tab, say(label)) for tab, label in MOMENT_TABS],
        "problem": state.problem,
    }


def _diagrams(case_id: str, definition: Any, standing: Any, event: Event) -> dict[str, Any]:
    """Every drawing the case has reached, which one this step is in, and where the tokens are."""
    marks = outline.marks(standing)
    here = definition.elements.get(event.element)
    reached = [(node["id"], node["name"]) for node in outline.tree(definition, standing)]
    return {
        "shown": here.process_id if here else definition.process_id,
        "element": event.element,
        "all": [
            {
                "process": key,
                "name": name,
                "xmlUrl": url_for("audit.drawing", case_id=case_id, process=key),
                "state": marks,
            }
            for key, name in reached
        ],
    }


def _note_reading(action: str, entity: str, case_id: str | None = None) -> None:
    """Auditors are on record too: who looked for what, who opened which case."""
    with rooms().database.begin() as connection:
        record_operation(
            connection,
            actor(),
            action=action,
            entity=entity[:500],
            case_id=case_id,
            at=now(),
            request_id=g.trace_id,
        )


def _definition(told: Sequence[Event]) -> Any:
    begun = told[0].data
    return rooms().catalog.definition(begun["pins"], begun["process"])


def _case(case_id: str) -> dict[str, Any]:
    with rooms().reading() as connection:
        return audit_words.case_line(case_row(connection, case_id))


def _entry_line(event: Event, definition: Any, rules: Any) -> dict[str, Any]:
    return {
        "seq": event.seq,
        "at": event.at,
        "when": shortly(event.at, now=now()),
        "text": audit_words.sentence(event, definition, rules),
        "lane": event.lane,
        "is_human": _is_human(event),
    }


def _is_human(event: Event) -> bool:
    return event.lane in ("people", "interventions") and event.actor != "system"


def _seq(last: int) -> int:
    return min(last, max(1, request.args.get("seq", last, type=int)))


def _asked() -> dict[str, str]:
    names = ("q", "process", "authority", "status", "outcome", "batch", "flag", "since", "until")
    return {name: request.args.get(name, "").strip()[:100] for name in names}


def _query(asked: dict[str, str], first: int) -> CaseQuery:
    until = _day(asked["until"])
    return CaseQuery(
        q=asked["q"],
        process=asked["process"],
        authority=asked["authority"],
        batch=asked["batch"],
        status=asked["status"],
        outcome=asked["outcome"],
        incident=asked["flag"] == "incident",
        since=_day(asked["since"]),
        until=until + timedelta(days=1) if until else None,
        first=first,
        limit=PAGE,
    )


def _day(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZONE) if text else None
    except ValueError:
        return None


def _page_at(first: int) -> str:
    kept: dict[str, Any] = {name: value for name, value in request.args.items() if name != "first" and value}
    if first:
        kept["first"] = first
    return url_for("audit.search", **kept)


def _summary(first: int, shown: int, total: int) -> str:
    return say("共 {total} 件，显示第 {a}–{b} 件", total=total, a=first + 1, b=first + shown)
