"""The outbox with its log and its subscriptions, and leases that count failures."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workflows.store.tables import leases
from workflows.transaction.outbox import delivery_log, outbox, subscriptions

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = (outbox, delivery_log, subscriptions)
COUNTED = (leases.c.failures, leases.c.trouble, leases.c.set_aside_at)


def upgrade() -> None:
    """Create what is not there yet; a database that is made anew has it from its tables."""
    connection = op.get_bind()
    for table in TABLES:
        table.create(connection, checkfirst=True)
    there = {column["name"] for column in sa.inspect(connection).get_columns("leases")}
    for column in COUNTED:
        if column.name not in there:
            op.add_column("leases", column._copy())
    for index in leases.indexes:
        index.create(connection, checkfirst=True)


def downgrade() -> None:
    """What waits to leave the house is forgotten."""
    for index in leases.indexes:
        index.drop(op.get_bind(), checkfirst=True)
    for column in COUNTED:
        op.drop_column("leases", column.name)
    for table in TABLES:
        table.drop(op.get_bind(), checkfirst=True)
