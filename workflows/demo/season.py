"""A season: applicants apply, people claim and complete, timers fire, all through the real commands."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa

from engine.case.standing import Task
from engine.errors import InvalidInput, Rejected
from workflows.actors.policy import Actor
from workflows.commands import Commands
from workflows.demo import habits, mixture, province
from workflows.demo.acting import Acting
from workflows.demo.chance import Chance
from workflows.demo.crew import Crew
from workflows.demo.desk import Desk
from workflows.demo.lore import read_lore
from workflows.demo.papers import Papers
from workflows.demo.rounds import END, SPRING, beginning, round_of
from workflows.demo.waiting import is_model, stops
from workflows.library.catalog import Catalog
from workflows.library.packages import Package
from workflows.proof.evidence import Store
from workflows.register.calendar import local_day
from workflows.store.tables import cases, jobs, reading, timers
from workflows.work.worker import Worker

DUE: tuple[tuple[sa.Column[datetime], str], ...] = ((timers.c.due_at, "set"), (jobs.c.next_at, "waiting"))
"""Where the worker's work stands, and the state in which it waits."""

LOOK_BACK = timedelta(days=2)
"""So far back a season that others carry looks for cases that have moved: their commits may come late."""

AT: sa.BindParameter[datetime] = sa.bindparam("at", type_=timers.c.due_at.type)


def _first(column: sa.Column[datetime], when: sa.ColumnElement[bool], state: str) -> sa.ScalarSelect[Any]:
    first = sa.select(sa.func.min(column, type_=column.type))
    return first.where(when, column.table.c.state == state).scalar_subquery()


# Asked after everything that happens, so built once.
LATER = sa.select(*(_first(column, column > AT, state) for column, state in DUE))
NOW = sa.select(*(_first(column, column <= AT, state) for column, state in DUE))


@dataclass(kw_only=True)
class Summary:
    """What a season came to. `stuck` counts tasks that nobody knew how to fill in."""

    cases: int = 0
    completed: int = 0
    refused: int = 0
    stuck: list[str] = field(default_factory=list)


