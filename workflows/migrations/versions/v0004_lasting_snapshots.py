"""Snapshots that stay, of a long history; a database that is made anew has the column from its table."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Those that are there give way to the next one."""
    if "lasting" not in {column["name"] for column in sa.inspect(op.get_bind()).get_columns("snapshots")}:
        lasting = sa.Column("lasting", sa.Boolean, nullable=False, server_default=sa.false())
        op.add_column("snapshots", lasting)


def downgrade() -> None:
    """All give way."""
    op.drop_column("snapshots", "lasting")
