"""The power fails at any moment under PostgreSQL: after its recovery all that was acknowledged is there."""

from __future__ import annotations

import os
import random
from threading import Thread

import pytest
import sqlalchemy as sa

import engine.tables
from tests import postgres
from tests.reliability import traced
from tests.reliability.at_work import Found, Office, after_cuts
from tests.reliability.clusters import Cluster, is_sound
from web.app import wall_clock
from workflows.work.condition import examine

pytestmark = pytest.mark.postgres

OFFICES, CLIENTS, CASES = 2, 6, 6
"""So many programs' worth of connections, clients in all, and cases of each client."""

SYNCED_BY = (
    "fdatasync",  # what PostgreSQL does on Linux unless it is told otherwise
    *(pytest.param(how, marks=pytest.mark.long) for how in ("fsync", "open_datasync", "open_sync")),
)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    missing = postgres.unavailable() or traced.missing()
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"CI must cut the power of PostgreSQL: {missing}")
    if reason := missing or traced.forbidden():
        pytest.skip(reason)
    return Cluster.made(tmp_path_factory.mktemp("house"))


def people(watched):
    """They work through the commands, some at once and through several doors."""
    offices = [Office(watched) for _ in range(OFFICES)]
    work = [Thread(target=offices[name % OFFICES].carry_all, args=(name, CASES)) for name in range(CLIENTS)]
    for client in work:
        client.start()
    for client in work:
        client.join()
    for office in offices:
        assert office.refused == []
        office.close()


def durability(watched):
    """What the doctor says of it."""
    database = Office(watched).database
    signs = {sign.name: sign for sign in examine(database, now=wall_clock())}
    database.dispose()
    return signs["durability"]


@pytest.mark.parametrize("how", SYNCED_BY)
def test_a_power_cut_under_postgresql_loses_nothing_that_was_acknowledged(cluster, tmp_path, campaign, how):
    def act(watched):
        assert watched.server.ask("SHOW wal_sync_method") == how
        assert durability(watched).ok
        people(watched)

    settings = () if how == SYNCED_BY[0] else (f"wal_sync_method={how}",)
    cuts, found = campaign.times(12, 25), Found()
    for run in range(campaign.times(1, 5)):
        disk = cluster.worked_on(tmp_path / f"log{run}", act, *settings)
        found += after_cuts(disk, cuts, cluster.recovered, seed=run, sound=is_sound)

    campaign.tell("R4", **vars(found))
    assert found.acknowledged > cuts
    assert (found.lost, found.unsound) == (0, 0)


def test_a_power_cut_in_the_recovery_from_another_loses_nothing_either(cluster, tmp_path, campaign):
    dice = random.Random(4)
    work = cluster.worked_on(tmp_path / "log", people)
    found = Found()
    for number, moment in enumerate(work.moments(campaign.times(3, 100), dice)):
        left, told = work.after_cut(moment, dice), set(work.answered(moment))
        recovery = cluster.recovering(tmp_path / f"log{number}", left, told)
        found += after_cuts(recovery, 1, cluster.recovered, seed=number, sound=is_sound)

    campaign.tell("R4", **vars(found))
    assert found.acknowledged > found.cuts
    assert (found.lost, found.unsound) == (0, 0)


def test_where_commits_are_answered_before_they_are_synced_power_cuts_lose_some(
    cluster, tmp_path, monkeypatch
):
    """By whole transactions: what is left is sound."""
    monkeypatch.setattr(engine.tables, "DURABLE", "-c synchronous_commit=off")
    disk = cluster.worked_on(tmp_path / "log", people)

    found = after_cuts(disk, 5, cluster.recovered, sound=is_sound)

    assert found.lost > 0 == found.unsound


@pytest.mark.long
@pytest.mark.parametrize("setting", ["fsync=off", "full_page_writes=off"])
def test_a_power_cut_destroys_a_server_that_the_doctor_finds_unwell(cluster, tmp_path, setting):
    def act(watched):
        assert setting.removesuffix("=off") in durability(watched).detail
        people(watched)

    disk = cluster.worked_on(tmp_path / "log", act, setting)

    assert not all(survives(disk, cluster, seed) for seed in range(50))


def survives(disk, cluster, seed):
    """Whether a server starts after one power cut, can be read, and has all that was acknowledged."""
    try:
        found = after_cuts(disk, 1, cluster.recovered, seed=seed, sound=is_sound)
    except (AssertionError, sa.exc.DBAPIError):
        return False
    return (found.lost, found.unsound) == (0, 0)
