"""For which title each application of a season is: mostly green factories, some of every other track."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from workflows.demo.chance import Chance
from workflows.demo.waiting import is_model
from workflows.register.tracks import find_track

FIRST = "gf"
"""The track of the first application, and of those that stop at a desk."""


@dataclass(frozen=True)
class Share:
    """So many of a hundred applications, filled after this example of the track's process."""

    percent: int
    example: str


SHARES = {
    FIRST: Share(60, "straight_to_national"),
    "sc": Share(10, "provincial_title"),
    "gp": Share(10, "provincial_title"),
    "we": Share(10, "to_provincial_title"),
    "wp": Share(10, "decided_with_water_resources"),
}


def process_of(number: int, chance: Chance) -> str:
    """The process that application `number` begins."""
    weights = {track: share.percent for track, share in SHARES.items()}
    track = FIRST if is_model(number) else chance.about("track", number).weighted(weights)
    return find_track(track).process


def examples() -> dict[str, str]:
    """The process of each track of the season, and the example its applications are filled after."""
    return {find_track(track).process: share.example for track, share in SHARES.items()}


def ranks(kinds: Mapping[str, tuple[str, ...]], applications: int, chance: Chance) -> list[int]:
    """The place of each application among those for the same kinds of units; `kinds` are by process."""
    begun: Counter[tuple[str, ...]] = Counter()
    places = []
    for number in range(applications):
        alike = kinds[process_of(number, chance)]
        places.append(begun[alike])
        begun[alike] += 1
    return places
