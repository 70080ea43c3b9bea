"""The databases of a run, made for it and removed behind it, and what each counts of its own work."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa

from bench import machine, process
from tests import postgres

SETTINGS = (
    "listen_addresses=127.0.0.1",  # JDBC knows no other way in, so nobody takes another
    "synchronous_commit=on",
    "shared_buffers=512MB",
    "max_wal_size=4GB",
    "checkpoint_timeout=30min",
)
STATEMENTS = "pg_stat_statements"
COUNTED = """
    SELECT (SELECT xact_commit FROM pg_stat_database WHERE datname = :name) AS tx,
           (SELECT wal_sync FROM pg_stat_wal) AS fsync,
           (SELECT wal_bytes FROM pg_stat_wal)::float8 AS wal_b,
           pg_database_size(:name) AS stored_b
"""
STATEMENTS_COUNTED = """,
           (SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements s
              JOIN pg_database d ON d.oid = s.dbid WHERE d.datname = :name) AS stmts
"""

Counts = dict[str, float]


class Unavailable(Exception):
    """Why a store or a peer cannot be had on this machine."""


class Store(Protocol):
    """A kind of database; `label` stands in every line, `server_pid` is 0 where there is no server."""

    label: str
    version: dict[str, str]
    server_pid: int
    folder: Path

    def create(self, name: str) -> str: ...

    def settle(self, name: str) -> None: ...

    def counts(self, name: str) -> Counts: ...


def environment(store: Store, *, calibrate: float) -> dict[str, Any]:
    """What every line of a run says about its machine and database."""
    return {**machine.environment(store.folder, calibrate=calibrate), **store.version}


@contextmanager
def opened(kind: str) -> Iterator[Store]:
    """A store of a kind, `sqlite` or `pg`, in a temporary folder. Raises Unavailable."""
    with tempfile.TemporaryDirectory(prefix="tidu-bench-") as folder:
        if kind == "sqlite":
            yield Sqlite(Path(folder))
            return
        if reason := postgres.unavailable():
            raise Unavailable(reason)
        with postgres.server(fsync="on", settings=(*SETTINGS, *_counting())) as address:
            network = address.partition("?host=")[0].replace("tidu@:", "tidu@127.0.0.1:")
            server = Postgres(network, Path(folder))
            yield server
            server.close()


def _counting() -> tuple[str, ...]:
    """The settings by which the server counts statements, if it was built with that part."""
    tools = postgres.binaries()
    assert tools is not None
    library = (tools / "initdb").resolve().parent.parent / "lib" / f"{STATEMENTS}.so"
    found = library.exists() or library.with_name("postgresql").joinpath(library.name).exists()
    return (f"shared_preload_libraries={STATEMENTS}", f"{STATEMENTS}.track_utility=off") if found else ()


class Postgres:
    """A PostgreSQL of our own, looked at through a database that no candidate uses."""

    def __init__(self, address: str, folder: Path) -> None:
        self.folder = folder
        self._address = address
        self._look = sa.create_engine(address.format(database="postgres"), isolation_level="AUTOCOMMIT")
        with self._look.connect() as connection:
            loaded = connection.exec_driver_sql("SHOW shared_preload_libraries").scalar_one()
            self._counted = COUNTED + (STATEMENTS_COUNTED if STATEMENTS in loaded else "")
            if STATEMENTS in loaded:
                connection.exec_driver_sql(f"CREATE EXTENSION {STATEMENTS}")
            version = connection.exec_driver_sql("SHOW server_version").scalar_one().split()[0]
            backend = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        self.label = f"pg{version.partition('.')[0]}"
        self.version = {"pg": version}
        self.server_pid = process.parent(backend)

    def create(self, name: str) -> str:
        """An empty database; its address."""
        with self._look.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
        return self._address.format(database=name)

    def settle(self, name: str) -> None:
        """Nothing of what was done before is still to be written."""
        with self._look.connect() as connection:
            connection.exec_driver_sql("CHECKPOINT")

    def counts(self, name: str) -> Counts:
        """Transactions, statements, synced and written log, bytes: since the server started."""
        with self._look.connect() as connection:
            row = connection.execute(sa.text(self._counted), {"name": name}).mappings().one()
        return {key: float(value) for key, value in row.items()} | {
            "cpu_db_ms": 1000 * process.cpu_seconds(self.server_pid)
        }

    def close(self) -> None:
        self._look.dispose()


class Sqlite:
    """Files in a folder. Statements and transactions are counted by who asks; SQLite counts no syncs."""

    def __init__(self, folder: Path) -> None:
        from engine.tables import connect

        self.folder = folder
        self.server_pid = 0
        self._connect = connect
        probe = connect("sqlite://")
        with probe.connect() as connection:
            self.label = "sqlite"
            self.version = {"sqlite": connection.exec_driver_sql("SELECT sqlite_version()").scalar_one()}
        probe.dispose()

    def create(self, name: str) -> str:
        return f"sqlite:///{self.folder / name}.db"

    def settle(self, name: str) -> None:
        """What stands in the log goes into the file."""
        database = self._connect(self.create(name))
        raw: Any = database.raw_connection()
        raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        raw.close()
        database.dispose()

    def counts(self, name: str) -> Counts:
        self.settle(name)
        return {"stored_b": float((self.folder / f"{name}.db").stat().st_size)}
