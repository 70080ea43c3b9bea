"""Indexes over what few tasks are; a database that is made anew has them from its tables."""

from __future__ import annotations

from alembic import op

from workflows.store.tables import RARE, tasks

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NAMES = {f"ix_tasks_rare_{name}" for name in RARE}


def upgrade() -> None:
    """Create those that are not there."""
    for index in tasks.indexes:
        if index.name in NAMES:
            index.create(op.get_bind(), checkfirst=True)


def downgrade() -> None:
    """Drop them."""
    for index in tasks.indexes:
        if index.name in NAMES:
            index.drop(op.get_bind(), checkfirst=True)
