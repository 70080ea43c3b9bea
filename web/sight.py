"""How much of a case somebody may look at: asked before anything of it is shown.

Officers of the case's territory, the province and auditors look inside. Everybody else (the unit, its
evaluator, experts, consulted departments) sees where the case stands, what the applicant handed in, and
what was asked of themselves: no expert reads another's score before giving one, no applicant reads either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from engine.errors import NotAllowed, NotFound
from web.context import actor, rooms
from workflows.actors import policy
from workflows.reading.desk import TaskView
from workflows.reading.history import Event
from workflows.transaction import facts

INSIDERS = frozenset({"county", "municipal", "provincial"})
APPLICANT = "applicant@"


def seen_case(case_id: str) -> Mapping[str, Any]:
    """The case's row, for eyes that may see it. Raises NotFound for others: they learn nothing."""
    with rooms().reading() as connection:
        row = facts.case_row(connection, case_id)
        if not policy.sees(actor(), facts.case_facts(connection, case_id)):
            raise NotFound(f"there is no case {case_id}", code="CASE_NOT_FOUND")
    return row


def looks_inside() -> bool:
    """Whether the reader sees deliberations, not only their own part of a case."""
    return actor().level in INSIDERS or "auditor" in actor().roles


def inner_case(case_id: str) -> Mapping[str, Any]:
    """The case's row, for who may look inside. Raises NotFound, NotAllowed INSIDE_ONLY."""
    row = seen_case(case_id)
    if not looks_inside():
        raise NotAllowed("the inside of a case is for its offices and auditors", code="INSIDE_ONLY")
    return row


def seen_task(task_id: str) -> Mapping[str, Any]:
    """The task's row, for insiders and those it is or was for. Raises NotFound for others."""
    seen_case(facts.case_of(task_id))
    with rooms().reading() as connection:
        row = facts.task_row(connection, task_id)
    if not (looks_inside() or _concerns(row)):
        raise NotFound(f"there is no task {task_id}", code="TASK_NOT_FOUND")
    return row


def opened(task_id: str) -> TaskView:
    """A task laid open, for eyes that may see it. Raises NotFound."""
    seen_task(task_id)
    return rooms().inbox.task(task_id, actor())


def known_context(view: TaskView) -> Mapping[str, Any]:
    """The data a task shows: to insiders all it sees of the case, to others what its form names."""
    if looks_inside() or view.form is None:
        return view.context if looks_inside() else {}
    named = {rules.key for rules in view.form.walk() if rules.key}
    return {name: value for name, value in view.context.items() if name in named}


def own_part(events: Iterable[Event]) -> list[Event]:
    """The entries an outsider may read: the start, what was for them, what they did; insiders read all."""
    told = list(events)
    if looks_inside():
        return told
    ours = {event.data["task_id"] for event in told if event.type == "TaskCreated" and _concerns(event.data)}
    return [event for event in told if _is_own(event, ours)]


def shown_tasks(events: Iterable[Event]) -> set[str]:
    """The tasks whose forms the reader may read: insiders all, others the applicant's and their own."""
    created = [event.data for event in events if event.type == "TaskCreated"]
    if looks_inside():
        return {data["task_id"] for data in created}
    return {data["task_id"] for data in created if _concerns(data) or _is_application(data)}


def _concerns(task: Mapping[str, Any]) -> bool:
    """Whether a task is or was for the reader: in a group, by name, or in their hands."""
    hands = {task.get("assignee"), task.get("owner"), task.get("completed_by"), *task["users"]}
    return actor().id in hands or bool(actor().groups & set(task["groups"]))


def _is_application(task: Mapping[str, Any]) -> bool:
    """Whether a task was the applicant's; consulted offices and experts read what the unit handed in."""
    return actor().level != "unit" and any(group.startswith(APPLICANT) for group in task["groups"])


def _is_own(event: Event, ours: set[str]) -> bool:
    if event.type in ("CaseStarted", "CaseCompleted", "CaseSuspended", "CaseResumed", "CaseTerminated"):
        return True
    return event.data.get("task_id") in ours or event.actor == actor().id
