"""Recommendation letters and their summary table (e-7), for the authority that writes and the province."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for

from engine.errors import NotFound
from web import spreadsheet, words
from web.context import actor, now, rooms
from web.pages.lines import outcome_name
from web.register_words import track_name
from workflows.reading import recommendations
from workflows.reading.desk import TaskView
from workflows.reading.recommendations import RECOMMENDS, Letter, Quota, Recommended, Sender
from workflows.register.quotas import Pool, holders

pages = Blueprint("recommendations", __name__)

LINKED = frozenset({RECOMMENDS, "p_receive", "p_resubmit"})
"""The tasks whose page leads here."""

ROUND = "batch"
"""The process whose cases lead to the tables of all authorities."""

COLUMNS = (
    *("主管部门", "批次", "推荐函文号", "日期", "作出机关", "类别", "排序", "单位名称", "统一社会信用代码"),
    *("所属行业", "现有层级", "核实得分", "评价方式和机构", "推荐意见", "联系人及电话", "附件", "案件"),
)


@pages.get("/recommendations")
def show() -> str:
    """Every authority in every batch, as far as the reader may know of it."""
    batch = request.args.get("batch", "")[:100]
    with rooms().reading() as connection:
        found = recommendations.senders(connection, actor(), batch=batch)
    return render_template("recommendations/senders.html", senders=[_sender(one) for one in found])


@pages.get("/recommendations/<batch>/<authority>")
def sender(batch: str, authority: str) -> str:
    """What one authority recommends in a batch: its letters, what it has yet to decide, its quotas."""
    demand_reader(authority)
    until = asked_moment()
    with rooms().reading() as connection:
        quotas = recommendations.quotas(connection, batch=batch, authority=authority)
        found = recommendations.letters(connection, batch=batch, authority=authority, until=until)
        is_own = actor().authority == authority and until is None
        waiting = recommendations.undecided(connection, batch=batch, authority=authority) if is_own else ()
        about = recommendations.senders(connection, actor(), batch=batch)
    name = next((one for one in about if one.authority == authority), None)
    if name is None:
        raise NotFound(f"{authority} recommends nobody in {batch!r}", code="NOT_FOUND")
    return render_template(
        "recommendations/sender.html",
        sender=_sender(name),
        letters=[_letter(one, until) for one in found],
        quotas=[_quota(one) for one in quotas],
        pending=_by_track(_pending(waiting)),
        until=until,
    )


@pages.get("/recommendations/<batch>/<authority>/letter")
def letter(batch: str, authority: str) -> str:
    """One letter with its table, to print."""
    found, until = asked_letter(batch, authority), asked_moment()
    counts = (words.say("{track} {n} 家", track=one["track"], n=len(one["rows"])) for one in _tables(found))
    return render_template(
        "recommendations/letter.html",
        letter=_letter(found, until),
        counts=words.say("、").join(counts) + words.say("。"),
        until=until or now(),
    )


@pages.get("/recommendations/<batch>/<authority>/letter.json")
def text(batch: str, authority: str) -> Response:
    """The exact bytes whose SHA-256 is the letter's digest."""
    frozen = asked_letter(batch, authority).frozen
    response = Response(frozen.text.encode(), mimetype="application/json")
    name = f"recommendation-{batch}-{authority}-{frozen.digest[:8]}.json"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@pages.get("/recommendations/<batch>/<authority>/table.csv")
def table(batch: str, authority: str) -> Response:
    """The summary table for a spreadsheet: of one letter, or of all."""
    demand_reader(authority)
    until = asked_moment()
    if "no" in request.args:
        found: tuple[Letter, ...] = (asked_letter(batch, authority),)
    else:
        with rooms().reading() as connection:
            found = recommendations.letters(connection, batch=batch, authority=authority, until=until)
    rows = ([*_of_letter(one, row)] for one in found for row in one.rows)
    content = spreadsheet.written(map(words.say, COLUMNS), rows)
    return spreadsheet.answered(content, f"recommendation-{_ascii(batch)}-{_ascii(authority)}.csv")


def demand_reader(authority: str) -> None:
    """Raises NotFound for who may not read what this authority recommends: they learn nothing."""
    if not recommendations.may_read(actor(), authority):
        raise NotFound(f"there is nothing of {authority!r} for {actor().id}", code="NOT_FOUND")


def asked_letter(batch: str, authority: str) -> Letter:
    """The letter whose number the address names, as of its moment. Raises NotFound."""
    demand_reader(authority)
    number, until = request.args.get("no", ""), asked_moment()
    with rooms().reading() as connection:
        return recommendations.letter(
            connection, batch=batch, authority=authority, number=number, until=until
        )


