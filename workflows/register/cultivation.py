"""The cultivation database: units on their way, how far they are, and why they left."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import sqlalchemy as sa

from engine.tables import metadata
from workflows.register.rows import Row, found, job_number, once, text
from workflows.register.titles import last_day
from workflows.register.units import ON
from workflows.store.columns import Document

REGISTERED = "registered"
STAGES = ("diagnosed", "improving", "pre_assessed", "ready", "promoted")
GROUNDS = ("promoted", "withdrawn", "removed_veto", "no_progress", "expired")

cultivation = sa.Table(
    "cultivation",
    metadata,
    sa.Column("case_id", sa.Text, primary_key=True),
    sa.Column("unit", sa.Text, primary_key=True),
    sa.Column("track", sa.Text, primary_key=True),
    sa.Column("entered_on", sa.Date, nullable=False),
    sa.Column("valid_until", sa.Date),
    sa.Column("target_year", sa.Integer),
    sa.Index(None, "unit"),
)

cultivation_exits = sa.Table(
    "cultivation_exits",
    metadata,
    sa.Column("case_id", sa.Text, primary_key=True),
    sa.Column("entry_id", sa.Text, primary_key=True),
    *map(text, ("unit", "track", "ground")),
    sa.Column("left_on", sa.Date, nullable=False),  # the first day outside
    sa.Index(None, "entry_id"),
)

cultivation_stages = sa.Table(
    "cultivation_stages",
    metadata,
    sa.Column("case_id", sa.Text, primary_key=True),
    job_number(),
    *map(text, ("unit", "track", "stage", "score")),  # the score as it was written, empty without one
    sa.Column("gaps", Document, nullable=False),
    sa.Column("since", sa.Date, nullable=False),
    sa.Index(None, "unit", "track"),
)

ENTRY_ID = cultivation.c.case_id + "-" + cultivation.c.track
_HAS_LEFT = sa.exists().where(cultivation_exits.c.entry_id == ENTRY_ID, cultivation_exits.c.left_on <= ON)
STANDS = (
    (cultivation.c.entered_on <= ON)
    & (cultivation.c.valid_until.is_(None) | (cultivation.c.valid_until >= ON))
    & ~_HAS_LEFT
)
"""Whether an entry stands on the day `:on`."""

OF_UNIT = (
    sa.select(cultivation, ENTRY_ID.label("entry_id"))
    .where(cultivation.c.unit == sa.bindparam("unit"), STANDS)
    .order_by(cultivation.c.track, cultivation.c.entered_on, cultivation.c.case_id)
)


def entry_id(case_id: str, track: str) -> str:
    """The name of a case's entry for a track."""
    return f"{case_id}-{track}"


def enter_cultivation(
    connection: sa.Connection,
    *,
    case_id: str,
    unit: str,
    track: str,
    on: date,
    valid_years: int | None,
    target_year: int | None = None,
) -> None:
    """Enter a unit into the cultivation database for one track (F10, F26)."""
    row = {"case_id": case_id, "unit": unit, "track": track, "entered_on": on, "target_year": target_year}
    once(connection, cultivation, {**row, "valid_until": last_day(on, valid_years)})


def leave_cultivation(
    connection: sa.Connection,
    entry_ids: Iterable[str],
    *,
    case_id: str,
    unit: str,
    track: str,
    ground: str,
    on: date,
) -> None:
    """End entries: from this day on the unit is outside."""
    facts = {"case_id": case_id, "unit": unit, "track": track, "ground": ground, "left_on": on}
    for entry in entry_ids:
        once(connection, cultivation_exits, {**facts, "entry_id": entry})


def entries_of(connection: sa.Connection, unit: str, *, on: date) -> tuple[Row, ...]:
    """The entries of a unit that stand on a day, by track: entry_id, track, entered_on, valid_until."""
    return found(connection, OF_UNIT, unit=unit, on=on)


def cultivated(connection: sa.Connection, unit: str, *, on: date) -> tuple[str, ...]:
    """The tracks for which a unit is in the cultivation database on a day."""
    return tuple(dict.fromkeys(entry["track"] for entry in entries_of(connection, unit, on=on)))


def record_stage(
    connection: sa.Connection,
    *,
    case_id: str,
    number: int,
    unit: str,
    track: str,
    stage: str,
    score: str = "",
    gaps: Iterable[str] = (),
    since: date,
) -> None:
    """How far a unit has come on its way (CD-3, CD-5)."""
    row = {"case_id": case_id, "number": number, "unit": unit, "track": track, "stage": stage}
    once(connection, cultivation_stages, {**row, "score": score, "gaps": list(gaps), "since": since})


def stages_of(connection: sa.Connection, unit: str, *, track: str, on: date) -> tuple[Row, ...]:
    """How far a unit had come by a day, newest first: stage, score, gaps, since."""
    s = cultivation_stages.c
    query = sa.select(cultivation_stages).where(s.unit == unit, s.track == track, s.since <= on)
    newest = (s.since.desc(), s.case_id.desc(), s.number.desc())
    return found(connection, query.order_by(*newest))
