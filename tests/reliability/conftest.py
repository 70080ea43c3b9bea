"""What the tests of reliability may ask for: an installation of each kind, and how often to strike."""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.campaign import Campaign
from tests.conftest import START, furnished, new_database
from tests.reliability.at_work import DATABASE
from tests.reliability.bundles import HandedOut, hand_out
from tests.reliability.forging import rows_of
from tests.reliability.installation import CROWD, LANZHOU, Installation, Program
from tests.story import Clock, Story
from workflows.proof.checkpoints.keyring import Keyring
from workflows.proof.checkpoints.taking import Checkpoints
from workflows.store.tables import open_database

SEED = bytes(range(32))
"""What the key of checkpoints is made of."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    asked = metafunc.config.getoption("--db")
    kinds = ("sqlite", "pg") if asked == "both" else (asked,)
    if metafunc.definition.get_closest_marker("postgres"):
        kinds = ("pg",)  # what a file has not, such as a wire
    marked = [pytest.param(k, marks=pytest.mark.postgres if k == "pg" else ()) for k in kinds]
    for name in ("installation", "served"):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, marked, indirect=True)
    for name in ("wired", "strained"):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, marked, indirect=True, scope="module")


@pytest.fixture
def installation(
    request: pytest.FixtureRequest, database_url: Callable[[str], str], tmp_path: Path
) -> Installation:
    """A house of its own with the demonstration's people and the small review; nothing runs yet."""
    house = Installation(tmp_path, database_url(request.param))
    house.deploy("small_review")
    return house


@pytest.fixture
def watched_folder(tmp_path: Path, sqlite_template: Path) -> Path:
    """A folder with a furnished SQLite database that knows the small review; nobody has it open."""
    folder = tmp_path / "house"
    folder.mkdir()
    shutil.copy(sqlite_template, folder / DATABASE)
    Installation(folder, f"sqlite:///{folder / DATABASE}").deploy("small_review")
    return folder


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
            house = Installation(folder, fresh_url(request, kind, folder, "served"))
            house.deploy("small_review")
            house.enrol(CROWD, LANZHOU, like="lz.officer")
            for person in [*CROWD, "app01", "app02", "lz.officer", "lz.officer2"]:
                house.token(person)
            houses[kind] = house, house.serve()
        return houses[kind][0]

    yield ask_for
    for _, program in houses.values():
        program.kill()


@pytest.fixture
def told(request: pytest.FixtureRequest, story: Story, campaign: Campaign) -> Iterator[Story]:
    """A case that went all its way, with a timer, a decision, jobs and a message; behind it another.

    What is tried on it, and what of that verification caught, is told at the end.
    """
    story.start(by="app02").do("check", "lz.officer", outcome="returned", opinion="缺报表")
    other = story.case_id
    story.start().do("check", "lz.officer", outcome="accepted").pass_time("P4D")
    story.do("review", "lz.leader", outcome="agreed").do("ecology", "dee", opinion="无异议")
    story.do("market", "amr", opinion="无异议").work()
    story.message("ministry_result", "prov.officer", result="同意")
    story.other = other
    story.record = {case_id: rows_of(story, case_id) for case_id in (story.case_id, other)}
    story.tried = story.caught = 0
    assert story.case().is_over
    yield story
    if strikes_often(request):
        campaign.tell("P8", forgeries=story.tried, findings=story.caught)


@pytest.fixture
def kept(told: Story, tmp_path: Path) -> Story:
    """The story with checkpoints: one after each part of it, all of them in the auditor's drawer."""
    told.taking = Checkpoints(told.database, Keyring(tmp_path / "checkpoints"), clock=told.clock)
    told.taking.begin(SEED, place="tidu.example.org")
    told.drawer = [told.taking.take().note]
    told.whole = len(told.record[told.case_id]) + len(told.record[told.other])
    return told


@pytest.fixture(scope="session")
def handed_out(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> HandedOut:
    """A bundle, made once: none of the tests that change copies of it needs a database."""
    folder = tmp_path_factory.mktemp("handed-out")
    shutil.copy(sqlite_template, folder / "tidu.db")
    database = open_database(f"sqlite:///{folder / 'tidu.db'}")
    made = hand_out(Story(database, Clock(START)), folder, SEED)
    database.dispose()
    return made


@pytest.fixture
def bundle(request: pytest.FixtureRequest, handed_out: HandedOut, campaign: Campaign) -> Iterator[HandedOut]:
    """The bundle that was handed out; what is tried on it, and what was caught, is told at the end."""
    tried, caught = handed_out.tried, handed_out.caught
    yield handed_out
    if strikes_often(request):
        campaign.tell("P8", bundles=handed_out.tried - tried, refused=handed_out.caught - caught)


def strikes_often(request: pytest.FixtureRequest) -> bool:
    """Whether the test itself asks how often to strike; the others are no line of a campaign."""
    return "campaign" in inspect.signature(request.function).parameters


def fresh_url(request: pytest.FixtureRequest, kind: str, folder: Path, name: str) -> str:
    """The address of a furnished database that stands longer than one test."""
    if kind == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), folder / "tidu.db")
        return f"sqlite:///{folder / 'tidu.db'}"
    url = new_database(request.getfixturevalue("postgres_server"), name)
    furnished(url)
    return url
