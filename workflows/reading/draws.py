"""Draws by lot of a case, as they were journalled, and drawn again to see that they hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from engine.events import JobCreated, JobSucceeded
from engine.journal import Head, Line
from engine.values import from_json
from workflows.services import lots


@dataclass(frozen=True, kw_only=True)
class Draw:
    """One draw: the entry that asked for it and that entry's digest, every name with its lot in their order,
    and who was drawn. `seq` is the entry of the answer; `holds` says that drawing again gives the same."""

    seq: int
    element: str
    asked: int
    seed: str
    lots: tuple[tuple[str, Decimal], ...]
    drawn: tuple[str, ...]
    holds: bool


def draws_in(lines: Sequence[Line]) -> Iterator[Draw]:
    """The draws among a case's entries, from the first on, in their order."""
    asked: dict[str, tuple[Line, JobCreated]] = {}
    for line in lines:
        event = line.entry().event
        if isinstance(event, JobCreated):
            asked[event.job_id] = (line, event)
        elif isinstance(event, JobSucceeded) and {"seed", "entry", "lots", "drawn"} <= event.result.keys():
            yield _draw(line.seq, *asked[event.job_id], _values(event))


def _values(event: JobSucceeded) -> dict[str, Any]:
    return {name: from_json(value) for name, value in event.result.items()}


def _draw(seq: int, asked: Line, event: JobCreated, told: dict[str, Any]) -> Draw:
    order = tuple((str(one["name"]), Decimal(one["lot"])) for one in told["lots"])
    again = lots.told(
        Head(seq=asked.seq, digest=asked.digest), [name for name, _ in order], len(told["drawn"])
    )
    return Draw(
        seq=seq,
        element=event.element,
        asked=int(told["entry"]),
        seed=str(told["seed"]),
        lots=order,
        drawn=tuple(str(name) for name in told["drawn"]),
        holds=all(told[name] == value for name, value in again.items()),
    )
