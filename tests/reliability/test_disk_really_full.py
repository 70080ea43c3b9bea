"""A small real disk is filled to the last byte under programs at work, emptied, and filled again."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests import postgres
from tests.conftest import furnished
from tests.reliability.at_work import DATABASE
from tests.reliability.installation import Installation
from tests.reliability.load import START, Load
from tests.reliability.test_kills import eventually, everything_is_sound, nothing_is_lost_or_doubled

SIZE = 48 * 1024 * 1024
CLIENTS = 4
READING = ("/task?queue=mine", "/process-instance/{case}", "/history/process-instance/{case}/event")


class SmallDisk:
    """A file system of its own, a few megabytes large, and what lies on it to fill it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tidu-small-"))
        self.ballast = self.folder / "ballast"
        words = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=755", "tmpfs", self.folder]
        subprocess.run(words, check=True)

    def fill(self) -> None:
        """Take every byte that is left."""
        with self.ballast.open("ab", buffering=0) as file:
            for piece in (1024 * 1024, 4096):
                while there_is_room_for(piece, file):
                    pass

    def empty(self) -> None:
        self.ballast.unlink()

    def unmount(self) -> None:
        subprocess.run(["umount", "-l", self.folder], check=True)
        self.folder.rmdir()


def there_is_room_for(piece, file):
    """Whether so many bytes could be written; then they are."""
    try:
        return file.write(bytes(piece))
    except OSError as full:
        if full.errno != errno.ENOSPC:
            raise
        return 0


@pytest.fixture
def small_disk():
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"]).returncode:
        pytest.skip("a file system of its own needs the right to mount one")
    disk = SmallDisk()
    yield disk
    disk.unmount()


@pytest.fixture
def on_it(request, small_disk, tmp_path):
    """An installation whose database lies on the small disk: the file, or the tables of PostgreSQL."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), small_disk.folder / DATABASE)
        house = Installation(tmp_path, f"sqlite:///{small_disk.folder / DATABASE}")
    else:
        house = Installation(tmp_path, _in_a_tablespace(request, small_disk.folder / "tables"))
    house.deploy("small_review")
    return house


def _in_a_tablespace(request, folder):
    server = request.getfixturevalue("postgres_server")
    folder.mkdir()
    shutil.chown(folder, postgres._other_user())
    folder.parent.chmod(0o755)
    administer(server, f"CREATE TABLESPACE small LOCATION '{folder}'")
    administer(server, "CREATE DATABASE small TABLESPACE small")
    request.addfinalizer(
        lambda: administer(server, "DROP DATABASE small WITH (FORCE)", "DROP TABLESPACE small")
    )
    url = server.format(database="small")
    furnished(url)
    return url


def administer(server, *statements):
    opened = sa.create_engine(server.format(database="postgres"), isolation_level="AUTOCOMMIT")
    with opened.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    opened.dispose()


@pytest.mark.long
@pytest.mark.parametrize("on_it", ["sqlite", pytest.param("pg", marks=pytest.mark.postgres)], indirect=True)
def test_a_disk_that_fills_up_and_is_emptied_stops_writing_only(on_it, small_disk, campaign):
    load = Load(on_it, clients=CLIENTS, seed=7)
    on_it.token("app02")
    with on_it.served(), at_work(on_it):
        load.begin()
        try:
            for _ in range(campaign.times(1, 20)):
                filled_once(on_it, small_disk, load, campaign)
        finally:
            load.end()

    assert load.surprises == []
    nothing_is_lost_or_doubled(on_it, load)
    cases = everything_is_sound(on_it)
    campaign.tell("R7", completions_acknowledged=len(load.completed), lost=0, cases_verified=cases)
    assert campaign.counts["reads_refused"] == 0


@contextmanager
def at_work(house):
    """A worker beside the server."""
    worker = house.start("worker")
    try:
        yield
    finally:
        worker.kill()


def filled_once(house, disk, load, campaign):
    """Work until the disk is full, read while it is, and see work go on when it is not."""
    some_more(load)
    disk.fill()
    refused = eventually(lambda: refused_for_want_of_room(house, load), "a full disk, and nobody says so")
    answers = [house.api("GET", path.format(case=load.started[0]), by="lz.officer") for path in READING]
    disk.empty()
    some_more(load)
    campaign.tell(
        "R7",
        disks_filled=1,
        writes_refused=refused,
        reads_refused=sum(answer.status != 200 for answer in answers),
    )


def some_more(load):
    before = len(load.completed)
    eventually(lambda: len(load.completed) > before + CLIENTS, "nothing gets done")


def refused_for_want_of_room(house, load):
    """Whether the next one who starts a case hears that there is no room."""
    answer = house.api("POST", START, {"values": {"days": 3}}, by="app02")
    if answer.status != 503:
        assert answer.status == 201, house.told()
        load.started.append(answer.body["id"])
        return 0
    assert answer.body["code"] == "STORAGE_FULL", answer
    assert answer.headers["Retry-After"] == "30"
    return 1
