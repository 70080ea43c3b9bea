"""The register as of any day: removals, transfers, names, mergers and what the years bring are rows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workflows.register.bans import bans
from workflows.register.batches import batch_closings, batches
from workflows.register.candidates import batch_candidates
from workflows.register.cultivation import cultivation_exits, cultivation_stages
from workflows.register.evaluators import evaluator_sanctions
from workflows.register.titles import designations, removals, transfers
from workflows.register.units import mergers, renames
from workflows.register.years import green_codes, pull_targets, yearly_scores

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLES = (
    *(removals, transfers, renames, mergers, bans, cultivation_exits, cultivation_stages),
    *(batch_candidates, batch_closings, evaluator_sanctions, yearly_scores, green_codes, pull_targets),
)
ADDED = (designations.c.body, batches.c.case_id)
DROPPED = (
    *(("designations", name) for name in ("removed_on", "removed_by", "ground")),
    *(("cultivation", name) for name in ("left_on", "stage", "ground")),
)


def upgrade() -> None:
    """No operation of before took a title away or barred a unit: what is dropped was never filled."""
    connection = op.get_bind()
    inspector = sa.inspect(connection)
    if "number" not in _columns(inspector, "bans"):
        op.drop_table("bans")
    for table in TABLES:
        table.create(connection, checkfirst=True)
    for column in ADDED:
        if column.name not in _columns(inspector, column.table.name):
            op.add_column(column.table.name, column._copy())
    for table_name, name in DROPPED:
        if name in _columns(inspector, table_name):
            op.drop_column(table_name, name)
    for index in designations.indexes:
        index.create(connection, checkfirst=True)


def _columns(inspector: sa.Inspector, table: str) -> set[str]:
    return {column["name"] for column in inspector.get_columns(table)}


def downgrade() -> None:
    """What the register says beyond titles and cultivation is forgotten."""
    connection = op.get_bind()
    for table in reversed(TABLES):
        table.drop(connection, checkfirst=True)
    for index in designations.indexes:
        if index.name and "designation_id" in index.name:
            index.drop(connection, checkfirst=True)
    for column in ADDED:
        op.drop_column(column.table.name, column.name)
