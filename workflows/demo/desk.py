"""What lies on a desk: the open tasks of a case, their forms, and plausible answers to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from engine.case.case import Case
from engine.case.standing import Task
from engine.definition.model import Element
from workflows.acts.submissions import OUTCOME, form_of, read, senders
from workflows.commands import Commands
from workflows.demo.chance import Chance
from workflows.demo.filler import Circumstances, fill
from workflows.demo.habits import pressed
from workflows.demo.letterhead import Office, rewritten
from workflows.demo.lore import NONE, Lore, varied
from workflows.demo.waiting import is_model
from workflows.demo.will import Will
from workflows.library.catalog import Catalog
from workflows.library.forms.form import Form
from workflows.store.tables import reading

Values = dict[str, Any]
SOME_FILES = 25


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """What a case waits for: tasks, and messages by step number and name."""

    tasks: tuple[Task, ...]
    messages: tuple[tuple[int, str], ...]
    unit: str | None = None


@dataclass(frozen=True, kw_only=True)
class Filled:
    """What was filled in, and the evidence it names (id → file name), which must be entered first."""

    values: Values
    evidence: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Start:
    """A case that shall begin: of which process in which version, and what is settled of its first page."""

    process: str
    definition: str
    given: Values = field(default_factory=dict)


class Desk:
    """Looks at live cases through the commands' own eyes, and changes none of them."""

    def __init__(
        self,
        database: sa.Engine,
        library: Catalog,
        commands: Commands,
        *,
        lore: Mapping[str, Lore],
        will: Will,
    ) -> None:
        """`lore` is what is known of each process; `will` is what people have made up their minds about."""
        self._database = database
        self._library = library
        self._commands = commands
        self._lore = lore
        self.will = will

    def waiting(self, case_id: str) -> Waiting:
        """Everything the case waits for now."""
        with self._look(case_id) as case:
            if case.is_over:
                return Waiting(tasks=(), messages=())
            messages = tuple((a.n, a.message) for a in case.awaited())
            tasks = tuple(case.standing.tasks.values())
            return Waiting(tasks=tasks, messages=messages, unit=case.beginning.unit)

    def first_page(self, start: Start, number: int, chance: Chance, office: Office, now: datetime) -> Filled:
        """The start form of a case; the first application is as the first example has it."""
        data = self._library.start_form(start.definition)
        given = next(iter(self._lore.get(start.process, NONE).starts), {})
        lived = given if number == 0 else rewritten(varied(given, chance), office)
        around = Circumstances(
            context={}, now=now, chance=chance, papers=f"demo-{number + 1:04}", diligence=_diligence(number)
        )
        return _filled(read(data) if data else None, {**lived, **start.given}, around)

    def task(self, case_id: str, task: Task, number: int, chance: Chance, now: datetime) -> Filled:
        """What somebody submits: a button, and whatever the form and that button ask for."""
        with self._look(case_id) as case:
            element = case.definition.elements[task.element]
            form, context = form_of(self._library, case, element), case.local(task.id)
            lore = self._lore.get(case.definition.process_id, NONE)
        resolved = self.will.resolve(case_id, element.id, context, number=number, now=now)
        outcome = resolved.outcome or _outcome(lore, element, number, chance)
        around = Circumstances(
            context=context,
            now=now,
            chance=chance,
            papers=f"demo-{task.id}",
            needed=_needed(element, outcome),
            diligence=_diligence(number),
        )
        written = _given(lore, element, outcome, number, chance) if resolved.alone is False else {}
        office = self.will.office(context, chance, now)
        filled = _filled(form, {**rewritten(written, office), **resolved.values}, around)
        if outcome is not None:
            filled.values[OUTCOME] = outcome
        return filled

    def message(self, case_id: str, message: str, chance: Chance) -> tuple[Values, tuple[str, ...]]:
        """What is said with a message, and the groups that may say it."""
        with self._look(case_id) as case:
            lore = self._lore.get(case.definition.process_id, NONE)
            return lore.words(message, chance), senders(case, message)

    @contextmanager
    def _look(self, case_id: str) -> Iterator[Case]:
        with reading(self._database) as connection:
            case = self._commands.live.take(connection, case_id)
        yield case
        self._commands.live.put_back(case)


def _outcome(lore: Lore, element: Element, number: int, chance: Chance) -> str | None:
    outcomes = element.task.outcomes if element.task else ()
    if number < 0 and outcomes:
        return outcomes[0].value
    if is_model(number) and element.id in lore.first:
        return lore.first[element.id]
    return pressed(outcomes, chance)


def _given(lore: Lore, element: Element, outcome: str | None, number: int, chance: Chance) -> Values:
    if is_model(number):
        return lore.earliest(element.id, outcome)
    return dict(varied(lore.values(element.id, outcome, chance), chance))


def _diligence(number: int) -> int:
    """The first application is filled as completely as a real one; the others attach some evidence."""
    return 100 if number == 0 else SOME_FILES


def _needed(element: Element, outcome: str | None) -> tuple[str, ...]:
    outcomes = element.task.outcomes if element.task else ()
    return next((tuple(known.requires) for known in outcomes if known.value == outcome), ())


def _filled(form: Form | None, given: Values, around: Circumstances) -> Filled:
    values = dict(given) if form is None else fill(form, given, around)
    return Filled(values=values, evidence=around.attached)
