"""A season: applicants apply, people claim and complete, timers fire, all through the real commands."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa

from engine.case.standing import Task
from engine.errors import InvalidInput, Rejected
from workflows.actors.policy import SYSTEM, Actor
from workflows.commands import Commands
from workflows.demo import habits, mixture, province
from workflows.demo.acting import Acting
from workflows.demo.beginnings import Beginnings, Books, Planned, Summary, told
from workflows.demo.chance import Chance
from workflows.demo.crew import Crew
from workflows.demo.desk import Desk
from workflows.demo.papers import Papers
from workflows.demo.plan import FILL, Intent, intents, is_bound, moment
from workflows.demo.shelf import Shelf
from workflows.demo.statutes import Statutes
from workflows.demo.stock import Stock
from workflows.demo.waiting import is_model, stops
from workflows.demo.will import Will
from workflows.demo.years import BATCHES, DRAFTED, END, SETTLED, START, STATUTES
from workflows.library.catalog import Catalog
from workflows.proof.evidence import Store
from workflows.register.calendar import local_day
from workflows.store.tables import cases, jobs, reading, timers
from workflows.work.worker import Worker

DUE: tuple[tuple[sa.Column[datetime], str], ...] = ((timers.c.due_at, "set"), (jobs.c.next_at, "waiting"))
"""Where the worker's work stands, and the state in which it waits."""

A_WHILE = timedelta(days=3)
"""So much later somebody looks again whether the batch is open."""

LOOK_BACK = timedelta(days=2)
"""So far back a season that others carry looks for cases that have moved: their commits may come late."""

AT: sa.BindParameter[datetime] = sa.bindparam("at", type_=timers.c.due_at.type)


def _first(column: sa.Column[datetime], when: sa.ColumnElement[bool], state: str) -> sa.ScalarSelect[Any]:
    first = sa.select(sa.func.min(column, type_=column.type))
    return first.where(when, column.table.c.state == state).scalar_subquery()


# Asked after everything that happens, so built once.
LATER = sa.select(*(_first(column, column > AT, state) for column, state in DUE))
NOW = sa.select(*(_first(column, column <= AT, state) for column, state in DUE))


