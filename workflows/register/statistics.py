"""How many titles stand on a day, by authority, track, level and the year they were given."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from workflows.register.changes import standing
from workflows.register.tracks import levels


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


def at_highest(connection: sa.Connection, *, on: date) -> dict[tuple[str, str], int]:
    """How many units bear a title on a day, by track and level; each unit counts once on a track, at the
    highest level it bears there. So lists are published that keep national units apart from provincial."""
    order = {level: place for place, level in enumerate(levels())}
    highest: dict[tuple[str, str], str] = {}
    for row in standing(connection, on=on):
        bearer, level = (row["unit"], row["track"]), row["level"]
        highest[bearer] = max(highest.get(bearer, level), level, key=order.__getitem__)
    return dict(sorted(Counter((track, level) for (_, track), level in highest.items()).items()))


def summed(cells: dict[Cell, int], *names: str) -> dict[tuple[str | int, ...], int]:
    """The counts by some of the four, `authority`, `track`, `level`, `year`, added up over the others."""
    sums: Counter[tuple[str | int, ...]] = Counter()
    for cell, count in cells.items():
        sums[tuple(getattr(cell, name) for name in names)] += count
    return dict(sums)
