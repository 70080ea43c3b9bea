"""The registry of named service operations: what a service task of a drawing can ask the house to do.

An operation reads and answers; it changes nothing. Its answer is journalled, and only then is its
effect written, as a projection: so a repeated attempt has no second effect, and replay never calls out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from engine.errors import EngineError, NotFound
from engine.values import Value
from workflows.tables import notifications

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


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One thing a service task can ask for. `write` projects a finished one into `tables`."""

    type: str
    sentence: str
    run: Callable[[Values, Reading], dict[str, Value]]
    write: Callable[[sa.Connection, Done], None] | None = None
    tables: tuple[sa.Table, ...] = ()


def run(type_: str, inputs: Values, read: Reading) -> dict[str, Value]:
    """The answer of one operation. Raises NotFound SERVICE_UNKNOWN, DrawnError, or whatever failed."""
    operation = OPERATIONS.get(type_)
    if operation is None:
        raise NotFound(f"there is no service operation {type_!r}", code="SERVICE_UNKNOWN", type=type_)
    return operation.run(inputs, read)


def write_effects(connection: sa.Connection, done: Done) -> None:
    """Write the rows that a finished job stands for."""
    operation = OPERATIONS.get(done.type)
    if operation is not None and operation.write is not None:
        operation.write(connection, done)


def written_tables() -> tuple[sa.Table, ...]:
    """Every table that finished jobs are projected into, for a rebuild to empty."""
    return tuple(dict.fromkeys(table for op in OPERATIONS.values() for table in op.tables))


# --- notices ------------------------------------------------------------------------------------------


def _send_notice(inputs: Values, read: Reading) -> dict[str, Value]:
    if not _recipients(inputs):
        raise ValueError("a notice names whom it is `to`: people, or groups with an @ or a group's name")
    if not isinstance(inputs.get("template"), str):
        raise ValueError("a notice names its `template`")
    return {"sent": True}


def _write_notices(connection: sa.Connection, done: Done) -> None:
    content = {key: value for key, value in done.inputs.items() if key not in ("to", "template")}
    rows = [
        {
            "case_id": done.case_id,
            "number": f"{done.job_id}/{place}",
            "recipient_kind": kind,
            "recipient": name,
            "template": done.inputs["template"],
            "content": content,
            "created_at": done.at,
        }
        for place, (kind, name) in enumerate(_recipients(done.inputs))
    ]
    connection.execute(notifications.insert(), rows)


GROUPS_WITHOUT_PLACE = frozenset({"provincial_officer", "provincial_leader", "expert"})


def _recipients(inputs: Mapping[str, Any]) -> list[tuple[str, str]]:
    to = inputs.get("to")
    names = [to] if isinstance(to, str) else to if isinstance(to, list) else []
    return [(_kind(name), name) for name in dict.fromkeys(n for n in names if isinstance(n, str) and n)]


def _kind(name: str) -> str:
    return "group" if "@" in name or name in GROUPS_WITHOUT_PLACE else "user"


# --- the draw of experts -------------------------------------------------------------------------------


def drawn(names: list[str], count: int, seed: str) -> list[str]:
    """`count` of `names`, in an order that anybody can compute again from the seed."""
    return sorted(names, key=lambda name: hashlib.sha256(f"{seed}\0{name}".encode()).hexdigest())[:count]


OPERATIONS: dict[str, Operation] = {
    operation.type: operation
    for operation in (
        Operation(
            type="notice.send",
            sentence="Tell people or groups something about the case.",
            run=_send_notice,
            write=_write_notices,
            tables=(notifications,),
        ),
    )
}
