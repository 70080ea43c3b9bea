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
from workflows.tables import Moment, cases, migrate, open_database


def test_the_migrations_make_exactly_what_the_rooms_declare(database):
    for room in pkgutil.walk_packages(workflows.__path__, "workflows."):
        if ".migrations" not in room.name:
            importlib.import_module(room.name)

    with database.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, metadata) == []


def test_migrating_twice_changes_nothing(database):
    before = sorted(sa.inspect(database).get_table_names())

    migrate(database)

    assert sorted(sa.inspect(database).get_table_names()) == before


def test_an_acknowledged_commit_is_durable(database):
    assert_durable(database)


def test_other_databases_are_refused():
    with pytest.raises(ValueError, match="sqlite or postgresql"):
        open_database("mysql://localhost/tidu")


def test_every_table_of_a_case_has_the_case_in_its_key():
    with_case = [table for table in metadata.tables.values() if "case_id" in table.c]
    free = {"operations", "evidence"}  # a record may be of no case; a file is uploaded before there is one

    assert [t.name for t in with_case if "case_id" not in t.primary_key.columns and t.name not in free] == []


def test_a_moment_comes_back_as_it_went_in(database):
    with database.connect() as connection:
        found = connection.scalar(sa.select(sa.literal(START, Moment)))

    assert found == START
    assert isinstance(cases.c.started_at.type, Moment)