class HandClock:
    """A clock that stands still until it is moved."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


class Season:
    """Plays cases on a clock of its own, in the order in which things are due: one seed, one history."""

    def __init__(
        self,
        database: sa.Engine,
        catalog: Catalog,
        *,
        seed: int,
        files: Store,
        before: int = 0,
        acting: Acting | None = None,
    ) -> None:
        """`files` is where evidence is kept; people and rounds must have been loaded.

        `before` is how many applications there were already: units after them apply now. People act
        by commands of the season's own, unless `acting` says how else.
        """
        self.clock = HandClock(SPRING.opens)
        self.summary = Summary()
        self._database = database
        self._catalog = catalog
        self._chance = Chance("season", seed)
        self._crew = Crew(database)
        self._papers = Papers(database, files)
        self._calendar = catalog.calendar(catalog.calendar_id)
        self._commands = Commands(database, catalog, clock=self.clock)
        self._acting: Acting = acting or self._commands
        self._worker = Worker(database, self._commands, clock=self.clock)
        lore = {
            process: read_lore(self._packages(process), first=example)
            for process, example in mixture.examples().items()
        }
        self._desk = Desk(database, catalog, self._commands, lore=lore)
        self._kinds = {process: self._for_kinds(process) for process in lore}
        self._ranks: list[int] = []
        self._before = before
        self._numbers: dict[str, int] = {}
        self._noticed: set[str] = set()
        self._seen: dict[str, int] = {}
        self._agenda: list[tuple[datetime, int, Callable[[], None]]] = []
        self._entered = 0

    def play(self, number_of_cases: int, *, told: Callable[[int], None] = lambda begun: None) -> Summary:
        """Play so many cases to the end of the season. `told` hears how many have begun."""
        self.plan(number_of_cases, told=told)
        while (due := self._next_due()) is not None:
            self.clock.at = max(due, self.clock.at)
            self._settle()
            while self._agenda and self._agenda[0][0] <= self.clock.at:
                heapq.heappop(self._agenda)[2]()
                self._settle()
        return self.summary

    # --- the same in steps, while others keep the clock and do the worker's work ----------------------------

    def plan(self, number_of_cases: int, *, told: Callable[[int], None] = lambda begun: None) -> None:
        """So many units mean to apply, each at its time."""
        self._ranks = mixture.ranks(self._kinds, self._before + number_of_cases, self._chance)
        if not self._before:
            for led, at in province.BEGUN.items():
                self._enter(at, partial(self._call, led))
        for number in range(self._before, self._before + number_of_cases):
            at = beginning(number, self._calendar, self._chance)
            self._enter(at, partial(self._apply, number, told))

    @property
    def next_planned(self) -> datetime | None:
        """When somebody means to do something next."""
        return self._agenda[0][0] if self._agenda else None

    def act(self, until: datetime) -> None:
        """It is `until` now: people do what they had planned, and notice what came of it."""
        before, self.clock.at = self.clock.at, until
        while self._agenda and self._agenda[0][0] <= until:
            heapq.heappop(self._agenda)[2]()
        self._notice(before - LOOK_BACK)

    # --- what people do -------------------------------------------------------------------------------

    def _apply(self, number: int, told: Callable[[int], None]) -> None:
        chance = self._chance.about("apply", number)
        process = mixture.process_of(number, self._chance)
        applicant = self._crew.applicant(self._ranks[number], self._kinds[process])
        definition = self._in_force(process)
        filled = self._desk.application(process, definition, number, chance, self.clock.at)
        self._papers.enter(filled.evidence, case_id="", by=applicant.id, now=self.clock.at)
        batch = round_of(number, self._chance).batch
        started = self._acting.start_case(
            process, filled.values, actor=applicant, unit=applicant.unit, batch=batch
        )
        self._papers.belong(filled.evidence, case_id=started.case_id, by=applicant.id)
        self._numbers[started.case_id] = number
        self.summary.cases += 1
        told(self.summary.cases)

    def _call(self, number: int) -> None:
        """The province begins a batch of its own; it is no application."""
        values = {"wanted_year": province.YEARS[number], "basis": "年度工作安排"}
        caller = self._crew.person(province.CALLER)
        begun = self._acting.start_case(
            province.BATCH, values, actor=caller, unit=None, batch=round_of(number, self._chance).batch
        )
        self._numbers[begun.case_id] = number

    def _do(self, case_id: str, task: Task, chance: Chance) -> None:
        """Somebody sits down to a task; by then it may be gone, or barred to whoever tries first."""
        waiting = {open_.id: open_ for open_ in self._desk.waiting(case_id).tasks}
        people = self._crew.candidates(waiting[task.id], chance) if task.id in waiting else []
        person = next((person for person in people if self._claims(task, person)), None)
        if person is not None:
            self._complete(case_id, task, person, chance)

    def _claims(self, task: Task, person: Actor) -> bool:
        try:
            self._acting.claim_task(task.id, actor=person)
        except Rejected:
            self.summary.refused += 1  # barred by four eyes or by an interest: the next one may
            return False
        return True

    def _complete(self, case_id: str, task: Task, person: Actor, chance: Chance) -> None:
        try:
            filled = self._desk.task(case_id, task, self._numbers[case_id], chance, self.clock.at)
            self._papers.enter(filled.evidence, case_id=case_id, by=person.id, now=self.clock.at)
            self._acting.complete_task(task.id, filled.values, actor=person)
            self.summary.completed += 1
        except InvalidInput as error:
            faults = ", ".join(f"{fault.pointer} {fault.message}" for fault in error.fields)
            self.summary.stuck.append(f"{task.id} {task.element}: {error} ({faults})")
        except Rejected:
            self.summary.refused += 1  # a deadline has taken it away meanwhile

    def _say(self, case_id: str, message: str, chance: Chance) -> None:
        """Somebody says what the case was waiting for; if it does not wait any more, they are told so."""
        try:
            values, senders = self._desk.message(case_id, message, chance)
            sender = self._crew.sender(senders, self._desk.waiting(case_id).unit)
            self._acting.receive_message(case_id, message, values, actor=sender)
        except Rejected:
            self.summary.refused += 1

    # --- what they notice -----------------------------------------------------------------------------

    def _settle(self) -> None:
        """Let the worker do what is due, and people notice what that leaves them with."""
        if self._work_is_due():
            self._worker.tick(self.clock.at)
        self._notice(self.clock.at)

    def _notice(self, since: datetime) -> None:
        for case_id in self._moved(since):
            waiting = self._desk.waiting(case_id)
            for task in waiting.tasks:
                if self._is_new(task.id):
                    self._plan_task(case_id, task)
            for n, message in waiting.messages:
                if self._is_new(f"{case_id}.{n}"):
                    self._plan_message(case_id, n, message)

    def _plan_task(self, case_id: str, task: Task) -> None:
        number = self._numbers[case_id]
        if stops(number, task) or province.waits(number, task.element):
            return
        chance = self._chance.about(case_id, task.id)
        days = 1 if is_model(number) else habits.days_taken(self._days_allowed(task), chance)
        at = habits.office_moment(self.clock.at, days, self._calendar, chance)
        self._enter(at, lambda: self._do(case_id, task, chance))

    def _plan_message(self, case_id: str, n: int, message: str) -> None:
        chance = self._chance.about(case_id, "message", n)
        if not is_model(self._numbers[case_id]) and chance.happens(habits.MESSAGES.get(message, 0)):
            at = habits.office_moment(self.clock.at, chance.between(1, 5), self._calendar, chance)
            self._enter(at, lambda: self._say(case_id, message, chance))

    def _days_allowed(self, task: Task) -> int | None:
        if task.due_at is None:
            return None
        due = datetime.fromisoformat(task.due_at)
        return self._calendar.between(local_day(self.clock.at), local_day(due))

    def _is_new(self, name: str) -> bool:
        known = name in self._noticed
        self._noticed.add(name)
        return not known

    # --- the agenda -----------------------------------------------------------------------------------

    def _enter(self, at: datetime, act: Callable[[], None]) -> None:
        if at <= END:
            self._entered += 1
            heapq.heappush(self._agenda, (at, self._entered, act))

    def _next_due(self) -> datetime | None:
        """The next moment at which anything happens; None when nothing more does before the end."""
        moments = self._soonest(LATER)
        if self._agenda:
            moments.append(self._agenda[0][0])
        return min((at for at in moments if at <= END), default=None)

    def _work_is_due(self) -> bool:
        return bool(self._soonest(NOW))

    def _soonest(self, query: sa.Select[Any]) -> list[datetime]:
        with reading(self._database) as connection:
            found = connection.execute(query, {"at": self.clock.at}).one()
        return [moment for moment in found if moment is not None]

    def _moved(self, since: datetime) -> list[str]:
        """Our cases that have moved since they were looked at last, if that was after `since`."""
        query = sa.select(cases.c.case_id, cases.c.seq).where(cases.c.updated_at >= since)
        with reading(self._database) as connection:
            found = {case: seq for case, seq in connection.execute(query) if case in self._numbers}
        moved = sorted(case for case, seq in found.items() if self._seen.get(case) != seq)
        self._seen.update(found)
        return moved

    # --- the library ----------------------------------------------------------------------------------

    def _in_force(self, process: str) -> str:
        with reading(self._database) as connection:
            return self._catalog.current(connection, process, self.clock.at).id

    def _for_kinds(self, process: str) -> tuple[str, ...]:
        with reading(self._database) as connection:
            current = self._catalog.current(connection, process, self.clock.at).id
            return self._catalog.package(current, connection).for_kinds

    def _packages(self, process: str) -> list[Package]:
        """The process's own package, then those it calls."""
        with reading(self._database) as connection:
            pins = self._catalog.pins(connection, process, self.clock.at)
            ordered = sorted(pins, key=lambda key: (key != process, key))
            return [self._catalog.package(pins[key], connection) for key in ordered]
