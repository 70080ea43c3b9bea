"""Plays an example in memory: a house of its own, a clock moved by hand, the people of the demonstration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from engine import events as ev
from engine.errors import InvalidInput, NotFound, Rejected
from engine.tables import journal as journalled
from engine.tables import snapshots
from engine.temporal import parse_duration
from engine.values import from_json, to_plain
from workflows.actors import policy
from workflows.actors.people import find_person, load_organisations, people_in
from workflows.actors.policy import SYSTEM, Actor, TaskFacts
from workflows.commands import Commands
from workflows.library.catalog import Catalog, Checker
from workflows.library.packages import Package, in_call_order
from workflows.library.trial.verdict import judge
from workflows.reading.history import History
from workflows.reading.moments import standing_of
from workflows.register.batches import load_batches
from workflows.register.calendar import load_calendar
from workflows.services import registry
from workflows.store import schema
from workflows.store.tables import (
    READ_MODELS,
    case_numbers,
    cases,
    definitions,
    drafts,
    idempotency,
    incidents,
    jobs,
    leases,
    open_database,
    operations,
    tasks,
    timers,
)
from workflows.transaction.facts import task_facts
from workflows.work.worker import Worker
from workflows.workshop.checking import read_closure
from workflows.workshop.played import Played, matched_rules, task_document

BEGINNING = datetime(2026, 4, 20, 1, tzinfo=UTC)  # a Monday, 09:00 in Shanghai, within the yearly round
IN_FORCE = datetime(2020, 1, 1, tzinfo=UTC)
"""Since when what is played is in force: before any example begins, whichever is played first."""
FAR = 1000
Step = Mapping[str, Any]
CASE_TABLES = (journalled, snapshots, *READ_MODELS, leases, drafts, operations, idempotency, case_numbers)


class Stuck(InvalidInput):
    """A step of the example does not fit what happened: which step, and what was found instead."""


@dataclass(kw_only=True)
class _Time:
    now: datetime = BEGINNING

    def __call__(self) -> datetime:
        return self.now


def play(path: Path, example: Mapping[str, Any] | None = None) -> Played:
    """Play one example of the package or single drawing at `path`; without one the case is only started.

    Raises BadDefinition, Stuck naming the step that did not fit, NotFound.
    """
    return Theatre().play(path, example or {})


class Theatre:
    """A house in memory where many examples can be played, one case each."""

    def __init__(self, *, check: Checker = judge) -> None:
        self.time = _Time()
        self.database = open_database("sqlite://")
        self.library = Catalog(self.database, check=check)
        self.commands = Commands(self.database, self.library, clock=self.time)
        self.history = History(self.database, self.library)
        self.worker = Worker(self.database, self.commands, clock=self.time, name="theatre")
        with self.database.begin() as connection:
            schema.lay_out(connection)
            load_organisations(connection, now=BEGINNING)
            load_batches(connection, now=BEGINNING)

    def play(self, path: Path, example: Mapping[str, Any]) -> Played:
        """One example, from its own beginning of time, in a house without any other case."""
        self._sweep()
        self.time.now = _beginning(example)
        closure = _playing(path, example.get("with", ()))
        packages = {package.process_id: package for package in in_call_order(closure)}
        process = example.get("process") or closure[0].process_id
        if process not in packages:
            names = ", ".join(packages)
            raise NotFound(f"{path} holds no process {process}, but {names}", code="PROCESS_NOT_FOUND")
        with self.database.begin() as connection:
            ours = definitions.c.key.in_(packages)
            connection.execute(sa.update(definitions).values(state=sa.case((ours, "live"), else_="retired")))
            for package in packages.values():
                self.library.deploy(connection, package, by="theatre", at=IN_FORCE)
        return _Performance(self, packages[process], example).run()

    def _sweep(self) -> None:
        self.commands.live.clear()
        with self.database.begin() as connection:
            registry.forget(connection)
            for table in CASE_TABLES:
                connection.execute(sa.delete(table))


def _playing(path: Path, beside: Iterable[str]) -> tuple[Package, ...]:
    """What the example's process can reach, and the packages beside it that its letters are to reach."""
    folders = [path, *(path.parent / process for process in beside)]
    found = {package.process_id: package for folder in folders for package in read_closure(folder)}
    return tuple(found.values())


