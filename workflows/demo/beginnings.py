"""How cases of a season begin: an intent becomes an application or an affair, if there is room and a unit."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from engine.errors import InvalidInput, Rejected
from workflows.actors.people import units
from workflows.actors.policy import Actor
from workflows.demo import mixture, province
from workflows.demo.acting import Acting
from workflows.demo.affairs import Affair, Affairs
from workflows.demo.chance import Chance
from workflows.demo.crew import Crew
from workflows.demo.desk import Desk, Start
from workflows.demo.papers import Papers
from workflows.demo.plan import FILL, Intent, is_bound, reserved
from workflows.demo.shelf import Shelf
from workflows.demo.years import BATCHES
from workflows.register.batches import is_there
from workflows.register.calendar import local_day
from workflows.store.tables import cases, reading


@dataclass(kw_only=True)
class Summary:
    """What a season came to: cases of units, tasks completed, attempts refused. `stuck` tells of tasks that
    nobody knew how to fill in."""

    cases: int = 0
    completed: int = 0
    refused: int = 0
    stuck: list[str] = field(default_factory=list)


@dataclass(kw_only=True)
class Books:
    """Which case is which number, and what it all came to. `heard` is told of every further case."""

    numbers: dict[str, int] = field(default_factory=dict)
    summary: Summary = field(default_factory=Summary)
    heard: Callable[[int], None] = lambda begun: None

    def count(self) -> None:
        """One more case of a unit."""
        self.summary.cases += 1
        self.heard(self.summary.cases)


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What all numbers together mean: how many there are, when those begin that leave no choice, and which
    of the newcomers applies; `kinds` are the kinds of units by process."""

    in_all: int
    firm: Sequence[datetime]
    bound: Sequence[datetime]
    ranks: Mapping[int, int]
    kinds: Mapping[str, tuple[str, ...]]


class Beginnings:
    """Begins cases through `acting`, each by the person whom it behoves."""

    def __init__(
        self,
        database: sa.Engine,
        *,
        planned: Planned,
        acting: Acting,
        crew: Crew,
        desk: Desk,
        papers: Papers,
        shelf: Shelf,
        books: Books,
        chance: Chance,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._planned = planned
        self._acting = acting
        self._crew = crew
        self._desk = desk
        self._papers = papers
        self._shelf = shelf
        self._books = books
        self._chance = chance
        self._clock = clock
        self._affairs = Affairs(database, chance)

    def begin(self, intent: Intent) -> None:
        """Somebody begins what they meant to, if there is room and anybody for it."""
        if not self._has_room(intent):
            return
        if intent.applies or intent.kind == "cultivation":
            self._apply(intent)
        elif (affair := self._affairs.of(intent, local_day(self._clock()))) is not None:
            self._open(intent, affair)

    def _has_room(self, intent: Intent) -> bool:
        """Whether one more case leaves room for those that are bound to come: what fills the season up leaves
        it to all others, everything to the cast and to those that shall wait at a desk."""
        if is_bound(intent.number):
            return True
        query = sa.select(sa.func.count()).where(cases.c.process_id.not_in(province.LEADING))
        with reading(self._database) as connection:
            there = connection.execute(query).scalar_one()
        bound = self._planned.firm if intent.kind == FILL else self._planned.bound
        there += len(bound) - bisect_right(bound, self._clock())
        return there + reserved(self._planned.in_all, self._clock()) < self._planned.in_all

    def is_open(self, batch: int) -> bool:
        """Whether a batch, by the number of the province's case, was opened."""
        with reading(self._database) as connection:
            return is_there(connection, BATCHES[batch].batch)

    def _apply(self, intent: Intent) -> None:
        number = intent.number
        process = mixture.process_of(number, self._chance) if intent.applies else intent.kind
        applicant = self._crew.applicant(
            self._planned.ranks[number], self._planned.kinds.get(process) or ("enterprise",)
        )
        batch = BATCHES[intent.batch].batch if intent.applies else self._batch_of_the_year()
        given = self._of_the_unit(applicant) if intent.kind == "cultivation" else {}
        case_id = self._start(intent, process, applicant, given=given, batch=batch)
        if case_id and number == 0:
            self._desk.will.first.add(case_id)

    def _open(self, intent: Intent, affair: Affair) -> None:
        subject = affair.subject
        own = not affair.by and subject is not None
        actor = self._crew.of_unit(subject.unit) if own and subject else self._crew.members(affair.by)[0]
        batch = self._batch_of_the_year()
        case_id = self._start(intent, affair.process, actor, given=affair.given, batch=batch)
        if case_id:
            self._desk.will.kinds[case_id] = intent.kind
            if affair.partner:
                self._desk.will.partners[case_id] = affair.partner.unit

    def _start(
        self, intent: Intent, process: str, actor: Actor, *, given: dict[str, Any], batch: str | None
    ) -> str:
        """The number of the case; empty if it was refused."""
        number, chance = intent.number, self._chance.about("apply", intent.number)
        start = Start(process=process, definition=self._shelf.in_force(process), given=given)
        office = self._desk.will.office({"unit": {"authority": actor.authority}}, chance, self._clock())
        try:
            filled = self._desk.first_page(start, number, chance, office, self._clock())
            self._papers.enter(filled.evidence, case_id="", by=actor.id, now=self._clock())
            started = self._acting.start_case(
                process, filled.values, actor=actor, unit=actor.unit, batch=batch
            )
        except InvalidInput as error:
            self._books.summary.stuck.append(f"{intent.kind} {number}: {told(error)}")
            return ""
        except Rejected:
            self._books.summary.refused += 1
            return ""
        self._papers.belong(filled.evidence, case_id=started.case_id, by=actor.id)
        self._books.numbers[started.case_id] = number
        self._books.count()
        return started.case_id

    def _batch_of_the_year(self) -> str | None:
        """The batch under way, which a case about no application belongs to; None before the first."""
        called = [batch.batch for batch in BATCHES.values() if batch.opens <= self._clock()]
        with reading(self._database) as connection:
            return max((batch for batch in called if is_there(connection, batch)), default=None)

    def _of_the_unit(self, applicant: Actor) -> dict[str, Any]:
        with reading(self._database) as connection:
            row = connection.execute(
                sa.select(units.c.uscc, units.c.contact).where(units.c.id == applicant.unit)
            ).one()
        return {"uscc": row.uscc, "responsible": row.contact}

    def lead(self, number: int, led: province.Led) -> None:
        """The province begins a case of its own; it is none of the units'."""
        caller = self._crew.person(province.CALLER)
        chance = self._chance.about("lead", number)
        start = Start(
            process=led.process, definition=self._shelf.in_force(led.process), given=dict(led.given)
        )
        office = self._desk.will.office({}, chance, self._clock())
        filled = self._desk.first_page(start, number, chance, office, self._clock())
        batch = self._batch_of_the_year() if led.process != province.BATCH else None
        begun = self._acting.start_case(led.process, filled.values, actor=caller, unit=None, batch=batch)
        self._books.numbers[begun.case_id] = number


def told(error: InvalidInput) -> str:
    """What was wrong with a form, field by field."""
    faults = ", ".join(f"{fault.pointer} {fault.message}" for fault in error.fields)
    return f"{error} ({faults})"
