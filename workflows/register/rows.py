"""How the register's rows are written: told twice, the same operation is the same row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

Row = Mapping[str, Any]


def text(name: str) -> sa.Column[str]:
    """A column for text, empty unless something is said."""
    return sa.Column(name, sa.Text, nullable=False, default="", server_default="")


def found(connection: sa.Connection, query: sa.Select[Any], **asked: Any) -> tuple[Row, ...]:
    """What a query answers, row by row."""
    rows = connection.execute(query, asked).mappings()
    return tuple({str(key): value for key, value in row.items()} for row in rows)


def job_number() -> sa.Column[int]:
    """A column of the key: the number, within its case, of the job that told it."""
    return sa.Column("number", sa.Integer, primary_key=True, autoincrement=False)


def once(connection: sa.Connection, table: sa.Table, row: Row) -> None:
    """Insert a row unless its key is there: the first word counts."""
    if not _is_there(connection, table, row):
        connection.execute(sa.insert(table).values(**row))


def put(connection: sa.Connection, table: sa.Table, row: Row) -> None:
    """Insert a row or bring it up to date: the last word counts."""
    if _is_there(connection, table, row):
        connection.execute(sa.update(table).where(_mine(table, row)).values(**row))
    else:
        connection.execute(sa.insert(table).values(**row))


def _is_there(connection: sa.Connection, table: sa.Table, row: Row) -> bool:
    return connection.execute(sa.select(*table.primary_key).where(_mine(table, row))).first() is not None


def _mine(table: sa.Table, row: Row) -> sa.ColumnElement[bool]:
    return sa.and_(*(column == row[column.name] for column in table.primary_key))
