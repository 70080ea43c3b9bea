"""Public notices: what is under publicity now, and objecting to it, both without an account."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, url_for

from web import words
from web.context import rooms
from web.guard import limiter
from web.pages import messaging
from web.pages.lines import term
from web.pages.messaging import Answer
from workflows.reading.notices import PUBLIC, Notice, open_notice, open_notices

pages = Blueprint("notices", __name__)

OBJECTION = "objection"


@pages.get("/notices")
def board() -> str:
    with rooms().reading() as connection:
        found = open_notices(connection)
    return render_template("notices.html", notices=[_shown(notice) for notice in found])


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