BEGUN_BY_LETTERS = 10**6
"""The number of every case that no person begins."""


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
        leads: bool = True,
        acting: Acting | None = None,
    ) -> None:
        """`files` is where evidence is kept; people and the batch that ships must have been loaded.

        `before` is how many intents there were already: those after them are played now. Whoever `leads`
        also plays the province, and what becomes of letters. People act by commands of the season's own,
        unless `acting` says how else.
        """
        self.clock = HandClock(START)
        self._books = Books()
        self._database = database
        self._catalog = catalog
        self._chance = Chance("season", seed)
        self._crew = Crew(database)
        self._papers = Papers(database, files)
        self._calendar = catalog.calendar(catalog.calendar_id)
        self._commands = Commands(database, catalog, clock=self.clock)
        self._acting: Acting = acting or self._commands
        self._worker = Worker(database, self._commands, clock=self.clock)
        self._shelf = Shelf(database, catalog, clock=self.clock)
        self._leads = leads
        self._before = before
        self._noticed: set[str] = set()
        self._seen: dict[str, int] = {}
        self._agenda: list[tuple[datetime, int, Callable[[], None]]] = []
        self._entered = 0

    @property
    def summary(self) -> Summary:
        """What it came to so far."""
        return self._books.summary

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

    def plan(
        self,
        number_of_cases: int,
        *,
        in_all: int | None = None,
        told: Callable[[int], None] = lambda begun: None,
    ) -> None:
        """So many cases of units shall be there, each at its time; of `in_all` if others plan the rest."""
        self._books.heard = told
        every = intents(in_all or self._before + number_of_cases)
        moments = [moment(intent, self._calendar, self._chance) for intent in every]
        self.stock = Stock(self._database, len(every))
        will = Will(self._crew, self.stock)
        self._desk = Desk(self._database, self._catalog, self._commands, lore=self._shelf.lore(), will=will)
        self._beginnings = self._begins(every, moments)
        if self._leads:
            self._plan_the_province(every)
        for intent in every[self._before : self._before + number_of_cases]:
            self._enter(moments[intent.number], partial(self._begin, intent))

    def _begins(self, every: Sequence[Intent], moments: Sequence[datetime]) -> Beginnings:
        kinds = {process: self._shelf.for_kinds(process) for process in mixture.examples()}
        planned = Planned(
            in_all=len(every),
            firm=sorted(moments[of.number] for of in every if of.kind != FILL),
            bound=sorted(moments[of.number] for of in every if is_bound(of.number)),
            ranks=mixture.ranks(kinds, every, self._chance),
            kinds=kinds,
        )
        return Beginnings(
            self._database,
            planned=planned,
            acting=self._acting,
            crew=self._crew,
            desk=self._desk,
            papers=self._papers,
            shelf=self._shelf,
            books=self._books,
            chance=self._chance,
            clock=self.clock,
        )

    def _plan_the_province(self, planned: Sequence[Intent]) -> None:
        """It leads the batches that somebody applies in, and all else if there are titles to manage."""
        used = {intent.batch for intent in planned if intent.applies} | {DRAFTED}
        statutes = Statutes(self._database, self._crew, clock=self.clock)
        rules = {BATCHES[number].rules for number in used}
        for statute in (one for one in STATUTES if one.rules in rules):
            self._enter(statute.drafted, partial(statutes.draft, statute))
            self._enter(statute.approved, partial(statutes.approve, statute))
        manages = not all(is_model(intent.number) for intent in planned)
        for number, led in province.LED.items():
            wanted = number in used if number in BATCHES else manages
            if wanted and (not self._before or self._is_left_to_call(number)):
                self._enter(led.begun, partial(self._beginnings.lead, number, led))

    def _is_left_to_call(self, number: int) -> bool:
        """Whether a season that others have begun left this batch for us."""
        return number in BATCHES and number != DRAFTED and not self._beginnings.is_open(number)

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

    def _begin(self, intent: Intent) -> None:
        """Somebody begins what they meant to; an applicant only once the batch is open."""
        if intent.applies and not self._beginnings.is_open(intent.batch):
            self._enter(self.clock.at + A_WHILE, partial(self._begin, intent))
        else:
            self._beginnings.begin(intent)

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
            filled = self._desk.task(case_id, task, self._books.numbers[case_id], chance, self.clock.at)
            self._papers.enter(filled.evidence, case_id=case_id, by=person.id, now=self.clock.at)
            self._acting.complete_task(task.id, filled.values, actor=person)
            self.summary.completed += 1
        except InvalidInput as error:
            self.summary.stuck.append(f"{task.id} {task.element}: {told(error)}")
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
        number = self._books.numbers[case_id]
        if stops(number, task) or province.waits(number, task.element):
            return
        chance = self._chance.about(case_id, task.id)
        days = 1 if is_model(number) else habits.days_taken(self._days_allowed(task), chance)
        at = habits.office_moment(self.clock.at, days, self._calendar, chance)
        if task.element in habits.ENDING and at > SETTLED:
            return
        self._enter(at, lambda: self._do(case_id, task, chance))

    def _plan_message(self, case_id: str, n: int, message: str) -> None:
        chance, number = self._chance.about(case_id, "message", n), self._books.numbers[case_id]
        if is_model(number) or not chance.happens(habits.said(message, self.clock.at)):
            return
        at = habits.office_moment(self.clock.at, chance.between(1, 5), self._calendar, chance)
        if habits.may_still_be_said(message, at):
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
        query = sa.select(cases.c.case_id, cases.c.seq, cases.c.started_by, cases.c.process_id)
        with reading(self._database) as connection:
            rows = connection.execute(query.where(cases.c.updated_at >= since)).all()
        found = {row.case_id: row.seq for row in rows if self._is_ours(row)}
        moved = sorted(case for case, seq in found.items() if self._seen.get(case) != seq)
        self._seen.update(found)
        return moved

    def _is_ours(self, row: Any) -> bool:
        """Whoever leads also takes care of what letters have begun."""
        if row.case_id not in self._books.numbers and self._leads and row.started_by == SYSTEM.id:
            self._books.numbers[row.case_id] = BEGUN_BY_LETTERS
            if row.process_id not in province.LEADING:
                self._books.count()
        return row.case_id in self._books.numbers
