"""How many titles stand on a day, by authority, track, level and the year they were given."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from workflows.register.changes import standing


@dataclass(frozen=True, kw_only=True, order=True)
class Cell:
    """One place of the statistics."""

    authority: str
    track: str
    level: str
    year: int


def counted(connection: sa.Connection, *, on: date) -> dict[Cell, int]:
    """The titles that stand on a day; who has renewed one counts once, in the year of the renewal."""
    cells = (
        Cell(authority=row["authority"], track=row["track"], level=row["level"], year=row["decided_on"].year)
        for row in standing(connection, on=on)
    )
    return dict(sorted(Counter(cells).items()))


def summed(cells: dict[Cell, int], *names: str) -> dict[tuple[str | int, ...], int]:
    """The counts by some of the four, `authority`, `track`, `level`, `year`, added up over the others."""
    sums: Counter[tuple[str | int, ...]] = Counter()
    for cell, count in cells.items():
        sums[tuple(getattr(cell, name) for name in names)] += count
    return dict(sums)
