"""The engine's two tables, and how a database is opened so that an acknowledged commit is a durable one."""

from __future__ import annotations

import os
import re
import select
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

journal = sa.Table(
    "journal",
    metadata,
    sa.Column("case_id", sa.Text, primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("body", sa.Text, nullable=False),  # canonical JSON, exactly the text that was digested
    sa.Column("digest", sa.Text, nullable=False),
)

snapshots = sa.Table(
    "snapshots",
    metadata,
    sa.Column("case_id", sa.Text, primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("format", sa.Integer, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),  # digest of the journal entry at `seq`
    sa.Column("lasting", sa.Boolean, nullable=False, server_default=sa.false()),  # the next one spares it
    sa.Column("state", sa.LargeBinary, nullable=False),
)

HANGING = "5min"
"""After so long without a word a transaction ends: its process hangs, and others wait for its locks."""

KEEPALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
"""Seconds, and times: after a minute of silence the connection to a lost host is a closed one."""

BUSY_MS = 10_000
"""So long a writer waits for another one."""

DISK_FAILED = 10
"""SQLite's code when a file cannot be read, written or synced."""

PIECE = 1024 * 1024

SAFE_WAL = ((3, 51, 3), (3, 50, 7), (3, 44, 6))
"""First release of each SQLite line in which two connections cannot lose a commit on a WAL reset."""


def connect(url: str, **options: Any) -> sa.Engine:
    """Open a database for durable work; SQLite and PostgreSQL only.

    Every transaction on SQLite begins IMMEDIATE, so a writer never meets an upgrade deadlock.
    Raises ValueError for another kind of database.
    """
    address = sa.make_url(url)
    match address.get_backend_name():
        case "sqlite":
            return _sqlite(address, options)
        case "postgresql":
            return _postgresql(address.set(drivername="postgresql+psycopg"), options)
    raise ValueError(f"expected a sqlite or postgresql address, found {address.get_backend_name()}")


def assert_durable(database: sa.Engine) -> None:
    """Raise RuntimeError unless an acknowledged commit survives a power cut on this connection."""
    with database.connect() as connection:
        if database.dialect.name == "sqlite":
            found = connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
            expected: tuple[object, ...] = (3,)
        else:
            found = connection.exec_driver_sql("SHOW synchronous_commit").scalar_one()
            expected = ("on", "remote_apply", "remote_write")
    if found not in expected:
        raise RuntimeError(f"commits are not durable: expected one of {expected}, found {found!r}")


def _sqlite(address: sa.URL, options: dict[str, Any]) -> sa.Engine:
    module = sqlite_module()
    in_memory = address.database in (None, "", ":memory:")
    if in_memory:
        options = {"poolclass": sa.pool.StaticPool, "connect_args": {"check_same_thread": False}, **options}
    database = sa.create_engine(address, module=module, **options)
    wal = not in_memory and wal_is_safe(module.sqlite_version_info)

    @sa.event.listens_for(database, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        connection.execute(f"PRAGMA journal_mode = {'WAL' if wal else 'DELETE'}")
        connection.execute("PRAGMA synchronous = EXTRA")  # FULL does not sync the end of a rollback journal
        connection.execute("PRAGMA foreign_keys = ON")

    log = _Log(is_doubtful=wal)

    @sa.event.listens_for(database, "begin")
    def _begin(connection: sa.Connection) -> None:
        reading = connection.get_execution_options().get("reading", False)
        said = "BEGIN" if reading else "BEGIN IMMEDIATE"
        raw: Any = connection.connection.driver_connection
        try:
            raw.execute(said)
        except module.Error as error:
            raise sa.exc.DBAPIError.instance(said, None, error, module.Error) from error
        if not reading and log.is_doubtful:
            log.write_again(connection)

    @sa.event.listens_for(database, "handle_error")
    def _doubt(context: sa.engine.ExceptionContext) -> None:
        if getattr(context.original_exception, "sqlite_errorcode", 0) & 0xFF == DISK_FAILED:
            context.is_disconnect = True  # no connection of ours is used again
            log.is_doubtful = wal

    return database


@dataclass
class _Log:
    """The write-ahead log. It is doubtful until we know that what can be read in it reaches the disk as well.

    After a sync that failed the system takes the pages for clean: the next program reads a commit in the log
    that the disk does not hold, and whatever it writes behind that would not outlive a power cut.
    """

    is_doubtful: bool

    def write_again(self, connection: sa.Connection) -> None:
        """All of it, byte by byte as it is, while nobody else can write: the next commit syncs it too."""
        _, _, path = connection.exec_driver_sql("PRAGMA database_list").one()
        with suppress(FileNotFoundError), open(f"{path}-wal", "rb+", buffering=0) as log:
            for at in range(0, os.fstat(log.fileno()).st_size, PIECE):
                os.pwrite(log.fileno(), os.pread(log.fileno(), PIECE, at), at)
        self.is_doubtful = False


def wal_is_safe(version: tuple[int, ...]) -> bool:
    """Whether this SQLite release is free of the WAL-reset fault."""
    newest = SAFE_WAL[0]
    return version >= newest or any(version[:2] == fixed[:2] and version >= fixed for fixed in SAFE_WAL)


def sqlite_module() -> Any:
    """The driver that carries the newest SQLite there is."""
    try:
        import pysqlite3.dbapi2 as module  # carries a SQLite without the fault
    except ImportError:
        import sqlite3 as module
    return module


def _postgresql(address: sa.URL, options: dict[str, Any]) -> sa.Engine:
    settings = f"-c synchronous_commit=on -c timezone=UTC -c idle_in_transaction_session_timeout={HANGING}"
    given = address.query.get("options")
    if given and re.search(r"synchronous_commit", str(given)):
        raise ValueError("synchronous_commit is not a choice: an acknowledged action must be durable")
    database = sa.create_engine(
        address, connect_args={"options": settings, **KEEPALIVE}, **{"pool_size": 10, **options}
    )

    @sa.event.listens_for(database, "checkout")
    def _is_alive(connection: Any, _record: Any, _proxy: Any) -> None:
        if connection.closed or _has_been_told(connection):
            raise sa.exc.DisconnectionError("the server has ended this connection")

    return database


def _has_been_told(connection: Any) -> bool:
    """Whether something came while nobody asked. A server that ends a connection says so and hangs up: asking
    it before every use whether it lives would cost as much as the use."""
    heard = select.poll()
    heard.register(connection.fileno(), select.POLLIN)
    return bool(heard.poll(0))
