"""Writing by the bare driver: SQL is built once for each shape of row, and rows of a shape go together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

Row = Mapping[str, Any]
Binder = Callable[[Any], Any]

# SQLAlchemy takes several times as long to recognise a statement, build its parameters and wrap its result
# as the database takes to run it. A command writes a dozen rows, and every one of them has a known shape.


MOST_ROWS = 16
"""Rows in one statement; a power of two."""


@dataclass(frozen=True, eq=False)
class Statement:
    """SQL with one placeholder for each of `names`, and what turns a value into what the driver takes.

    `row` is what one more row adds to the SQL where several can go in one statement, else nothing.
    """

    sql: str
    names: tuple[str, ...]
    binders: tuple[Binder | None, ...]
    row: str = ""

    def bound(self, row: Row) -> tuple[Any, ...]:
        """The parameters of one row."""
        values = zip(self.names, self.binders, strict=True)
        return tuple(row[name] if bind is None else bind(row[name]) for name, bind in values)

    def bundled(self, rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
        """The rows that go in one statement: by few sizes, so that the database knows the SQL again."""
        size, begin = (MOST_ROWS if self.row else 1), 0
        while begin < len(rows):
            while size > len(rows) - begin:
                size //= 2
            yield rows[begin : begin + size]
            begin += size


def run(connection: sa.Connection, statement: Statement, rows: Sequence[Row]) -> None:
    """Run `statement` for every row, inside the transaction of `connection`.

    Raises SQLAlchemy's errors: IntegrityError where a unique key stands already.
    """
    raw = connection.connection
    with _told_as_sqlalchemy_does(connection, statement.sql):
        cursor = raw.cursor()
        for bundle in statement.bundled(rows):  # in a pipeline executemany would wait for its answers
            sql = statement.sql + statement.row * (len(bundle) - 1)
            cursor.execute(sql, [value for row in bundle for value in statement.bound(row)])


@contextmanager
def together(connection: sa.Connection) -> Iterator[None]:
    """What is run in the block is sent without waiting for answers in between, where the driver can.

    Raises what `run` raises, at the end of the block at the latest.
    """
    raw: Any = connection.connection.driver_connection
    pipeline = raw.pipeline() if hasattr(raw, "pipeline") else nullcontext()
    with _told_as_sqlalchemy_does(connection, "several statements"), pipeline:
        yield


@contextmanager
def _told_as_sqlalchemy_does(connection: sa.Connection, sql: str) -> Iterator[None]:
    errors = connection.dialect.loaded_dbapi.Error
    try:
        yield
    except errors as error:
        raise sa.exc.DBAPIError.instance(sql, None, error, errors) from error


def inserting(table: sa.Table, names: tuple[str, ...], dialect: sa.Dialect) -> Statement:
    """A new row with these columns."""
    return _inserting(table, names, _Kind.of(dialect))


def replacing(table: sa.Table, names: tuple[str, ...], dialect: sa.Dialect) -> Statement:
    """A row in place of the one with the same key; columns that are not named become what they are in a
    new row only if there was none."""
    return _replacing(table, names, _Kind.of(dialect))


def updating(table: sa.Table, key: tuple[str, ...], names: tuple[str, ...], dialect: sa.Dialect) -> Statement:
    """Set `names` in the rows that `key` names. A column cannot be in both."""
    return _updating(table, key, names, _Kind.of(dialect))


def deleting(table: sa.Table, key: tuple[str, ...], dialect: sa.Dialect) -> Statement:
    """Take away the rows that `key` names."""
    return _deleting(table, key, _Kind.of(dialect))


@dataclass(frozen=True)
class _Kind:
    """What is the same for all connections to one kind of database."""

    name: str
    mark: str

    @classmethod
    def of(cls, dialect: sa.Dialect) -> _Kind:
        return _KINDS[dialect.name]

    @property
    def dialect(self) -> sa.Dialect:
        return sa.make_url(f"{self.name}://").get_dialect()()


_KINDS = {"sqlite": _Kind("sqlite", "?"), "postgresql": _Kind("postgresql+psycopg", "%s")}


@lru_cache(maxsize=500)
def _inserting(table: sa.Table, names: tuple[str, ...], kind: _Kind) -> Statement:
    quote = kind.dialect.identifier_preparer.quote
    columns = ", ".join(map(quote, names))
    row = f"({', '.join([kind.mark] * len(names))})"
    insert = _statement(f"INSERT INTO {quote(table.name)} ({columns}) VALUES {row}", table, names, kind)
    return replace(insert, row=f", {row}")


@lru_cache(maxsize=500)
def _replacing(table: sa.Table, names: tuple[str, ...], kind: _Kind) -> Statement:
    quote = kind.dialect.identifier_preparer.quote
    key = [column.name for column in table.primary_key.columns]
    fresh = ", ".join(f"{quote(name)} = excluded.{quote(name)}" for name in names if name not in key)
    insert = _inserting(table, names, kind)
    conflict = f"ON CONFLICT ({', '.join(map(quote, key))}) DO UPDATE SET {fresh}"
    return _statement(f"{insert.sql} {conflict}", table, names, kind)


@lru_cache(maxsize=500)
def _updating(table: sa.Table, key: tuple[str, ...], names: tuple[str, ...], kind: _Kind) -> Statement:
    quote = kind.dialect.identifier_preparer.quote
    changes = ", ".join(f"{quote(name)} = {kind.mark}" for name in names)
    sql = f"UPDATE {quote(table.name)} SET {changes} WHERE {_where(key, kind)}"
    return _statement(sql, table, (*names, *key), kind)


@lru_cache(maxsize=500)
def _deleting(table: sa.Table, key: tuple[str, ...], kind: _Kind) -> Statement:
    quote = kind.dialect.identifier_preparer.quote
    return _statement(f"DELETE FROM {quote(table.name)} WHERE {_where(key, kind)}", table, key, kind)


def _where(key: tuple[str, ...], kind: _Kind) -> str:
    quote = kind.dialect.identifier_preparer.quote
    return " AND ".join(f"{quote(name)} = {kind.mark}" for name in key)


def _statement(sql: str, table: sa.Table, names: tuple[str, ...], kind: _Kind) -> Statement:
    dialect = kind.dialect
    types = (table.c[name].type.dialect_impl(dialect) for name in names)
    return Statement(sql, names, tuple(type_.bind_processor(dialect) for type_ in types))
