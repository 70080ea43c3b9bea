"""Candidates of a batch: units' cases that wait for the meeting, and their order."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from engine.tables import metadata
from workflows.actors.people import authorities, units
from workflows.register.rows import Row, found, put, text
from workflows.register.units import names_of
from workflows.store.tables import GOING_ON, cases

batch_candidates = sa.Table(
    "batch_candidates",
    metadata,
    *(sa.Column(name, sa.Text, primary_key=True) for name in ("case_id", "batch", "track", "level")),
    *map(text, ("unit", "score", "proposal")),  # the score as it was written, empty without one
    sa.Column("opinions", sa.Integer, nullable=False, default=0),  # how many object
    sa.Column("place", sa.Integer),  # in the order of the authority that recommends
    sa.Index(None, "batch", "level"),
)


def candidate_id(case_id: str, *, batch: str, track: str, level: str) -> str:
    """The name of a case's candidacy."""
    return f"{case_id}-{batch}-{track}-{level}"


def record_candidate(
    connection: sa.Connection,
    *,
    case_id: str,
    batch: str,
    unit: str,
    track: str,
    level: str,
    score: Decimal | None,
    proposal: str,
    opinions: int = 0,
    place: int | None = None,
) -> None:
    """Enter a case among the candidates of a batch; entered again, its newest word counts."""
    key = {"case_id": case_id, "batch": batch, "track": track, "level": level}
    row = {"unit": unit, "score": "" if score is None else str(score), "proposal": proposal}
    put(connection, batch_candidates, {**key, **row, "opinions": opinions, "place": place})


def candidates_of(
    connection: sa.Connection, batch: str | None, *, track: str | None, level: str, on: date
) -> tuple[Row, ...]:
    """The candidates whose cases go on, by track, then the highest score, then the name (P7).

    Of all batches if none is named: who was deferred stands there still. Each with its `rank` within its
    track; who has no score comes last.
    """
    c = batch_candidates.c
    query = _CANDIDATES.where(c.level == level)
    query = query.where(c.batch == batch) if batch else query
    rows = found(connection, query.where(c.track == track) if track else query, on=on)
    return _ranked(sorted(map(_scored, rows), key=_order))


_CANDIDATES = (
    sa.select(
        batch_candidates,
        *names_of(batch_candidates.c.unit),
        units.c.authority,
        authorities.c.name.label("authority_name"),
    )
    .join(cases, cases.c.case_id == batch_candidates.c.case_id)
    .join(units, units.c.id == batch_candidates.c.unit)
    .join(authorities, authorities.c.code == units.c.authority)
    .where(cases.c.status.in_(GOING_ON))
)


def _scored(row: Row) -> dict[str, Any]:
    return {**row, "score": Decimal(row["score"]) if row["score"] else None}


def _order(row: Row) -> tuple[Any, ...]:
    score = row["score"]
    return (row["track"], score is None, -score if score is not None else 0, row["name"], row["case_id"])


def _ranked(rows: list[dict[str, Any]]) -> tuple[Row, ...]:
    seen: dict[str, int] = {}
    for row in rows:
        row["rank"] = seen[row["track"]] = seen.get(row["track"], 0) + 1
    return tuple(rows)
