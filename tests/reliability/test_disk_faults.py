"""The disk fails in the middle of a commit: nobody is told that it is done, and the house goes on alone."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.reliability.at_work import Office, after_cuts, found_in, is_whole, started_in, written
from tests.reliability.installation import CHECKOUT
from tests.reliability.watched import FULL, OK, SYNC_FAILED, WRITE_FAILED, Watched

FAULTS = {
    "sync: input/output error": ("sync", SYNC_FAILED),
    "write: no space left": ("write", FULL),
    "write: input/output error": ("write", WRITE_FAILED),
}
EVERY = {"sync": 1, "write": 13}
"""A commit syncs once and writes dozens of pages: so the blows fall everywhere in it."""
CLIENTS = 4


class Fault:
    """Fails once, at the n-th deed of a kind."""

    def __init__(self, what: str, code: int, at: int) -> None:
        self.what = what
        self.code = code
        self.left = at

    def __call__(self, deed: str) -> int:
        self.left -= deed == self.what
        return self.code if self.left == 0 and deed == self.what else OK


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failing_disk_is_told_and_survived(watched_folder, tmp_path, campaign, fault):
    what, code = FAULTS[fault]
    blows = campaign.times(2, 50)
    for number in range(1, blows + 1):
        folder = shutil.copytree(watched_folder, tmp_path / f"house{number}")
        struck = Fault(what, code, number * EVERY[what])
        office, found = worked_through(folder, struck, cases=2 + number // 3)
        campaign.tell("R6", blows=struck.left <= 0, refused=len(office.refused), **vars(found))
        shutil.rmtree(folder)

    assert campaign.counts["blows"] == blows
    assert campaign.counts["refused"] >= blows
    assert (campaign.counts["lost"], campaign.counts["unsound"]) == (0, 0)


def worked_through(folder, fault, *, cases):
    """All is done in the end by the same program, and a power cut afterwards finds it done."""
    watched = Watched(folder)
    office = Office(watched)
    watched.fault = fault
    office.carry_many(CLIENTS, cases)
    told = set(watched.disk.answered(len(watched.disk.deeds)))
    assert sum(answer.startswith("TaskCompleted") for answer in told) == CLIENTS * cases
    assert is_whole(office.database)
    office.close()
    return office, after_cuts(watched.disk, 3, started_in(folder / "cuts"))


def test_who_is_killed_in_a_sync_loses_nothing_that_was_acknowledged(watched_folder, tmp_path, campaign):
    blows = campaign.times(2, 50)
    houses = [shutil.copytree(watched_folder, tmp_path / str(number)) for number in range(1, blows + 1)]
    told = killed_in_a_sync(houses)

    for house in houses:
        with found_in(house) as database:
            there = written(database)
            campaign.tell(
                "R6",
                blows=1,
                acknowledged=len(told[house]),
                lost=sum(there[what] != 1 for what in told[house]),
                unsound=not is_whole(database),
            )

    assert campaign.counts["acknowledged"] >= blows
    assert (campaign.counts["lost"], campaign.counts["unsound"]) == (0, 0)


def killed_in_a_sync(houses):
    """Folder → what was acknowledged before the program over it was killed in a sync."""
    program = [sys.executable, "-m", "tests.reliability.dying_in_a_sync", *houses]
    ended = subprocess.run(program, cwd=CHECKOUT, capture_output=True, text=True, timeout=600)
    assert ended.returncode == 0, ended.stderr
    told = {house: set() for house in houses}
    for line in ended.stdout.splitlines():
        house, _, what = line.partition(" ")
        told[Path(house)].add(what)
    return told
