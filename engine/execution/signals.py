"""What an execution tells, in the order it happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.values import Value


@dataclass(frozen=True, kw_only=True)
class Told:
    """Something happened to token `n`."""

    n: int


@dataclass(frozen=True, kw_only=True)
class Passed(Told):
    """A token went through `element` and left by `flows`, sequence-flow ids.

    Of an activity with several instances each instance is told once; the flows stand at the last one.
    """

    element: str
    flows: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Skipped(Told):
    """An activity with a loop had no round to do; its token left by `flows`."""

    element: str
    flows: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Waits(Told):
    """A user task waits. `round` counts the visits to the element, `item` is the multi-instance item."""

    element: str
    groups: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    assignee: str | None = None
    due_at: datetime | None = None
    due_days: int | None = None
    provisional: bool = False
    priority: int = 50
    round: int = 1
    item: Value = None


@dataclass(frozen=True, kw_only=True)
class Withdrawn(Told):
    """What token `n` waited for, a person, a moment, a job, a message or a mending, is gone."""


@dataclass(frozen=True, kw_only=True)
class Timed(Told):
    """A moment was fixed. `days` are working days, `repeats` the firings left of a cycle: None for a
    single firing and for an endless cycle."""

    element: str
    due_at: datetime
    days: int | None = None
    provisional: bool = False
    repeats: int | None = None


@dataclass(frozen=True, kw_only=True)
class Job(Told):
    """A worker is wanted for a job of this type."""

    element: str
    type: str
    retries: int
    inputs: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Decided(Told):
    """A decision was made; `evaluation` tells its inputs, the matched rules and the value."""

    element: str
    decision: str
    evaluation: Any


@dataclass(frozen=True, kw_only=True)
class Escalated:
    """Boundary event `element` happened beside user task `task_n`, or beside the activity that `task_n`
    is an instance of; the task stays open."""

    task_n: int
    element: str


@dataclass(frozen=True, kw_only=True)
class Failed(Told):
    """The model cannot go on here until a person has mended it; other branches go on."""

    element: str
    code: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Ended:
    """An end event of the case's own process was reached, or the last element of a path without one."""

    element: str


@dataclass(frozen=True, kw_only=True)
class Awaited:
    """A message that token `n` waits for; `correlation` None: it is addressed to the case."""

    n: int
    element: str
    message: str
    correlation: Value = None


Signal = Passed | Skipped | Waits | Withdrawn | Timed | Job | Decided | Escalated | Failed | Ended