def asked_moment() -> datetime | None:
    """The moment the address asks for: a day is meant to its end, a time without a zone is of Shanghai. None
    is now, and so is what is no moment."""
    said = request.args.get("as_of", "")
    try:
        found = datetime.fromisoformat(said)
    except ValueError:
        return None
    found = found if found.tzinfo else found.replace(tzinfo=words.ZONE)
    return found + timedelta(days=1) if len(said) == len("2026-06-10") else found


def table_at(view: TaskView) -> dict[str, str]:
    """Where the table stands that a task is about, and how many places of its quota are taken; nothing at
    other tasks, and for who may not read it."""
    if view.task.element not in LINKED or not (href := address_of(view.case)):
        return {}
    track = view.context.get("track") or {}
    if track.get("quota") is None:
        return {"href": href, "places": ""}
    pool = Pool(batch=view.case["batch_id"], authority=view.case["authority"], track=track["id"])
    with rooms().reading() as connection:
        taken = len(holders(connection, pool))
    told = words.say("名额 {of} 个，已占用 {taken} 个", of=words.number(track["quota"]), taken=taken)
    return {"href": href, "places": told, "look": "is-late" if taken >= track["quota"] else "is-active"}


def address_from(case: Mapping[str, Any]) -> str:
    """Where a case's page leads: that of a batch to all tables, that of a recommended unit to its own."""
    if case["process_id"] == ROUND:
        return url_for("recommendations.show") if actor().level == "provincial" else ""
    with rooms().reading() as connection:
        told = recommendations.is_recommended(connection, case["case_id"])
    return address_of(case) if told else ""


def address_of(case: Mapping[str, Any]) -> str:
    """Where the table of a case's authority and batch stands, for who may read it; else empty."""
    batch, authority = case["batch_id"], case["authority"]
    if not (batch and authority and recommendations.may_read(actor(), authority)):
        return ""
    return url_for("recommendations.sender", batch=batch, authority=authority)


# --- what templates show --------------------------------------------------------------------------------


def _sender(one: Sender) -> dict[str, Any]:
    href = url_for("recommendations.sender", batch=one.batch, authority=one.authority)
    return {
        **vars(one),
        "href": href,
        "batch_name": words.pick(one.batch_name, one.batch_name_en) or one.batch,
        "authority_name": words.pick(one.authority_name, one.authority_name_en),
    }


def _letter(one: Letter, until: datetime | None) -> dict[str, Any]:
    asked: dict[str, Any] = {"batch": one.batch, "authority": one.authority, "no": one.document_no}
    asked |= {"as_of": until.isoformat()} if until else {}
    return {
        **vars(one),
        "bodies": "、".join(one.bodies),
        "dates": "、".join(map(words.dated, one.dates)),
        "digest": one.frozen.digest,
        "count": len(one.rows),
        "tables": _tables(one),
        "links": {name: url_for(f"recommendations.{name}", **asked) for name in ("letter", "table", "text")},
    }


def _tables(one: Letter) -> list[dict[str, Any]]:
    return _by_track([_line(row) for row in one.rows])


def _by_track(lines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"track": track, "rows": list(rows)} for track, rows in groupby(lines, lambda line: line["track"])
    ]


def _line(row: Recommended) -> dict[str, Any]:
    annexes = [annex.name for annex in row.annexes]
    return {**vars(row), "track": track_name(row.track), "annexes": annexes}


def _of_letter(one: Letter, row: Recommended) -> Iterable[Any]:
    """A line of the file, in the order of its columns."""
    yield from (one.authority_name, one.batch_name, row.document_no, row.date, row.body)
    yield from (track_name(row.track), row.order, row.unit, row.uscc, row.sector, row.held, row.score)
    yield from (row.evaluated, row.opinion, row.contact, "；".join(a.name for a in row.annexes), row.case_id)


def _pending(task_ids: Iterable[str]) -> list[dict[str, Any]]:
    """What has yet to be decided, as it would go out by what each form says now."""
    return [_draft(rooms().inbox.task(task_id, actor())) for task_id in task_ids]


def _draft(view: TaskView) -> dict[str, Any]:
    told: Mapping[str, Any] = view.values
    if view.form is not None:
        told = view.form.compute(view.values, view.facts, now=now())
    names = ("order", "sector", "held", "score", "evaluated", "opinion", "contact")
    return {
        **{name: told.get(name) for name in names},
        "track": track_name(str((view.context.get("track") or {}).get("id", ""))),
        "unit": view.case["unit_name"],
        "uscc": view.case["uscc"],
        "annexes": [],
        "case_id": view.case["case_id"],
        "task_id": view.task.task_id,
        "outcome": outcome_name(str(view.values.get("outcome") or "")),
    }


def _quota(one: Quota) -> dict[str, Any]:
    taken = len(one.held_by)
    return {"track": track_name(one.track), "of": one.of, "taken": taken, "left": max(one.of - taken, 0)}


def _ascii(name: str) -> str:
    return "".join(letter for letter in name if letter.isascii() and (letter.isalnum() or letter == "-"))
