"""Places of a quota, and which case holds one."""

from __future__ import annotations

from alembic import op

from workflows.store.tables import places

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing was counted before: who was recommended then holds no place."""
    places.create(op.get_bind(), checkfirst=True)


def downgrade() -> None:
    """Quotas are shown and not counted again."""
    places.drop(op.get_bind(), checkfirst=True)
