"""How many titles shall stand at the end: the stock published for mid-2024, smaller for a smaller season."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import sqlalchemy as sa

from workflows.register.bans import ban_of
from workflows.register.statistics import at_highest
from workflows.register.titles import duplicate, titles_of
from workflows.store.tables import reading

FULL = 3000
"""So many cases of units make the whole season, at whose end the published stock stands."""

PUBLISHED = {
    ("gf", "national"): 74,
    ("gf", "provincial"): 138,
    ("gp", "national"): 8,
    ("gp", "provincial"): 7,
    ("we", "provincial"): 46,
}
"""F16, by track and level: units at their highest level, for there are more national parks than provincial
ones. Supply chains and water-saving parks have no published number."""

FIRST_TRACK = "gf"
BEFORE_THE_SECOND_LIST = date(2025, 9, 1)
"""Until then the ministry lists no more than half."""


class Stock:
    """What stands, and what is still wanting."""

    def __init__(self, database: sa.Engine, cases: int) -> None:
        """`cases` is how many cases of units the season has."""
        self._database = database
        self.wanted = {place: _scaled(count, cases) for place, count in PUBLISHED.items()}
        first = FIRST_TRACK, "national"
        self.wanted[first] = max(self.wanted[first], 1)  # the first, fully filled case gets there

    @property
    def is_published(self) -> bool:
        """Whether what is wanted is the published stock itself."""
        return self.wanted == PUBLISHED

    def stands(self, on: date) -> Mapping[tuple[str, str], int]:
        """Units by track and highest level."""
        with reading(self._database) as connection:
            return at_highest(connection, on=on)

    def is_reached(self, on: date) -> bool:
        """Whether exactly as many stand as shall."""
        stands = self.stands(on)
        return all(stands.get(place, 0) == count for place, count in self.wanted.items())

    def levels_of(self, unit: str, track: str, on: date) -> set[str]:
        """The levels at which a unit bears the title of a track."""
        with reading(self._database) as connection:
            borne = titles_of(connection, unit, on=on)
        return {title.level for title in borne if title.track == track}

    def is_barred(self, unit: str, track: str, on: date) -> bool:
        """Whether a unit may not get the provincial title: it is banned, or bears it already."""
        with reading(self._database) as connection:
            ban = ban_of(connection, unit, on=on)
            return ban is not None or bool(
                duplicate(connection, unit, track=track, level="provincial", on=on)
            )

    def missing(self, on: date, share: Decimal) -> dict[str, int]:
        """How many units a meeting has to select on each track that has a number, so that this share of
        the stock stands at provincial level or above."""
        stands = self.stands(on)
        goals: dict[str, int] = {}
        for (track, _), count in self.wanted.items():
            goals[track] = goals.get(track, 0) + count
        if share < 1:  # the first case comes in the last year
            goals[FIRST_TRACK] -= 1
        return {
            track: max(_rounded(goal * share) - _above_municipal(stands, track), 0)
            for track, goal in goals.items()
        }

    def has_room(self, track: str, on: date, *, reserved: int) -> bool | None:
        """Whether the ministry may list one more; None on a track without a number. `reserved` places are
        for others."""
        goal = self.wanted.get((track, "national"))
        if goal is None:
            return None
        limit = goal if on >= BEFORE_THE_SECOND_LIST else (goal + 1) // 2
        return self.stands(on).get((track, "national"), 0) + reserved < limit


def _above_municipal(stands: Mapping[tuple[str, str], int], track: str) -> int:
    return sum(stands.get((track, level), 0) for level in ("provincial", "national"))


def _scaled(count: int, cases: int) -> int:
    return _rounded(Decimal(count * cases) / FULL)


def _rounded(number: Decimal) -> int:
    return int(number.quantize(Decimal(1), rounding=ROUND_HALF_UP))
