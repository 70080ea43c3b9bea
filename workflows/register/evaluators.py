"""Evaluators' projects of a year, and whose reports are not accepted for a time."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from engine.errors import NotFound
from engine.tables import metadata
from workflows.actors.people import evaluators
from workflows.register.rows import job_number, once, text

KINDS = ("warning", "not_accepted")

evaluator_projects = sa.Table(
    "evaluator_projects",
    metadata,
    sa.Column("case_id", sa.Text, primary_key=True),
    sa.Column("evaluator", sa.Text, primary_key=True),
    sa.Column("year", sa.Integer, primary_key=True, autoincrement=False),
    *map(text, ("unit", "track", "level")),
    sa.Index(None, "evaluator", "year"),
)

evaluator_sanctions = sa.Table(
    "evaluator_sanctions",
    metadata,
    sa.Column("case_id", sa.Text, primary_key=True),
    job_number(),
    *map(text, ("evaluator", "kind", "ground")),
    sa.Column("since", sa.Date, nullable=False),
    sa.Column("until", sa.Date),  # the first day on which reports are accepted again; null for a warning
    sa.Index(None, "evaluator"),
)


def record_project(
    connection: sa.Connection, *, case_id: str, evaluator: str, year: int, unit: str, track: str, level: str
) -> None:
    """Count one project of an evaluator."""
    row = {"case_id": case_id, "evaluator": evaluator, "year": year}
    once(connection, evaluator_projects, {**row, "unit": unit, "track": track, "level": level})


def project_count(connection: sa.Connection, evaluator: str, *, year: int, level: str | None = None) -> int:
    """How many projects the evaluators of one legal representative have in a year (F43).

    `level` None counts all levels. The evaluator and all others with the same legal representative
    count together. Raises NotFound.
    """
    behind = find_evaluator(connection, evaluator)["legal_representative"]
    together = sa.select(evaluators.c.id).where(evaluators.c.legal_representative == behind)
    p = evaluator_projects.c
    counted = sa.select(sa.func.count()).where(p.evaluator.in_(together), p.year == year)
    return connection.execute(counted.where(p.level == level) if level else counted).scalar_one()


def record_sanction(
    connection: sa.Connection,
    *,
    case_id: str,
    number: int,
    evaluator: str,
    kind: str,
    ground: str,
    since: date,
    until: date | None,
) -> None:
    """Warn an evaluator, or accept its reports no more until a day (F80)."""
    row = {"case_id": case_id, "number": number, "evaluator": evaluator, "kind": kind, "ground": ground}
    once(connection, evaluator_sanctions, {**row, "since": since, "until": until})


def not_accepted_until(connection: sa.Connection, evaluator: str, *, on: date) -> date | None:
    """The first day on which an evaluator's reports are accepted again; None if they are. Raises NotFound."""
    known = find_evaluator(connection, evaluator)["not_accepted_until"]
    s = evaluator_sanctions.c
    standing = (s.evaluator == evaluator) & (s.since <= on) & (s.until > on)
    days = [day for day in connection.execute(sa.select(s.until).where(standing)).scalars() if day]
    if known and date.fromisoformat(known) > on:
        days.append(date.fromisoformat(known))
    return max(days, default=None)


def find_evaluator(connection: sa.Connection, evaluator: str) -> sa.RowMapping:
    """What is known of an evaluator. Raises NotFound."""
    query = sa.select(evaluators).where(evaluators.c.id == evaluator)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no evaluator {evaluator!r}", evaluator=evaluator)
    return row
