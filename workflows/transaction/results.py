"""What a command answers: frozen facts, JSON-native, so that a repeated request is answered word for word."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, TypeVar

from engine.definition.model import Definition
from engine.events import Entry, TaskCreated

R = TypeVar("R", bound="Result")


LASTING = "deliver:"
"""What the keys begin with whose answers are kept for ever: a letter is never delivered twice."""


@dataclass(frozen=True, kw_only=True)
class Idempotency:
    """What the door knows of a request: its key (None: cannot be repeated), a digest of it, its id."""

    key: str | None = None
    request_digest: str = ""
    request_id: str = ""


@dataclass(frozen=True, kw_only=True)
class OpenTask:
    """A task that waits because of this command. `due_at` is UTC text."""

    task_id: str
    element: str
    name: str
    name_en: str
    groups: tuple[str, ...]
    users: tuple[str, ...]
    assignee: str | None
    due_at: str | None


@dataclass(frozen=True, kw_only=True)
class Result:
    """What every answer holds: the case, where its journal ends, how it stands, whether it repeats one."""

    case_id: str
    seq: int
    status: str
    replayed: bool = False


@dataclass(frozen=True, kw_only=True)
class Started(Result):
    tasks: tuple[OpenTask, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Held(Result):
    """Who holds a task after claim, release, transfer, delegate or resolve; `claimed_at` is UTC text."""

    task_id: str
    assignee: str | None
    claimed_at: str | None = None


@dataclass(frozen=True, kw_only=True)
class Completed(Result):
    """`state` is the task's, `status` the case's; `next_tasks` wait because of this completion."""

    task_id: str
    state: str = "COMPLETED"
    next_tasks: tuple[OpenTask, ...] = ()
    outcome: str | None = None


@dataclass(frozen=True, kw_only=True)
class Changed(Result):
    """A case moved: a message, a timer, a job, an incident, or somebody who steered it."""

    next_tasks: tuple[OpenTask, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DraftSaved(Result):
    """`revision` is what the next save must name; `saved_at` is UTC text."""

    task_id: str
    revision: int
    saved_at: str | None


KINDS: dict[str, type[Result]] = {
    kind.__name__: kind for kind in (Started, Held, Completed, Changed, DraftSaved)
}


def record_of(result: Result) -> dict[str, Any]:
    """JSON-native, to be stored."""
    return {"kind": type(result).__name__, **asdict(result)}


def result_of(record: dict[str, Any]) -> Result:
    """The stored answer, marked as a repetition."""
    kind = KINDS[record["kind"]]
    known = {field.name: record[field.name] for field in fields(kind)}
    for name in ("tasks", "next_tasks"):
        if name in known:
            known[name] = tuple(_open_task(task) for task in known[name])
    return replace(kind(**known), replayed=True)


def tasks_among(entries: Iterable[Entry], definition: Definition) -> tuple[OpenTask, ...]:
    """The tasks that these entries created."""
    return tuple(
        _created(entry.event, definition) for entry in entries if isinstance(entry.event, TaskCreated)
    )


def _created(event: TaskCreated, definition: Definition) -> OpenTask:
    element = definition.elements[event.element]
    return OpenTask(
        task_id=event.task_id,
        element=element.id,
        name=element.name,
        name_en=element.name_en or element.name,
        groups=event.groups,
        users=event.users,
        assignee=event.assignee,
        due_at=event.due_at,
    )


def _open_task(record: dict[str, Any]) -> OpenTask:
    return OpenTask(**{**record, "groups": tuple(record["groups"]), "users": tuple(record["users"])})
