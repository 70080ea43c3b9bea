"""Count what a letter sets off; a house of today has the table from its first schema."""

from __future__ import annotations

from alembic import op

from workflows.store.tables import echoes

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table where it is not there yet."""
    echoes.create(op.get_bind(), checkfirst=True)


def downgrade() -> None:
    """Forget the counts."""
    echoes.drop(op.get_bind(), checkfirst=True)
