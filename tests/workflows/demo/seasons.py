"""Seasons played for tests: on a database of one's own, and what their journals came to."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from tests.house.tree import ROOT
from workflows.demo.furnish import furnish
from workflows.demo.season import Season, Summary
from workflows.library.catalog import Catalog
from workflows.proof.evidence import Store
from workflows.store.tables import open_database

EARLY = datetime(2024, 6, 20, tzinfo=UTC)


def play(url: str, folder: Path, *, cases: int, seed: int) -> Summary:
    """Play a season into the migrated database at `url`; evidence goes into `folder`."""
    database = open_database(url)
    library = Catalog(database)
    with database.begin() as connection:
        library.load_library(connection, ROOT / "bpmn", at=EARLY)
        furnish(connection, cases, now=EARLY)
    summary = Season(database, library, seed=seed, files=Store(folder)).play(cases)
    database.dispose()
    return summary


def digests(url: str) -> dict[str, str]:
    """Each case's last digest: it stands for everything that was ever recorded of it."""
    rows = query(url, "SELECT case_id, digest FROM journal ORDER BY seq")
    return {row.case_id: row.digest for row in rows}


def query(url: str, text: str) -> list[sa.Row]:
    database = open_database(url)
    with database.connect() as connection:
        rows = list(connection.execute(sa.text(text)))
    database.dispose()
    return rows
