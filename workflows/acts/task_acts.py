"""What each command on a task does inside its transaction: ask the policy, then move the case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.case.case import Case
from engine.errors import InvalidInput, NotFound, WrongState
from workflows.actors import policy
from workflows.actors.conflict_rules import conflict_rules
from workflows.actors.people import find_person
from workflows.actors.policy import Actor, TaskFacts
from workflows.acts import submissions
from workflows.acts.places import place_taken
from workflows.conflicts import judging
from workflows.conflicts.judging import AtTask
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
        _demand_no_conflict(change, task, change.actor, "claim")
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
    receiver = find_person(change.connection, to)
    demand(policy.may_receive(receiver, task))
    case = change.take(task.case.case_id)
    _demand_no_conflict(change, task, receiver, "assign")
    change.old, change.new = {"assignee": task.assignee}, {"assignee": to}
    case.transfer_task(task_id, to, reason=reason, by=change.who, now=change.now)
    return _held(case, task_id)


def delegate(change: Change, task_id: str, to: str, question: str) -> Held:
    """`to` is asked for an opinion; the task comes back when it is given."""
    task = change.task(task_id)
    demand(policy.may_complete(change.actor, task))
    receiver = find_person(change.connection, to)
    demand(policy.may_receive(receiver, task))
    case = change.take(task.case.case_id)
    _demand_no_conflict(change, task, receiver, "assign")
    case.delegate_task(task_id, to, question=question, by=change.who, now=change.now)
    return _held(case, task_id)


def resolve(change: Change, task_id: str, opinion: str) -> Held:
    """The opinion is given and the task is its owner's again."""
    task = change.task(task_id)
    demand(policy.first_refusal([policy.is_open(task), policy.holds(change.actor, task)]))
    case = change.take(task.case.case_id)
    case.resolve_task(task_id, opinion, by=change.who, now=change.now)
    return _held(case, task_id)


def override(change: Change, task_id: str, rule: str, person: str, reason: str) -> Held:
    """`person` may do the task once although a conflict rule bars them."""
    needs_reason(reason)
    task = change.task(task_id)
    demand(policy.first_refusal(policy.is_workable(task)))
    asked = conflict_rules().get(rule)
    if asked is None:
        raise NotFound(f"there is no conflict rule {rule!r}", code="CONFLICT_UNKNOWN", conflict=rule)
    barred = find_person(change.connection, person)
    case = change.take(task.case.case_id)
    at = AtTask(connection=change.connection, case=case, task=task, now=change.now)
    demand(judging.may_override(at, change.actor, asked, barred))
    demand(policy.may_receive(barred, task))
    ground = judging.grounds(at, barred, rule)
    if ground is None or at.overrides(rule, person):
        raise WrongState(
            f"{rule} does not bar {person} from {task_id}, or an override stands already",
            code="NO_CONFLICT",
            message_zh=f"该规则未限制 {barred.name} 办理此任务，或已准许例外",
        )
    change.new = {"conflict": rule, "person": person}
    case.override_conflict(
        task_id, rule, person, reason=reason, ground=ground.facts, by=change.who, now=change.now
    )
    return _held(case, task_id)


def complete(change: Change, task_id: str, values: Values, library: Catalog) -> Completed:
    """The task is done with values that its form and outcomes accept, and the case moves on."""
    task = change.task(task_id)
    demand(policy.may_complete(change.actor, task))
    case = change.take(task.case.case_id)
    _demand_no_conflict(change, task, change.actor, "complete")
    handed = submissions.task_values(change, library, case, task_id, values)
    place = place_taken(change, case, task_id, handed.get("outcome"))
    case.complete_task(task_id, handed, by=change.who, now=change.now, place=place)
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


def _demand_no_conflict(change: Change, task: TaskFacts, person: Actor, moment: str) -> None:
    """Ask the conflict rules that the drawing names at the task; most tasks name none."""
    assert change.case is not None
    at = AtTask(connection=change.connection, case=change.case, task=task, now=change.now)
    demand(policy.first_refusal(judging.verdicts(at, person, moment)))


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
