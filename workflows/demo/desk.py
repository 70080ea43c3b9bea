"""What lies on a desk: the open tasks of a case, their forms, and plausible answers to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from engine.case.case import Case
from engine.case.standing import Task
from workflows.catalog import Catalog
from workflows.commands import Commands
from workflows.demo.chance import Chance
from workflows.demo.filler import Circumstances, fill
from workflows.demo.habits import pressed
from workflows.demo.lore import Lore, varied
from workflows.submissions import OUTCOME, form_of, read, senders

Values = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """What a case waits for: tasks, and messages by step number and name."""

    tasks: tuple[Task, ...]
    messages: tuple[tuple[int, str], ...]
    unit: str | None = None


class Desk:
    """Looks at live cases through the commands' own eyes, and changes none of them."""

    def __init__(
        self, database: sa.Engine, library: Catalog, commands: Commands, *, lore: Lore, evidence: str
    ) -> None:
        self._database = database
        self._library = library
        self._commands = commands
        self._lore = lore
        self._evidence = evidence

    def waiting(self, case_id: str) -> Waiting:
        """Everything the case waits for now."""
        with self._look(case_id) as case:
            if case.is_over:
                return Waiting(tasks=(), messages=())
            messages = tuple((a.n, a.message) for a in case.awaited())
            tasks = tuple(case.standing.tasks.values())
            return Waiting(tasks=tasks, messages=messages, unit=case.beginning.unit)

    def start_values(self, definition_id: str, number: int, chance: Chance, now: datetime) -> Values:
        """What the start form of application `number` says; the first is as the first example has it."""
        given = self._lore.starts[0] if self._lore.starts else {}
        data = self._library.start_form(definition_id)
        return self._filled(read(data) if data else None, given, number, {}, chance, now)

    def task_values(self, case_id: str, task: Task, number: int, chance: Chance, now: datetime) -> Values:
        """What somebody submits: a button, and whatever the form and that button ask for."""
        with self._look(case_id) as case:
            element = case.definition.elements[task.element]
            rules = element.task
            outcome = pressed(rules.outcomes if rules else (), chance)
            needed = next((o.requires for o in (rules.outcomes if rules else ()) if o.value == outcome), ())
            form, context = form_of(self._library, case, element), case.local(task.id)
        given = self._lore.values(task.element, outcome, chance)
        values = self._filled(form, given, number, context, chance, now, needed=tuple(needed))
        return values if outcome is None else {**values, OUTCOME: outcome}

    def message(self, case_id: str, message: str, chance: Chance) -> tuple[Values, tuple[str, ...]]:
        """What is said with a message, and the groups that may say it."""
        with self._look(case_id) as case:
            return self._lore.words(message, chance), senders(case, message)

    def _filled(
        self,
        form: Any,
        given: Values,
        number: int,
        context: Mapping[str, Any],
        chance: Chance,
        now: datetime,
        *,
        needed: tuple[str, ...] = (),
    ) -> Values:
        own = given if number == 0 else varied(given, chance)
        if form is None:
            return own
        around = Circumstances(
            context=context, now=now, chance=chance, evidence=self._evidence, needed=needed
        )
        return fill(form, own, around)

    @contextmanager
    def _look(self, case_id: str) -> Iterator[Case]:
        with self._database.connect().execution_options(reading=True) as connection:
            case = self._commands.live.take(connection, case_id)
        yield case
        self._commands.live.put_back(case)
