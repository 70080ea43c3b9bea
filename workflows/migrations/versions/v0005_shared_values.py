"""Rules where cases look them up; pages in the journal's own rows; no index that nobody asks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workflows.register.batches import batches
from workflows.register.rules import stored_rules
from workflows.store.contents import keep
from workflows.store.tables import operations

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

WHOLE_ROW = 8160
"""Bytes that may stand in a row before PostgreSQL cuts its texts into pieces of a quarter page, of which
only three fit into one: the most that it takes."""

UNASKED = (
    "ix_operations_case_id_number",
    "ix_operations_actor_number",
    "ix_operations_action_number",
)


def upgrade() -> None:
    """New cases name the rules by their digest; those that carry them stay as they are."""
    here = op.get_bind()
    for content in here.scalars(sa.select(batches.c.rules)).all():
        keep(here, {"rules": stored_rules(content).shared.text.encode()})
    for name in UNASKED:
        op.execute(f"DROP INDEX IF EXISTS {name}")
    for index in operations.indexes:
        index.create(here, checkfirst=True)
    if here.dialect.name == "postgresql":
        op.execute(f"ALTER TABLE journal SET (toast_tuple_target = {WHOLE_ROW})")


def downgrade() -> None:
    """What was kept harms nobody, and cases may have named it; an index makes nothing wrong."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE journal RESET (toast_tuple_target)")
