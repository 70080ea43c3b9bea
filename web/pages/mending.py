"""Incidents in the browser: what failed, in which case and why, and trying it again with a reason."""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for
from werkzeug.wrappers import Response

from web import words
from web.context import actor, rooms
from web.pages.acting import act_and_tell
from workflows.incidents import open_incidents

pages = Blueprint("mending", __name__)


@pages.get("/incidents")
def show() -> str:
    """The incidents that wait, the oldest first."""
    with rooms().database.connect().execution_options(reading=True) as connection:
        found = open_incidents(connection)
    return render_template("incidents.html", incidents=found)


@pages.post("/incidents/<incident_id>/resolve")
def resolve(incident_id: str) -> Response:
    """Try the failed step again; what is still wrong raises it anew."""
    reason = request.form.get("reason", "").strip()
    here = url_for("mending.show")
    return act_and_tell(
        lambda: rooms().commands.resolve_incident(incident_id, reason=reason, actor=actor()),
        told=words.say("已重新执行该步骤。"),
        otherwise=here,
        then=here,
    )
