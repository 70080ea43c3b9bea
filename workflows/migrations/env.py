"""Where alembic meets our tables, on the connection that `workflows.store.tables.migrate` hands it."""

from __future__ import annotations

from alembic import context

import workflows.actors.people
import workflows.actors.sessions
import workflows.actors.tokens
import workflows.proof.checkpoints.records
import workflows.proof.evidence
import workflows.register.batches
import workflows.register.clauses
import workflows.register.rule_sets
import workflows.services.registry
import workflows.store.tables
import workflows.transaction.outbox
from engine.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transaction_per_migration=False,
)
context.run_migrations()
