"""Many statements in one round trip to PostgreSQL, by the driver's own wrapper of libpq."""

from __future__ import annotations

import select
from collections.abc import Sequence
from typing import Any, Protocol

from psycopg import DataError, OperationalError, errors, pq
from psycopg.pq.abc import PGconn, PGresult

# psycopg's cursors and its pipeline take several times as long for a statement as the calls below them. Here
# they are made directly: a statement is prepared once on its connection, all are sent together, and then the
# answers are read.

Sent = tuple[str, Sequence[Any]]
"""SQL with `$1`, `$2`, … and its parameters: text, whole numbers, truth values, bytes or None."""

Found = list[tuple[str | None, ...]]
"""Rows as text."""


class Connection(Protocol):
    """What this room asks of a psycopg connection; one that prepares nothing itself, for it forgets all that
    was prepared whenever it rolls back."""

    pgconn: PGconn


class Failed(Exception):
    """One of the statements failed; those behind it were not run."""

    def __init__(self, sql: str, error: errors.Error) -> None:
        super().__init__(sql, error)
        self.sql, self.error = sql, error


def exchange(
    connection: Connection, statements: Sequence[Sent], prepared: dict[str, bytes] | None
) -> list[Found]:
    """Run the statements in order, in the transaction that is open or in one that begins here; what each
    found. `prepared` belongs to the connection, and to this room; None where a connection has no session to
    remember what was prepared.

    Raises Failed, and psycopg's OperationalError where the connection is lost, DataError for a text that
    PostgreSQL cannot hold; then nothing was sent.
    """
    pgconn = connection.pgconn
    trip = _Trip(pgconn, prepared)
    begins = pgconn.transaction_status == pq.TransactionStatus.IDLE
    written = [(sql, [_encoded(value) for value in values]) for sql, values in statements]
    pgconn.enter_pipeline_mode()
    try:
        for sql, given in [*([("BEGIN", [])] if begins else []), *written]:
            trip.send(sql, given)
        pgconn.pipeline_sync()
        results = _results(pgconn)
    finally:
        if pgconn.status != pq.ConnStatus.BAD:
            pgconn.exit_pipeline_mode()
    return trip.told(results)[begins:]


class _Trip:
    """What was asked on the way, in order: to prepare a statement, or to run it."""

    def __init__(self, pgconn: PGconn, prepared: dict[str, bytes] | None) -> None:
        self.pgconn = pgconn
        self.prepared = prepared
        self.asked: list[tuple[str, bytes | None]] = []
        self.fresh: dict[str, bytes] = {}

    def send(self, sql: str, given: list[bytes | None]) -> None:
        if self.prepared is None:
            self.pgconn.send_query_params(sql.encode(), given)
        else:
            self.pgconn.send_query_prepared(self._name(sql, self.prepared), given)
        self.asked.append((sql, None))

    def _name(self, sql: str, prepared: dict[str, bytes]) -> bytes:
        name = prepared.get(sql) or self.fresh.get(sql)
        if name is None:
            name = self.fresh[sql] = f"tidu_{len(prepared) + len(self.fresh)}".encode()
            self.pgconn.send_prepare(name, sql.encode())
            self.asked.append((sql, name))
        return name

    def told(self, results: Sequence[PGresult]) -> list[Found]:
        """What each statement found. Raises Failed."""
        found = []
        for (sql, name), result in zip(self.asked, results, strict=True):
            if result.status == pq.ExecStatus.FATAL_ERROR:
                raise Failed(sql, errors.error_from_result(result))
            if name is None:
                found.append(_rows(result))
            elif self.prepared is not None:
                self.prepared[sql] = name
        return found


def _results(pgconn: PGconn) -> list[PGresult]:
    """One result for each thing asked, when all were sent and answered."""
    ready = select.poll()
    ready.register(pgconn.socket, select.POLLIN | select.POLLOUT)
    results: list[PGresult] = []
    unsent, nothing = True, 0
    while nothing < 2:  # one None ends the results of each statement
        while unsent or pgconn.is_busy():
            ready.poll()
            if unsent and not (unsent := bool(pgconn.flush())):
                ready.modify(pgconn.socket, select.POLLIN)
            pgconn.consume_input()
        result = pgconn.get_result()
        if result is None:
            nothing += 1
            continue
        nothing = 0
        if result.status == pq.ExecStatus.PIPELINE_SYNC:
            return results
        results.append(result)
    raise OperationalError("the server ended the pipeline before it had answered everything")


def _rows(result: PGresult) -> Found:
    width = range(result.nfields)
    return [tuple(_text(result.get_value(row, column)) for column in width) for row in range(result.ntuples)]


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()


def _encoded(value: Any) -> bytes | None:
    """The text that PostgreSQL reads for a parameter of whatever type the place has."""
    match value:
        case str():
            if "\0" in value:  # libpq would end the text here
                raise DataError("PostgreSQL cannot hold NUL in a text")
            return value.encode()
        case None:
            return None
        case bool():
            return b"true" if value else b"false"
        case int():
            return b"%d" % value
        case bytes():
            return b"\\x" + value.hex().encode()
    raise TypeError(f"expected text, a whole number, a truth value or bytes, found {type(value).__name__}")
