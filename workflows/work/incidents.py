"""Failures that wait for a person: those a case knows of, and those of cases that cannot be worked on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from engine.errors import NotFound
from workflows.actors import duties
from workflows.actors.policy import Actor
from workflows.acts.task_acts import needs_reason
from workflows.store import leases
from workflows.store.leases import Aside
from workflows.store.tables import incidents
from workflows.transaction.change import demand, record_operation
from workflows.transaction.facts import case_of

MOST = 500


@dataclass(frozen=True, kw_only=True)
class Incident:
    """One failure; `resolved_at` is None while it waits."""

    incident_id: str
    case_id: str
    element: str
    code: str
    message: str
    job_id: str | None
    raised_at: datetime
    resolved_at: datetime | None
    resolved_by: str | None
    reason: str


def open_incidents(
    connection: sa.Connection, *, case_id: str = "", limit: int = MOST
) -> tuple[Incident, ...]:
    """The incidents that wait, the oldest first; of one case if it is named."""
    query = sa.select(incidents).where(incidents.c.resolved_at.is_(None))
    if case_id:
        query = query.where(incidents.c.case_id == case_id)
    order = query.order_by(incidents.c.raised_at, incidents.c.incident_id).limit(limit)
    return tuple(Incident(**row) for row in connection.execute(order).mappings())


def find_incident(connection: sa.Connection, incident_id: str) -> Incident:
    """One incident, open or resolved. Raises NotFound."""
    case_id = incident_id.rpartition(".")[0]
    here = (incidents.c.case_id == case_id) & (incidents.c.incident_id == incident_id)
    row = connection.execute(sa.select(incidents).where(here)).mappings().first()
    if row is None:
        raise NotFound(f"there is no incident {incident_id}", code="INCIDENT_NOT_FOUND")
    return Incident(**row)


def set_aside(connection: sa.Connection, *, limit: int = MOST) -> tuple[Aside, ...]:
    """Timers and jobs that the worker tries no more: nothing of it could be written to the case."""
    return leases.all_aside(connection, limit=limit)


def take_up_again(
    connection: sa.Connection, item: str, *, reason: str, actor: Actor, now: datetime, request_id: str = ""
) -> None:
    """The worker tries it again, as often as at first. Raises NotFound, NotAllowed, InvalidInput."""
    needs_reason(reason)
    demand(duties.may_mend(actor))
    leases.take_up_again(connection, case_of(item), item, now=now)
    what = {"action": "take_up_again", "entity": item, "case_id": case_of(item), "reason": reason}
    record_operation(connection, actor, **what, at=now, request_id=request_id)
