"""What every test may ask for: a real database of each kind, a hand-driven clock, the teller of stories."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests import postgres
from tests.story import Clock, Story
from workflows.people import load_organisations
from workflows.register.batches import load_batches
from workflows.tables import migrate, open_database

START = datetime(2026, 3, 2, 1, tzinfo=UTC)  # Monday, 09:00 in Shanghai
KINDS = {"both": ("sqlite", "pg"), "sqlite": ("sqlite",), "pg": ("pg",)}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--db", choices=sorted(KINDS), default="both", help="databases to test on")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database" in metafunc.fixturenames:
        kinds = KINDS[metafunc.config.getoption("--db")]
        marked = [pytest.param(k, marks=pytest.mark.postgres if k == "pg" else ()) for k in kinds]
        metafunc.parametrize("database", marked, indirect=True)


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
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file with the demonstration's people, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    furnished(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> str:
    """The name of a migrated PostgreSQL database with the demonstration's people, to be copied."""
    _administer(postgres_server, "CREATE DATABASE template_tidu")
    furnished(postgres_server.format(database="template_tidu"))
    return "template_tidu"


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """A function that makes a fresh furnished database of a kind (`sqlite`, `pg`) and answers its address."""
    made: list[str] = []

    def fresh(kind: str) -> str:
        if kind == "sqlite":
            path = tmp_path / f"tidu{len(made)}.db"
            shutil.copy(request.getfixturevalue("sqlite_template"), path)
            made.append("")
            return f"sqlite:///{path}"
        server = request.getfixturevalue("postgres_server")
        template = request.getfixturevalue("postgres_template")
        name = f"tidu_{abs(hash((request.node.nodeid, len(made)))):x}"
        _administer(server, f"CREATE DATABASE {name} TEMPLATE {template}")
        made.append(name)
        return server.format(database=name)

    yield fresh
    for name in filter(None, made):
        _administer(
            request.getfixturevalue("postgres_server"), f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"
        )


@pytest.fixture
def database(request: pytest.FixtureRequest, database_url: Callable[[str], str]) -> Iterator[sa.Engine]:
    """A migrated database with the demonstration's people and no cases, on SQLite and on PostgreSQL."""
    opened = open_database(database_url(request.param))
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


def _administer(server: str, statement: str) -> None:
    opened = sa.create_engine(server.format(database="postgres"), isolation_level="AUTOCOMMIT")
    with opened.connect() as connection:
        connection.execute(sa.text(statement))
    opened.dispose()
