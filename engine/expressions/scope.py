"""What an expression sees while it runs, and the values that live only that long."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from engine.expressions.budget import Budget
from engine.expressions.lexer import needs_telling
from engine.values import Value, number_text, temporal_text

NO_TYPES: Mapping[str, object] = {}
HostFunctions = Mapping[str, Callable[..., Value]]


class Run:
    """One evaluation: its budget, the host's functions, the command's time, and types by name."""

    __slots__ = ("budget", "functions", "now", "types")

    def __init__(
        self,
        budget: Budget,
        functions: HostFunctions,
        now: datetime | None,
        types: Mapping[str, object] = NO_TYPES,
    ) -> None:
        self.budget = budget
        self.functions = functions
        self.now = now
        self.types = types

    def null(self, reason: str) -> Value:
        """Null, and the reason why."""
        self.budget.warn(reason)
        return None


class Scope:
    """Names and their values, inside the names of `parent`."""

    __slots__ = ("names", "parent", "run")

    def __init__(self, names: Mapping[str, Value], parent: Scope | None, run: Run) -> None:
        self.names = names
        self.parent = parent
        self.run = run


class NullResult(Exception):
    """A built-in function has no value for these arguments; the call becomes null."""


@dataclass(frozen=True)
class Range:
    """All values between two ends; `test` is the comparison of a one-sided range such as `(< 5)`."""

    start: Value
    end: Value
    start_included: bool = True
    end_included: bool = True
    test: str = field(default="", compare=False)

    def __str__(self) -> str:
        if self.test:
            return f"({self.test} {literal(self.start if self.end is None else self.end)})"
        opening, closing = "(["[self.start_included], ")]"[self.end_included]
        return f"{opening}{literal(self.start)}..{literal(self.end)}{closing}"


@dataclass(frozen=True, eq=False)
class Function:
    """Something an expression can call: parameter names, and how to call it with all of them in order."""

    name: str
    parameters: tuple[str, ...]
    call: Callable[[Sequence[Value], Run], Value]
    types: tuple[object, ...] = ()
    result: object = None

    def __str__(self) -> str:
        return f"function({', '.join(self.parameters)})"


def text_of(value: Value, run: Run | None = None) -> str:
    """FEEL's text of a value, as `string()` gives it; texts inside lists and contexts are quoted."""
    return value if isinstance(value, str) else literal(value, run)


def literal(value: Value, run: Run | None = None) -> str:
    """A value as an expression would write it; `run`, if given, pays for it."""
    if run:
        run.budget.spend(1)
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case Decimal():
            return number_text(value)
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case list():
            return _checked("[" + ", ".join(literal(item, run) for item in value) + "]", run)
        case dict():
            entries = ", ".join(f"{_key(key)}: {literal(item, run)}" for key, item in value.items())
            return _checked("{" + entries + "}", run)
    return temporal_text(value) or str(value)


def _key(key: str) -> str:
    return literal(key) if needs_telling(key) else key


def _checked(text: str, run: Run | None) -> str:
    if run:
        run.budget.check_text(len(text))
    return text
