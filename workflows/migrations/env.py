"""Where alembic meets our tables: it works on the connection that `workflows.tables.migrate` hands it."""

from __future__ import annotations

from alembic import context

import workflows.checkpoints.records
import workflows.evidence
import workflows.outbox
import workflows.people
import workflows.register.batches
import workflows.register.titles
import workflows.sessions
import workflows.tables
import workflows.tokens  # noqa: F401  (declares its tables)
from engine.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transaction_per_migration=False,
)
context.run_migrations()
