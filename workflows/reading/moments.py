"""What a row of entries adds up to: what waits, what was passed, who held what, what was decided."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from engine import events as ev
from engine.events import Entry, Event
from engine.values import from_json, to_plain


@dataclass(frozen=True, kw_only=True)
class HeldTask:
    """A task as it stood: `state` is ready or claimed."""

    task_id: str
    element: str
    state: str
    assignee: str | None
    groups: tuple[str, ...]
    users: tuple[str, ...]
    due_at: str | None
    round: int
    created_at: datetime
    owner: str | None = None  # who asked, while an opinion is asked for


@dataclass(frozen=True, kw_only=True)
class Decision:
    """A decision as it was made; values are friendly JSON."""

    seq: int
    element: str
    decision: str
    inputs: Mapping[str, Any]
    matched: tuple[str, ...]
    value: Any


@dataclass(kw_only=True)
class Standing:
    """What was true beside the data. `active` are elements something waits at, `done` those passed, with
    how often; `flows` the sequence flows taken, with how often."""

    status: str = "active"
    tasks: dict[str, HeldTask] = field(default_factory=dict)
    timers: dict[str, tuple[str, str]] = field(default_factory=dict)  # id → element, due
    jobs: dict[str, str] = field(default_factory=dict)
    incidents: dict[str, tuple[str, str]] = field(default_factory=dict)  # id → element, message
    decisions: list[Decision] = field(default_factory=list)
    done: dict[str, int] = field(default_factory=dict)
    flows: dict[str, int] = field(default_factory=dict)
    route: list[str] = field(default_factory=list)
    shared: Mapping[str, Any] = field(default_factory=dict)  # what cases share, as the journal names it

    @property
    def active(self) -> tuple[str, ...]:
        """Elements that somebody or something waits at, each once, in order of arrival."""
        waiting = [task.element for task in self.tasks.values()]
        waiting += [element for element, _ in (*self.timers.values(), *self.incidents.values())]
        return tuple(dict.fromkeys([*waiting, *self.jobs.values()]))


def standing_of(entries: Iterable[Entry]) -> Standing:
    """What these entries, from the first on, add up to."""
    found = Standing()
    for entry in entries:
        _note_task(found, entry)
        _note_other(found, entry)
        _note_status(found, entry.event)
    return found


def elements_of(entries: Iterable[Entry]) -> dict[str, str]:
    """Task, timer, job and incident id → element id."""
    found: dict[str, str] = {}
    for entry in entries:
        match entry.event:
            case (
                ev.TaskCreated(task_id=its_id, element=element)
                | ev.TimerSet(timer_id=its_id, element=element)
            ):
                found[its_id] = element
            case (
                ev.JobCreated(job_id=its_id, element=element)
                | ev.IncidentRaised(incident_id=its_id, element=element)
            ):
                found[its_id] = element
    return found


def _note_task(found: Standing, entry: Entry) -> None:
    match entry.event:
        case ev.TaskCreated() as event:
            found.tasks[event.task_id] = HeldTask(
                task_id=event.task_id,
                element=event.element,
                state="claimed" if event.assignee else "ready",
                assignee=event.assignee,
                groups=event.groups,
                users=event.users,
                due_at=event.due_at,
                round=event.round,
                created_at=entry.at,
            )
        case (
            ev.TaskClaimed(task_id=task_id, assignee=who) | ev.TaskTransferred(task_id=task_id, assignee=who)
        ):
            _hand(found, task_id, who)
        case ev.TaskDelegated(task_id=task_id, delegate=who):
            _hand(found, task_id, who, owner=found.tasks[task_id].assignee)
        case ev.TaskResolved(task_id=task_id):
            _hand(found, task_id, found.tasks[task_id].owner)
        case ev.TaskReleased(task_id=task_id):
            _hand(found, task_id, None)
        case ev.TaskCompleted(task_id=task_id) | ev.TaskCancelled(task_id=task_id):
            found.tasks.pop(task_id, None)


def _hand(found: Standing, task_id: str, assignee: str | None, *, owner: str | None = None) -> None:
    state = "claimed" if assignee else "ready"
    found.tasks[task_id] = replace(found.tasks[task_id], assignee=assignee, owner=owner, state=state)


def _note_flows(found: Standing, flows: tuple[str, ...]) -> None:
    for flow in flows:
        found.flows[flow] = found.flows.get(flow, 0) + 1


def _note_other(found: Standing, entry: Entry) -> None:
    match entry.event:
        case ev.ElementPassed(element=element, flows=flows):
            found.route.append(element)
            found.done[element] = found.done.get(element, 0) + 1
            _note_flows(found, flows)
        case ev.ElementSkipped(flows=flows):
            _note_flows(found, flows)
        case ev.TimerSet(timer_id=timer_id, element=element, due_at=due_at):
            found.timers[timer_id] = (element, due_at)
        case ev.TimerFired(timer_id=timer_id) | ev.TimerCancelled(timer_id=timer_id):
            found.timers.pop(timer_id, None)
        case ev.JobCreated(job_id=job_id, element=element):
            found.jobs[job_id] = element
        case ev.JobSucceeded(job_id=job_id) | ev.JobCancelled(job_id=job_id):
            found.jobs.pop(job_id, None)
        case ev.JobFailed(job_id=job_id, error_code=error_code) if error_code is not None:
            found.jobs.pop(job_id, None)
        case ev.IncidentRaised(incident_id=incident_id, element=element, message=message):
            found.incidents[incident_id] = (element, message)
        case ev.IncidentResolved(incident_id=incident_id) | ev.IncidentCancelled(incident_id=incident_id):
            found.incidents.pop(incident_id, None)
        case ev.CaseStarted(shared=shared):
            found.shared = shared
        case ev.DecisionMade() as made:
            found.decisions.append(_decision(made, entry.seq, found.shared))


def _note_status(found: Standing, event: Event) -> None:
    words: dict[type[Event], str] = {
        ev.CaseSuspended: "suspended",
        ev.CaseResumed: "active",
        ev.CaseTerminated: "terminated",
        ev.CaseCompleted: "completed",
    }
    found.status = words.get(type(event), found.status)


def _decision(made: ev.DecisionMade, seq: int, shared: Mapping[str, Any]) -> Decision:
    return Decision(
        seq=seq,
        element=made.element,
        decision=made.decision,
        inputs={name: to_plain(from_json(value)) for name, value in made.inputs.items()}
        | {name: shared[name] for name in made.shared},
        matched=made.matched,
        value=to_plain(from_json(made.value)),
    )
