"""Several programs on one SQLite file wait for each other, and a release with the WAL fault keeps out."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Thread

import pytest
import sqlalchemy as sa

import engine.tables
from engine.tables import sqlite_module, wal_is_safe
from tests.reliability.at_work import DATABASE, Office, is_whole
from tests.reliability.watched import Watched
from workflows.store.tables import migrate, open_database

WRITERS = 16
NEVER_SAFE = ((99, 0, 0),)


@pytest.mark.parametrize("kept_in", ["WAL", "rollback journal"])
def test_of_sixteen_who_write_at_once_none_meets_a_lock(watched_folder, monkeypatch, kept_in):
    """Sixteen doors, each with connections of its own, are to SQLite what sixteen programs are."""
    if kept_in == "rollback journal":
        monkeypatch.setattr(engine.tables, "SAFE_WAL", NEVER_SAFE)
    watched = Watched(watched_folder)
    offices = [Office(watched) for _ in range(WRITERS)]
    work = [Thread(target=office.carry_all, args=(name, 1)) for name, office in enumerate(offices)]
    for client in work:
        client.start()
    for client in work:
        client.join()

    assert [error for office in offices for error in office.refused] == []
    assert sum("TaskCompleted" in told for told in watched.disk.answered(len(watched.disk.deeds))) == WRITERS
    assert is_whole(offices[0].database)
    for office in offices:
        office.close()


def mode(path):
    """How a database is kept, as any program finds it."""
    with sqlite3.connect(path) as connection:
        return connection.execute("PRAGMA journal_mode").fetchone()[0]


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 45, 0), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 53, 4), True),
        ((4, 0, 0), True),
    ],
)
def test_which_releases_are_free_of_the_wal_fault(version, safe):
    assert wal_is_safe(version) is safe


def test_the_release_that_the_house_brings_along_is_free_of_it():
    assert wal_is_safe(sqlite_module().sqlite_version_info)


def test_who_opens_a_new_file_waits_for_who_is_writing_its_first_tables(tmp_path):
    path = tmp_path / "new.db"
    first = sqlite_module().connect(path, isolation_level=None, check_same_thread=False)
    first.execute("BEGIN IMMEDIATE")
    first.execute("CREATE TABLE one (a)")
    with ThreadPoolExecutor() as others, closing(first):
        waiting = others.submit(open_database(f"sqlite:///{path}").connect)
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.2)
        first.execute("COMMIT")
        waiting.result().close()
    assert mode(path) == "wal"


def test_many_who_open_a_new_file_at_once_all_come_in(tmp_path):
    def opens(path):
        database = open_database(f"sqlite:///{path}")
        migrate(database)
        database.dispose()

    with ThreadPoolExecutor(8) as others:
        for number in range(10):
            list(others.map(opens, [tmp_path / f"{number}.db"] * 8))


def test_a_release_with_the_fault_takes_the_file_out_of_the_wal(watched_folder, monkeypatch):
    path = watched_folder / DATABASE
    assert mode(path) == "wal"
    monkeypatch.setattr(engine.tables, "SAFE_WAL", NEVER_SAFE)

    database = open_database(f"sqlite:///{path}")
    with database.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "delete"
    database.dispose()

    assert mode(path) == "delete"


def test_a_release_with_the_fault_does_not_join_those_who_use_the_wal(watched_folder, monkeypatch):
    address = f"sqlite:///{watched_folder / DATABASE}"
    sound = open_database(address)
    with sound.connect().execution_options(reading=True) as connection:
        connection.exec_driver_sql("SELECT count(*) FROM journal")
        monkeypatch.setattr(engine.tables, "SAFE_WAL", NEVER_SAFE)
        monkeypatch.setattr(engine.tables, "BUSY_MS", 50)
        faulty = open_database(address)
        with pytest.raises(sa.exc.OperationalError, match="database is locked"):
            faulty.connect()
    sound.dispose()
