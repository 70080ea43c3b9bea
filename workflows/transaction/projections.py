"""Journal entries become read-model rows, in the transaction that appends them; `rebuild` does it again."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from engine import events as ev
from engine import journal, replay
from engine.definition.model import Definition
from engine.events import Entry
from engine.tables import wait_patiently
from workflows.register.quotas import PLACE, POOLED, TAKES
from workflows.services import registry
from workflows.services.operation import Done
from workflows.store.rows import Pending
from workflows.store.tables import (
    NEVER,
    READ_MODELS,
    candidates,
    cases,
    decisions,
    incidents,
    jobs,
    places,
    tasks,
    timers,
)
from workflows.transaction.beginnings import Beginning, is_confined

Row = dict[str, Any]
OPEN = ("ready", "claimed")
AT_ONCE = 100
"""So many cases' rows are written together while everything is rebuilt."""


def project(
    rows: Pending,
    entries: Iterable[Entry],
    *,
    started: Entry,
    definition: Definition,
) -> None:
    """Bring the read models behind `entries`, which all belong to the case that `started` began.

    What changes waits in `rows`, so that the journal can be written before anything else: who loses a race
    must not stand in the winner's way.
    """
    projecting = _Projecting(rows, Beginning.of(started), definition)
    last: Entry | None = None
    for entry in entries:
        projecting.write(entry)
        last = entry
    if last is not None:
        projecting.change(cases, {"seq": last.seq, "updated_at": last.at})


def rebuild(connection: sa.Connection, library: replay.Library) -> int:
    """Drop every read model and snapshot and write them again from the journal; answers how many cases.

    Commands wait meanwhile: what one wrote into rows that are being dropped would be lost.
    """
    wait_patiently(connection)
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("LOCK TABLE journal IN SHARE MODE"))
    replay.forget_all(connection)
    registry.forget(connection)
    for table in READ_MODELS:
        connection.execute(sa.delete(table))
    ids, rows = journal.case_ids(connection), Pending()
    for number, case_id in enumerate(ids, start=1):
        entries = [line.entry() for line in journal.read(connection, case_id)]
        started = entries[0].event
        assert isinstance(started, ev.CaseStarted)
        definition = library.definition(started.pins, started.process)
        project(rows, entries, started=entries[0], definition=definition)
        if number % AT_ONCE == 0:
            rows.write(connection)
    rows.write(connection)
    return len(ids)


