"""What the years after a title bring: scores and who stands last, green codes, targets to pull others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import sqlalchemy as sa

from engine.tables import metadata
from workflows.register.rows import Row, found, job_number, once, put, text
from workflows.register.units import names_of

GRADES = ("A+", "A", "B")


def _year() -> sa.Column[int]:
    return sa.Column("year", sa.Integer, nullable=False)


yearly_scores = sa.Table(
    "yearly_scores",
    metadata,
    sa.Column("case_id", sa.Text, primary_key=True),
    job_number(),
    *map(text, ("unit", "track", "level", "score")),  # the score as it was written
    _year(),
    sa.Column("since", sa.Date, nullable=False),  # the day it was recorded
    sa.Index(None, "track", "level", "year"),
)

green_codes = sa.Table(
    "green_codes",
    metadata,
    sa.Column("case_id", sa.Text, primary_key=True),
    job_number(),
    *map(text, ("unit", "code", "grade")),  # an empty grade says that the code is void
    _year(),
    sa.Column("since", sa.Date, nullable=False),
    sa.Column("valid_until", sa.Date),  # the last day
    sa.Index(None, "unit"),
)

pull_targets = sa.Table(
    "pull_targets",
    metadata,
    *(sa.Column(name, sa.Text, primary_key=True) for name in ("case_id", "unit", "track")),
    sa.Column("year", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("target", sa.Text, primary_key=True),  # the track that others shall be pulled into
    sa.Column("count", sa.Integer, nullable=False),
    sa.Index(None, "unit", "year"),
)


@dataclass(frozen=True, kw_only=True)
class Last:
    """A unit among the last of a year: its place from the top, and for how many years in a row it is."""

    unit: str
    name: str
    score: Decimal
    rank: int
    years_in_a_row: int


def record_score(
    connection: sa.Connection,
    *,
    case_id: str,
    number: int,
    unit: str,
    track: str,
    level: str,
    year: int,
    score: Decimal,
    since: date,
) -> None:
    """Keep a unit's score of a year; the newest counts."""
    row = {"case_id": case_id, "number": number, "unit": unit, "track": track, "level": level}
    once(connection, yearly_scores, {**row, "year": year, "score": str(score), "since": since})


def last_of(
    connection: sa.Connection, *, track: str, level: str, year: int, share: Decimal, years: int, on: date
) -> tuple[Last, ...]:
    """Who is among the last `share` of a year's scores, the lowest first, and for how many years in a row,
    at most `years` (F54). A share of a unit is no unit, and nobody is last whom another of the same score
    keeps company above the line (both inferred)."""
    standings = [_standing(connection, track, level, year - back, on) for back in range(years)]
    lasts = [_lowest(scores, share) for scores in standings]
    now = standings[0] if standings else {}
    lowest = sorted(lasts[0] if lasts else (), key=lambda unit: (now[unit][0], unit))
    return tuple(
        Last(
            unit=unit,
            name=now[unit][1],
            score=now[unit][0],
            rank=1 + sum(score > now[unit][0] for score, _ in now.values()),
            years_in_a_row=_in_a_row(unit, lasts),
        )
        for unit in lowest
    )


Scores = Mapping[str, tuple[Decimal, str]]


def _standing(connection: sa.Connection, track: str, level: str, year: int, on: date) -> Scores:
    """Unit → its newest score of the year and its name."""
    y = yearly_scores.c
    query = sa.select(y.unit, y.score, *names_of(y.unit)).where(y.track == track, y.level == level)
    newest = (y.since, y.case_id, y.number)
    rows = connection.execute(query.where(y.year == year, y.since <= on).order_by(*newest), {"on": on})
    return {row.unit: (Decimal(row.score), row.name) for row in rows}


def _lowest(scores: Scores, share: Decimal) -> frozenset[str]:
    most = int(share * len(scores))
    return frozenset(
        unit
        for unit, (score, _) in scores.items()
        if sum(other <= score for other, _ in scores.values()) <= most
    )


def _in_a_row(unit: str, lasts: list[frozenset[str]]) -> int:
    return next((back for back, last in enumerate(lasts) if unit not in last), len(lasts))


def record_green_code(
    connection: sa.Connection,
    *,
    case_id: str,
    number: int,
    unit: str,
    year: int,
    code: str,
    grade: str,
    since: date,
    valid_until: date | None,
) -> None:
    """Give a unit its green code of a year, or make it void with an empty grade (F49, F50)."""
    row = {"case_id": case_id, "number": number, "unit": unit, "year": year, "code": code, "grade": grade}
    once(connection, green_codes, {**row, "since": since, "valid_until": valid_until})


def green_code_of(connection: sa.Connection, unit: str, *, on: date) -> Row | None:
    """The green code a unit shows on a day: code, grade, year, valid_until. None if there is none, it has
    become void, or it has run out."""
    g = green_codes.c
    newest = (g.year.desc(), g.since.desc(), g.case_id.desc(), g.number.desc())
    query = sa.select(green_codes).where(g.unit == unit, g.since <= on).order_by(*newest).limit(1)
    row = next(iter(found(connection, query)), None)
    if row is None or not row["grade"]:
        return None
    return row if row["valid_until"] is None or row["valid_until"] >= on else None


def record_pull(
    connection: sa.Connection,
    *,
    case_id: str,
    unit: str,
    track: str,
    year: int,
    targets: Mapping[str, int],
) -> None:
    """How many firms a park or supply-chain leader shall pull into which tracks in a year (F28, F29)."""
    key = {"case_id": case_id, "unit": unit, "track": track, "year": year}
    for target, count in targets.items():
        put(connection, pull_targets, {**key, "target": target, "count": count})


def pull_targets_of(connection: sa.Connection, unit: str, *, year: int) -> Mapping[str, int]:
    """Track → how many firms the unit shall pull into it in a year; of several, the newest case's."""
    p = pull_targets.c
    query = sa.select(pull_targets).where(p.unit == unit, p.year == year).order_by(p.case_id)
    return {row["target"]: row["count"] for row in found(connection, query)}
