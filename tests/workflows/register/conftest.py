"""A register with the organisations and the batch a new installation has."""

from __future__ import annotations

import pytest

from engine.tables import metadata
from tests.workflows.register.parts import NOW
from workflows.actors import people
from workflows.register import batches
from workflows.store.tables import open_database


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    database = open_database(f"sqlite:///{tmp_path_factory.mktemp('register') / 'register.sqlite'}")
    with database.begin() as connection:
        metadata.create_all(connection)
        people.load_organisations(connection, now=NOW)
        batches.load_batches(connection, now=NOW)
    yield database
    database.dispose()


@pytest.fixture
def connection(database):
    with database.connect() as connection:
        change = connection.begin()
        yield connection
        change.rollback()
