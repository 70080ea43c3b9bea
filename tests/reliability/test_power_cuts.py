"""The power fails at any moment: what was acknowledged is on the disk, and what is on the disk is sound."""

from __future__ import annotations

import os
import random
import shutil

import pytest
import sqlalchemy as sa

import engine.tables
from tests.reliability.at_work import DATABASE, Office, found_in, is_whole, written
from tests.reliability.disk import Disk, lay_out
from tests.reliability.installation import Installation
from tests.reliability.watched import OK, SYNC_FAILED, Watched

CLIENTS = 6
CASES = {"WAL": 14, "rollback journal": 4}
"""Of each client. A WAL is moved into the file when it has grown to four megabytes."""
NEVER_SAFE = ((99, 0, 0),)


@pytest.fixture
def folder(tmp_path, sqlite_template):
    """A furnished database, watched from now on."""
    house = tmp_path / "house"
    house.mkdir()
    shutil.copy(sqlite_template, house / DATABASE)
    Installation(house, f"sqlite:///{house / DATABASE}").deploy("small_review")
    return house


def lost_by_cuts(disk, cuts, folder, seed=7):
    """Cut the power so often; how much of what was acknowledged was not found, in all."""
    dice = random.Random(seed)
    acknowledged = lost = 0
    for number, moment in enumerate(disk.moments(cuts, dice)):
        with found_in(lay_out(disk.after_cut(moment, dice), folder / f"cut{number}")) as database:
            assert is_whole(database), f"cut {number} at {moment}"
            found = written(database)
        told = disk.answered(moment)
        acknowledged += len(told)
        lost += sum(found[what] != 1 for what in told)
    return acknowledged, lost


@pytest.mark.parametrize("kept_in", CASES)
def test_a_power_cut_loses_nothing_that_was_acknowledged(folder, tmp_path, campaign, monkeypatch, kept_in):
    if kept_in == "rollback journal":
        monkeypatch.setattr(engine.tables, "SAFE_WAL", NEVER_SAFE)
    watched = Watched(folder)
    office = Office(watched)
    office.carry_many(CLIENTS, CASES[kept_in])

    cuts = campaign.times(25, 500)
    acknowledged, lost = lost_by_cuts(watched.disk, cuts, tmp_path)

    campaign.tell("R4", cuts=cuts, acknowledged_before_them=acknowledged, lost=lost)
    assert lost == 0
    office.close()


def test_what_a_failed_sync_left_in_memory_is_not_built_upon_by_the_next_program(
    folder, tmp_path, campaign, monkeypatch
):
    """After a sync that failed the system holds the pages for clean: they can be read, and are not on the disk.

    A program that starts then finds a commit in the WAL which nobody was told of, and which a power cut will
    take away, and all behind it too, unless it is written again first.
    """
    for number in range(campaign.times(5, 100)):
        seen, disk = after_a_failed_sync(folder, tmp_path / f"first{number}", seed=number)
        house = lay_out(seen, tmp_path / f"next{number}")
        watched = Watched(house, disk)
        monkeypatch.setattr(os, "pwrite", watched.pwrite)
        office = Office(watched)
        office.carry("next")
        assert lost_by_cuts(watched.disk, 3, tmp_path / f"cuts{number}")[1] == 0
        office.close()


def after_a_failed_sync(before, folder, seed):
    """A program that meets a failing sync and is killed: what the next one sees, and what is on the disk."""
    shutil.copytree(before, folder)
    watched = Watched(folder)
    office = Office(watched)
    office.carry("first")
    watched.fault = lambda deed: SYNC_FAILED if deed == "sync" else OK
    with pytest.raises(sa.exc.OperationalError, match="disk I/O error"):
        office.carry("second")
    moment = len(watched.disk.deeds)
    disk = Disk(watched.disk.after_cut(moment, random.Random(seed)))
    return watched.disk.after_kill(moment), disk
