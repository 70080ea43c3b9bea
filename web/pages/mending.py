"""Incidents in the browser: what failed, in which case and why, and trying it again with a reason."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from engine.errors import Rejected
from web import words
from web.context import actor, rooms
from web.problems import refusal_of
from workflows.incidents import open_incidents

pages = Blueprint("mending", __name__)


@pages.get("/incidents")
def show() -> str:
    """The incidents that wait, the oldest first."""
    with rooms().database.connect() as connection:
        found = open_incidents(connection)
    return render_template("incidents.html", incidents=found)


@pages.post("/incidents/<incident_id>/resolve")
def resolve(incident_id: str) -> Response:
    """Try the failed step again; what is still wrong raises it anew."""
    try:
        rooms().commands.resolve_incident(
            incident_id, reason=request.form.get("reason", "").strip(), actor=actor()
        )
    except Rejected as refused:
        said = refusal_of(refused)
        flash(f"{said.title}：{said.detail}", "danger")
    else:
        flash(words.say("已重新执行该步骤。"), "success")
    return redirect(url_for("mending.show"), 303)
