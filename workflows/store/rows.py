"""Row changes of commands, kept until their end: merged row by row, then written table by table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from engine import sending, statements
from engine.sending import Plan
from engine.statements import Row, Statement

ADD, PUT, CHANGE = "add", "put", "change"
Key = tuple[Any, ...]
Act = Callable[[sa.Connection], object]


class Pending:
    """What is to be written. Rows of one shape go to the database together, whichever command they are of.

    A row is named by its full primary key. `sweep` names several by a part of it.
    """

    def __init__(self) -> None:
        self._rows: dict[sa.Table, dict[Key, tuple[str, dict[str, Any]]]] = {}
        self._appended: dict[sa.Table, list[Row]] = {}
        self._swept: list[tuple[sa.Table, Row, Row | None]] = []
        self._earlier: list[tuple[Pending, Act]] = []

    def add(self, table: sa.Table, *rows: Row) -> None:
        """New rows. What is not told has the column's default."""
        here = self._rows.setdefault(table, {})
        for row in rows:
            here[_key_of(table, row)] = (ADD, {**_defaults(table), **row})

    def append(self, table: sa.Table, row: Row) -> None:
        """A new row of a table whose key the database counts."""
        self._appended.setdefault(table, []).append(row)

    def put(self, table: sa.Table, row: Row) -> None:
        """A row in place of the one with the same key, if there is one: a cycle sets its timer again."""
        fresh = {**_empty(table), **_defaults(table), **row}
        self._rows.setdefault(table, {})[_key_of(table, row)] = (PUT, fresh)

    def change(self, table: sa.Table, key: Row, values: Row) -> None:
        """Set columns of one row."""
        here, name = self._rows.setdefault(table, {}), _key_of(table, key)
        how, before = here.get(name, (CHANGE, {**key}))
        here[name] = (how, {**before, **values})

    def sweep(self, table: sa.Table, key: Row, values: Row | None) -> None:
        """Set columns of all rows that have these values in a part of their key; None takes them away."""
        self._swept.append((table, key, values))
        here = self._rows.get(table, {})
        for name, (how, row) in list(here.items()):
            if all(row.get(column) == value for column, value in key.items()):
                if values is None:
                    del here[name]
                else:
                    here[name] = (how, {**row, **values})

    def then(self, act: Act) -> None:
        """What the database works out from rows that are there: done behind all that was told before, and
        ahead of what is told after."""
        told = Pending()
        told._rows, told._appended, told._swept = self._rows, self._appended, self._swept
        self._rows, self._appended, self._swept = {}, {}, []
        self._earlier.append((told, act))

    def take_over(self, other: Pending) -> None:
        """What `other` holds follows what is here. The two touch different rows, or those of new cases."""
        self._earlier += other._earlier
        for table, rows in other._rows.items():
            self._rows.setdefault(table, {}).update(rows)
        for table, fresh in other._appended.items():
            self._appended.setdefault(table, []).extend(fresh)
        self._swept += other._swept

    def first(self, dialect: sa.Dialect) -> Plan:
        """Statements for what nothing has to be worked out for, mostly everything: `write` does the rest."""
        return (self._earlier[0][0] if self._earlier else self)._taken(dialect)

    def write(self, connection: sa.Connection) -> None:
        """Write everything, and hold nothing any more. Raises IntegrityError."""
        earlier, self._earlier = self._earlier, []
        for told, act in earlier:
            sending.send(connection, told._taken(connection.dialect))
            act(connection)
        sending.send(connection, self._taken(connection.dialect))

    def _taken(self, dialect: sa.Dialect) -> Plan:
        """What is here, as statements to be run in this order; it is not here any more."""
        plan = list(self._plan(dialect))
        self._rows, self._appended, self._swept = {}, {}, []
        return plan

    def _plan(self, dialect: sa.Dialect) -> Iterator[tuple[Statement, Sequence[Row]]]:
        """Sweeps first: rows that were changed after them hold the newer values."""
        groups: dict[Statement, list[Row]] = {}
        for table, key, values in self._swept:
            groups.setdefault(_sweeping(table, key, values, dialect), []).append({**key, **(values or {})})
        yield from groups.items()
        groups = {}
        for table, here in self._rows.items():
            for how, row in here.values():
                groups.setdefault(_writing(table, how, tuple(row), dialect), []).append(row)
        for table, appended in self._appended.items():
            groups[statements.inserting(table, tuple(appended[0]), dialect)] = appended
        yield from groups.items()


def _writing(table: sa.Table, how: str, names: tuple[str, ...], dialect: sa.Dialect) -> Statement:
    if how == CHANGE:
        key = tuple(column.name for column in table.primary_key.columns)
        return statements.updating(table, key, tuple(name for name in names if name not in key), dialect)
    kind = statements.replacing if how == PUT else statements.inserting
    return kind(table, names, dialect)


def _sweeping(table: sa.Table, key: Row, values: Row | None, dialect: sa.Dialect) -> Statement:
    if values is None:
        return statements.deleting(table, tuple(key), dialect)
    return statements.updating(table, tuple(key), tuple(values), dialect)


def _key_of(table: sa.Table, row: Row) -> Key:
    return tuple(row[column.name] for column in table.primary_key.columns)


def _defaults(table: sa.Table) -> dict[str, Any]:
    found = _DEFAULTS.get(table)
    if found is None:
        with_default = (column for column in table.columns if column.default is not None)
        found = _DEFAULTS[table] = {c.name: c.default.arg for c in with_default}  # type: ignore[union-attr]
    return found


def _empty(table: sa.Table) -> dict[str, Any]:
    return {column.name: None for column in table.columns}


_DEFAULTS: dict[sa.Table, dict[str, Any]] = {}
