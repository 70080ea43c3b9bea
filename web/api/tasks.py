"""Tasks over REST: find, count, look at; forms, drafts, reasons and terms."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from marshmallow import fields, validate

from engine.errors import InvalidInput, NotFound, Rejected
from web import sight, words
from web.answers import moment
from web.api.conventions import idempotency, listed, wanted_revision, with_revision
from web.api.openapi import Room
from web.context import actor, rooms
from web.pages.posted import draft_values
from web.schemas import Paged, Strict, Task, TaskPage
from workflows.actors.policy import Verdict
from workflows.reading.inbox import TaskRow
from workflows.reading.lists import QUEUES, SORTS, TaskQuery

api = Room("tasks", __name__, url_prefix="/api/v1/task", description="Tasks")

SHORT = validate.Length(max=100)


class TaskFilter(Paged):
    """What a list of tasks shows; names as in Camunda where it has them."""

    queue = fields.String(load_default="open", validate=validate.OneOf([*QUEUES, "open"]))
    q = fields.String(load_default="", validate=SHORT)
    processDefinitionKey = fields.String(load_default="", validate=SHORT)
    taskDefinitionKey = fields.String(load_default="", validate=SHORT)
    region = fields.String(load_default="", validate=SHORT)
    round = fields.String(load_default="", validate=SHORT)
    unit = fields.String(load_default="", validate=SHORT)
    assignee = fields.String(load_default="", validate=SHORT)
    due = fields.String(load_default="", validate=validate.OneOf(["", "overdue", "today", "week"]))
    returned = fields.Boolean(load_default=False)
    provisional = fields.Boolean(load_default=False)


class Draft(Strict):
    values = fields.Dict(keys=fields.String(), required=True)


@api.get("")
@api.arguments(TaskFilter, location="query")
@api.response(200, TaskPage)
def find(asked: dict[str, Any]) -> dict[str, Any]:
    """The tasks the caller may see in a queue, filtered and sorted; `next` is the following page's cursor."""
    page = rooms().inbox.tasks(actor(), query_of(asked))
    return listed([shape(row) for row in page.items], page.next)


@api.get("/count")
@api.arguments(TaskFilter, location="query")
@api.response(200)
def count(asked: dict[str, Any]) -> Response:
    """How many tasks a query finds; counting stops at 1000 (`capped`)."""
    found = rooms().inbox.count(actor(), query_of(asked))
    return jsonify(count=found.count, capped=found.capped)


@api.get("/queues")
@api.response(200)
def queues() -> Response:
    """Every queue of the caller with its capped count."""
    found = rooms().inbox.queues(actor())
    return jsonify(listed({"name": one.name, "count": one.count, "capped": one.capped} for one in found))


@api.post("/claim-next")
@api.response(200, Task)
@api.alt_response(404, description="Nothing can be claimed.")
def claim_next() -> dict[str, Any]:
    """Claim the first claimable task by due date, then arrival; skips those the caller is barred from."""
    row = sight.opened(claim_first()).task
    return shape(row)


@api.get("/<task_id>")
@api.response(200, Task)
def get(task_id: str) -> dict[str, Any]:
    """One task."""
    return shape(sight.opened(task_id).task)


@api.get("/<task_id>/form")
@api.response(200)
def form(task_id: str) -> Response:
    """The form's file (form-js), the values it begins with, the data it shows and its outcomes."""
    view = sight.opened(task_id)
    return jsonify(
        schema=view.schema,
        values=view.values,
        context=sight.known_context(view),
        outcomes=[
            {"value": o.value, "label": words.pick(o.label, o.label_en), "requires": list(o.requires)}
            for o in view.outcomes
        ],
    )


@api.get("/<task_id>/draft")
@api.response(200)
def draft(task_id: str) -> Response:
    """What the caller has typed so far; its ETag is what the next save must name."""
    sight.seen_task(task_id)
    found = rooms().inbox.draft(task_id, actor())
    told = jsonify(values=found.values, revision=found.revision, savedAt=moment(found.saved_at))
    return with_revision(told, found.revision)


@api.put("/<task_id>/draft")
@api.arguments(Draft)
@api.response(200)
@api.alt_response(412, description="The draft was changed elsewhere; the body carries it.")
def save_draft(body: dict[str, Any], task_id: str) -> Response:
    """Keep what was typed. Values are the form's, or input names with their texts as a page sends them."""
    revision = wanted_revision()
    view = sight.opened(task_id)
    values = draft_values(view.form, body["values"])
    saved = rooms().commands.save_draft(
        task_id, values, actor=actor(), revision=revision, idempotency=idempotency()
    )
    told = jsonify(revision=saved.revision, savedAt=moment(words.as_time(saved.saved_at)))
    return with_revision(told, saved.revision)


