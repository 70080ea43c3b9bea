"""Rule sets that are edited and approved, amended clauses, and what definitions were held against."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workflows.register.batches import batches
from workflows.register.clauses import amendments, pins
from workflows.register.rule_sets import rule_sets
from workflows.register.rules import stored_rules
from workflows.store.contents import keep

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES = (rule_sets, amendments, pins)


def upgrade() -> None:
    """Create what is not there yet. Cases are told more of the same rules: it stands where they look."""
    here = op.get_bind()
    for table in TABLES:
        table.create(here, checkfirst=True)
    for content in here.scalars(sa.select(batches.c.rules)).all():
        keep(here, {"rules": stored_rules(content).shared.text.encode()})


def downgrade() -> None:
    """What was drafted and amended is forgotten; cases keep the rules they were started with."""
    for table in TABLES:
        table.drop(op.get_bind(), checkfirst=True)
