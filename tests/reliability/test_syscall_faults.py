"""The system itself refuses a write or a sync of a running program, or kills it there: strace strikes."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests import postgres
from tests.conftest import furnished, new_database
from tests.reliability.at_work import DATABASE
from tests.reliability.installation import Installation
from tests.reliability.load import Load
from tests.reliability.test_kills import eventually, everything_is_sound, nothing_is_lost_or_doubled

CLIENTS = 4
KILLED = "killed in a sync"  # our own programs are by `dying_in_a_sync`
FAULTS = {
    "a sync fails": ("fsync,fdatasync", "error=EIO"),
    "no space is left for a write": ("write,pwrite64", "error=ENOSPC"),
    "a write fails": ("write,pwrite64", "error=EIO"),
    KILLED: ("fsync,fdatasync", "signal=SIGKILL"),
}


@pytest.fixture
def attachable():
    """strace, and the right to lay it on a program that runs."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    sleeper = subprocess.Popen(["sleep", "60"])
    tried = subprocess.run(
        ["timeout", "-s", "INT", "2", "strace", "-p", str(sleeper.pid)], capture_output=True
    )
    sleeper.kill()
    sleeper.wait()
    if b"attach" not in tried.stderr or b"not permitted" in tried.stderr:
        pytest.skip(f"no program may be traced here: {tried.stderr.decode()}")


@pytest.fixture
def on_sqlite(attachable, tmp_path, sqlite_template):
    shutil.copy(sqlite_template, tmp_path / DATABASE)
    house = Installation(tmp_path, f"sqlite:///{tmp_path / DATABASE}")
    house.deploy("small_review")
    return house


@pytest.fixture
def on_postgresql(attachable, tmp_path):
    """A server of its own that really syncs; it goes down with a failing disk and comes up again."""
    with postgres.server(fsync="on") as server:
        url = new_database(server, "struck")
        furnished(url)
        house = Installation(tmp_path, url)
        house.deploy("small_review")
        yield house


@dataclass
class Victims:
    """Processes, and the files of theirs in which they are struck; none: in all."""

    processes: Callable[[], list[int]]
    files: tuple[Path, ...] = ()

    def strike(self, fault, nth, log):
        """Let the n-th call of a kind fail, in whichever thread makes so many first; the calls struck."""
        calls, injection = FAULTS[fault]
        rule = f"inject={calls}:{injection}:when={nth}"
        words = ["strace", "-f", "-o", log, "-e", f"trace={calls}", "-e", rule]
        words += [word for file in self.files for word in ("-P", file)]
        words += [
            word
            for process in eventually(self.processes, "nobody to strike")
            for word in ("-p", str(process))
        ]
        tracer = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            eventually(lambda: has_struck(log), f"no {calls} was struck")
        finally:
            tracer.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                tracer.wait(10)
            tracer.kill()
            tracer.wait()
        found = has_struck(log)
        log.unlink()
        return found


def has_struck(log):
    told = log.read_text() if log.exists() else ""
    return told.count("(INJECTED)") + told.count("killed by SIGKILL")


def server_processes(house):
    """Those of PostgreSQL that work for the house."""
    query = sa.text("SELECT pid FROM pg_stat_activity WHERE datname = 'struck' AND pid <> pg_backend_pid()")
    with house.opened() as database, database.connect() as connection:
        return list(connection.scalars(query))


def go_on(load, more):
    before = len(load.completed)
    eventually(lambda: len(load.completed) > before + more, "nothing gets done any more")


def worked_through(house, victims, fault, campaign):
    """Clients work, and now and then the system strikes; they get on without anybody's help."""
    load = Load(house, clients=CLIENTS, seed=7)
    with house.served() as server:
        load.begin()
        try:
            for number in range(1, campaign.times(1, 5) + 1):
                go_on(load, CLIENTS)
                calls = victims(server).strike(fault, number, house.folder / "strace")
                campaign.tell("R6", blows=1, calls_struck=calls)
            go_on(load, CLIENTS)
        finally:
            load.end()

    assert load.surprises == []
    nothing_is_lost_or_doubled(house, load)
    cases = everything_is_sound(house)
    campaign.tell("R6", completions_acknowledged=len(load.completed), lost=0, cases_verified=cases)


@pytest.mark.long
@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault != KILLED])
def test_a_server_over_sqlite_that_the_system_strikes_loses_nothing(on_sqlite, campaign, fault):
    log = on_sqlite.folder / f"{DATABASE}-wal"
    worked_through(on_sqlite, lambda server: Victims(server.children, (log,)), fault, campaign)


@pytest.mark.long
@pytest.mark.postgres
@pytest.mark.parametrize("fault", FAULTS)
def test_a_postgresql_that_the_system_strikes_loses_nothing(on_postgresql, campaign, fault):
    victims = Victims(lambda: server_processes(on_postgresql))
    worked_through(on_postgresql, lambda _: victims, fault, campaign)
