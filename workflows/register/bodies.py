"""Who and what stands behind the register: evaluators with their projects, experts, batches."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from workflows.actors.people import evaluators, grants, persons
from workflows.register.batches import FACTS, batches
from workflows.register.evaluators import evaluator_projects, not_accepted_until
from workflows.register.rows import Row, found


def evaluators_on(connection: sa.Connection, *, on: date) -> tuple[Row, ...]:
    """Every evaluator with `projects`, its own of the day's year, and `until`, before which its reports are
    not accepted, null if they are."""
    p = evaluator_projects.c
    own = sa.select(sa.func.count()).where(p.evaluator == evaluators.c.id, p.year == on.year)
    query = sa.select(evaluators, own.scalar_subquery().label("projects")).order_by(evaluators.c.id)
    return tuple(
        {**row, "until": not_accepted_until(connection, row["id"], on=on)} for row in found(connection, query)
    )


def experts(connection: sa.Connection) -> tuple[Row, ...]:
    """Everybody in the group of experts, by id."""
    inside = (grants.c.person == persons.c.id) & (grants.c.kind == "group") & (grants.c.name == "expert")
    return found(connection, sa.select(persons).join(grants, inside).order_by(persons.c.id))


def every_batch(connection: sa.Connection) -> tuple[Row, ...]:
    """All rounds, the newest first: id, name, year, status, calendar, rules_digest, opened_at, case_id."""
    return found(connection, FACTS.order_by(batches.c.year.desc(), batches.c.id.desc()))
