"""The power fails at any moment: what was acknowledged is on the disk, and what is on the disk is sound."""

from __future__ import annotations

import os
import random
import shutil

import pytest
import sqlalchemy as sa

import engine.tables
from tests.reliability.at_work import Office, after_cuts, started_in
from tests.reliability.disk import Disk, lay_out
from tests.reliability.watched import OK, SYNC_FAILED, Watched

CLIENTS = 6
CASES = {"WAL": 14, "rollback journal": 4}
"""Of each client. A WAL is moved into the file when it has grown to four megabytes."""
NEVER_SAFE = ((99, 0, 0),)


@pytest.mark.parametrize("kept_in", CASES)
def test_a_power_cut_loses_nothing_that_was_acknowledged(
    watched_folder, tmp_path, campaign, monkeypatch, kept_in
):
    if kept_in == "rollback journal":
        monkeypatch.setattr(engine.tables, "SAFE_WAL", NEVER_SAFE)
    watched = Watched(watched_folder)
    office = Office(watched)
    office.carry_many(CLIENTS, CASES[kept_in])

    cuts = campaign.times(25, 500)
    found = after_cuts(watched.disk, cuts, started_in(tmp_path / "cuts"))

    campaign.tell("R4", **vars(found))
    assert found.acknowledged > cuts
    assert (found.lost, found.unsound) == (0, 0)
    office.close()


def test_what_a_failed_sync_left_in_memory_is_not_built_upon_by_the_next_program(
    watched_folder, tmp_path, campaign, monkeypatch
):
    """After a sync that failed the system takes the pages for clean: they can be read, and are not on disk.

    A program that starts then finds a commit in the WAL which nobody was told of, and which a power cut will
    take away, and all behind it too, unless it is written again first.
    """
    for number in range(campaign.times(5, 100)):
        seen, disk = after_a_failed_sync(watched_folder, tmp_path / f"first{number}", seed=number)
        house = lay_out(seen, tmp_path / f"next{number}")
        watched = Watched(house, disk)
        monkeypatch.setattr(os, "pwrite", watched.pwrite)
        office = Office(watched)
        office.carry("next")
        found = after_cuts(watched.disk, 3, started_in(tmp_path / f"cuts{number}"))
        assert (found.lost, found.unsound) == (0, 0)
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
