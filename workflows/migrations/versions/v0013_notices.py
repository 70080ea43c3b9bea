"""Removals that wait for a notice, and what each notice has named."""

from __future__ import annotations

from alembic import op

from workflows.register.pending import notice_items, pending_removals

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TABLES = (pending_removals, notice_items)


def upgrade() -> None:
    """What waits already waits for the day of the rules, as its drawing says."""
    for table in TABLES:
        table.create(op.get_bind(), checkfirst=True)


def downgrade() -> None:
    """Who waits for a notice is forgotten until the journals are read again."""
    for table in reversed(TABLES):
        table.drop(op.get_bind(), checkfirst=True)
