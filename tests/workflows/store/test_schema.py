"""A release changes no case in the database of another, at whatever moment that took it over."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import alembic.script
import pytest
import sqlalchemy as sa

from engine.errors import WrongState
from engine.tables import journal
from workflows.store import schema
from workflows.store.tables import alembic_config, migrate
from workflows.transaction.repetition import look_up
from workflows.work.worker import Worker

BEFORE = f"{int(schema.newest()) - 1:04}"
A_MOMENT = 0.3
"""Seconds in which a transaction that waits for nobody would have ended long ago."""


@pytest.fixture
def at(database):
    """A function that says which schema the database has; in the end it has ours."""

    def say(number: str) -> None:
        with database.begin() as connection:
            connection.execute(sa.text("UPDATE alembic_version SET version_num = :n"), {"n": number})

    yield say
    say(schema.newest())


def entries(database):
    with database.connect().execution_options(reading=True) as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(journal))


def test_the_schema_of_a_release_is_that_of_its_last_migration(database):
    with database.connect() as connection:
        scripts = alembic.script.ScriptDirectory.from_config(alembic_config(connection))
        assert schema.found(connection) == schema.newest() == scripts.get_current_head()


@pytest.mark.parametrize("number", ["0001", "9999"])
def test_in_the_database_of_another_release_no_case_changes(story, at, number):
    story.start()
    at(number)
    before = entries(story.database)

    with pytest.raises(WrongState) as refused:
        story.claim("check", "lz.officer")

    assert (refused.value.code, refused.value.facts["retry_after"]) == ("OTHER_RELEASE", schema.RETRY_AFTER)
    assert entries(story.database) == before
    at(schema.newest())
    story.claim("check", "lz.officer")


def test_a_worker_takes_no_work_there_and_nothing_is_set_aside(story, at):
    story.start().do("check", "lz.officer", outcome="accepted")
    at("9999")
    worker = Worker(story.database, story.commands, clock=story.clock)

    with pytest.raises(WrongState, match="another release"):
        worker.tick()

    at(schema.newest())
    assert story.pass_time("P4D").notices() != []


def test_a_migration_waits_for_the_commands_under_way(database, at):
    at(BEFORE)
    with ThreadPoolExecutor() as others:
        with database.begin() as command:
            look_up(command, [], [])
            migrating = others.submit(migrate, database)
            with pytest.raises(TimeoutError):
                migrating.result(timeout=A_MOMENT)
        migrating.result()


def test_a_command_that_comes_during_a_migration_finds_the_new_schema(story, at):
    """The next release migrates with the lock that this one migrates with, and only then says so."""
    story.start()
    with ThreadPoolExecutor() as others:
        with story.database.begin() as migration:
            if migration.dialect.name == "postgresql":
                migration.execute(sa.text(schema.ALONE))
            migration.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
            claiming = others.submit(story.claim, "check", "lz.officer")
            with pytest.raises(TimeoutError):
                claiming.result(timeout=A_MOMENT)
        with pytest.raises(WrongState, match="another release"):
            claiming.result()


def test_a_newer_database_is_not_migrated_by_an_older_release(database, at):
    at("9999")

    with pytest.raises(WrongState, match="9999"):
        migrate(database)
