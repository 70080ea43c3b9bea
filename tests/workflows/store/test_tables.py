"""The schema: what the migrations make is what the rooms declare, on both databases, once and again."""

from __future__ import annotations

import importlib
import pkgutil

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import workflows
from engine.tables import assert_durable, metadata
from tests.conftest import START
from workflows.store.columns import Moment
from workflows.store.tables import cases, migrate, open_database, tasks


def test_the_migrations_make_exactly_what_the_rooms_declare(database):
    for room in pkgutil.walk_packages(workflows.__path__, "workflows."):
        if ".migrations" not in room.name:
            importlib.import_module(room.name)

    with database.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, metadata) == []


def test_a_command_waits_for_another_for_seconds_and_not_for_minutes(database):
    with database.connect() as connection:
        if database.dialect.name == "postgresql":
            assert connection.exec_driver_sql("SHOW lock_timeout").scalar() == "2s"
        else:
            assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 10_000


def test_migrating_twice_changes_nothing(database):
    before = sorted(sa.inspect(database).get_table_names())

    migrate(database)

    assert sorted(sa.inspect(database).get_table_names()) == before


def test_a_database_of_an_older_release_gets_what_it_lacks(database):
    added = {index.name for index in tasks.indexes if str(index.name).startswith("ix_tasks_rare")}
    with database.begin() as connection:
        for name in added:
            connection.exec_driver_sql(f"DROP INDEX {name}")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")

    migrate(database)

    assert added <= {index["name"] for index in sa.inspect(database).get_indexes("tasks")}


def test_an_acknowledged_commit_is_durable(database):
    assert_durable(database)


def test_other_databases_are_refused():
    with pytest.raises(ValueError, match="sqlite or postgresql"):
        open_database("mysql://localhost/tidu")


def test_a_moment_comes_back_as_it_went_in(database):
    with database.connect() as connection:
        found = connection.scalar(sa.select(sa.literal(START, Moment)))

    assert found == START
    assert isinstance(cases.c.started_at.type, Moment)


@pytest.mark.postgres
def test_connections_that_the_server_ended_are_replaced_before_they_are_used(database_url):
    database = open_database(database_url("pg"))
    several = [database.connect() for _ in range(3)]
    processes = [one.exec_driver_sql("SELECT pg_backend_pid()").scalar_one() for one in several]
    for one in several[1:]:
        one.close()
    kill = sa.text("SELECT pg_terminate_backend(:process, 5000)")
    for process in processes[1:]:
        assert several[0].scalar(kill, {"process": process})
    several[0].close()

    again = [database.connect() for _ in range(3)]
    found = [one.exec_driver_sql("SELECT pg_backend_pid()").scalar_one() for one in again]

    assert set(found) & set(processes) == {processes[0]}
    for one in again:
        one.close()
    database.dispose()