@api.delete("/<task_id>/draft")
@api.response(204)
def drop_draft(task_id: str) -> None:
    """Empty the draft."""
    rooms().commands.save_draft(
        task_id, {}, actor=actor(), revision=wanted_revision(), idempotency=idempotency()
    )


@api.get("/<task_id>/why")
@api.response(200)
def why(task_id: str) -> Response:
    """Every check behind seeing, claiming, completing and transferring, passed or failed."""
    sight.seen_task(task_id)
    checks = rooms().inbox.why(task_id, actor())
    return jsonify({verb: [_verdict(one) for one in verdicts] for verb, verdicts in checks.items()})


@api.get("/<task_id>/due-explanation")
@api.response(200)
def due_explanation(task_id: str) -> Response:
    """How the due date was computed, day by day."""
    view = sight.opened(task_id)
    if view.due is None:
        return jsonify(due=moment(view.task.due_at), sentences=[], calendar=None)
    return jsonify(
        due=moment(view.due.due_at),
        calendar=view.due.calendar,
        workingDays=view.due.days,
        provisional=view.due.provisional,
        sentences=list(view.due.sentences(words.language())),
        counted=[day.day.isoformat() for day in view.due.counted],
        skipped=[day.day.isoformat() for day in view.due.skipped],
    )


def claim_first() -> str:
    """The id of the first task that could be claimed. Raises NotFound when there is none."""
    for task_id in rooms().inbox.next_claimable(actor()):
        try:
            return rooms().commands.claim_task(task_id, actor=actor(), idempotency=idempotency()).task_id
        except Rejected:
            continue  # somebody was faster, or a rule bars the caller: the next one
    raise NotFound("there is nothing to claim", code="NOTHING_TO_CLAIM")


def query_of(asked: dict[str, Any]) -> TaskQuery:
    sort = asked.get("sort_by", "due")
    if sort not in SORTS:
        raise InvalidInput(f"expected a sortBy of {sorted(SORTS)}, found {sort!r}", code="UNKNOWN_SORT")
    return TaskQuery(
        queue=asked["queue"],
        q=asked["q"],
        process=asked["processDefinitionKey"],
        element=asked["taskDefinitionKey"],
        authority=asked["region"],
        batch=asked["round"],
        unit=asked["unit"],
        assignee=asked["assignee"],
        due=asked["due"],
        returned=asked["returned"],
        provisional=asked["provisional"],
        sort=sort,
        descending=asked.get("sort_order") == "desc",
        cursor=asked.get("cursor"),
        limit=asked["size"],
    )


def shape(row: TaskRow) -> dict[str, Any]:
    """A task as the API shows it: Camunda's names, then ours."""
    return {
        "id": row.task_id,
        "name": row.name,
        "nameEn": row.name_en,
        "taskDefinitionKey": row.element,
        "processInstanceId": row.case_id,
        "processDefinitionId": row.definition_id,
        "processDefinitionKey": row.process_id,
        "assignee": row.assignee,
        "assigneeName": row.assignee_name or None,
        "owner": row.owner,
        "candidateGroups": list(row.groups),
        "candidateUsers": list(row.users),
        "state": row.state.upper(),
        "suspended": row.suspended,
        "created": moment(row.created_at),
        "claimed": moment(row.claimed_at),
        "due": moment(row.due_at),
        "provisional": row.provisional,
        "escalated": moment(row.escalated_at),
        "ended": moment(row.ended_at),
        "priority": row.priority,
        "round": row.round,
        "step": row.step or None,
        "clause": row.clause or None,
        "bulkable": row.bulkable,
        "outcome": row.outcome,
        "hasDraft": row.has_draft,
        "unit": {"id": row.unit_id, "name": row.unit_name} if row.unit_id else None,
        "region": {"id": row.authority, "name": row.authority_name} if row.authority else None,
        "batch": {"id": row.batch_id, "name": row.batch_name} if row.batch_id else None,
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "rule": verdict.rule,
        "allowed": verdict.allowed,
        "code": verdict.code or None,
        "sentence": words.pick(verdict.sentence_zh, verdict.sentence),
        "facts": dict(verdict.facts),
    }
