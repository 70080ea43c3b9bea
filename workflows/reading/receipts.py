"""Receipts: what somebody without an account may learn of the case they began, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from engine.errors import NotFound
from workflows.actors.policy import Actor
from workflows.store.tables import cases, tasks


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """Where a report stands: `steps` are the names (zh, en) of the tasks that wait."""

    case_id: str
    name: str
    name_en: str
    status: str
    received_at: datetime
    ended_at: datetime | None
    steps: tuple[tuple[str, str], ...]


def receipt(connection: sa.Connection, case_id: str, reporter: Actor) -> Receipt:
    """The state of a case for whoever began it. Raises NotFound, alike for a wrong number and secret."""
    mine = (cases.c.case_id == case_id) & (cases.c.started_by == reporter.id)
    row = connection.execute(sa.select(cases).where(mine)).mappings().first()
    if row is None:
        raise NotFound("there is no report of this number and secret", code="REPORT_NOT_FOUND")
    return Receipt(
        case_id=row["case_id"],
        name=row["process_name"],
        name_en=row["process_name_en"],
        status=row["status"],
        received_at=row["started_at"],
        ended_at=row["ended_at"],
        steps=tuple((step.name, step.name_en) for step in connection.execute(_STEPS, {"case_id": case_id})),
    )


_STEPS = (
    sa.select(tasks.c.name, tasks.c.name_en)
    .where(tasks.c.case_id == sa.bindparam("case_id"), tasks.c.state.in_(("ready", "claimed")))
    .order_by(tasks.c.created_at, tasks.c.task_id)
)
