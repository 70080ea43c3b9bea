"""What the tests of reliability may ask for: an installation of each kind, and how often to strike."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import furnished, new_database
from tests.reliability.installation import CROWD, LANZHOU, Installation, Program

HOW_OFTEN = {
    "kills_of_the_season": (1, 20),
    "seasons": (6, 300),
    "due_timers": (200, 1_000),
    "positions": (3, 50),
}
"""For each kind of blow: how many in the suite, how many in a campaign (`make campaign`)."""


@pytest.fixture
def often(request: pytest.FixtureRequest) -> Callable[[str], int]:
    """How often to do a thing in this run."""
    return lambda what: HOW_OFTEN[what][request.config.getoption("--campaign")]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    asked = metafunc.config.getoption("--db")
    kinds = ("sqlite", "pg") if asked == "both" else (asked,)
    marked = [pytest.param(k, marks=pytest.mark.postgres if k == "pg" else ()) for k in kinds]
    for name in ("installation", "served"):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, marked, indirect=True)


@pytest.fixture
def installation(
    request: pytest.FixtureRequest, database_url: Callable[[str], str], tmp_path: Path
) -> Installation:
    """A house of its own with the demonstration's people and the small review; nothing runs yet."""
    house = Installation(tmp_path, database_url(request.param))
    house.deploy("small_review")
    return house


@pytest.fixture
def served(request: pytest.FixtureRequest, running: Callable[[str], Installation]) -> Installation:
    """A house that is served by several processes and threads, with fifty officers of one city.

    It stands for the whole run, so that not every test waits for a server: count by case or key.
    """
    return running(request.param)


@pytest.fixture(scope="session")
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Installation]]:
    """Starts the house of a kind when it is first asked for, and ends what it started."""
    houses: dict[str, tuple[Installation, Program]] = {}

    def ask_for(kind: str) -> Installation:
        if kind not in houses:
            folder = tmp_path_factory.mktemp("served")
            house = Installation(folder, _fresh_url(request, kind, folder))
            house.deploy("small_review")
            house.enrol(CROWD, LANZHOU, like="lz.officer")
            for person in [*CROWD, "app01", "app02", "lz.officer", "lz.officer2"]:
                house.token(person)
            houses[kind] = house, house.serve()
        return houses[kind][0]

    yield ask_for
    for _, program in houses.values():
        program.kill()


def _fresh_url(request: pytest.FixtureRequest, kind: str, folder: Path) -> str:
    if kind == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), folder / "tidu.db")
        return f"sqlite:///{folder / 'tidu.db'}"
    url = new_database(request.getfixturevalue("postgres_server"), "served")
    furnished(url)
    return url
