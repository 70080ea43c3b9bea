"""SQL that is built once for each shape of row, and what turns a row's values into what a driver takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

Row = Mapping[str, Any]
Binder = Callable[[Any], Any]

# SQLAlchemy takes several times as long to recognise a statement, build its parameters and wrap its result
# as the database takes to run it. A command writes a dozen rows, and every one of them has a known shape.

MOST_ROWS = 16
"""Rows in one statement: the database is to know each size again."""


@dataclass(frozen=True, eq=False)
class Statement:
    """SQL with one parameter for each of `names`. Where it `repeats`, several rows can go in one."""

    before: str
    after: str
    names: tuple[str, ...]
    binders: tuple[Binder | None, ...]
    marks: Callable[[int, int], str]
    repeats: bool = False
    _sized: dict[int, str] = field(default_factory=dict)

    def sql(self, rows: int = 1) -> str:
        """The text for so many rows."""
        found = self._sized.get(rows)
        if found is None:
            width = len(self.names)
            groups = (self.marks(row * width, width) for row in range(rows))
            joined = ", ".join(f"({group})" for group in groups) if self.repeats else ""
            found = self._sized[rows] = f"{self.before}{joined}{self.after}"
        return found

    def bound(self, rows: Sequence[Row]) -> list[Any]:
        """The parameters of these rows, one row behind the other."""
        pairs = tuple(zip(self.names, self.binders, strict=True))
        return [row[name] if bind is None else bind(row[name]) for row in rows for name, bind in pairs]

    def bundled(self, rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
        """The rows that go in one statement."""
        size = MOST_ROWS if self.repeats else 1
        for begin in range(0, len(rows), size):
            yield rows[begin : begin + size]


def inserting(table: sa.Table, names: tuple[str, ...], dialect: sa.Dialect) -> Statement:
    """A new row with these columns."""
    return _inserting(table, names, _KINDS[dialect.name])


def replacing(table: sa.Table, names: tuple[str, ...], dialect: sa.Dialect) -> Statement:
    """A row in place of the one with the same key; columns that are not named become what they are in a
    new row only if there was none."""
    return _replacing(table, names, _KINDS[dialect.name])


def updating(table: sa.Table, key: tuple[str, ...], names: tuple[str, ...], dialect: sa.Dialect) -> Statement:
    """Set `names` in the rows that `key` names. A column cannot be in both."""
    return _updating(table, key, names, _KINDS[dialect.name])


def deleting(table: sa.Table, key: tuple[str, ...], dialect: sa.Dialect) -> Statement:
    """Take away the rows that `key` names."""
    return _deleting(table, key, _KINDS[dialect.name])


@dataclass(frozen=True)
class _Kind:
    """What is the same for all connections to one kind of database."""

    name: str
    numbered: bool

    @property
    def dialect(self) -> sa.Dialect:
        return sa.make_url(f"{self.name}://").get_dialect()()

    def mark(self, place: int) -> str:
        """The parameter at this place, counted from 0."""
        return f"${place + 1}" if self.numbered else "?"

    def marks(self, begin: int, number: int) -> str:
        return ", ".join(self.mark(begin + place) for place in range(number))


_KINDS = {"sqlite": _Kind("sqlite", False), "postgresql": _Kind("postgresql+psycopg", True)}


@lru_cache(maxsize=500)
def _inserting(table: sa.Table, names: tuple[str, ...], kind: _Kind, after: str = "") -> Statement:
    quote = kind.dialect.identifier_preparer.quote
    before = f"INSERT INTO {quote(table.name)} ({', '.join(map(quote, names))}) VALUES "
    return _statement(before, after, table, names, kind, repeats=True)


@lru_cache(maxsize=500)
def _replacing(table: sa.Table, names: tuple[str, ...], kind: _Kind) -> Statement:
    quote = kind.dialect.identifier_preparer.quote
    key = [column.name for column in table.primary_key.columns]
    fresh = ", ".join(f"{quote(name)} = excluded.{quote(name)}" for name in names if name not in key)
    return _inserting(
        table, names, kind, f" ON CONFLICT ({', '.join(map(quote, key))}) DO UPDATE SET {fresh}"
    )


@lru_cache(maxsize=500)
def _updating(table: sa.Table, key: tuple[str, ...], names: tuple[str, ...], kind: _Kind) -> Statement:
    quote = kind.dialect.identifier_preparer.quote
    changes = ", ".join(f"{quote(name)} = {kind.mark(place)}" for place, name in enumerate(names))
    sql = f"UPDATE {quote(table.name)} SET {changes} WHERE {_where(key, kind, len(names))}"
    return _statement(sql, "", table, (*names, *key), kind)


@lru_cache(maxsize=500)
def _deleting(table: sa.Table, key: tuple[str, ...], kind: _Kind) -> Statement:
    quote = kind.dialect.identifier_preparer.quote
    return _statement(f"DELETE FROM {quote(table.name)} WHERE {_where(key, kind, 0)}", "", table, key, kind)


def _where(key: tuple[str, ...], kind: _Kind, begin: int) -> str:
    quote = kind.dialect.identifier_preparer.quote
    return " AND ".join(f"{quote(name)} = {kind.mark(place)}" for place, name in enumerate(key, begin))


def _statement(
    before: str, after: str, table: sa.Table, names: tuple[str, ...], kind: _Kind, *, repeats: bool = False
) -> Statement:
    dialect = kind.dialect
    types = (table.c[name].type.dialect_impl(dialect) for name in names)
    binders = tuple(type_.bind_processor(dialect) for type_ in types)
    return Statement(before, after, names, binders, kind.marks, repeats)
