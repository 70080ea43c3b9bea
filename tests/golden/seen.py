"""What can be seen of a case from outside, and the short digest of it that a golden set keeps."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine import journal
from engine.case.case import Case
from engine.events import Cause, Entry
from engine.replay import Library
from engine.values import to_json

LENGTH = 16
"""Hexadecimal digits that are kept of a digest."""

TASK = ("id", "element", "assignee", "owner", "claimed_at", "due_at", "round")
TIMER = ("id", "element", "due_at")
JOB = ("id", "element", "type", "inputs", "retries", "attempts", "retry_at", "in_incident")
INCIDENT = ("id", "element", "code", "message")
# Named one by one, and never the inside of the engine: that may change with any release.


def relived(entries: Sequence[Entry], library: Library) -> Iterator[tuple[int, Case]]:
    """The case behind every cause of its history, by the number of that entry.

    What follows from a cause is compared on the way and moves nothing more. Raises ReplayMismatch.
    """
    started = entries[0].event
    definition = library.definition(started.pins, started.process)  # type: ignore[attr-defined]
    calendar = library.calendar(started.calendar)  # type: ignore[attr-defined]
    case = Case(entries[0], definition, calendar)
    for entry in entries:
        case.relive(entry)
        if isinstance(entry.event, Cause):
            yield entry.seq, case
    case.end_of_replay()


def digest(case: Case) -> str:
    """The same for cases that nobody can tell apart."""
    return hashlib.sha256(journal.canonical(seen(case)).encode()).hexdigest()[:LENGTH]


def seen(case: Case) -> dict[str, Any]:
    """How it stands, what waits for whom and until when, what would be heard, and its data."""
    standing = case.standing
    return {
        "status": case.status,
        "outcome": standing.outcome,
        "variables": to_json(case.variables),
        "tasks": _rows(standing.tasks, TASK),
        "offered": [[sorted(task.groups), sorted(task.users)] for _, task in sorted(standing.tasks.items())],
        "timers": _rows(standing.timers, TIMER),
        "jobs": _rows(standing.jobs, JOB),
        "incidents": _rows(standing.incidents, INCIDENT),
        "completed_by": standing.completed_by,
        "messages": sorted([one.element, one.message] for one in case.awaited()),
        "signals": sorted(case.signals_awaited()),
    }


def _rows(found: Mapping[str, Any], names: tuple[str, ...]) -> list[list[Any]]:
    return [[getattr(one, name) for name in names] for _, one in sorted(found.items())]
