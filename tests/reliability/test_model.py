"""R25: any order of commands at all: the house and a model of a page agree after each of them."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from engine import replay
from tests.conftest import furnished
from tests.reliability.commanded import Commanded, House
from workflows.store.tables import open_database

ENOUGH = 480
"""Seconds after which a campaign begins no more examples."""


@pytest.fixture
def fast_url(request, database_url, tmp_path):
    """An address of a furnished database: a file in memory where the machine has such, for its speed; every
    setting is the real one."""
    memory = Path("/dev/shm")

    def of(kind):
        if kind == "pg" or not memory.is_dir():
            return database_url(kind)
        folder = Path(tempfile.mkdtemp(prefix="tidu-", dir=memory))
        request.addfinalizer(lambda: shutil.rmtree(folder, ignore_errors=True))
        furnished(url := f"sqlite:///{folder / 'tidu.db'}")
        return url

    return of


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("pg", marks=pytest.mark.postgres)])
def test_any_order_of_commands_leaves_the_house_as_the_model_says(kind, fast_url, campaign, monkeypatch):
    """In the suite the same orders every time; in a campaign others, up to a number or a time."""
    monkeypatch.setattr(replay, "SNAPSHOT_EVERY", 5)  # cases are short here, and snapshots must matter
    database = open_database(fast_url(kind))
    examples, began = campaign.times(150, 5_000), time.monotonic()  # on each database

    class Here(Commanded):
        house = House(database)

    many = settings(
        max_examples=min(examples, 250),
        stateful_step_count=campaign.times(30, 80),
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        derandomize=not campaign.is_long,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    while Here.house.examples < examples and time.monotonic() - began < ENOUGH:
        run_state_machine_as_test(Here, settings=many)
    database.dispose()
    commands = Here.house.commands
    once = {command for command, allowed in commands if allowed}
    assert once == {command for command, _ in commands}, "a command that never succeeds is not tried at all"
    campaign.tell(
        "R25",
        examples=Here.house.examples,
        commands_accepted=sum(count for (_, allowed), count in commands.items() if allowed),
        commands_refused=sum(count for (_, allowed), count in commands.items() if not allowed),
    )
