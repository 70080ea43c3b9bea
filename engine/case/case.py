"""A case: what may be asked of it, what follows, and what is true now.

Live, a cause is recorded, the token moves, and each consequence is recorded. In replay it moves the same
token, and each recorded consequence must equal what the model says. `_drive` does both.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from engine import events as ev
from engine.case.hearing import gave_up, heard
from engine.case.obeying import obey
from engine.case.reliving import Reliving
from engine.case.shared import Shared
from engine.case.standing import Job, Standing, Task, already_claimed, held
from engine.definition.model import Definition
from engine.errors import NotFound, WrongState
from engine.events import Cause, Consequence, Entry, Json, Who
from engine.execution import signals as sig
from engine.execution.execution import Awaited, Execution, WorkingDays
from engine.journal import START, Head
from engine.temporal import moment
from engine.values import from_json, to_json

Values = Mapping[str, Any]
"""Case data by name, as FEEL values."""


class Case(Reliving):
    """One run of a definition. Not thread-safe: one thread holds a case at a time."""

    def __init__(
        self, started: Entry, definition: Definition, calendar: WorkingDays, *, shared: Values | None = None
    ) -> None:
        """`started` holds CaseStarted; nothing has happened yet. `shared` are the values that it names."""
        assert isinstance(started.event, ev.CaseStarted)
        self.case_id = started.case_id
        self.started = started
        self.definition = definition
        self.calendar = calendar
        self._shared = shared or {}
        self.standing = Standing()
        self.execution: Execution
        self.head = Head(seq=0, digest=START)  # what the journal holds; moved by `appended`
        self.seq = 0
        self.at = started.at
        self._fresh: list[Entry] = []
        self._expected: deque[Consequence] = deque()

    # --- what is true now ---------------------------------------------------------------------------

    @property
    def beginning(self) -> ev.CaseStarted:
        assert isinstance(self.started.event, ev.CaseStarted)
        return self.started.event

    @property
    def status(self) -> str:
        return self.standing.status

    @property
    def variables(self) -> dict[str, Any]:
        """Case data as FEEL values."""
        return self.execution.variables

    @property
    def fresh(self) -> tuple[Entry, ...]:
        """What happened since the case was loaded and is not in the journal yet."""
        return tuple(self._fresh)

    @property
    def is_over(self) -> bool:
        return self.status in ("completed", "terminated")

    def appended(self, head: Head) -> None:
        """The journal now ends at `head` and holds everything fresh."""
        self.head = head
        self._fresh.clear()

    def open_task(self, task_id: str) -> Task:
        """The waiting task. Raises NotFound for one that was never there or is gone."""
        task = self.standing.tasks.get(task_id)
        if task is None:
            raise NotFound(f"task {task_id} is not open in case {self.case_id}", code="TASK_NOT_OPEN")
        return task

    def local(self, task_id: str) -> dict[str, Any]:
        """Case data as this task sees them, to be read: its item of a list and its inputs included."""
        return self.execution.seen(self.open_task(task_id).n)

    def awaited(self) -> tuple[Awaited, ...]:
        """The messages that would be heard now."""
        return self.execution.awaited()

    def signals_awaited(self) -> frozenset[str]:
        """The names of the signals that would be heard now."""
        return self.execution.signals_awaited()

    # --- what may be asked ----------------------------------------------------------------------------

    @classmethod
    def start(
        cls,
        case_id: str,
        definition: Definition,
        calendar: WorkingDays,
        *,
        pins: Mapping[str, str],
        values: Values,
        by: Who,
        now: datetime,
        unit: str | None = None,
        batch: str | None = None,
        begins_at: str | None = None,
        carried: Values | None = None,
        job_id: str | None = None,
        origin: str | None = None,
        shared: Mapping[str, Shared] | None = None,
    ) -> Case:
        """A new case at its first waits. `pins` names the deployed version of every reachable process,
        `shared` the variables whose values the journal only names.

        `begins_at`, `carried`, `job_id`, `origin` tell of the message or signal that begins it, if one does.
        Raises WrongState if it cannot begin like that.
        """
        event = ev.CaseStarted(
            process=definition.process_id,
            pins=dict(pins),
            definition_digest=definition.digest,
            calendar=calendar.id,
            values=to_json(dict(values)),
            unit=unit,
            batch=batch,
            begins_at=begins_at,
            carried=to_json(dict(carried or {})),
            job_id=job_id,
            signals_reach="house",
            origin=origin,
            shared={name: one.told() for name, one in (shared or {}).items()},
        )
        definition.beginning(begins_at)
        first = Entry(case_id=case_id, seq=1, at=now, who=by, event=event)
        held = {name: one.value for name, one in (shared or {}).items()}
        case = cls(first, definition, calendar, shared=held)
        case._happen(event, by=by, now=now)
        return case

    def claim_task(self, task_id: str, *, by: Who, now: datetime) -> None:
        """The task is this actor's. Raises WrongState TASK_ALREADY_CLAIMED naming the holder."""
        task = self._workable(task_id)
        if task.assignee is not None:
            raise already_claimed(task)
        self._happen(ev.TaskClaimed(task_id=task_id, assignee=by.actor), by=by, now=now)

    def release_task(self, task_id: str, *, by: Who, now: datetime, reason: str = "") -> None:
        """The task is its groups' again. Raises NotAllowed unless the actor holds it."""
        self._held(task_id, by)
        self._happen(ev.TaskReleased(task_id=task_id, reason=reason), by=by, now=now)

    def transfer_task(self, task_id: str, to: str, *, reason: str, by: Who, now: datetime) -> None:
        """The task is `to`'s for good; whether the actor may do so is the floor above's to know."""
        self._workable(task_id)
        self._happen(ev.TaskTransferred(task_id=task_id, assignee=to, reason=reason), by=by, now=now)

    def delegate_task(self, task_id: str, to: str, *, question: str, by: Who, now: datetime) -> None:
        """`to` is asked for an opinion; the task comes back. One opinion is asked for at a time."""
        if self._held(task_id, by).owner is not None:
            raise WrongState(f"task {task_id} is already delegated", code="TASK_DELEGATED")
        self._happen(ev.TaskDelegated(task_id=task_id, delegate=to, question=question), by=by, now=now)

    def resolve_task(self, task_id: str, opinion: str, *, by: Who, now: datetime) -> None:
        """The delegate's opinion is given and the task is its owner's again."""
        if self._held(task_id, by).owner is None:
            raise WrongState(f"task {task_id} is not delegated", code="TASK_NOT_DELEGATED")
        self._happen(ev.TaskResolved(task_id=task_id, opinion=opinion), by=by, now=now)

    def override_conflict(
        self, task_id: str, rule: str, person: str, *, reason: str, ground: Values, by: Who, now: datetime
    ) -> None:
        """`person` may do the task once although `rule` bars them; whether `by` may say so is the floor
        above's to know."""
        self._workable(task_id)
        told = {"task_id": task_id, "rule": rule, "person": person, "reason": reason}
        self._happen(ev.ConflictOverridden(**told, ground=to_json(dict(ground))), by=by, now=now)

    def complete_task(
        self, task_id: str, values: Values, *, by: Who, now: datetime, place: Mapping[str, Json] | None = None
    ) -> None:
        """The task is done with these values, already checked against its form, and the token moves on; that
        the `place` it takes is free is the floor above's to know."""
        if self._held(task_id, by).owner is not None:
            raise WrongState(f"task {task_id} is delegated: give the opinion first", code="TASK_DELEGATED")
        handed, taken = to_json(dict(values)), dict(place or {})
        self._happen(ev.TaskCompleted(task_id=task_id, values=handed, place=taken), by=by, now=now)

    def fire_timer(self, timer_id: str, *, by: Who, now: datetime) -> None:
        """The timer has fired. Raises WrongState if it is not due yet, NotFound if it is gone."""
        self._running()
        timer = self.standing.timers.get(timer_id)
        if timer is None:
            raise NotFound(f"timer {timer_id} is not set in case {self.case_id}", code="TIMER_GONE")
        if now < datetime.fromisoformat(timer.due_at):
            raise WrongState(f"timer {timer_id} is due at {timer.due_at}, now it is {moment(now)}")
        missed = self.execution.missed(timer.n, now=max(now, self.at))
        self._happen(ev.TimerFired(timer_id=timer_id, due_at=timer.due_at, missed=missed), by=by, now=now)

    def receive_message(
        self,
        message: str,
        values: Values,
        *,
        by: Who,
        now: datetime,
        correlation: Any = None,
        job_id: str | None = None,
        origin: str | None = None,
    ) -> None:
        """Whatever waits for this message hears it; `job_id` names the delivery of another case's.

        Raises WrongState MESSAGE_UNEXPECTED if nothing waits.
        """
        self._running()
        waiting = self.awaited()
        if not any(one.message == message and one.correlation in (None, correlation) for one in waiting):
            names = sorted({one.message for one in waiting})
            text = f"case {self.case_id} waits for {names}, not for {message!r}"
            raise WrongState(text, code="MESSAGE_UNEXPECTED", awaited=names)
        told = {"values": to_json(dict(values)), "correlation": to_json(correlation)}
        event = ev.MessageReceived(message=message, **told, job_id=job_id, origin=origin)
        self._happen(event, by=by, now=now)

    def hear_signal(
        self, signal: str, values: Values, *, job_id: str, origin: str, by: Who, now: datetime
    ) -> None:
        """Whatever waits for this signal of another case hears it."""
        self._running()
        told = {"signal": signal, "values": to_json(dict(values))}
        self._happen(ev.SignalReceived(**told, job_id=job_id, origin=origin), by=by, now=now)

    def finish_job(self, job_id: str, result: Values, *, by: Who, now: datetime) -> None:
        """The job was done and this is what came of it."""
        job = self._job(job_id)
        event = ev.JobSucceeded(job_id=job_id, type=job.type, result=to_json(dict(result)))
        self._happen(event, by=by, now=now)

    def fail_job(
        self,
        job_id: str,
        message: str,
        *,
        by: Who,
        now: datetime,
        retry_at: datetime | None = None,
        error_code: str | None = None,
    ) -> None:
        """One attempt failed; without a moment to retry or an error to throw, a person must look."""
        self._job(job_id)
        then = {"retry_at": moment(retry_at) if retry_at else None, "error_code": error_code}
        self._happen(ev.JobFailed(job_id=job_id, message=message, **then), by=by, now=now)

    def resolve_incident(
        self, incident_id: str, *, reason: str, by: Who, now: datetime, values: Values | None = None
    ) -> None:
        """The failed step is tried again after `values` were set."""
        self._running()
        if incident_id not in self.standing.incidents:
            raise NotFound(f"incident {incident_id} is not open", code="INCIDENT_GONE")
        told = {"reason": reason, "values": to_json(dict(values or {}))}
        self._happen(ev.IncidentResolved(incident_id=incident_id, **told), by=by, now=now)

    def suspend(self, *, reason: str, by: Who, now: datetime) -> None:
        """Nothing moves until the case is resumed."""
        self._running()
        self._happen(ev.CaseSuspended(reason=reason), by=by, now=now)

    def resume(self, *, reason: str, by: Who, now: datetime) -> None:
        if self.status != "suspended":
            raise WrongState(f"case {self.case_id} is {self.status}, not suspended", code="NOT_SUSPENDED")
        self._happen(ev.CaseResumed(reason=reason), by=by, now=now)

    def terminate(self, *, reason: str, by: Who, now: datetime) -> None:
        """The case is over by this act; everything that waited is cancelled."""
        if self.is_over:
            raise WrongState(f"case {self.case_id} is already {self.status}", code="CASE_OVER")
        self._happen(ev.CaseTerminated(reason=reason), by=by, now=now)

    # --- snapshots ------------------------------------------------------------------------------------

    def state(self) -> dict[str, Json]:
        """Everything needed to go on from here, JSON-native; the definition is named, not included."""
        return {
            "started": self.started.body(),
            "standing": self.standing.state(),
            "execution": self.execution.snapshot(),
            "seq": self.seq,
            "at": moment(self.at),
        }

    @classmethod
    def of(
        cls,
        state: Json,
        definition: Definition,
        calendar: WorkingDays,
        *,
        head: Head,
        shared: Values | None = None,
    ) -> Case:
        """The case that `state` described, its journal ending at `head`."""
        case = cls(ev.entry_of(state["started"]), definition, calendar, shared=shared)
        case.standing = Standing.of(state["standing"])
        case.execution = Execution.restore(definition, state["execution"], calendar=calendar)
        case.seq = state["seq"]
        case.at = datetime.fromisoformat(state["at"])
        case.head = head
        return case

    # --- how it moves ---------------------------------------------------------------------------------

    def _happen(self, cause: Cause, *, by: Who, now: datetime) -> None:
        now = max(now, self.at)  # a clock that stepped back must not put a fact before its cause
        self._record(cause, by, now)
        for consequence in self._drive(cause, by, now):
            self._record(consequence, by, now)

    def _record(self, event: ev.Event, by: Who, now: datetime) -> None:
        self.seq += 1
        self.at = now
        self._fresh.append(Entry(case_id=self.case_id, seq=self.seq, at=now, who=by, event=event))

    def _drive(self, cause: Cause, by: Who, now: datetime) -> list[Consequence]:
        """Obey the cause and answer what follows, in order. The one way a case changes."""
        self.standing.follow(cause)
        if isinstance(cause, ev.CaseStarted):
            self.execution = Execution.start(
                self.definition,
                from_json(cause.values),
                shared=self._shared,
                begins_at=cause.begins_at,
                carried=from_json(cause.carried),
                signals_reach=cause.signals_reach,
                calendar=self.calendar,
                now=now,
            )
        else:
            obey(cause, standing=self.standing, execution=self.execution, by=by, now=now)
        ends: list[str] = []
        consequences = []
        for signal in self.execution.drain():
            if isinstance(signal, sig.Ended):
                ends.append(signal.element)
            for consequence in heard(signal, self.case_id, self.standing, self._shared):
                self.standing.note(consequence, now)
                consequences.append(consequence)
        if isinstance(cause, ev.JobFailed) and not cause.retry_at and not cause.error_code:
            consequences.append(gave_up(cause, self.standing))
            self.standing.note(consequences[-1], now)
        if self.status == "active" and self.execution.status == "completed":
            consequences.append(self._completed(tuple(ends)))
        return consequences

    def _completed(self, ends: tuple[str, ...]) -> Consequence:
        self.standing.status = "completed"
        self.standing.outcome = _text(self.variables.get("outcome"))
        return ev.CaseCompleted(
            ends=ends, outcome=self.standing.outcome, level=_text(self.variables.get("level"))
        )

    # --- small things ---------------------------------------------------------------------------------

    def _running(self) -> None:
        if self.status != "active":
            raise WrongState(
                f"case {self.case_id} was expected to be active, it is {self.status}",
                code="CASE_NOT_ACTIVE",
                status=self.status,
            )

    def _workable(self, task_id: str) -> Task:
        task = self.open_task(task_id)
        self._running()
        return task

    def _held(self, task_id: str, by: Who) -> Task:
        return held(self._workable(task_id), by.actor)

    def _job(self, job_id: str) -> Job:
        self._running()
        job = self.standing.jobs.get(job_id)
        if job is None or job.in_incident:  # then a person is wanted, and no worker
            raise NotFound(f"job {job_id} is not open in case {self.case_id}", code="JOB_GONE")
        return job


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
