"""Copies taken while people work come back whole, say what came after them, and are worked with again."""

from __future__ import annotations

import io
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from engine.tables import journal
from tests import postgres
from tests.conftest import START as MARCH
from tests.conftest import furnished, new_database
from tests.reliability.installation import Installation
from tests.reliability.load import Completion, Load
from tests.reliability.test_kills import eventually, everything_is_sound
from web.app import wall_clock
from workflows.actors.people import find_person
from workflows.proof import evidence
from workflows.proof.evidence import Paper, Store
from workflows.store.backup import read_backup, write_backup
from workflows.store.tables import tasks
from workflows.store.tidemarks import open_tidemarks
from workflows.work.condition import unsound_evidence

CLIENTS = 4
SEED = 24
ARCHIVED = ("archive_mode=on", "archive_command=mkdir -p ../archive && cp %p ../archive/%f")


@dataclass(frozen=True)
class Copy:
    """A backup, and what had been acknowledged when it began."""

    file: Path
    acknowledged: tuple[Completion, ...]
    uploaded: frozenset[str]


class Uploads:
    """Somebody who hands in one document after the other."""

    def __init__(self, house: Installation) -> None:
        self.house = house
        self.kept: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    @contextmanager
    def under_way(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            self._stop.set()
            self._thread.join(60)

    def _work(self) -> None:
        files = Store(self.house.folder / "evidence")
        with self.house.opened() as database:
            while not self._stop.wait(0.02):
                number = f"paper{len(self.kept):06d}"
                content = io.BytesIO(f"%PDF-1.4 {number}".encode())
                with database.begin() as connection:
                    paper = Paper(name=f"{number}.pdf")
                    evidence.store(
                        connection, files, content, paper, evidence_id=number, by="app01", now=MARCH
                    )
                self.kept.append(number)


def test_backups_taken_under_load_come_back_whole_and_tell_what_came_after(
    installation, database_url, tmp_path, campaign
):
    backups = campaign.times(1, 15)
    load, uploads = Load(installation, clients=CLIENTS, seed=SEED), Uploads(installation)
    with installation.served(), uploads.under_way():
        load.begin()
        copies = [take(installation, load, uploads, tmp_path / f"{n}.zip") for n in range(backups)]
        something_gets_done(load)
        load.end()
    assert load.surprises == []

    kind = "pg" if installation.is_postgres else "sqlite"
    missing = sum(
        restored_whole(installation, copy, Installation(folder(tmp_path, n), database_url(kind)))
        for n, copy in enumerate(copies)
    )
    campaign.tell(
        "R24",
        backups=backups,
        completions_acknowledged=len(load.completed),
        attachments=len(uploads.kept),
        lost=0,
        entries_after_them_told_as_missing=missing,
    )


@pytest.mark.postgres
@pytest.mark.long
def test_postgresql_is_restored_to_any_moment_from_its_archive(tmp_path, campaign):
    """A base backup, the archive of the log, and a moment between two commits of people at work."""
    if reason := postgres.unavailable():
        pytest.skip(reason)
    moments = campaign.times(1, 5)
    dice = random.Random(SEED)
    with postgres.running(settings=ARCHIVED) as server, ExitStack() as stack:
        house = Installation(tmp_path, new_database(server.address, "house"))
        furnished(house.url)
        house.deploy("small_review")
        places = [stack.enter_context(server.copied()) for _ in range(moments)]
        load = Load(house, clients=CLIENTS, seed=SEED)
        with house.served():
            load.begin()
            instants = [instant(server, load, place, dice) for place in places]
            something_gets_done(load)
            load.end()
        archive = server.folder / "archive"
        last = server.ask("SELECT pg_walfile_name(pg_switch_wal())")
        eventually((archive / last).exists, "the log is not archived")
        missing = sum(
            restored_to(house, *moment, archive, folder(tmp_path, n)) for n, moment in enumerate(instants)
        )

    campaign.tell(
        "R24",
        restores_to_a_moment=moments,
        completions_acknowledged=len(load.completed),
        lost=0,
        entries_after_them_told_as_missing=missing,
    )


def instant(server: postgres.Server, load: Load, place: postgres.Server, dice: random.Random):
    """A base backup of a server at work, and a moment some time behind it."""
    place.copy(server)
    something_gets_done(load)
    time.sleep(dice.uniform(0, 0.3))
    acknowledged = tuple(load.completed)
    return place, acknowledged, server.ask("SELECT pg_current_wal_insert_lsn()::text")


def restored_to(
    house: Installation,
    place: postgres.Server,
    acknowledged: tuple[Completion, ...],
    lsn: str,
    archive: Path,
    where: Path,
) -> int:
    """As `restored_whole`, from the archive. Answers how many entries are missing."""
    with place.recover(archive, lsn) as server:
        elsewhere = Installation(where, server.address.format(database="house"))
        holds_what_was_acknowledged(elsewhere, acknowledged)
        everything_is_sound(elsewhere)
        return goes_on(elsewhere, house)


def take(house: Installation, load: Load, uploads: Uploads, file: Path) -> Copy:
    """One more backup, in the middle of work."""
    something_gets_done(load)
    before = len(uploads.kept)
    eventually(lambda: len(uploads.kept) > before, "no upload gets through")
    copy = Copy(file, tuple(load.completed), frozenset(uploads.kept))
    with house.opened() as database:
        write_backup(database, house.folder / "evidence", file, at=wall_clock())
    return copy


def restored_whole(house: Installation, copy: Copy, elsewhere: Installation) -> int:
    """Everything acknowledged before is there and sound; what came after is told; work goes on."""
    with elsewhere.opened() as database:
        read_backup(database, elsewhere.folder / "evidence", copy.file)
    holds_what_was_acknowledged(elsewhere, copy.acknowledged)
    everything_is_sound(elsewhere)
    attachments_are_there(elsewhere, copy.uploaded)
    return goes_on(elsewhere, house)


def holds_what_was_acknowledged(house: Installation, acknowledged: tuple[Completion, ...]) -> None:
    done = {task: by for task, by in house.rows(sa.select(tasks.c.task_id, tasks.c.completed_by)) if by}
    assert [one for one in acknowledged if done.get(one.task_id) != one.by] == []


def attachments_are_there(house: Installation, uploaded: frozenset[str]) -> None:
    with house.opened() as database, database.connect() as connection:
        assert list(unsound_evidence(connection, Store(house.folder / "evidence"))) == []
        known = set(connection.scalars(sa.select(evidence.evidence.c.evidence_id)))
    assert uploaded - known == set()


def goes_on(house: Installation, original: Installation) -> int:
    """The marks of the original house name every entry that came after the copy, and no other; then a new
    case begins, under a number that nobody was given. Answers how many entries are missing."""
    before, after = ends(house), ends(original)
    marks = open_tidemarks(original.folder / "tidemarks", "looking")
    with house.opened() as database, database.begin() as connection:
        lost = marks.lost(connection)
        marks.step_over(connection)
    assert {one.case_id: (one.after, one.upto) for one in lost} == {
        case: (before[case], end) for case, end in after.items() if end != before[case]
    }
    with house.rooms(wall_clock) as (commands, _), house.opened() as database:
        with database.connect() as connection:
            applicant = find_person(connection, "app01")
        started = commands.start_case("small_review", {"days": 3}, actor=applicant)
    assert started.case_id not in after
    return sum(one.number for one in lost)


def ends(house: Installation) -> Counter[str]:
    """Where each case's journal ends."""
    query = sa.select(journal.c.case_id, sa.func.max(journal.c.seq)).group_by(journal.c.case_id)
    return Counter(dict(house.rows(query)))


def folder(parent: Path, number: int) -> Path:
    made = parent / f"restored{number}"
    made.mkdir()
    return made


def something_gets_done(load: Load) -> None:
    before = len(load.completed)
    eventually(lambda: len(load.completed) > before + CLIENTS, f"nothing gets done: {load.house.told()}")
