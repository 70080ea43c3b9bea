"""A newer release takes over from an older one: who stays behind changes nothing, and no case is lost."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.house import tree
from tests.planted.copies import BUILT
from tests.reliability.installation import Installation
from tests.reliability.load import PEOPLE, START, Load
from tests.reliability.test_kills import (
    entries,
    eventually,
    everything_is_sound,
    nothing_is_lost_or_doubled,
)
from workflows.store import schema

CLIENTS = 4
MORE = 10 * CLIENTS
EARLIEST = 2
SINCE = [f"{number:04}" for number in range(EARLIEST, int(schema.newest()) + 1)]

FURNISH = f"""
import json, pathlib, sys
from tests.conftest import furnished
from tests.reliability.installation import Installation

folder, url = sys.argv[1:]
furnished(url)
house = Installation(pathlib.Path(folder), url)
house.deploy("small_review")
print(json.dumps({{person: house.token(person) for person in {PEOPLE}}}))
"""
"""What the tests of an older release do in their own words: a house with people, who have tokens."""


def newer_than(installation):
    """The same house with the next release's programs."""
    house = installation.beside()
    house.main = ("tests.reliability.next_release",)
    return house


def go_on(load, more=CLIENTS):
    before = len(load.completed)
    eventually(lambda: len(load.completed) > before + more, f"nothing gets done: {load.house.told()}")


def all_is_there(load):
    assert load.surprises == []
    nothing_is_lost_or_doubled(load.house, load)
    return everything_is_sound(load.house)


@pytest.mark.postgres
def test_an_upgrade_while_the_older_release_is_at_work(installation, campaign):
    newer, load = newer_than(installation), Load(installation, clients=CLIENTS, seed=30)
    with installation.served(workers=1):
        worker = installation.start("worker")
        load.begin()
        go_on(load)

        came = newer.tidu("init")

        assert came.returncode == 0, came.stderr
        number = entries(installation)
        asked = installation.api("POST", START, {"values": {"days": 3}}, by="app01", Idempotency_Key="late")
        assert (asked.status, asked.body["code"]) == (503, "OTHER_RELEASE")
        assert asked.headers["Retry-After"].isdigit()
        assert installation.ask("GET", "/readyz").status == 503
        eventually(lambda: worker.process.poll() is not None, "the older worker does not end")
        assert "belongs to another release" in installation.told()
        assert entries(installation) == number
        with newer.served(workers=1):
            installation.door = newer.door
            go_on(load)
            load.end()

    cases = all_is_there(load)
    campaign.tell(
        "R30", upgrades_at_work=1, completions_acknowledged=len(load.completed), cases=cases, lost=0
    )


@pytest.mark.long
@pytest.mark.parametrize("number", SINCE)
def test_cases_of_every_older_schema_go_on_after_an_upgrade(tmp_path, campaign, number):
    """The last code before each migration, from the history of this repository, with today's packages."""
    older = Installation(tmp_path, f"sqlite:///{tmp_path / 'house.db'}")
    older.checkout = last_before(number, tmp_path / "older")
    older._tokens = furnished_by(older)
    load = Load(older, clients=CLIENTS, seed=30)
    with older.served():
        worker = older.start("worker")
        load.begin()
        go_on(load, MORE)
        worker.kill()
    newer = older.beside()
    came = newer.tidu("init")
    assert came.returncode == 0, came.stderr
    with newer.served():
        older.door = newer.door
        go_on(load, MORE)
        load.end()

    cases = all_is_there(load)
    campaign.tell(
        "R30", upgrades_of_stopped_houses=1, completions_acknowledged=len(load.completed), cases=cases
    )


def last_before(number, folder):
    """The checkout of the last commit that had not the migration `number` yet."""
    migration = f"workflows/migrations/versions/v{number}_*.py"
    words = ("log", "--first-parent", "-m", "--diff-filter=A", "--format=%P", "--", migration)
    parents = git(*words).decode().split()
    if not parents:
        pytest.skip("the history of this checkout does not reach so far")
    folder.mkdir()
    subprocess.run(["tar", "-x", "-C", folder], input=git("archive", parents[0]), check=True)
    (folder / BUILT).parent.mkdir(parents=True, exist_ok=True)
    (folder / BUILT).symlink_to(tree.ROOT / BUILT)
    return folder


def git(*words):
    told = ["git", "-c", "safe.directory=*", *words]
    return subprocess.run(told, cwd=tree.ROOT, capture_output=True, check=True).stdout


def furnished_by(older):
    """Tokens of people in a house that the older release made."""
    done = subprocess.run(
        [sys.executable, "-c", FURNISH, older.folder, older.url],
        cwd=older.checkout,
        env=older.environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
