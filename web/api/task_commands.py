"""Claim, release, transfer, delegate, complete: the verbs on a task over REST."""

from __future__ import annotations

from typing import Any, TypeVar

from flask import g
from marshmallow import fields, validate

from web.answers import moment
from web.api.conventions import idempotency
from web.api.openapi import Room
from web.context import actor, rooms
from web.schemas import CompletedTask, Strict
from web.words import as_time
from workflows.transaction.results import Completed, OpenTask, Result

R = TypeVar("R", bound=Result)

api = Room("task_commands", __name__, url_prefix="/api/v1/task", description="Verbs on tasks")

SHORT = validate.Length(min=1, max=100)
REASON = validate.Length(min=5, max=2000)


class Reasoned(Strict):
    reason = fields.String(load_default="", validate=validate.Length(max=2000))


class Transfer(Strict):
    userId = fields.String(required=True, validate=SHORT)
    reason = fields.String(required=True, validate=REASON)


class Delegation(Strict):
    userId = fields.String(required=True, validate=SHORT)
    question = fields.String(required=True, validate=REASON)


class Opinion(Strict):
    opinion = fields.String(required=True, validate=validate.Length(min=1, max=10_000))


class Completion(Strict):
    """`variables` are typed values as Camunda has them, `values` the plain JSON of the form; give one."""

    variables = fields.Dict(keys=fields.String(), values=fields.Dict(keys=fields.String()))
    values = fields.Dict(keys=fields.String())
    outcome = fields.String(validate=SHORT)


@api.post("/<task_id>/claim")
@api.response(204)
@api.alt_response(409, description="Somebody else holds it; the body names the holder and since when.")
def claim(task_id: str) -> None:
    """Make the task mine. Repeating it changes nothing."""
    held = rooms().commands.claim_task(task_id, actor=actor(), idempotency=idempotency())
    marked(held)


@api.post("/<task_id>/unclaim")
@api.arguments(Reasoned, required=False)
@api.response(204)
def unclaim(body: dict[str, Any], task_id: str) -> None:
    """Give the task back to its candidates."""
    held = rooms().commands.release_task(
        task_id, actor=actor(), reason=body["reason"], idempotency=idempotency()
    )
    marked(held)


@api.post("/<task_id>/assignee")
@api.arguments(Transfer)
@api.response(204)
def set_assignee(body: dict[str, Any], task_id: str) -> None:
    """Put the task into somebody else's hands for good, with a reason (Camunda's name for it)."""
    _transfer(task_id, body)


@api.post("/<task_id>/transfer")
@api.arguments(Transfer)
@api.response(204)
def transfer(body: dict[str, Any], task_id: str) -> None:
    """Put the task into somebody else's hands for good, with a reason."""
    _transfer(task_id, body)


@api.post("/<task_id>/delegate")
@api.arguments(Delegation)
@api.response(204)
def delegate(body: dict[str, Any], task_id: str) -> None:
    """Ask somebody for an opinion; the task comes back."""
    held = rooms().commands.delegate_task(
        task_id, body["userId"], question=body["question"], actor=actor(), idempotency=idempotency()
    )
    marked(held)


@api.post("/<task_id>/resolve")
@api.arguments(Opinion)
@api.response(204)
def resolve(body: dict[str, Any], task_id: str) -> None:
    """Give the opinion asked for; the task is its owner's again."""
    held = rooms().commands.resolve_task(task_id, body["opinion"], actor=actor(), idempotency=idempotency())
    marked(held)


@api.post("/<task_id>/complete")
@api.arguments(Completion)
@api.response(200, CompletedTask)
def complete(body: dict[str, Any], task_id: str) -> dict[str, Any]:
    """Hand in the values, checked against the form; the case moves on. Answers the tasks that follow."""
    return _complete(task_id, body)


@api.post("/<task_id>/submit-form")
@api.arguments(Completion)
@api.response(200, CompletedTask)
def submit_form(body: dict[str, Any], task_id: str) -> dict[str, Any]:
    """The same as `complete` (Camunda's name for it)."""
    return _complete(task_id, body)


def _transfer(task_id: str, body: dict[str, Any]) -> None:
    held = rooms().commands.transfer_task(
        task_id, body["userId"], reason=body["reason"], actor=actor(), idempotency=idempotency()
    )
    marked(held)


def _complete(task_id: str, body: dict[str, Any]) -> dict[str, Any]:
    values = plain_values(body)
    done = rooms().commands.complete_task(task_id, values, actor=actor(), idempotency=idempotency())
    return completed(marked(done))


def plain_values(body: dict[str, Any]) -> dict[str, Any]:
    """The plain values of a body that may carry Camunda's typed ones."""
    typed = {name: told.get("value") for name, told in (body.get("variables") or {}).items()}
    outcome = {"outcome": body["outcome"]} if "outcome" in body else {}
    return {**typed, **(body.get("values") or {}), **outcome}


def completed(done: Completed) -> dict[str, Any]:
    return {
        "state": done.state,
        "taskId": done.task_id,
        "processInstanceId": done.case_id,
        "caseStatus": done.status,
        "outcome": done.outcome,
        "seq": done.seq,
        "nextTasks": [next_task(task) for task in done.next_tasks],
    }


def next_task(task: OpenTask) -> dict[str, Any]:
    return {
        "id": task.task_id,
        "taskDefinitionKey": task.element,
        "name": task.name,
        "nameEn": task.name_en,
        "assignee": task.assignee,
        "candidateGroups": list(task.groups),
        "candidateUsers": list(task.users),
        "due": moment(as_time(task.due_at)),
    }


def marked(result: R) -> R:
    """Has the answer say so when it is the repetition of an earlier one."""
    g.is_replayed = result.replayed
    return result