class _Projecting:
    """One case's rows while entries become rows."""

    def __init__(self, rows: Pending, beginning: Beginning, definition: Definition) -> None:
        self.rows = rows
        self.beginning = beginning
        self.definition = definition
        self.case_id = beginning.case_id

    def write(self, entry: Entry) -> None:
        """The rows of one entry."""
        match entry.event:
            case ev.ElementPassed(flows=flows):
                self._place_changed(flows)  # the route itself is read from the journal alone
            case ev.ElementSkipped() | ev.MessageReceived() | ev.SignalReceived():
                pass  # and so is what was said
            case ev.ConflictOverridden():
                pass  # so is who may do a task all the same: it is asked of the case at hand
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
        self.rows.change(table, {"case_id": self.case_id, **key}, values)

    def work_out(self, statement: sa.Update | sa.Delete) -> None:
        """What the database has to work out from rows that are there: they are written first."""
        self.rows.then(lambda connection: connection.execute(statement))

    # --- the case -------------------------------------------------------------------------------------

    def _case_started(self, entry: Entry) -> None:
        begun = self.beginning
        drawing = self.definition.drawing
        name = drawing.name or begun.process
        row = {
            "case_id": self.case_id,
            "process_id": begun.process,
            "definition_id": begun.pins[begun.process],
            "process_name": name,
            "process_name_en": drawing.properties.get("name:en", name),
            "pins": dict(begun.pins),
            "unit_name_en": begun.text("unit", "name_en"),
            "uscc": begun.text("unit", "uscc"),
            "sector": begun.text("unit", "sector"),
            "marks": begun.marks,
            "status": "active",
            "confined": is_confined(drawing),
            "started_at": entry.at,
            "started_by": begun.started_by,
            "updated_at": entry.at,
            "seq": entry.seq,
            "search": begun.search,
            **begun.shared,
        }
        self.rows.add(cases, row)

    def _case_over(self, entry: Entry, status: str, **found: str | None) -> None:
        values = {"status": status, "ended_at": entry.at}
        if self._takes_places:
            unused = (places.c.case_id == self.case_id) & ~places.c.kept
            self.work_out(sa.delete(places).where(unused))  # behind what this very command may keep
        self.change(cases, values | {name: value for name, value in found.items() if value is not None})

    def _stand_still(self, *, suspended: bool) -> None:
        self.change(cases, {"status": "suspended" if suspended else "active"})
        self.work_out(
            sa.update(tasks)
            .where(tasks.c.case_id == self.case_id, tasks.c.state.in_(OPEN))
            .values(suspended=suspended)
        )
        ready = sa.select(tasks.c.task_id).where(tasks.c.case_id == self.case_id, tasks.c.state == "ready")
        self.work_out(
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
        self.rows.add(tasks, row)
        named = {("group", name) for name in event.groups} | {("user", name) for name in event.users}
        if named:
            shared = {
                "case_id": self.case_id,
                "task_id": event.task_id,
                "claimable": event.assignee is None,
                "due_sort": due_sort,
                "created_at": entry.at,
                "priority": event.priority,
                "authority": self.beginning.shared["authority"],
            }
            offered = [{"kind": kind, "name": name, **shared} for kind, name in sorted(named)]
            self.rows.add(candidates, *offered)

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
                self.work_out(self._of(tasks, task_id=task_id).values(lent))
            case ev.TaskResolved(task_id=task_id):
                back = {"assignee": tasks.c.owner, "owner": None, "question": None}
                self.work_out(self._of(tasks, task_id=task_id).values(back))
            case ev.TaskCompleted(task_id=task_id, values=values, place=place):
                outcome = values.get("outcome")
                done = {"state": "completed", "ended_at": at, "completed_by": by}
                done |= {"outcome": outcome if isinstance(outcome, str) else None}
                self.change(tasks, done, task_id=task_id)  # who held it: it was nobody else's to claim
                if place:
                    self.rows.add(places, {"case_id": self.case_id, **{n: place[n] for n in POOLED}})
            case ev.TaskCancelled(task_id=task_id):
                self._hand(task_id, {"state": "cancelled", "ended_at": at})
            case ev.TaskEscalated(task_id=task_id):
                self.change(tasks, {"escalated_at": at}, task_id=task_id)

    def _hand(self, task_id: str, values: Row, *, claimable: bool = False) -> None:
        self.change(tasks, values, task_id=task_id)
        its_rows = {"case_id": self.case_id, "task_id": task_id}
        self.rows.sweep(candidates, its_rows, {"claimable": claimable})

    def _of(self, table: sa.Table, **key: str) -> sa.Update:
        named = [table.c[name] == value for name, value in key.items()]
        return sa.update(table).where(table.c.case_id == self.case_id, *named)

    # --- places of a quota ----------------------------------------------------------------------------

    @cached_property
    def _takes_places(self) -> bool:
        return any(TAKES in element.properties for element in self.definition.elements.values())

    def _place_changed(self, flows: tuple[str, ...]) -> None:
        """A flow of the drawing may say that the case gives its place back, or has won a title with it."""
        for flow in flows:
            match self.definition.elements[flow].properties.get(PLACE):
                case "freed":
                    self.rows.sweep(places, {"case_id": self.case_id}, None)
                case "kept":
                    self.change(places, {"kept": True})

    # --- timers, jobs, incidents, decisions -----------------------------------------------------------

    def _timer_changed(self, entry: Entry) -> None:
        match entry.event:
            case ev.TimerSet(timer_id=timer_id) as event:
                row: Row = {"case_id": self.case_id, "timer_id": timer_id, "element": event.element}
                row |= {"due_at": event.due_at, "days": event.days, "provisional": event.provisional}
                self.rows.put(timers, {**row, "repeats": event.repeats, "state": "set"})
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
                self.rows.put(jobs, row)
            case ev.JobSucceeded(job_id=job_id):
                self.change(jobs, {"state": "succeeded", "ended_at": entry.at}, job_id=job_id)
                self._effects(entry, job_id)
            case ev.JobFailed(job_id=job_id, message=message, retry_at=retry_at, error_code=error_code):
                state = "failed" if error_code else "waiting" if retry_at else "incident"
                values: Row = {"attempts": jobs.c.attempts + 1, "message": message, "state": state}
                values |= {"next_at": retry_at} if retry_at else {}
                self.work_out(self._of(jobs, job_id=job_id).values(values))
            case ev.JobCancelled(job_id=job_id):
                self.change(jobs, {"state": "cancelled", "ended_at": entry.at}, job_id=job_id)

    def _effects(self, entry: Entry, job_id: str) -> None:
        assert isinstance(entry.event, ev.JobSucceeded)
        if registry.has_effects(entry.event.type):
            self.rows.then(lambda connection: self._write_effects(connection, entry, job_id))

    def _write_effects(self, connection: sa.Connection, entry: Entry, job_id: str) -> None:
        assert isinstance(entry.event, ev.JobSucceeded)
        inputs = connection.scalar(
            sa.select(jobs.c.inputs).where(jobs.c.case_id == self.case_id, jobs.c.job_id == job_id)
        )
        registry.write_effects(
            connection,
            Done(
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
                self.rows.put(incidents, {**row, "raised_at": entry.at})
            case ev.IncidentResolved(incident_id=incident_id, reason=reason):
                ended = {"resolved_at": entry.at, "resolved_by": entry.who.actor, "reason": reason}
                self.change(incidents, ended, incident_id=incident_id)
                again = {"state": "waiting", "attempts": 0, "next_at": entry.at}
                self.work_out(self._of(jobs, job_id=incident_id, state="incident").values(again))
            case ev.IncidentCancelled(incident_id=incident_id):
                self.change(incidents, {"resolved_at": entry.at}, incident_id=incident_id)
            case _:
                return
        self.work_out(self._of(cases).values(open_incidents=_open_incidents(self.case_id)))

    def _decision_made(self, event: ev.DecisionMade, entry: Entry) -> None:
        row = {"case_id": self.case_id, "seq": entry.seq, "element": event.element}
        row |= {"decision": event.decision, "matched": list(event.matched), "at": entry.at}
        self.rows.add(decisions, row)


def _open_incidents(case_id: str) -> sa.ScalarSelect[int]:
    return (
        sa.select(sa.func.count())
        .select_from(incidents)
        .where(incidents.c.case_id == case_id, incidents.c.resolved_at.is_(None))
        .scalar_subquery()
    )
