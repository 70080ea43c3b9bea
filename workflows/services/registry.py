"""The registry of named service operations, what they answer and what their answers stand for.

An operation reads and answers; it changes nothing. Its answer is journalled, and only then is its
effect written, as a projection: so a repeated attempt has no second effect, and replay never calls out.
"""

from __future__ import annotations

import sqlalchemy as sa

from engine.errors import NotFound
from engine.values import Value
from workflows.register import batches as rounds
from workflows.services import (
    announcements,
    batches,
    cultivation,
    evaluators,
    experts,
    lists,
    lots,
    meetings,
    notices,
    titles,
    units,
    years,
)
from workflows.services.operation import Done, Operation, Reading, Values

ROOMS = (
    *(notices, experts, evaluators, titles, units, cultivation, meetings, lists, lots, announcements, years),
    batches,
)

OPERATIONS: dict[str, Operation] = {
    operation.type: operation for room in ROOMS for operation in room.OPERATIONS
}


def run(type_: str, inputs: Values, read: Reading) -> dict[str, Value]:
    """The answer of one operation. Raises NotFound SERVICE_UNKNOWN, DrawnError, or whatever failed."""
    operation = OPERATIONS.get(type_)
    if operation is None:
        raise NotFound(f"there is no service operation {type_!r}", code="SERVICE_UNKNOWN", type=type_)
    return operation.run(inputs, read)


def has_effects(type_: str) -> bool:
    """Whether a finished job of this type stands for rows."""
    operation = OPERATIONS.get(type_)
    return operation is not None and operation.write is not None


def write_effects(connection: sa.Connection, done: Done) -> None:
    """Write the rows that a finished job stands for."""
    operation = OPERATIONS.get(done.type)
    if operation is not None and operation.write is not None:
        operation.write(connection, done)


def forget(connection: sa.Connection) -> None:
    """Drop every row that finished jobs stand for, before they are written again."""
    for table in written_tables():
        connection.execute(sa.delete(table))
    rounds.forget_opened(connection)


def written_tables() -> tuple[sa.Table, ...]:
    """Every table that finished jobs are projected into, for a rebuild."""
    return tuple(dict.fromkeys(table for op in OPERATIONS.values() for table in op.tables))
