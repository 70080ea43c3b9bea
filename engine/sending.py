"""Statements go to the database past SQLAlchemy, together, inside the transaction of its connection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from engine import pipeline
from engine.statements import Row, Statement
from engine.tables import POOLER

Rows = list[tuple[Any, ...]]
Plan = Iterable[tuple[Statement, Sequence[Row]]]


def send(connection: sa.Connection, plan: Plan) -> None:
    """Run each statement for its rows.

    Raises SQLAlchemy's errors, which name the statement: IntegrityError where a unique key stands already.
    """
    asked = [
        (statement.sql(len(bundle)), statement.bound(bundle))
        for statement, rows in plan
        for bundle in statement.bundled(rows)
    ]
    exchange(connection, asked)


def exchange(connection: sa.Connection, asked: Sequence[pipeline.Sent]) -> list[Rows]:
    """Run statements with parameters as the driver takes them; the rows that each found, as the database
    gives them: PostgreSQL gives text.

    Raises SQLAlchemy's errors, which name the statement.
    """
    if not asked:
        return []
    raw: Any = connection.connection.driver_connection
    if connection.dialect.name == "postgresql":
        has_session = not connection.get_execution_options().get(POOLER)
        prepared = connection.info.setdefault("tidu_prepared", {}) if has_session else None
        with _told_as_sqlalchemy_does(connection):
            return pipeline.exchange(raw, asked, prepared)
    return [_run(connection, raw, sql, values) for sql, values in asked]


def _run(connection: sa.Connection, raw: Any, sql: str, values: Sequence[Any]) -> Rows:
    with _told_as_sqlalchemy_does(connection, sql):
        found: Rows = raw.execute(sql, values).fetchall()
        return found


@contextmanager
def _told_as_sqlalchemy_does(connection: sa.Connection, sql: str = "several statements") -> Iterator[None]:
    """By its own way for errors of a driver, so that whoever listens for errors hears of these too, and a
    connection that is lost is known to be."""
    try:
        yield
    except pipeline.Failed as failed:
        connection._handle_dbapi_exception(failed.error, failed.sql, None, None, None)
    except connection.dialect.loaded_dbapi.Error as error:
        connection._handle_dbapi_exception(error, sql, None, None, None)