class _Performance:
    def __init__(self, theatre: Theatre, package: Package, example: Mapping[str, Any]) -> None:
        self.theatre = theatre
        self.commands = theatre.commands
        self.package = package
        self.example = example
        self.case_id = ""
        self.refused: list[str] = []
        self.answers: dict[str, list[Step]] = {}  # kept until their element asks
        self.answered = frozenset(step["job"] for step in example.get("steps", []) if "job" in step)

    def run(self) -> Played:
        """Start, take every step, tell what became of it."""
        self._start(self.example.get("start", {}))
        for place, step in enumerate(self.example.get("steps", []), start=1):
            self._take(place, step)
            self._work()
        return self._told()

    def _start(self, start: Step) -> None:
        actor = self._starter(start)
        started = self.commands.start_case(
            self.package.process_id,
            start.get("values", {}),
            actor=actor,
            unit=start.get("unit"),
            batch=start.get("batch"),
            rules=self.example.get("rules"),
        )
        self.case_id = started.case_id
        self._work()

    def _take(self, place: int, step: Step) -> None:
        expected = step.get("expect_refused")
        try:
            self._act(step)
        except Rejected as refused:
            if expected is None or refused.code != expected:
                fields = [f"{field.pointer} {field.message}" for field in getattr(refused, "fields", ())]
                raise Stuck(
                    f"step {place} {_name(step)}: {type(refused).__name__} {refused.code}: {refused}"
                    f" {fields or ''}; waiting: {self._waiting()}",
                    code="STUCK",
                ) from refused
            self.refused.append(refused.code)
            return
        if expected is not None:
            raise Stuck(f"step {place} {_name(step)}: expected refusal {expected}, it was done", code="STUCK")

    def _act(self, step: Step) -> None:
        match step:
            case {"do": element}:
                task, actor = self._claim(element, step)
                self.commands.complete_task(task, step.get("values", {}), actor=actor)
            case {"claim": element}:
                self._claim(element, step)
            case {"release": element}:
                held = self._task(element, held_by=step.get("by"))
                self.commands.release_task(held["task_id"], actor=self._holder(held, step))
            case {"complete": element}:
                held = self._task(element, held_by=step.get("by"))
                actor = self._holder(held, step)
                self.commands.complete_task(held["task_id"], step.get("values", {}), actor=actor)
            case {"message": name}:
                self._message(name, step)
            case {"job": element}:
                self.answers.setdefault(element, []).append(step)
            case {"pass_time": span}:
                self._pass(self.theatre.time.now + _span(span))
            case {"pass_working_days": days}:
                calendar = load_calendar(self.theatre.library.calendar_id)
                self._pass(calendar.add(self.theatre.time.now, int(days))[0])
            case _:
                raise InvalidInput(f"nobody knows what to do with {dict(step)!r}", code="UNKNOWN_STEP")

    # --- tasks and people -----------------------------------------------------------------------------

    def _claim(self, element: str, step: Step) -> tuple[str, Actor]:
        open_tasks = self._open(element)
        if not open_tasks:
            raise NotFound(f"no task of {element} waits", code="NOT_WAITING")
        for task in open_tasks:
            for actor in self._candidates(task, step):
                if policy.may_claim(actor, self._facts(task["task_id"])).allowed:
                    self.commands.claim_task(task["task_id"], actor=actor)
                    return task["task_id"], actor
        actor = next(iter(self._candidates(open_tasks[0], step)), SYSTEM)
        self.commands.claim_task(open_tasks[0]["task_id"], actor=actor)  # refused, and says why
        return open_tasks[0]["task_id"], actor

    def _candidates(self, task: Mapping[str, Any], step: Step) -> list[Actor]:
        if "by" in step:
            return [self._person(step["by"])]
        with self.theatre.database.connect() as connection:
            people = [find_person(connection, person) for person in task["users"]]
            for group in task["groups"]:
                people += people_in(connection, group)
        return [*people, *([] if task["users"] or task["groups"] else [SYSTEM])]

    def _holder(self, task: Mapping[str, Any], step: Step) -> Actor:
        return self._person(step.get("by") or task["assignee"] or "nobody")

    def _person(self, person: str) -> Actor:
        """A person of the demonstration; anybody else is a stranger who may do what the drawing lets."""
        with self.theatre.database.connect() as connection:
            try:
                return find_person(connection, person)
            except NotFound:
                return Actor(id=person, name=person, roles=SYSTEM.roles)

    def _starter(self, start: Step) -> Actor:
        if "by" in start:
            return self._person(start["by"])
        if "applicant" in self.package.started_by and "unit" in start:
            with self.theatre.database.connect() as connection:
                return people_in(connection, f"applicant@{start['unit']}")[0]
        return SYSTEM

    def _task(self, element: str, held_by: str | None) -> Mapping[str, Any]:
        held = [t for t in self._open(element) if t["assignee"] and held_by in (None, t["assignee"])]
        found = held or self._open(element)
        if not found:
            raise NotFound(f"no task of {element} waits", code="NOT_WAITING")
        return found[0]

    def _open(self, element: str) -> list[Mapping[str, Any]]:
        rows = self._rows(tasks, tasks.c.element == element, tasks.c.state.in_(("ready", "claimed")))
        return sorted(rows, key=lambda row: int(row["task_id"].rpartition(".")[2]))

    def _waiting(self) -> list[str]:
        return [row["element"] for row in self._rows(tasks, tasks.c.state.in_(("ready", "claimed")))]

    def _facts(self, task_id: str) -> TaskFacts:
        with self.theatre.database.connect() as connection:
            return task_facts(connection, task_id)

    # --- messages, jobs, time -------------------------------------------------------------------------

    def _message(self, name: str, step: Step) -> None:
        self.commands.receive_message(
            self._hearer(name),
            name,
            step.get("values", {}),
            actor=self._person(step["by"]) if "by" in step else SYSTEM,
            correlation=from_json(step.get("correlation")),
        )

    def _hearer(self, message: str) -> str:
        """The first case that waits for the message, else the one that the example began."""
        for case_id in self._cases():
            with self.theatre.database.connect() as connection, self.theatre.library.over(connection):
                case = self.commands.live.take(connection, case_id)
            self.commands.live.put_back(case)
            if any(one.message == message for one in case.awaited()):
                return case_id
        return self.case_id

    def _cases(self) -> list[str]:
        """The case that the example began, and then those that began by what it sent."""
        others = [row["case_id"] for row in self._rows(cases)]
        return [self.case_id, *(one for one in others if one != self.case_id)]

    def _answer(self, job: str, step: Step) -> None:
        if "error" in step:
            self.commands.fail_job(job, step.get("message", step["error"]), error_code=step["error"])
        elif "fails" in step:
            self.commands.fail_job(job, str(step["fails"]))
        else:
            self.commands.finish_job(job, {k: from_json(v) for k, v in step.get("result", {}).items()})

    def _work(self) -> None:
        """Jobs that no step answers are done, others get the answer kept for them; due timers fire."""
        self.theatre.worker.tick(leave=self.answered)
        for job in self._rows(jobs, jobs.c.state == "waiting", jobs.c.element.in_(self.answers)):
            if self.answers[job["element"]]:
                self._answer(job["job_id"], self.answers[job["element"]].pop(0))
                return self._work()
        return None

    def _pass(self, until: datetime) -> None:
        """Time passes from one due moment to the next, as it would with a worker awake."""
        for _ in range(FAR):
            due = self._next_due()
            if due is None or due > until:
                break
            self.theatre.time.now = max(self.theatre.time.now, due)
            self._work()
        self.theatre.time.now = max(self.theatre.time.now, until)
        self._work()

    def _next_due(self) -> datetime | None:
        times = [row["due_at"] for row in self._rows(timers, timers.c.state == "set")]
        waiting = self._rows(jobs, jobs.c.state == "waiting", jobs.c.element.not_in(self.answered))
        return min([*times, *(row["next_at"] for row in waiting)], default=None)

    # --- what became of it ----------------------------------------------------------------------------

    def _told(self) -> Played:
        entries = self._entries()
        with self.theatre.database.connect() as connection, self.theatre.library.over(connection):
            case = self.commands.live.take(connection, self.case_id)
        stood = standing_of(entries)
        open_incidents = self._rows(incidents, incidents.c.resolved_at.is_(None))
        stuck = {row["case_id"] for row in open_incidents}
        running = {row["case_id"] for row in self._rows(cases, cases.c.status == "active")}
        variables = {name: to_plain(value) for name, value in case.variables.items()}
        return Played(
            status="incident" if stuck & running else case.status,
            case_id=case.case_id,
            passes=tuple(stood.route),
            flows=tuple(stood.flows),
            rules=tuple(matched_rules(entries)),
            variables=variables,
            tasks=tuple(
                task_document(row) for row in self._rows(tasks, tasks.c.state.in_(("ready", "claimed")))
            ),
            incidents=tuple(
                {"element": row["element"], "code": row["code"], "message": row["message"]}
                for row in open_incidents
            ),
            timers=tuple(
                {"element": row["element"], "due_at": row["due_at"].isoformat()}
                for row in self._rows(timers, timers.c.state == "set")
            ),
            outcome=case.standing.outcome or variables.get("outcome"),
            refused=tuple(self.refused),
        )

    def _entries(self) -> list[ev.Entry]:
        """What happened in all cases, in the order in which it was written."""
        query = sa.select(journalled.c.case_id, journalled.c.seq).order_by(sa.text("rowid"))
        with self.theatre.database.connect() as connection:
            order = [tuple(row) for row in connection.execute(query)]
        told = {(e.case_id, e.seq): e for one in self._cases() for e in self.theatre.history.entries(one)}
        return [told[place] for place in order if place in told]

    def _rows(self, table: sa.Table, *conditions: sa.ColumnElement[bool]) -> list[Mapping[str, Any]]:
        """Rows of all cases: the house holds no others than those of this example."""
        query = sa.select(table).where(*conditions)
        with self.theatre.database.connect() as connection:
            rows = connection.execute(query.order_by(*table.primary_key.columns)).mappings().all()
        return [dict(row) for row in rows]


def _beginning(example: Mapping[str, Any]) -> datetime:
    at = example.get("start", {}).get("at")
    return datetime.fromisoformat(at) if at else BEGINNING


def _span(text: str) -> timedelta:
    span = parse_duration(text)
    if not isinstance(span, timedelta):
        raise InvalidInput(f"expected days, hours, minutes or seconds, found {text!r}", code="UNKNOWN_STEP")
    return span


def _name(step: Step) -> str:
    words = ("do", "claim", "complete", "release", "message", "job", "pass_time", "pass_working_days")
    return next((f"{word} {step[word]}" for word in words if word in step), "?")
