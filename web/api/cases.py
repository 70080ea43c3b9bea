"""Cases over REST: find, look at, send a message, suspend, resume, end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, jsonify
from marshmallow import fields, validate

from web.answers import moment, typed
from web.api.conventions import idempotency, listed
from web.api.openapi import Room
from web.api.task_commands import REASON, marked, next_task, plain_values
from web.context import actor, rooms
from web.pages.drawings import marks
from web.schemas import Case, CasePage, ChangedCase, Paged, Strict
from web.sight import inner_case, seen_case
from workflows.reading.history import CaseLine, CaseQuery, State
from workflows.reading.refusals import Refusal
from workflows.transaction.results import Changed

api = Room("api_cases", __name__, url_prefix="/api/v1/process-instance", description="Cases")

SHORT = validate.Length(max=100)


class CaseFilter(Paged):
    """Which cases; all conditions hold together."""

    q = fields.String(load_default="", validate=SHORT)
    processDefinitionKey = fields.String(load_default="", validate=SHORT)
    processDefinitionId = fields.String(load_default="", validate=SHORT)
    region = fields.String(load_default="", validate=SHORT)
    round = fields.String(load_default="", validate=SHORT)
    unit = fields.String(load_default="", validate=SHORT)
    status = fields.String(load_default="", validate=SHORT)
    outcome = fields.String(load_default="", validate=SHORT)
    incident = fields.Boolean(load_default=False)


class Message(Strict):
    """A message for whatever in the case waits for it."""

    messageName = fields.String(required=True, validate=validate.Length(min=1, max=100))
    variables = fields.Dict(keys=fields.String(), values=fields.Dict(keys=fields.String()))
    values = fields.Dict(keys=fields.String())
    correlation = fields.Raw(load_default=None)


class Suspension(Strict):
    suspended = fields.Boolean(required=True)
    reason = fields.String(required=True, validate=REASON)


class Reason(Strict):
    reason = fields.String(required=True, validate=REASON)


@api.get("")
@api.arguments(CaseFilter, location="query")
@api.response(200, CasePage)
def find(asked: dict[str, Any]) -> dict[str, Any]:
    """The cases in the caller's sight, newest change first."""
    first = int(asked["cursor"]) if asked.get("cursor", "").isdigit() else asked["first"]
    page = rooms().history.find(query_of(asked, first), actor())
    behind = first + len(page.items)
    return listed(map(shape, page.items), str(behind) if behind < page.total else None)


@api.get("/<case_id>")
@api.response(200, Case)
def get(case_id: str) -> dict[str, Any]:
    """One case, and if rules refused it, which and why."""
    row = seen_case(case_id)
    found = rooms().history.refusals(case_id) if row["status"] == "completed" else ()
    return shape(CaseLine(row=row, steps=())) | {"refusals": [_refusal(one) for one in found]}


@api.get("/<case_id>/variables")
@api.response(200)
def variables(case_id: str) -> Response:
    """The data of the case as it stands now, typed as in Camunda."""
    inner_case(case_id)
    return jsonify({name: typed(value) for name, value in _now(case_id).variables.items()})


@api.get("/<case_id>/activity-instances")
@api.response(200)
def activity_instances(case_id: str) -> Response:
    """Where the case waits: tasks, timers, jobs and incidents."""
    inner_case(case_id)
    standing = _now(case_id).standing
    return jsonify(
        id=case_id,
        tasks=[
            {
                "id": t.task_id,
                "activityId": t.element,
                "state": t.state,
                "assignee": t.assignee,
                "due": t.due_at,
            }
            for t in standing.tasks.values()
        ],
        timers=[{"id": i, "activityId": e, "due": due} for i, (e, due) in standing.timers.items()],
        jobs=[{"id": i, "activityId": e} for i, e in standing.jobs.items()],
        incidents=[{"id": i, "activityId": e, "message": m} for i, (e, m) in standing.incidents.items()],
    )


@api.get("/<case_id>/marks")
@api.response(200)
def painted(case_id: str) -> Response:
    """What a diagram of the case paints: elements done and active, flows taken, how often."""
    return jsonify(marks(_now(case_id).standing))


@api.post("/<case_id>/messages")
@api.arguments(Message)
@api.response(200, ChangedCase)
def send(body: dict[str, Any], case_id: str) -> dict[str, Any]:
    """Send a message; whatever waits for it hears it."""
    changed = rooms().commands.receive_message(
        case_id,
        body["messageName"],
        plain_values(body),
        actor=actor(),
        correlation=body["correlation"],
        idempotency=idempotency(),
    )
    return changed_case(marked(changed))


@api.put("/<case_id>/suspended")
@api.arguments(Suspension)
@api.response(200, ChangedCase)
def set_suspended(body: dict[str, Any], case_id: str) -> dict[str, Any]:
    """Suspend or resume a case, with a reason."""
    act = rooms().commands.suspend_case if body["suspended"] else rooms().commands.resume_case
    return changed_case(marked(act(case_id, body["reason"], actor=actor(), idempotency=idempotency())))


@api.post("/<case_id>/terminate")
@api.arguments(Reason)
@api.response(200, ChangedCase)
def terminate(body: dict[str, Any], case_id: str) -> dict[str, Any]:
    """End a case by hand, with a reason."""
    act = rooms().commands.terminate_case
    return changed_case(marked(act(case_id, body["reason"], actor=actor(), idempotency=idempotency())))


def query_of(asked: Mapping[str, Any], first: int) -> CaseQuery:
    return CaseQuery(
        q=asked["q"],
        process=asked["processDefinitionKey"],
        definition=asked["processDefinitionId"],
        authority=asked["region"],
        batch=asked["round"],
        unit=asked["unit"],
        status=asked["status"],
        outcome=asked["outcome"],
        incident=asked["incident"],
        first=first,
        limit=asked["size"],
    )


def shape(line: CaseLine) -> dict[str, Any]:
    row = line.row
    return {
        "id": row["case_id"],
        "definitionId": row["definition_id"],
        "definitionKey": row["process_id"],
        "name": row["process_name"],
        "nameEn": row["process_name_en"],
        "status": row["status"],
        "outcome": row["outcome"],
        "level": row["level"],
        "unit": {"id": row["unit_id"], "name": row["unit_name"]} if row["unit_id"] else None,
        "region": {"id": row["authority"], "name": row["authority_name"]} if row["authority"] else None,
        "batch": {"id": row["batch_id"], "name": row["batch_name"]} if row["batch_id"] else None,
        "started": moment(row["started_at"]),
        "startedBy": row["started_by"],
        "updated": moment(row["updated_at"]),
        "ended": moment(row["ended_at"]),
        "seq": row["seq"],
        "incidents": row["open_incidents"],
        "steps": [{"id": element, "name": name} for element, name, _ in line.steps],
    }


def _refusal(one: Refusal) -> dict[str, Any]:
    return {
        "decision": one.decision,
        "rule": one.rule,
        "row": one.row,
        "clause": one.clause,
        "inferred": one.is_inferred,
        "reason": one.zh,
        "reasonEn": one.en,
        "seq": one.seq,
    }


def changed_case(changed: Changed) -> dict[str, Any]:
    return {
        "id": changed.case_id,
        "status": changed.status,
        "seq": changed.seq,
        "nextTasks": [next_task(task) for task in changed.next_tasks],
    }


def _now(case_id: str) -> State:
    return rooms().history.state(case_id, seen_case(case_id)["seq"])
