"""What a signal of the token means as a consequence in the journal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine import events as ev
from engine.case.standing import Standing
from engine.events import Consequence, Json
from engine.execution import signals as sig
from engine.execution.branches import same
from engine.temporal import moment
from engine.values import Value, to_json


def heard(
    signal: sig.Signal, case_id: str, standing: Standing, shared: Mapping[str, Value]
) -> Iterator[Consequence]:
    """The consequence that a signal of the token means, in a case that holds these shared values."""
    match signal:
        case sig.Passed(n=n, element=element, flows=flows):
            yield ev.ElementPassed(element=element, n=n, flows=flows)
        case sig.Skipped(n=n, element=element, flows=flows):
            yield ev.ElementSkipped(element=element, n=n, flows=flows)
        case sig.Waits():
            yield _task_created(signal, case_id)
        case sig.Timed():
            yield ev.TimerSet(
                timer_id=f"{case_id}.{signal.n}",
                element=signal.element,
                due_at=moment(signal.due_at),
                days=signal.days,
                provisional=signal.provisional,
                repeats=signal.repeats,
            )
        case sig.Job():
            yield ev.JobCreated(
                job_id=f"{case_id}.{signal.n}",
                element=signal.element,
                type=signal.type,
                retries=signal.retries,
                inputs=to_json(signal.inputs),
            )
        case sig.Withdrawn(n=n):
            yield from _withdrawn(f"{case_id}.{n}", standing)
        case sig.Decided():
            yield _decision_made(signal, shared)
        case sig.Escalated(task_n=task_n, element=element):
            yield ev.TaskEscalated(task_id=f"{case_id}.{task_n}", element=element)
        case sig.Failed():
            yield ev.IncidentRaised(
                incident_id=f"{case_id}.{signal.n}",
                element=signal.element,
                code=signal.code,
                message=signal.message,
            )


def gave_up(cause: ev.JobFailed, standing: Standing) -> ev.IncidentRaised:
    """The consequence of a job's last attempt."""
    job = standing.jobs[cause.job_id]
    return ev.IncidentRaised(
        incident_id=job.id, element=job.element, code="JOB_FAILED", message=cause.message, job_id=job.id
    )


def _task_created(signal: sig.Waits, case_id: str) -> ev.TaskCreated:
    return ev.TaskCreated(
        task_id=f"{case_id}.{signal.n}",
        element=signal.element,
        groups=signal.groups,
        users=signal.users,
        assignee=signal.assignee,
        due_at=moment(signal.due_at) if signal.due_at else None,
        due_days=signal.due_days,
        provisional=signal.provisional,
        priority=signal.priority,
        round=signal.round,
        item=to_json(signal.item),
    )


def _withdrawn(its_id: str, standing: Standing) -> Iterator[Consequence]:
    if its_id in standing.tasks:
        yield ev.TaskCancelled(task_id=its_id)
    if its_id in standing.timers:
        yield ev.TimerCancelled(timer_id=its_id)
    if its_id in standing.jobs:
        yield ev.JobCancelled(job_id=its_id)
    if its_id in standing.incidents:
        yield ev.IncidentCancelled(incident_id=its_id)


def _decision_made(signal: sig.Decided, shared: Mapping[str, Value]) -> ev.DecisionMade:
    evaluation = signal.evaluation
    own, alike = _inputs(evaluation, shared)
    return ev.DecisionMade(
        element=signal.element,
        n=signal.n,
        decision=signal.decision,
        inputs=own,
        matched=evaluation.matched,
        value=to_json(evaluation.value),
        required=tuple(_required(one, shared) for one in evaluation.required),
        shared=tuple(alike),
    )


def _required(evaluation: Any, shared: Mapping[str, Value]) -> dict[str, Json]:
    own, alike = _inputs(evaluation, shared)
    told = {
        "decision": evaluation.decision,
        "inputs": own,
        "matched": list(evaluation.matched),
        "value": to_json(evaluation.value),
        "required": [_required(one, shared) for one in evaluation.required],
    }
    return {**told, "shared": alike} if alike else told


def _inputs(evaluation: Any, shared: Mapping[str, Value]) -> tuple[dict[str, Json], list[str]]:
    """The inputs as a journal tells them, and the names of those that are a shared value as a whole."""
    given = dict(evaluation.inputs)
    alike = sorted(name for name, value in shared.items() if name in given and same(given[name], value))
    return to_json({name: value for name, value in given.items() if name not in alike}), alike
