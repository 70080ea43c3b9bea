"""Incidents over REST: failures that wait for a person."""

from __future__ import annotations

from typing import Any

from flask import g
from marshmallow import fields, validate

from web.answers import moment
from web.api.cases import changed_case
from web.api.conventions import idempotency, listed
from web.api.openapi import Room
from web.api.task_commands import REASON, marked
from web.context import actor, now, rooms
from web.schemas import AsidePage, ChangedCase, IncidentPage, Query, Strict
from workflows.work.incidents import Incident, open_incidents, set_aside, take_up_again

api = Room("incidents", __name__, url_prefix="/api/v1/incident", description="Incidents")


class Filter(Query):
    processInstanceId = fields.String(load_default="", validate=validate.Length(max=100))


class Resolution(Strict):
    """`values` may only be set by a process owner: variables changed before the step is tried again."""

    reason = fields.String(required=True, validate=REASON)
    values = fields.Dict(keys=fields.String())


class TakenUp(Strict):
    reason = fields.String(required=True, validate=REASON)


@api.get("")
@api.arguments(Filter, location="query")
@api.response(200, IncidentPage)
def find(asked: dict[str, Any]) -> dict[str, Any]:
    """The incidents that wait, the oldest first."""
    with rooms().reading() as connection:
        return listed(map(shape, open_incidents(connection, case_id=asked["processInstanceId"])))


@api.post("/<incident_id>/resolve")
@api.arguments(Resolution)
@api.response(200, ChangedCase)
def resolve(body: dict[str, Any], incident_id: str) -> dict[str, Any]:
    """Try the failed step again, with a reason."""
    changed = rooms().commands.resolve_incident(
        incident_id,
        reason=body["reason"],
        values=body.get("values"),
        actor=actor(),
        idempotency=idempotency(),
    )
    return changed_case(marked(changed))


@api.get("/aside")
@api.response(200, AsidePage)
def aside() -> dict[str, Any]:
    """Timers and jobs that the worker tries no more, the longest first."""
    with rooms().reading() as connection:
        return listed({**vars(one), "since": moment(one.since)} for one in set_aside(connection))


@api.post("/aside/<item>/retry")
@api.arguments(TakenUp)
@api.response(204)
def take_up(body: dict[str, Any], item: str) -> None:
    """The worker tries it again, as often as at first."""
    told = {"reason": body["reason"], "actor": actor(), "now": now(), "request_id": g.trace_id}
    with rooms().database.begin() as connection:
        take_up_again(connection, item, **told)


def shape(one: Incident) -> dict[str, Any]:
    return {
        "id": one.incident_id,
        "processInstanceId": one.case_id,
        "activityId": one.element,
        "code": one.code,
        "message": one.message,
        "jobId": one.job_id,
        "raised": moment(one.raised_at),
    }
