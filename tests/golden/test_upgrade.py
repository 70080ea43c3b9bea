"""A database that an older release left with running cases is migrated, and every case goes on."""

from __future__ import annotations

import importlib
import lzma
import pkgutil
import sqlite3
from itertools import count

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import workflows
from engine.tables import metadata
from tests.conftest import KINDS, START, new_database
from tests.golden.house import FOLDER
from tests.reliability.dumps import dump, record
from tests.reliability.installation import Installation
from tests.reliability.test_crash_points import deaths
from tests.story import Clock, Story
from workflows.store.tables import migrate, open_database
from workflows.transaction.projections import rebuild

OLDER = sorted({path.name.split(".")[0] for path in FOLDER.glob("schema-*.sql.xz")})
CASE = "SR-2026-{:06}"
LEAST = 5


def pytest_generate_tests(metafunc):
    if "left" in metafunc.fixturenames:
        kinds = KINDS[metafunc.config.getoption("--db")]
        marks = {"sqlite": (), "pg": pytest.mark.postgres}
        both = [pytest.param(f"{n}.{k}", marks=marks[k]) for n in OLDER for k in kinds]
        metafunc.parametrize("left", both, indirect=True)


@pytest.fixture
def left(request, tmp_path):
    """A function that makes one more database as the older release left it; its address."""
    name, _, kind = request.param.partition(".")
    sql = lzma.decompress((FOLDER / f"{name}.{kind}.sql.xz").read_bytes()).decode()
    numbers = count(1)
    if kind == "sqlite":
        return lambda: fill_sqlite(tmp_path / f"old{next(numbers)}.db", sql)
    server, own = request.getfixturevalue("postgres_server"), abs(hash(request.node.nodeid))
    return lambda: fill_postgres(new_database(server, f"old_{own:x}_{next(numbers)}"), sql)


@pytest.fixture
def older(left):
    """Such a database, opened."""
    database = open_database(left())
    yield database
    database.dispose()


def fill_sqlite(path, sql):
    with sqlite3.connect(path) as connection:
        connection.executescript(sql)
    connection.close()
    return f"sqlite:///{path}"


def fill_postgres(url, sql):
    opened = sa.create_engine(url)
    with opened.connect() as connection:
        connection.connection.driver_connection.execute(sql)
        connection.connection.driver_connection.commit()
    opened.dispose()
    return url


@pytest.fixture
def story(older):
    """The same house in the hands of today's release, some minutes later."""
    migrate(older)
    later = Clock(START)
    later.move("PT10M")
    return Story(older, later)


def of(story, number):
    story.case_id = CASE.format(number)
    return story


def test_the_schema_becomes_what_the_rooms_declare(older):
    for room in pkgutil.walk_packages(workflows.__path__, "workflows."):
        if ".migrations" not in room.name:
            importlib.import_module(room.name)
    migrate(older)

    with older.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, metadata) == []


def test_nothing_of_the_record_is_touched_and_all_of_it_proves_itself(older):
    before = record(older)

    migrate(older)

    assert record(older) == before
    told = Story(older, Clock(START))
    proofs = list(told.history.verify_all())
    assert len(proofs) == 7
    assert [proof for proof in proofs if not proof.ok] == []
    rows = dump(older)
    with older.begin() as connection:
        rebuild(connection, told.catalog)
    assert dump(older) == rows


def test_dying_at_any_step_of_a_migration_leaves_the_old_schema(left, tmp_path, campaign):
    """The first house tells how many steps there are; the second is left at each but the last."""
    first, second = Installation(tmp_path, left()), Installation(tmp_path, left())
    numbers = [str(number) for number in range(1, 300)]
    moments = len(deaths(first, "migrate", numbers))
    before = looks(second)

    died = deaths(second, "migrate", numbers[: moments - 1])

    assert "answered" not in died.values()
    assert len(died) > LEAST
    assert looks(second) == before
    assert looks(first) != before
    campaign.tell("R5", moments=len(died), old_state=len(died), between=0)


def looks(house):
    """The columns and indexes of every table, and what the migrations say."""
    with house.opened() as database:
        seen = sa.inspect(database)
        names = seen.get_table_names()
        columns = {(name, column["name"]) for name in names for column in seen.get_columns(name)}
        indexes = {index["name"] for name in names for index in seen.get_indexes(name)}
        with database.connect() as connection:
            version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
    return version, columns, indexes


def test_every_running_case_goes_on(story, campaign):
    before = record(story.database)
    officer = story.person("lz.officer")

    draft = story.inbox.draft(of(story, 1).task("check"), officer)
    assert draft.values == {"opinion": "写到一半"}
    assert of(story, 1).complete("check", "lz.officer", outcome="accepted").is_waiting_at("review")
    assert of(story, 2).do("fix", "app01", days=5).is_waiting_at("check")
    story.commands.resume_case(CASE.format(5), "鉴定已完成可恢复", actor=story.person("prov.officer"))
    assert of(story, 7).do("check", "lz.officer", outcome="accepted").is_waiting_at("review")
    story.pass_time("P4D")

    assert of(story, 3).notices() == ["late to municipal_leader@620100"]
    assert of(story, 4).notices() == ["decided to app01"]
    assert of(story, 5).notices() == ["late to municipal_leader@620100"]
    assert of(story, 6).rows_of_case()["status"] == "completed"
    assert story.start().case_id == CASE.format(8)
    assert set(before) <= set(record(story.database))
    assert all(proof.ok for proof in story.history.verify_all())
    campaign.tell("R30", older_schemas=1, running_cases=6, stuck=0)
