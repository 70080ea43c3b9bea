"""Incidents in the browser: what failed, in which case and why, and trying it again with a reason."""

from __future__ import annotations

from flask import Blueprint, g, render_template, request, url_for
from werkzeug.wrappers import Response

from web import words
from web.context import actor, now, rooms
from web.pages.acting import act_and_tell
from workflows.work.condition import late_work
from workflows.work.incidents import open_incidents, set_aside, take_up_again

pages = Blueprint("mending", __name__)


@pages.get("/incidents")
def show() -> str:
    """The incidents that wait, the oldest first."""
    with rooms().reading() as connection:
        found, aside = open_incidents(connection), set_aside(connection)
        late = late_work(connection, now=now())
    return render_template("incidents.html", incidents=found, aside=aside, late=late)


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


@pages.post("/incidents/aside/<item>")
def take_up(item: str) -> Response:
    """The worker tries again what was set aside."""
    here = url_for("mending.show")
    return act_and_tell(
        lambda: _take_up(item), told=words.say("已恢复，系统将重新执行。"), otherwise=here, then=here
    )


def _take_up(item: str) -> None:
    reason = request.form.get("reason", "").strip()
    with rooms().database.begin() as connection:
        take_up_again(connection, item, reason=reason, actor=actor(), now=now(), request_id=g.trace_id)
