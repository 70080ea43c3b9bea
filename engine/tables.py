"""The engine's tables, and how a database is opened so that an acknowledged commit is a durable one."""

from __future__ import annotations

import os
import re
import select
from collections.abc import MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.cursor import FullyBufferedCursorFetchStrategy

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

# The order over the entries of all cases, and the tree over it: written once, when a checkpoint is made.

positions = sa.Table(  # a row for entries of one case that follow each other, from `seq` to `last`
    "positions",
    metadata,
    sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),  # of the first
    sa.Column("case_id", sa.Text, nullable=False),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("last", sa.Integer, nullable=False),
    sa.Column("leaves", sa.LargeBinary, nullable=False),  # one behind the other, 32 bytes each
    sa.UniqueConstraint("case_id", "last"),
)

blocks = sa.Table(
    "blocks",
    metadata,
    sa.Column("block", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("root", sa.LargeBinary, nullable=False),  # over the leaves of a whole block of positions
)

WARNED, DOUBT = "01000", "doubt"
"""PostgreSQL's code for a warning that has none of its own: so it says that the standby lacks a commit."""

POOLER = "pooler"
"""What an address says behind `?` if PgBouncer stands before the server: `pooler=transaction`."""

HELD_UP, HANGING = "2s", "5min"
WAITING = f"-c lock_timeout={HELD_UP} -c idle_in_transaction_session_timeout={HANGING}"
"""Who waits so long for somebody's locks is told, and the others of its process go on. Who holds them and
says nothing is ended: its process hangs. An address may say otherwise in `options`."""

DURABLE = "-c synchronous_commit=on -c timezone=UTC"

KEEPALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
"""Seconds, and times: after a minute of silence the connection to a lost host is a closed one."""

UNPREPARED = {"prepare_threshold": None}
"""The driver prepares nothing itself: it forgets what was prepared whenever it rolls back, as every look
at the database ends. What commands send is prepared by `engine.pipeline`."""

GIVING_UP = {"connect_timeout": 10, "tcp_user_timeout": 30_000}
"""Seconds for a connection to come about, after which the next host of the address is tried; milliseconds
after which a host that does not confirm what was sent to it is lost: the keepalives wait for that, and the
system would wait for a quarter of an hour."""

DURABLY = ((3,), ("on", "remote_apply", "remote_write"))
"""What `synchronous` may be on SQLite, and `synchronous_commit` on PostgreSQL."""

BUSY_MS = 10_000
"""So long a writer waits for another one."""

TURNS = 20
"""How often one waits for a turn to change how a file is kept, before who is in the way is named."""

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


def wait_patiently(connection: sa.Connection) -> None:
    """This transaction waits for others as long as one may hang: it is worth more than a request."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text(f"SET LOCAL lock_timeout = '{HANGING}'"))


def is_held_up(error: BaseException | None) -> bool:
    """Whether a statement gave up waiting for another transaction: nothing of its own was done."""
    if not isinstance(error, sa.exc.OperationalError):
        return False
    return getattr(error.orig, "sqlstate", None) == "55P03" or "database is locked" in str(error.orig)


def assert_durable(database: sa.Engine) -> None:
    """Raise RuntimeError unless an acknowledged commit survives a power cut on this connection."""
    is_sqlite = database.dialect.name == "sqlite"
    with database.connect() as connection:
        asked = "PRAGMA synchronous" if is_sqlite else "SHOW synchronous_commit"
        found = connection.exec_driver_sql(asked).scalar_one()
    _require_durable(found, DURABLY[0] if is_sqlite else DURABLY[1])


def _require_durable(found: object, expected: tuple[object, ...]) -> None:
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
        _settle_mode(connection, "wal" if wal else "delete")
        connection.execute("PRAGMA synchronous = EXTRA")  # FULL does not sync the end of a rollback journal
        connection.execute("PRAGMA foreign_keys = ON")

    log = _Log(is_doubtful=wal)

    @sa.event.listens_for(database, "begin")
    def _begin(connection: sa.Connection) -> None:
        reading = connection.get_execution_options().get("reading", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
        if not reading and log.is_doubtful:
            log.write_again(connection)

    @sa.event.listens_for(database, "handle_error")
    def _doubt(context: sa.engine.ExceptionContext) -> None:
        if getattr(context.original_exception, "sqlite_errorcode", 0) & 0xFF == DISK_FAILED:
            context.is_disconnect = True  # no connection of ours is used again
            log.is_doubtful = wal

    @sa.event.listens_for(database, "after_cursor_execute")
    def _read_to_the_end(_conn: Any, cursor: Any, _sql: Any, _given: Any, context: Any, _many: Any) -> None:
        """A cursor that somebody leaves half-read, because a row was bad, shares its statement with the next
        one that asks the same; when it is thrown away, that one begins anew, and rows come twice or never."""
        if cursor.description is not None and not context.execution_options.get("stream_results"):
            context.cursor_fetch_strategy = FullyBufferedCursorFetchStrategy(cursor)

    return database


def _settle_mode(connection: Any, mode: str) -> None:
    """Keep the file in `mode`. SQLite does not wait for who is writing when the mode is to change, though it
    does for everything else: so wait for a turn to write, and ask again."""
    for _ in range(TURNS):
        with suppress(sqlite_module().OperationalError):
            connection.execute(f"PRAGMA journal_mode = {mode}")
            return
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    connection.execute(f"PRAGMA journal_mode = {mode}")


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
    given = str(address.query.get("options", ""))
    if re.search(r"synchronous_commit", given):
        raise ValueError("synchronous_commit is not a choice: an acknowledged action must be durable")
    if POOLER in address.query:
        return _pooled(address, options)
    told = {"options": f"{WAITING} {given} {DURABLE}", **KEEPALIVE, **GIVING_UP, **UNPREPARED}
    database = sa.create_engine(address, connect_args=told, **{"pool_size": 10, **options})
    _check_out_living_ones(database)
    _hear_doubts(database)
    return database


def _pooled(address: sa.URL, options: dict[str, Any]) -> sa.Engine:
    """Through PgBouncer, which gives each transaction another session: nothing that a session knows, be it a
    setting or a prepared statement, may be counted upon. So the settings are those of the role."""
    if address.query[POOLER] != "transaction":
        raise ValueError(f"expected {POOLER}=transaction, found {address.query[POOLER]!r}")
    database = sa.create_engine(
        address.difference_update_query([POOLER, "options"]),
        connect_args={**KEEPALIVE, **GIVING_UP, **UNPREPARED},
        execution_options={POOLER: True},
        **{"pool_size": 10, **options},
    )
    _check_out_living_ones(database)
    _hear_doubts(database)

    @sa.event.listens_for(database, "connect")
    def _is_durable(connection: Any, _record: Any) -> None:
        (found,) = connection.execute("SHOW synchronous_commit").fetchone()
        connection.rollback()
        _require_durable(found, DURABLY[1])

    @sa.event.listens_for(database, "checkin")
    def _forget(_connection: Any, record: Any) -> None:
        for name in record.info.keys() - {DOUBT}:  # another session will see another database
            del record.info[name]

    return database


def require_certain(info: MutableMapping[Any, Any]) -> None:
    """Raise OperationalError if the commit that a connection just did was answered before the standby that
    is waited for had it: somebody ended the waiting. `info` is the connection's."""
    if doubt := info.pop(DOUBT, None):
        raise sa.exc.OperationalError("COMMIT", None, RuntimeError(doubt))


def _hear_doubts(database: sa.Engine) -> None:
    @sa.event.listens_for(database, "connect")
    def _listen(connection: Any, record: Any) -> None:
        def hear(notice: Any) -> None:
            if notice.sqlstate == WARNED:
                record.info[DOUBT] = notice.message_primary

        connection.add_notice_handler(hear)


def _check_out_living_ones(database: sa.Engine) -> None:
    @sa.event.listens_for(database, "checkout")
    def _is_alive(connection: Any, _record: Any, _proxy: Any) -> None:
        if connection.closed or _has_been_told(connection):
            raise sa.exc.DisconnectionError("the server has ended this connection")


def _has_been_told(connection: Any) -> bool:
    """Whether something came while nobody asked. A server that ends a connection says so and hangs up: asking
    it before every use whether it lives would cost as much as the use."""
    heard = select.poll()
    heard.register(connection.fileno(), select.POLLIN)
    return bool(heard.poll(0))
