"""The first schema: the journal, the read models and the records, as the rooms declare them."""

from __future__ import annotations

from alembic import op

import workflows.actors.people
import workflows.actors.sessions
import workflows.proof.checkpoints.records
import workflows.proof.evidence
import workflows.register.batches
import workflows.services.registry
import workflows.store.tables
import workflows.transaction.outbox
from engine.tables import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table that the rooms declare."""
    metadata.create_all(op.get_bind())


def downgrade() -> None:
    """Drop every table that the rooms declare."""
    metadata.drop_all(op.get_bind())
