"""Cases that nobody sees by office."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workflows.store.tables import cases

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """No process of before was confined."""
    known = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("cases")}
    if cases.c.confined.name not in known:
        op.add_column("cases", cases.c.confined._copy())


def downgrade() -> None:
    """Whoever sees by office sees them again."""
    op.drop_column("cases", "confined")
