"""What an operation is, what it may look at, and what is known of a finished one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from engine.errors import EngineError
from engine.values import Value, from_json
from workflows.register.calendar import local_day

Values = Mapping[str, Value]


class DrawnError(EngineError):
    """An outcome the drawing has a path for: thrown into it as the BPMN error of this code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What an operation may look at: the database (to read), the case and job it works for, the time."""

    connection: sa.Connection
    case_id: str
    job_id: str
    now: datetime

    @property
    def today(self) -> date:
        """The local day of the job."""
        return local_day(self.now)


@dataclass(frozen=True, kw_only=True)
class Done:
    """A job that succeeded, as its journal entry tells it: inputs and result in their JSON form."""

    case_id: str
    job_id: str
    type: str
    inputs: Mapping[str, Any]
    result: Mapping[str, Any]
    at: datetime
    process: str
    unit: Mapping[str, Any]

    @property
    def number(self) -> int:
        """The number of the job within its case."""
        return int(self.job_id.rpartition(".")[2])

    @property
    def today(self) -> date:
        """The local day on which it was done."""
        return local_day(self.at)

    @cached_property
    def told(self) -> Values:
        """The inputs as values."""
        return {name: from_json(value) for name, value in self.inputs.items()}

    @cached_property
    def answer(self) -> Values:
        """The result as values."""
        return {name: from_json(value) for name, value in self.result.items()}


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One thing a service task can ask for. `write` projects a finished one into `tables`."""

    type: str
    sentence: str
    run: Callable[[Values, Reading], dict[str, Value]]
    write: Callable[[sa.Connection, Done], None] | None = None
    tables: tuple[sa.Table, ...] = ()
