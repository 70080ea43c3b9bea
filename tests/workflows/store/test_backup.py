"""A backup holds everything, comes back whole, and refuses what does not fit."""

from __future__ import annotations

import zipfile
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa

from engine.errors import InvalidInput, WrongState
from workflows.register.titles import designations
from workflows.store.backup import read_backup, write_backup
from workflows.store.tables import blobs, metadata, migrate, open_database, operations

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
JOURNAL = metadata.tables["journal"]


@pytest.fixture
def house(tmp_path):
    """A database with an entry, a blob and an operation record, and one evidence file."""
    database = open_database(f"sqlite:///{tmp_path / 'first.db'}")
    migrate(database)
    with database.begin() as connection:
        connection.execute(JOURNAL.insert().values(case_id="GF-1", seq=1, body='{"材料": 1}', digest="d1"))
        connection.execute(blobs.insert().values(digest="b1", content=b"\x00\xff"))
        connection.execute(
            operations.insert().values(number=7, at=AT, actor="owner", action="x", new={"a": 1})
        )
    (tmp_path / "evidence/ab").mkdir(parents=True)
    (tmp_path / "evidence/ab/abc").write_bytes(b"report")
    yield database
    database.dispose()


@pytest.fixture
def empty(tmp_path):
    database = open_database(f"sqlite:///{tmp_path / 'second.db'}")
    yield database
    database.dispose()


def rows(database, table):
    with database.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.select(table))]


def test_what_was_backed_up_comes_back(house, empty, tmp_path):
    written = write_backup(house, tmp_path / "evidence", tmp_path / "b.zip", at=AT)

    read = read_backup(empty, tmp_path / "evidence2", tmp_path / "b.zip")

    assert read == written
    assert [rows(empty, t) for t in (JOURNAL, blobs, operations)] == [
        rows(house, t) for t in (JOURNAL, blobs, operations)
    ]
    assert (tmp_path / "evidence2/ab/abc").read_bytes() == b"report"


def test_a_backup_of_a_restored_database_is_the_same(house, empty, tmp_path):
    first = write_backup(house, tmp_path / "evidence", tmp_path / "b.zip", at=AT)
    read_backup(empty, tmp_path / "evidence2", tmp_path / "b.zip")

    assert write_backup(empty, tmp_path / "evidence2", tmp_path / "c.zip", at=AT) == first


def test_a_file_that_is_still_arriving_stays_out(house, empty, tmp_path):
    """Nobody knows it yet, and it may change or go while it is copied."""
    (tmp_path / "evidence/incoming-x1").write_bytes(b"rep")

    written = write_backup(house, tmp_path / "evidence", tmp_path / "b.zip", at=AT)

    assert [name for name in written.files if name.startswith("evidence/")] == ["evidence/ab/abc"]


def test_evidence_is_there_before_the_rows_that_name_it(house, empty, tmp_path):
    """A restore that is killed in between can be done again."""
    write_backup(house, tmp_path / "evidence", tmp_path / "b.zip", at=AT)

    def die(connection):
        if connection.scalar(sa.select(sa.func.count()).select_from(JOURNAL)):
            raise KeyboardInterrupt

    migrate(empty)
    sa.event.listen(empty, "commit", die)
    with pytest.raises(KeyboardInterrupt):
        read_backup(empty, tmp_path / "evidence2", tmp_path / "b.zip")
    sa.event.remove(empty, "commit", die)

    assert rows(empty, JOURNAL) == []
    assert (tmp_path / "evidence2/ab/abc").read_bytes() == b"report"
    read_backup(empty, tmp_path / "evidence2", tmp_path / "b.zip")
    assert rows(empty, JOURNAL) == rows(house, JOURNAL)


def test_a_database_with_cases_is_left_alone(house, tmp_path):
    write_backup(house, tmp_path / "evidence", tmp_path / "b.zip", at=AT)

    with pytest.raises(WrongState, match="holds 1 journal entries"):
        read_backup(house, tmp_path / "evidence", tmp_path / "b.zip")


def _with_part(source, target, name, content):
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            new.writestr(info.filename, content if info.filename == name else old.read(info))


def test_a_changed_part_is_found_and_nothing_is_written(house, empty, tmp_path):
    write_backup(house, tmp_path / "evidence", tmp_path / "b.zip", at=AT)
    _with_part(tmp_path / "b.zip", tmp_path / "c.zip", "tables/journal.jsonl", b"{}\n")

    with pytest.raises(InvalidInput, match=r"tables/journal\.jsonl"):
        read_backup(empty, tmp_path / "evidence2", tmp_path / "c.zip")

    assert not (tmp_path / "evidence2").exists()


def test_a_part_that_would_leave_its_folder_is_refused(house, empty, tmp_path):
    write_backup(house, tmp_path / "evidence", tmp_path / "b.zip", at=AT)
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        manifest = archive.read("manifest.json").replace(b"evidence/ab/abc", b"evidence/../../x")
        content = archive.read("evidence/ab/abc")
    _with_part(tmp_path / "b.zip", tmp_path / "c.zip", "manifest.json", manifest)
    with zipfile.ZipFile(tmp_path / "c.zip", "a") as archive:
        archive.writestr("evidence/../../x", content)

    with pytest.raises(InvalidInput):
        read_backup(empty, tmp_path / "evidence2", tmp_path / "c.zip")


def test_any_other_file_is_no_backup(empty, tmp_path):
    (tmp_path / "b.zip").write_text("no zip")

    with pytest.raises(InvalidInput, match="is not a backup"):
        read_backup(empty, tmp_path / "evidence", tmp_path / "b.zip")


@pytest.mark.postgres
@pytest.mark.parametrize(("source", "target"), [("sqlite", "pg"), ("pg", "sqlite")])
def test_a_backup_moves_between_databases(database_url, tmp_path, source, target):
    here, there = open_database(database_url(source)), open_database(database_url(target))
    with here.begin() as connection:
        connection.execute(JOURNAL.insert().values(case_id="GF-1", seq=1, body='{"材料": 1}', digest="d1"))
        connection.execute(operations.insert().values(at=AT, action="x", new={"a": 1}))
        title = {"case_id": "GF-1", "designation_id": "t", "unit": "u01", "track": "gf", "level": "municipal"}
        connection.execute(designations.insert().values({**title, "decided_on": date(2026, 6, 2)}))
    written = write_backup(here, tmp_path / "files", tmp_path / "b.zip", at=AT)

    read_backup(there, tmp_path / "elsewhere", tmp_path / "b.zip")

    assert write_backup(there, tmp_path / "elsewhere", tmp_path / "c.zip", at=AT) == written
    with there.begin() as connection:  # counting goes on behind what was put back
        connection.execute(operations.insert().values(at=AT, action="y"))
    here.dispose()
    there.dispose()
