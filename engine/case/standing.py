"""What is true of a case beside its tokens: what waits, who holds it, who completed what."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from engine import events as ev
from engine.errors import NotAllowed, WrongState
from engine.events import Cause, Consequence, Json
from engine.temporal import moment

A_WAIT = timedelta(minutes=1)
"""What a timer sets off that was due so much later is nobody's echo."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """A user task that waits: `ready` for its groups, or `claimed` by its assignee.

    While an opinion is asked for, `owner` is who asked and `assignee` is who was asked.
    """

    id: str
    n: int
    element: str
    created_at: str
    groups: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    assignee: str | None = None
    owner: str | None = None
    claimed_at: str | None = None
    due_at: str | None = None
    round: int = 1

    @property
    def state(self) -> str:
        return "claimed" if self.assignee else "ready"


@dataclass(frozen=True, kw_only=True)
class Override:
    """A person may do a task although this conflict rule bars them: who said so, when."""

    rule: str
    person: str
    by: str
    at: str


@dataclass(frozen=True, kw_only=True)
class Timer:
    id: str
    n: int
    element: str
    due_at: str
    origin: str | None = None


@dataclass(frozen=True, kw_only=True)
class Job:
    """A service task that waits for a worker; `attempts` have failed, the next may begin at `retry_at`.

    `origin` is the letter that led to it without a person or a wait between, if one did.
    """

    id: str
    n: int
    element: str
    type: str
    retries: int
    inputs: dict[str, Json]
    attempts: int = 0
    retry_at: str | None = None
    in_incident: bool = False
    origin: str | None = None


@dataclass(frozen=True, kw_only=True)
class Incident:
    id: str
    n: int
    element: str
    code: str
    message: str
    job_id: str | None = None


@dataclass(kw_only=True)
class Standing:
    """What is true of a case beside its tokens: plain, storable, rebuilt by replay."""

    status: str = "active"  # active, suspended, completed, terminated
    tasks: dict[str, Task] = field(default_factory=dict)
    timers: dict[str, Timer] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    incidents: dict[str, Incident] = field(default_factory=dict)
    completed_by: dict[str, list[str]] = field(default_factory=dict)  # element → who completed it
    overrides: dict[str, list[Override]] = field(default_factory=dict)  # task → what is not spent yet
    outcome: str | None = None
    origin: str | None = None  # the letter that the newest cause goes back to

    def state(self) -> dict[str, Json]:
        """JSON-native, for a snapshot."""
        return asdict(self)

    @classmethod
    def of(cls, state: dict[str, Json]) -> Standing:
        """What `state` described."""
        return cls(
            status=state["status"],
            tasks={key: _task(task) for key, task in state["tasks"].items()},
            timers={key: Timer(**timer) for key, timer in state["timers"].items()},
            jobs={key: Job(**job) for key, job in state["jobs"].items()},
            incidents={key: Incident(**incident) for key, incident in state["incidents"].items()},
            completed_by=state["completed_by"],
            overrides={
                key: [Override(**one) for one in given] for key, given in state.get("overrides", {}).items()
            },
            outcome=state["outcome"],
            origin=state.get("origin"),
        )

    def hand(self, task_id: str, **changes: Any) -> None:
        """The same task in other hands."""
        self.tasks[task_id] = replace(self.tasks[task_id], **changes)

    def allow(self, task_id: str, override: Override) -> None:
        """One more override for a task."""
        self.overrides.setdefault(task_id, []).append(override)

    def spend(self, task_id: str, person: str | None = None) -> None:
        """The overrides of a task, or those of one person for it, are used up."""
        left = [one for one in self.overrides.pop(task_id, []) if person not in (None, one.person)]
        if left:
            self.overrides[task_id] = left

    def follow(self, cause: Cause) -> None:
        """Keep which letter set off what is about to happen; what a person does, none."""
        match cause:
            case ev.CaseStarted() | ev.MessageReceived() | ev.SignalReceived():
                self.origin = cause.origin
            case ev.JobSucceeded(job_id=its_id) | ev.JobFailed(job_id=its_id):
                self.origin = self.jobs[its_id].origin
            case ev.TimerFired(timer_id=its_id):
                self.origin = self.timers[its_id].origin
            case _:
                self.origin = None

    def note(self, consequence: Consequence, now: datetime) -> None:
        """Keep the books: what waits, by its id."""
        match consequence:
            case ev.TaskCreated(task_id=task_id):
                self.tasks[task_id] = Task(
                    id=task_id,
                    n=number(task_id),
                    element=consequence.element,
                    created_at=moment(now),
                    groups=consequence.groups,
                    users=consequence.users,
                    assignee=consequence.assignee,
                    claimed_at=moment(now) if consequence.assignee else None,
                    due_at=consequence.due_at,
                    round=consequence.round,
                )
            case ev.TaskCancelled(task_id=task_id):
                del self.tasks[task_id]
                self.spend(task_id)
            case ev.TimerSet(timer_id=timer_id, element=element, due_at=due_at):
                waits = datetime.fromisoformat(due_at) - now >= A_WAIT
                self.timers[timer_id] = Timer(
                    id=timer_id,
                    n=number(timer_id),
                    element=element,
                    due_at=due_at,
                    origin=None if waits else self.origin,
                )
            case ev.TimerCancelled(timer_id=timer_id):
                del self.timers[timer_id]
            case ev.JobCreated(job_id=job_id):
                self.jobs[job_id] = Job(
                    id=job_id,
                    n=number(job_id),
                    element=consequence.element,
                    type=consequence.type,
                    retries=consequence.retries,
                    inputs=consequence.inputs,
                    origin=self.origin,
                )
            case ev.JobCancelled(job_id=job_id):
                del self.jobs[job_id]
            case ev.IncidentCancelled(incident_id=incident_id):
                del self.incidents[incident_id]
            case ev.IncidentRaised(incident_id=incident_id):
                self.incidents[incident_id] = Incident(
                    id=incident_id,
                    n=number(incident_id),
                    element=consequence.element,
                    code=consequence.code,
                    message=consequence.message,
                    job_id=consequence.job_id,
                )


def number(its_id: str) -> int:
    """The execution's number in a task, timer, job or incident id."""
    return int(its_id.rpartition(".")[2])


def _task(state: dict[str, Json]) -> Task:
    return Task(**{**state, "groups": tuple(state["groups"]), "users": tuple(state["users"])})


def held(task: Task, actor: str) -> Task:
    """The task, if this actor holds it. Raises WrongState TASK_NOT_CLAIMED, NotAllowed TASK_HELD_BY_OTHER."""
    if task.assignee is None:
        raise WrongState(f"task {task.id} is not claimed by anybody", code="TASK_NOT_CLAIMED")
    if task.assignee != actor:
        raise NotAllowed(
            f"task {task.id} is claimed by {task.assignee}, not by {actor}",
            code="TASK_HELD_BY_OTHER",
            assignee=task.assignee,
            claimed_at=task.claimed_at,
        )
    return task


def already_claimed(task: Task) -> WrongState:
    """The refusal every loser of a claim race gets."""
    return WrongState(
        f"task {task.id} is already claimed by {task.assignee}",
        code="TASK_ALREADY_CLAIMED",
        assignee=task.assignee,
        claimed_at=task.claimed_at,
    )
