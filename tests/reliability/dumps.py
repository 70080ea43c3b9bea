"""What every query could see: all rows of tables, in an order of their own."""

from __future__ import annotations

import sqlalchemy as sa

from engine.tables import journal
from workflows.services import registry as services
from workflows.store.tables import READ_MODELS

VISIBLE = tuple(dict.fromkeys((*READ_MODELS, *services.written_tables())))
"""Everything that is written again from the journal."""


def dump(database: sa.Engine, tables: tuple[sa.Table, ...] = VISIBLE) -> dict[str, list[str]]:
    """Every row of every table as text, sorted by its key."""
    with database.connect().execution_options(reading=True) as connection:
        return {table.name: _rows(connection, table) for table in tables}


def record(database: sa.Engine) -> list[str]:
    """The journal, entry by entry."""
    return dump(database, (journal,))["journal"]


def _rows(connection: sa.Connection, table: sa.Table) -> list[str]:
    found = connection.execute(sa.select(table).order_by(*table.primary_key.columns)).mappings()
    return [repr(sorted(row.items())) for row in found]
