"""Journal entries become read-model rows, in the transaction that appends them; `rebuild` does it again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from engine import events as ev
from engine import journal, replay
from engine.definition.model import Definition
from engine.events import Entry
from workflows import rows, services
from workflows.tables import (
    NEVER,
    READ_MODELS,
    candidates,
    cases,
    decisions,
    definitions,
    incidents,
    jobs,
    tasks,
    timers,
)

Row = dict[str, Any]
OPEN = ("ready", "claimed")


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """What every row of a case repeats: who applies, where, in which batch, on which version."""

    case_id: str
    process: str
    pins: Mapping[str, str]
    unit: Mapping[str, Any]
    batch: Mapping[str, Any]
    started_at: datetime
    started_by: str

    @classmethod
    def of(cls, entry: Entry) -> Beginning:
        """From the entry that holds CaseStarted."""
        event = entry.event
        assert isinstance(event, ev.CaseStarted)
        return cls(
            case_id=entry.case_id,
            process=event.process,
            pins=event.pins,
            unit=_context(event.values.get("unit"), event.unit),
            batch=_context(event.values.get("batch"), event.batch),
            started_at=entry.at,
            started_by=entry.who.actor,
        )

    def text(self, part: str, name: str) -> str:
        """A text of the unit or the batch, empty where there is none."""
        value = getattr(self, part).get(name)
        return value if isinstance(value, str) else ""

    @property
    def shared(self) -> Row:
        """The columns that cases and tasks have in common."""
        return {
            "unit_id": self.text("unit", "id"),
            "unit_name": self.text("unit", "name"),
            "authority": self.text("unit", "authority"),
            "authority_name": self.text("unit", "authority_name"),
            "batch_id": self.text("batch", "id"),
            "batch_name": self.text("batch", "name"),
        }

    @property
    def marks(self) -> list[str]:
        """What the unit is known by, its legal representative included: conflicts of interest ask for it."""
        keys = ("id", "name", "name_en", "uscc", "legal_representative")
        return sorted({text for key in keys if (text := self.text("unit", key))})

    @property
    def search(self) -> str:
        """What a free-text search looks at, in lower case."""
        names = [self.text("unit", key) for key in ("name", "name_en", "uscc")]
        return " ".join([self.case_id, *names, self.text("batch", "name")]).lower()


def project(
    connection: sa.Connection, entries: Iterable[Entry], *, started: Entry, definition: Definition
) -> None:
    """Bring the read models behind `entries`, which all belong to the case that `started` began."""
    writing = _Writing(connection, Beginning.of(started), definition)
    last: Entry | None = None
    for entry in entries:
        writing.write(entry)
        last = entry
    if last is not None:
        writing.finish(last)


def rebuild(connection: sa.Connection, library: replay.Library) -> int:
    """Drop every read model and snapshot and write them again from the journal; answers how many cases.

    Commands wait meanwhile: what one wrote into rows that are being dropped would be lost.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("LOCK TABLE journal IN SHARE MODE"))
    replay.forget_all(connection)
    for table in (*services.written_tables(), *READ_MODELS):
        connection.execute(sa.delete(table))
    ids = journal.case_ids(connection)
    for case_id in ids:
        entries = [line.entry() for line in journal.read(connection, case_id)]
        started = entries[0].event
        assert isinstance(started, ev.CaseStarted)
        definition = library.definition(started.pins, started.process)
        project(connection, entries, started=entries[0], definition=definition)
    return len(ids)


