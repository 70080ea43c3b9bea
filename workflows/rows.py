"""Rows written, changed and removed by their key, with statements that are built once and used again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

Row = Mapping[str, Any]

# A command writes some twenty rows. SQLAlchemy takes several times as long to build and recognise a
# statement as to run it, so each shape is built once; only parameters differ.


def add(connection: sa.Connection, table: sa.Table, rows: Row | Sequence[Row]) -> None:
    """Write a new row, or several that name the same columns."""
    connection.execute(_adding(table), rows)


def change(connection: sa.Connection, table: sa.Table, key: Row, values: Row) -> None:
    """Set columns of the rows that `key` names; a value may be an SQL expression."""
    where = {f"key_{name}": value for name, value in key.items()}
    statement = _changing(table, tuple(key))
    computed = {name: value for name, value in values.items() if isinstance(value, sa.ClauseElement)}
    if computed:
        statement = statement.values(computed)
    connection.execute(statement, where | {name: v for name, v in values.items() if name not in computed})


def put(connection: sa.Connection, table: sa.Table, row: Row) -> None:
    """Write a row in place of the one with the same key: a cycle sets its timer again and again."""
    remove(connection, table, {column.name: row[column.name] for column in table.primary_key.columns})
    add(connection, table, row)


def remove(connection: sa.Connection, table: sa.Table, key: Row) -> None:
    """Take away the rows that `key` names."""
    where = {f"key_{name}": value for name, value in key.items()}
    connection.execute(_removing(table, tuple(key)), where)


@lru_cache(maxsize=100)
def _adding(table: sa.Table) -> sa.Insert:
    return table.insert()


@lru_cache(maxsize=100)
def _changing(table: sa.Table, names: tuple[str, ...]) -> sa.Update:
    return sa.update(table).where(*_by(table, names))


@lru_cache(maxsize=100)
def _removing(table: sa.Table, names: tuple[str, ...]) -> sa.Delete:
    return sa.delete(table).where(*_by(table, names))


def _by(table: sa.Table, names: tuple[str, ...]) -> list[sa.ColumnElement[bool]]:
    return [table.c[name] == sa.bindparam(f"key_{name}", type_=table.c[name].type) for name in names]
