"""The order over all entries and the checkpoints; a database that is made anew has them from its tables."""

from __future__ import annotations

from alembic import op

from engine.tables import blocks, positions
from workflows.proof.checkpoints.records import checkpoints

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

NEW = (positions, blocks, checkpoints)


def upgrade() -> None:
    """Create those that are not there; entries get their positions with the next checkpoint."""
    for table in NEW:
        table.create(op.get_bind(), checkfirst=True)


def downgrade() -> None:
    """Drop them."""
    for table in reversed(NEW):
        table.drop(op.get_bind(), checkfirst=True)
