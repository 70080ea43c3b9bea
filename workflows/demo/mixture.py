"""For which title each application of a season is: mostly green factories, some of every other track."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workflows.demo.chance import Chance
from workflows.demo.plan import TRACKS, Intent, is_cast
from workflows.demo.waiting import DESKS
from workflows.register.tracks import find_track

FIRST = "gf"
"""The track of the first application, and of those that stop at a desk."""


@dataclass(frozen=True)
class Share:
    """So many of a hundred applications, filled after this example of the track's process."""

    percent: int
    example: str


SHARES = {
    FIRST: Share(56, "straight_to_national"),
    "sc": Share(9, "provincial_title"),
    "gp": Share(11, "provincial_title"),
    "we": Share(16, "to_provincial_title"),
    "wp": Share(8, "decided_with_water_resources"),
}


def process_of(number: int, chance: Chance) -> str:
    """The process that application `number` begins."""
    if is_cast(number):
        track = TRACKS[number - len(DESKS) - 1]
    elif number <= len(DESKS):
        track = FIRST
    else:
        weights = {track: share.percent for track, share in SHARES.items()}
        track = chance.about("track", number).weighted(weights)
    return find_track(track).process


def examples() -> dict[str, str]:
    """The process of each track of the season, and the example its applications are filled after."""
    return {find_track(track).process: share.example for track, share in SHARES.items()}


def ranks(kinds: Mapping[str, tuple[str, ...]], intents: Sequence[Intent], chance: Chance) -> dict[int, int]:
    """The place of each newcomer among those for the same kinds of units; `kinds` are by process."""
    begun: Counter[tuple[str, ...]] = Counter()
    places = {}
    for intent in intents:
        if not intent.applies and intent.kind != "cultivation":
            continue
        process = process_of(intent.number, chance) if intent.applies else "cultivation"
        alike = kinds.get(process) or ("enterprise",)
        places[intent.number] = begun[alike]
        begun[alike] += 1
    return places
