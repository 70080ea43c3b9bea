"""Public notices: what is under publicity, objecting to it, and published lists, all without an account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, render_template, url_for

from web import words
from web.context import rooms
from web.guard import limiter
from web.pages import messaging
from web.pages.lines import term
from web.pages.messaging import Answer
from web.pages.register import authorities
from web.register_words import ground_name, level_name, track_name
from workflows.reading.notices import PUBLIC, Notice, open_notice, open_notices
from workflows.reading.published import (
    DESIGNATIONS,
    DRAFT_LIST,
    Frozen,
    Kind,
    Published,
    all_published,
    find_published,
    frozen_of,
)

pages = Blueprint("notices", __name__)

OBJECTION = "objection"


@pages.get("/notices")
def board() -> str:
    with rooms().reading() as connection:
        found, lists = open_notices(connection), all_published(connection, DRAFT_LIST)
        designations = all_published(connection, DESIGNATIONS)
    return render_template(
        "notices.html",
        notices=[_shown(notice) for notice in found],
        lists=[_titled(one) for one in lists],
        designations=[_titled(one) for one in designations],
    )


@pages.get("/notices/lists/<case_id>")
@limiter.limit("60 per minute")
def frozen(case_id: str) -> str:
    """A published draft list, row by row, and how to compute its digest again."""
    with rooms().reading() as connection:
        published = find_published(connection, DRAFT_LIST, case_id)
        draft = frozen_of(rooms().history, connection, DRAFT_LIST, case_id)
        places = authorities(connection)
    return render_template(
        "draft_list.html",
        published=_titled(published),
        draft=draft,
        rows=[_row_of_list(row, places) for row in draft.rows],
        file=_file(case_id),
    )


@pages.get("/notices/lists/<case_id>/text")
@limiter.limit("60 per minute")
def text(case_id: str) -> Response:
    """The exact bytes whose SHA-256 is the digest."""
    return _text(DRAFT_LIST, case_id, _file(case_id))


@pages.get("/notices/designations/<case_id>")
@limiter.limit("60 per minute")
def designations(case_id: str) -> str:
    """A designation notice: who is new, removed and renamed, and how to compute its digest again."""
    with rooms().reading() as connection:
        published = find_published(connection, DESIGNATIONS, case_id)
        told = frozen_of(rooms().history, connection, DESIGNATIONS, case_id)
        places = authorities(connection)
    return render_template(
        "designations.html",
        published=_titled(published),
        told=told,
        tables=_tables(told, places),
        file=_file_of_notice(case_id),
    )


@pages.get("/notices/designations/<case_id>/text")
@limiter.limit("60 per minute")
def text_of_designations(case_id: str) -> Response:
    """The exact bytes whose SHA-256 is the digest."""
    return _text(DESIGNATIONS, case_id, _file_of_notice(case_id))


@pages.get("/notices/<case_id>")
def compose(case_id: str) -> str:
    """The objection form (e-11) of one notice."""
    notice = _notice(case_id)
    hearing = messaging.heard(case_id, OBJECTION, PUBLIC)
    return messaging.page(_row(notice), hearing, values={}, template="objection.html", notice=_shown(notice))


@pages.post("/notices/<case_id>")
@limiter.limit("10 per hour")
def send(case_id: str) -> Answer:
    """Object with one's real name; the handling office answers to the contact given."""
    notice = _notice(case_id)
    hearing = messaging.heard(case_id, OBJECTION, PUBLIC)
    return messaging.send(
        _row(notice),
        hearing,
        sender=PUBLIC,
        then=url_for("notices.board"),
        template="objection.html",
        notice=_shown(notice),
    )


def _notice(case_id: str) -> Notice:
    with rooms().reading() as connection:
        return open_notice(connection, case_id)


def _row(notice: Notice) -> dict[str, Any]:
    return {"case_id": notice.case_id}


def _shown(notice: Notice) -> dict[str, Any]:
    return {
        "case_id": notice.case_id,
        "unit": words.pick(notice.unit_name, notice.unit_name_en),
        "uscc": notice.uscc,
        "track": words.pick(notice.process_name, notice.process_name_en),
        "authority": notice.authority_name,
        "batch": notice.batch_name,
        "term": term(notice.ends_at),
    }


def _titled(published: Published) -> dict[str, Any]:
    return {
        "case_id": published.case_id,
        "name": words.pick(published.name, published.name_en) or published.case_id,
        "published_at": published.published_at,
    }


def _row_of_list(row: Mapping[str, Any], places: Mapping[str, str]) -> dict[str, Any]:
    authority = str(row.get("authority") or "")
    return {
        "track": track_name(str(row.get("track") or "")),
        "rank": row.get("rank"),
        "name": row.get("name"),
        "authority": places.get(authority, authority),
        "case": row.get("case"),
    }


def _tables(told: Frozen, places: Mapping[str, str]) -> dict[str, list[dict[str, Any]]]:
    """The rows of each table, in the order in which they were frozen."""
    tables: dict[str, list[dict[str, Any]]] = {"new": [], "removed": [], "renamed": []}
    for row in told.rows:
        tables[str(row["table"])].append(_row_of_notice(row, places))
    return tables


def _row_of_notice(row: Mapping[str, Any], places: Mapping[str, str]) -> dict[str, Any]:
    return {
        **_row_of_list(row, places),
        "level": level_name(str(row.get("level") or "")),
        "ground": ground_name(str(row.get("ground") or "")),
        **{name: row.get(name) for name in ("previous", "date", "document")},
    }


def _text(kind: Kind, case_id: str, file: str) -> Response:
    with rooms().reading() as connection:
        frozen = frozen_of(rooms().history, connection, kind, case_id)
    response = Response(frozen.text.encode(), mimetype="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="{file}"'
    return response


def _file(case_id: str) -> str:
    return f"draft-list-{case_id}.json"


def _file_of_notice(case_id: str) -> str:
    return f"designation-notice-{case_id}.json"