class _Writing:
    """One case's rows while entries become rows."""

    def __init__(self, connection: sa.Connection, beginning: Beginning, definition: Definition) -> None:
        self.connection = connection
        self.beginning = beginning
        self.definition = definition
        self.case_id = beginning.case_id
        self.waiting: dict[sa.Table, list[Row]] = {}

    def write(self, entry: Entry) -> None:
        """The rows of one entry."""
        match entry.event:
            case ev.ElementPassed() | ev.MessageReceived() | ev.SignalReceived():
                pass  # the route and what was said are read from the journal alone
            case ev.CaseStarted():
                self._case_started(entry)
            case ev.TaskCreated():
                self._task_created(entry.event, entry)
            case ev.CaseCompleted(outcome=outcome, level=level):
                self._case_over(entry, "completed", outcome=outcome, level=level)
            case ev.CaseTerminated():
                self._case_over(entry, "terminated")
            case ev.CaseSuspended():
                self._stand_still(suspended=True)
            case ev.CaseResumed():
                self._stand_still(suspended=False)
            case ev.DecisionMade():
                self._decision_made(entry.event, entry)
            case _:
                self._task_changed(entry)
                self._timer_changed(entry)
                self._job_changed(entry)
                self._incident_changed(entry)

    def change(self, table: sa.Table, values: Row, **key: str) -> None:
        """Set columns of the case's row in `table` that `key` names."""
        self.flush(table)
        rows.change(self.connection, table, {"case_id": self.case_id, **key}, values)

    def add(self, table: sa.Table, *fresh: Row) -> None:
        """New rows, written together with those of the entries that follow."""
        self.waiting.setdefault(table, []).extend(fresh)

    def flush(self, *tables: sa.Table) -> None:
        """Write the new rows that still wait, before anything else happens in these tables."""
        for table in tables:
            if fresh := self.waiting.pop(table, []):
                rows.add(self.connection, table, fresh)

    def finish(self, last: Entry) -> None:
        """What is written once for all entries: the rows that wait, and how far the case has come."""
        self.flush(*tuple(self.waiting))
        self.change(cases, {"seq": last.seq, "updated_at": last.at})

    # --- the case -------------------------------------------------------------------------------------

    def _case_started(self, entry: Entry) -> None:
        begun = self.beginning
        name, name_en = self._process_names(begun.pins[begun.process])
        row = {
            "case_id": self.case_id,
            "process_id": begun.process,
            "definition_id": begun.pins[begun.process],
            "process_name": name,
            "process_name_en": name_en,
            "pins": dict(begun.pins),
            "unit_name_en": begun.text("unit", "name_en"),
            "uscc": begun.text("unit", "uscc"),
            "sector": begun.text("unit", "sector"),
            "marks": begun.marks,
            "status": "active",
            "started_at": entry.at,
            "started_by": begun.started_by,
            "updated_at": entry.at,
            "seq": entry.seq,
            "search": begun.search,
            **begun.shared,
        }
        rows.add(self.connection, cases, row)

    def _process_names(self, definition_id: str) -> tuple[str, str]:
        key, _, version = definition_id.rpartition(":")
        query = sa.select(definitions.c.name, definitions.c.name_en).where(
            definitions.c.key == key, definitions.c.version == int(version)
        )
        row = self.connection.execute(query).first()
        return (row.name, row.name_en) if row else (key, key)

    def _case_over(self, entry: Entry, status: str, **found: str | None) -> None:
        values = {"status": status, "ended_at": entry.at}
        self.change(cases, values | {name: value for name, value in found.items() if value is not None})

    def _stand_still(self, *, suspended: bool) -> None:
        self.flush(tasks, candidates)
        self.change(cases, {"status": "suspended" if suspended else "active"})
        self.connection.execute(
            sa.update(tasks)
            .where(tasks.c.case_id == self.case_id, tasks.c.state.in_(OPEN))
            .values(suspended=suspended)
        )
        ready = sa.select(tasks.c.task_id).where(tasks.c.case_id == self.case_id, tasks.c.state == "ready")
        self.connection.execute(
            sa.update(candidates)
            .where(candidates.c.case_id == self.case_id, candidates.c.task_id.in_(ready))
            .values(claimable=not suspended)
        )

    # --- tasks ----------------------------------------------------------------------------------------

    def _task_created(self, event: ev.TaskCreated, entry: Entry) -> None:
        element = self.definition.elements[event.element]
        due_sort = event.due_at or NEVER
        row = {
            "case_id": self.case_id,
            "task_id": event.task_id,
            "case_process": self.beginning.process,
            "process_id": element.process_id,
            "definition_id": self.beginning.pins[element.process_id],
            "element": element.id,
            "name": element.name,
            "name_en": element.name_en or element.name,
            "step": element.step or "",
            "clause": element.clause or "",
            "state": "claimed" if event.assignee else "ready",
            "assignee": event.assignee,
            "claimed_at": entry.at if event.assignee else None,
            "groups": list(event.groups),
            "users": list(event.users),
            "not_same_as": list(element.task.not_same_as) if element.task else [],
            "created_at": entry.at,
            "due_at": event.due_at,
            "due_sort": due_sort,
            "due_days": event.due_days,
            "provisional": event.provisional,
            "priority": event.priority,
            "round": event.round,
            "bulkable": bool(element.task and element.task.bulkable),
            "search": f"{self.beginning.search} {element.name} {element.name_en}".lower(),
            **self.beginning.shared,
        }
        self.add(tasks, row)
        named = {("group", name) for name in event.groups} | {("user", name) for name in event.users}
        if named:
            shared = {
                "case_id": self.case_id,
                "task_id": event.task_id,
                "claimable": event.assignee is None,
                "due_sort": due_sort,
                "created_at": entry.at,
                "priority": event.priority,
            }
            offered = [{"kind": kind, "name": name, **shared} for kind, name in sorted(named)]
            self.add(candidates, *offered)

    def _task_changed(self, entry: Entry) -> None:
        at, by = entry.at, entry.who.actor
        match entry.event:
            case (
                ev.TaskClaimed(task_id=task_id, assignee=assignee)
                | ev.TaskTransferred(task_id=task_id, assignee=assignee)
            ):
                held = {"state": "claimed", "assignee": assignee, "owner": None, "question": None}
                self._hand(task_id, {**held, "claimed_at": at})
            case ev.TaskReleased(task_id=task_id):
                free = {"state": "ready", "assignee": None, "owner": None, "claimed_at": None}
                self._hand(task_id, free, claimable=True)
            case ev.TaskDelegated(task_id=task_id, delegate=delegate, question=question):
                lent = {"owner": tasks.c.assignee, "assignee": delegate, "question": question}
                self.change(tasks, lent, task_id=task_id)
            case ev.TaskResolved(task_id=task_id):
                back = {"assignee": tasks.c.owner, "owner": None, "question": None}
                self.change(tasks, back, task_id=task_id)
            case ev.TaskCompleted(task_id=task_id, values=values):
                outcome = values.get("outcome")
                done = {"state": "completed", "ended_at": at, "completed_by": by}
                done |= {"outcome": outcome if isinstance(outcome, str) else None}
                self.change(tasks, done, task_id=task_id)  # who held it: it was nobody else's to claim
            case ev.TaskCancelled(task_id=task_id):
                self._hand(task_id, {"state": "cancelled", "ended_at": at})
            case ev.TaskEscalated(task_id=task_id):
                self.change(tasks, {"escalated_at": at}, task_id=task_id)

    def _hand(self, task_id: str, values: Row, *, claimable: bool = False) -> None:
        self.change(tasks, values, task_id=task_id)
        self.change(candidates, {"claimable": claimable}, task_id=task_id)

    # --- timers, jobs, incidents, decisions -----------------------------------------------------------

    def _timer_changed(self, entry: Entry) -> None:
        match entry.event:
            case ev.TimerSet(timer_id=timer_id) as event:
                row: Row = {"case_id": self.case_id, "timer_id": timer_id, "element": event.element}
                row |= {"due_at": event.due_at, "days": event.days, "provisional": event.provisional}
                rows.put(self.connection, timers, {**row, "repeats": event.repeats, "state": "set"})
            case ev.TimerFired(timer_id=timer_id):
                self.change(timers, {"state": "fired", "fired_at": entry.at}, timer_id=timer_id)
            case ev.TimerCancelled(timer_id=timer_id):
                self.change(timers, {"state": "cancelled"}, timer_id=timer_id)

    def _job_changed(self, entry: Entry) -> None:
        match entry.event:
            case ev.JobCreated(job_id=job_id) as event:
                row: Row = {"case_id": self.case_id, "job_id": job_id, "element": event.element}
                row |= {"type": event.type, "inputs": event.inputs, "retries": event.retries}
                row |= {"created_at": entry.at, "next_at": entry.at, "state": "waiting"}
                rows.put(self.connection, jobs, row)
            case ev.JobSucceeded(job_id=job_id):
                self.change(jobs, {"state": "succeeded", "ended_at": entry.at}, job_id=job_id)
                self._effects(entry, job_id)
            case ev.JobFailed(job_id=job_id, message=message, retry_at=retry_at, error_code=error_code):
                state = "failed" if error_code else "waiting" if retry_at else "incident"
                values: Row = {"attempts": jobs.c.attempts + 1, "message": message, "state": state}
                self.change(jobs, values | ({"next_at": retry_at} if retry_at else {}), job_id=job_id)
            case ev.JobCancelled(job_id=job_id):
                self.change(jobs, {"state": "cancelled", "ended_at": entry.at}, job_id=job_id)

    def _effects(self, entry: Entry, job_id: str) -> None:
        assert isinstance(entry.event, ev.JobSucceeded)
        inputs = self.connection.scalar(
            sa.select(jobs.c.inputs).where(jobs.c.case_id == self.case_id, jobs.c.job_id == job_id)
        )
        services.write_effects(
            self.connection,
            services.Done(
                case_id=self.case_id,
                job_id=job_id,
                type=entry.event.type,
                inputs=inputs or {},
                result=entry.event.result,
                at=entry.at,
                unit=dict(self.beginning.unit),
                process=self.beginning.process,
            ),
        )

    def _incident_changed(self, entry: Entry) -> None:
        match entry.event:
            case ev.IncidentRaised(incident_id=incident_id, job_id=job_id) as event:
                row: Row = {"case_id": self.case_id, "incident_id": incident_id, "element": event.element}
                row |= {"code": event.code, "message": event.message, "job_id": job_id}
                rows.put(self.connection, incidents, {**row, "raised_at": entry.at})
            case ev.IncidentResolved(incident_id=incident_id, reason=reason):
                ended = {"resolved_at": entry.at, "resolved_by": entry.who.actor, "reason": reason}
                self.change(incidents, ended, incident_id=incident_id)
                again = {"state": "waiting", "attempts": 0, "next_at": entry.at}
                self.change(jobs, again, job_id=incident_id, state="incident")
            case ev.IncidentCancelled(incident_id=incident_id):
                self.change(incidents, {"resolved_at": entry.at}, incident_id=incident_id)
            case _:
                return
        self.change(cases, {"open_incidents": _open_incidents(self.case_id)})

    def _decision_made(self, event: ev.DecisionMade, entry: Entry) -> None:
        row = {"case_id": self.case_id, "seq": entry.seq, "element": event.element}
        row |= {"decision": event.decision, "matched": list(event.matched), "at": entry.at}
        self.add(decisions, row)


def _open_incidents(case_id: str) -> sa.ScalarSelect[int]:
    return (
        sa.select(sa.func.count())
        .select_from(incidents)
        .where(incidents.c.case_id == case_id, incidents.c.resolved_at.is_(None))
        .scalar_subquery()
    )


def _context(value: Any, its_id: str | None) -> Mapping[str, Any]:
    """The context as the journal holds it; `@context` wraps one whose only name begins with @."""
    if isinstance(value, Mapping):
        inner = value.get("@context", value)
        return inner if isinstance(inner, Mapping) else {}
    return {"id": its_id} if its_id else {}
