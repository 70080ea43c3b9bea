"""What every test may ask for: a real database of each kind, a hand-driven clock, the teller of stories."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from engine.tables import metadata
from tests import browser, campaign, postgres
from tests.story import Clock, Story
from workflows.actors.people import load_organisations
from workflows.register.batches import load_batches
from workflows.store.tables import migrate, open_database

START = datetime(2026, 3, 2, 1, tzinfo=UTC)  # Monday, 09:00 in Shanghai
Row = dict[str, Any]
KINDS = {"both": ("sqlite", "pg"), "sqlite": ("sqlite",), "pg": ("pg",)}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--db", choices=sorted(KINDS), default="both", help="databases to test on")
    campaign.add_options(parser)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    campaign.deselect_long_tests(config, items)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test's tally says whether the test passed."""
    report = yield
    if report.when == "call":
        item.came_to = report  # type: ignore[attr-defined]
    return report


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database" in metafunc.fixturenames:
        kinds = KINDS[metafunc.config.getoption("--db")]
        marked = [pytest.param(k, marks=pytest.mark.postgres if k == "pg" else ()) for k in kinds]
        metafunc.parametrize("database", marked, indirect=True)


@pytest.fixture(name="campaign")
def _campaign(request: pytest.FixtureRequest) -> Iterator[campaign.Campaign]:
    """How often to strike, and where to tell what came of it."""
    yield from campaign.take_part(request)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a throw-away server. Under CI=true it must be there; elsewhere its lack is told."""
    reason = postgres.unavailable()
    if reason and os.environ.get("CI") == "true":
        pytest.fail(f"CI must test on PostgreSQL: {reason}")
    if reason:
        pytest.skip(reason)
    with postgres.server() as address:
        yield address


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A headless Chromium, one for all tests: Playwright runs once per process. Under CI=true it must be
    there; elsewhere its lack is told."""
    if reason := browser.unavailable():
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must test in a browser: {reason}")
        pytest.skip(reason)
    with browser.launched() as running:
        yield running


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file with the demonstration's people, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    furnished(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_database(postgres_server: str) -> Iterator[tuple[sa.Engine, dict[sa.Table, list[Row]]]]:
    """A migrated PostgreSQL database, and the rows that every test finds in it."""
    url = new_database(postgres_server, "tidu_story")
    furnished(url)
    opened = open_database(url)
    with opened.connect() as connection:
        rows = {table: _rows(connection, table) for table in metadata.sorted_tables}
    yield opened, rows
    opened.dispose()


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """A function that makes a fresh furnished database of a kind (`sqlite`, `pg`) and answers its address."""
    made: list[str] = []

    def fresh(kind: str) -> str:
        made.append(kind)
        if kind == "sqlite":
            path = tmp_path / f"tidu{len(made)}.db"
            shutil.copy(request.getfixturevalue("sqlite_template"), path)
            return f"sqlite:///{path}"
        name = f"tidu_{abs(hash((request.node.nodeid, len(made)))):x}"
        url = new_database(request.getfixturevalue("postgres_server"), name)
        furnished(url)
        return url

    return fresh


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[sa.Engine]:
    """A migrated database with the demonstration's people and no cases, on SQLite and on PostgreSQL."""
    if request.param == "pg":
        opened, rows = request.getfixturevalue("postgres_database")
        _refurnish(opened, rows)
        yield opened
        return
    opened = open_database(request.getfixturevalue("database_url")("sqlite"))
    yield opened
    opened.dispose()


@pytest.fixture
def clock() -> Clock:
    """Monday, 2 March 2026, 09:00 in Shanghai, until somebody moves it."""
    return Clock(START)


@pytest.fixture
def story(database: sa.Engine, clock: Clock) -> Story:
    """The teller: starts, claims, completes, lets time pass, and tells what is."""
    return Story(database, clock)


def furnished(url: str) -> None:
    """Migrate a new database and load the demonstration's people, without passwords."""
    opened = open_database(url)
    migrate(opened)
    with opened.begin() as connection:
        load_organisations(connection, now=START)
        load_batches(connection, now=START)
    opened.dispose()


def _refurnish(opened: sa.Engine, rows: dict[sa.Table, list[Row]]) -> None:
    """Put the database back to what it was when it was furnished."""
    with opened.begin() as connection:
        is_whole = all(_rows(connection, table) == found for table, found in rows.items() if found)
        moved = [table for table, found in rows.items() if not (found and is_whole)]
        for table in reversed(moved):
            connection.execute(sa.delete(table))
        for table in moved:
            if rows[table]:
                connection.execute(table.insert(), rows[table])


def _rows(connection: sa.Connection, table: sa.Table) -> list[Row]:
    return [dict(row) for row in connection.execute(sa.select(table).order_by(*table.c)).mappings()]


def new_database(server: str, name: str) -> str:
    """Create an empty database on the server; its address."""
    opened = sa.create_engine(server.format(database="postgres"), isolation_level="AUTOCOMMIT")
    with opened.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    opened.dispose()
    return server.format(database=name)
