"""What a cause does to a case: the books change and the token moves."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from engine import events as ev
from engine.case.standing import Override, Standing
from engine.events import Cause, Who
from engine.execution.execution import Execution
from engine.temporal import moment
from engine.values import from_json


def obey(cause: Cause, *, standing: Standing, execution: Execution, by: Who, now: datetime) -> None:
    """Change the books and move the token as `cause` asks."""
    at = moment(now)
    match cause:
        case ev.TaskClaimed(task_id=task_id, assignee=assignee):
            standing.hand(task_id, assignee=assignee, owner=None, claimed_at=at)
        case ev.TaskTransferred(task_id=task_id, assignee=assignee):
            _leaves_hands(standing, task_id)
            standing.hand(task_id, assignee=assignee, owner=None, claimed_at=at)
        case ev.TaskReleased(task_id=task_id):
            _leaves_hands(standing, task_id)
            standing.hand(task_id, assignee=None, owner=None, claimed_at=None)
        case ev.TaskDelegated(task_id=task_id, delegate=delegate):
            standing.hand(task_id, assignee=delegate, owner=standing.tasks[task_id].assignee)
        case ev.TaskResolved(task_id=task_id):
            task = standing.tasks[task_id]
            standing.spend(task_id, task.assignee)
            standing.hand(task_id, assignee=task.owner, owner=None)
        case ev.ConflictOverridden(task_id=task_id, rule=rule, person=person):
            standing.allow(task_id, Override(rule=rule, person=person, by=by.actor, at=at))
        case ev.TaskCompleted(task_id=task_id, values=values):
            task = standing.tasks.pop(task_id)
            standing.spend(task_id)
            standing.completed_by.setdefault(task.element, []).append(by.actor)
            execution.complete(task.n, from_json(values), now=now)
        case ev.TimerFired(timer_id=timer_id, missed=missed):
            execution.fire(standing.timers.pop(timer_id).n, now=now, missed=missed)
        case ev.MessageReceived():
            execution.receive(
                cause.message, from_json(cause.values), correlation=from_json(cause.correlation), now=now
            )
        case ev.SignalReceived(signal=signal, values=values):
            execution.hear(signal, from_json(values), now=now)
        case ev.JobSucceeded(job_id=job_id, result=result):
            standing.incidents.pop(job_id, None)
            execution.finish(standing.jobs.pop(job_id).n, from_json(result), now=now)
        case ev.JobFailed():
            _attempt_failed(cause, standing, execution, now)
        case ev.IncidentResolved():
            _try_again(cause, standing, execution, now)
        case ev.CaseSuspended():
            standing.status = "suspended"
        case ev.CaseResumed():
            standing.status = "active"
        case ev.CaseTerminated():
            standing.status = "terminated"
            execution.cancel(now=now)


def _leaves_hands(standing: Standing, task_id: str) -> None:
    """Who held the task, and who lent it, need a new override to do it after all."""
    task = standing.tasks[task_id]
    for person in {task.assignee, task.owner} - {None}:
        standing.spend(task_id, person)


def _attempt_failed(cause: ev.JobFailed, standing: Standing, execution: Execution, now: datetime) -> None:
    job = standing.jobs[cause.job_id]
    if cause.error_code is not None:
        del standing.jobs[cause.job_id]
        execution.fail(job.n, cause.error_code, cause.message, now=now)
        return
    standing.jobs[cause.job_id] = replace(
        job, attempts=job.attempts + 1, retry_at=cause.retry_at, in_incident=cause.retry_at is None
    )


def _try_again(cause: ev.IncidentResolved, standing: Standing, execution: Execution, now: datetime) -> None:
    incident = standing.incidents.pop(cause.incident_id)
    if incident.job_id is None:
        execution.retry(incident.n, values=from_json(cause.values), now=now)
        return
    job = standing.jobs[incident.job_id]
    standing.jobs[job.id] = replace(job, attempts=0, retry_at=None, in_incident=False, origin=None)
