"""Formulas of the drawing, asked in the moment of the command and with the case's calendar."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Protocol

from engine.definition.formulas import Formula
from engine.definition.moments import SHANGHAI
from engine.definition.nodes.base import Mishap
from engine.errors import InvalidInput
from engine.expressions.budget import STEPS, Budget, ExpressionError
from engine.values import Value

MOST_DAYS = 10_000
MOST_WORK = 4 * STEPS
"""What all formulas of one command may cost together; one alone may take a quarter of it."""


class WorkingDays(Protocol):
    """A calendar of working days; the flag says that the days were not yet announced officially."""

    @property
    def id(self) -> str:
        """The calendar's version."""

    def add(self, start: datetime, days: int) -> tuple[datetime, bool]:
        """The end of the n-th working day after the day of `start`."""

    def between(self, start: date, end: date) -> int:
        """Working days after `start` up to and including `end`."""

    def is_working(self, day: date) -> bool:
        """Whether people work on that day."""


class Asker:
    """Evaluates formulas; remembers which working-day terms were counted on the way."""

    def __init__(self, calendar: WorkingDays, now: datetime) -> None:
        self.calendar = calendar
        self.now = now.astimezone(SHANGHAI)
        self.budget = Budget()
        self.purse = MOST_WORK
        self.terms: dict[datetime, tuple[int, bool]] = {}
        self.functions: dict[str, Callable[..., Value]] = {
            "add working days": self.add_working_days,
            "working days between": self.working_days_between,
            "is working day": self.is_working_day,
        }

    def at(self, now: datetime) -> None:
        """The moment of the next command."""
        self.now = now.astimezone(SHANGHAI)
        self.purse = MOST_WORK

    def ask(self, formula: Formula, context: Mapping[str, Value]) -> Value:
        """The formula's value. Raises ExpressionError."""
        if formula.expression is None and not formula.error:
            return formula.text
        self.terms = {}
        budget = self.lend()
        try:
            return formula.value(context, functions=self.functions, now=self.now, budget=budget)
        finally:
            self.take_back(budget)

    def lend(self) -> Budget:
        """The budget of one formula or decision, out of what is left to this command; to be taken back.

        Many that are each cheap enough must not add up to a command that hangs.
        """
        self.budget = Budget(steps=min(STEPS, self.purse))
        return self.budget

    def take_back(self, budget: Budget) -> None:
        """What is left of the budget that was lent last."""
        self.purse -= min(STEPS, self.purse) - max(budget.steps, 0)

    def warnings(self) -> str:
        """Why the last value became null, if it did."""
        return "; ".join(self.budget.warnings[:3])

    def term(self, due_at: datetime) -> tuple[int | None, bool]:
        """By how many working days the last formula came to this moment, and if they are provisional."""
        return self.terms.get(due_at.astimezone(UTC), (None, False))

    def count(self, days: int, start: datetime | None = None) -> tuple[datetime, bool]:
        """The end of the n-th working day after now or `start`. Raises Mishap for an absurd number."""
        if not 0 <= days <= MOST_DAYS:
            raise Mishap("WORKING_DAYS", f"{days} working days; expected 0 to {MOST_DAYS}")
        due_at, provisional = self.calendar.add((start or self.now).astimezone(SHANGHAI), days)
        return due_at.astimezone(SHANGHAI), provisional

    # --- what expressions can call --------------------------------------------------------------------

    def add_working_days(self, start: Value, days: Value) -> Value:
        """FEEL `add working days(from, n)`: a date and time, null for anything that is not countable.

        Raises ExpressionError calendar.range beyond the calendar, as does `working days between`.
        """
        begin = _moment(start)
        if begin is None or not isinstance(days, Decimal) or days != days.to_integral_value():
            return None
        try:
            due_at, provisional = self.count(int(days), begin)
        except (Mishap, InvalidInput) as error:
            raise ExpressionError("calendar.range", str(error)) from None
        self.terms[due_at.astimezone(UTC)] = (int(days), provisional)
        return due_at

    def working_days_between(self, start: Value, end: Value) -> Value:
        """FEEL `working days between(a, b)`."""
        first, last = _moment(start), _moment(end)
        if first is None or last is None:
            return None
        try:
            return Decimal(self.calendar.between(first.date(), last.date()))
        except InvalidInput as error:
            raise ExpressionError("calendar.range", str(error)) from None

    def is_working_day(self, day: Value) -> Value:
        """FEEL `is working day(d)`."""
        moment = _moment(day)
        return None if moment is None else self.calendar.is_working(moment.date())


def _moment(value: Value) -> datetime | None:
    """A date or an aware date and time, in Shanghai."""
    if isinstance(value, datetime):
        return value.astimezone(SHANGHAI) if value.tzinfo else None
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=SHANGHAI)
    return None
