"""What each command on a task does inside its transaction: ask the policy, then move the case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.case.case import Case
from engine.errors import InvalidInput
from workflows.actors import policy
from workflows.actors.people import find_person
from workflows.acts import submissions
from workflows.library.catalog import Catalog
from workflows.transaction.change import Change, demand
from workflows.transaction.results import Completed, DraftSaved, Held, tasks_among

MIN_REASON = 5
Values = Mapping[str, Any]


def claim(change: Change, task_id: str) -> Held:
    """The task becomes the actor's; what one holds already stays as it is."""
    task = change.task(task_id)
    demand(policy.may_claim(change.actor, task))
    case = change.take(task.case.case_id)
    if task.assignee != change.actor.id:
        case.claim_task(task_id, by=change.who, now=change.now)
    return _held(case, task_id)


def release(change: Change, task_id: str, reason: str) -> Held:
    """The task becomes its candidates' again."""
    task = change.task(task_id)
    demand(policy.may_release(change.actor, task))
    case = change.take(task.case.case_id)
    case.release_task(task_id, reason=reason, by=change.who, now=change.now)
    return _held(case, task_id)


def transfer(change: Change, task_id: str, to: str, reason: str) -> Held:
    """The task becomes `to`'s, who must be one who could have claimed it."""
    needs_reason(reason)
    task = change.task(task_id)
    demand(policy.may_transfer(change.actor, task))
    demand(policy.may_receive(find_person(change.connection, to), task))
    case = change.take(task.case.case_id)
    change.old, change.new = {"assignee": task.assignee}, {"assignee": to}
    case.transfer_task(task_id, to, reason=reason, by=change.who, now=change.now)
    return _held(case, task_id)


def delegate(change: Change, task_id: str, to: str, question: str) -> Held:
    """`to` is asked for an opinion; the task comes back when it is given."""
    task = change.task(task_id)
    demand(policy.may_complete(change.actor, task))
    demand(policy.may_receive(find_person(change.connection, to), task))
    case = change.take(task.case.case_id)
    case.delegate_task(task_id, to, question=question, by=change.who, now=change.now)
    return _held(case, task_id)


def resolve(change: Change, task_id: str, opinion: str) -> Held:
    """The opinion is given and the task is its owner's again."""
    task = change.task(task_id)
    demand(policy.first_refusal([policy.is_open(task), policy.holds(change.actor, task)]))
    case = change.take(task.case.case_id)
    case.resolve_task(task_id, opinion, by=change.who, now=change.now)
    return _held(case, task_id)


def complete(change: Change, task_id: str, values: Values, library: Catalog) -> Completed:
    """The task is done with values that its form and outcomes accept, and the case moves on."""
    task = change.task(task_id)
    demand(policy.may_complete(change.actor, task))
    case = change.take(task.case.case_id)
    handed = submissions.task_values(change, library, case, task_id, values)
    case.complete_task(task_id, handed, by=change.who, now=change.now)
    submissions.forget_drafts(change.rows, case.case_id, task_id)
    return Completed(
        case_id=case.case_id,
        seq=case.seq,
        status=case.status,
        task_id=task_id,
        next_tasks=tasks_among(case.fresh, case.definition),
        outcome=case.standing.outcome,
    )


def save_draft(change: Change, task_id: str, values: Values, revision: int) -> DraftSaved:
    """What the holder has typed so far is kept."""
    task = change.task(task_id)
    demand(policy.first_refusal([policy.is_open(task), policy.holds(change.actor, task)]))
    kept = submissions.keep_draft(change, task.case.case_id, task_id, values, revision)
    return DraftSaved(
        case_id=task.case.case_id,
        seq=0,
        status=task.case.status,
        task_id=task_id,
        revision=kept,
        saved_at=change.now.isoformat(),
    )


def needs_reason(reason: str) -> None:
    """Raises InvalidInput REASON_REQUIRED for a reason that says nothing."""
    if len(reason.strip()) < MIN_REASON:
        raise InvalidInput(
            f"expected a reason of at least {MIN_REASON} characters, found {len(reason.strip())}",
            code="REASON_REQUIRED",
            message_zh=f"请填写不少于 {MIN_REASON} 个字的理由",
        )


def _held(case: Case, task_id: str) -> Held:
    task = case.open_task(task_id)
    return Held(
        case_id=case.case_id,
        seq=case.seq,
        status=case.status,
        task_id=task_id,
        assignee=task.assignee,
        claimed_at=task.claimed_at,
    )
