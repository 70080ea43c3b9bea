"""A furnished database to measure on: its schema, the demonstration's people, the packages drawn here."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from engine.tables import assert_durable
from workflows.actors.people import find_person, load_organisations
from workflows.actors.policy import Actor
from workflows.library.catalog import Catalog
from workflows.library.packages import read_folder
from workflows.register.batches import load_batches
from workflows.store.tables import migrate, open_database

DRAWN = Path(__file__).parent / "drawn"
CASE, LOOP = "bench_case", "bench_loop"
NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)


class House:
    """The rooms below the doors need no more than this; opening it twice on one database is safe."""

    def __init__(self, url: str, *, threads: int = 1) -> None:
        self.url = url
        self.database = open_database(url, pool_size=threads + 4)
        migrate(self.database)
        assert_durable(self.database)
        self.library = Catalog(self.database)
        with self.database.begin() as connection:
            load_organisations(connection, now=NOW)
            load_batches(connection, now=NOW)
            for name in (CASE, LOOP):
                self.library.deploy(connection, read_folder(DRAWN / name), by="bench", at=NOW)

    def person(self, name: str) -> Actor:
        with self.reading() as connection:
            return find_person(connection, name)

    def reading(self) -> sa.Connection:
        """A connection that only looks."""
        return self.database.connect().execution_options(reading=True)

    def close(self) -> None:
        self.database.dispose()
