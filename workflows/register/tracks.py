"""The tracks and levels of the policy, as `bpmn/rules/tracks.json` lists them: a sixth is a row there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from engine.errors import NotFound

FILE = Path(__file__).parents[2] / "bpmn" / "rules" / "tracks.json"


@dataclass(frozen=True, kw_only=True)
class Term:
    """A level of the ladder, or a ground on which a title is taken away."""

    id: str
    zh: str
    en: str

    def name(self, language: str = "zh") -> str:
        """What it is called in `zh` or `en`."""
        return self.en if language == "en" else self.zh


@dataclass(frozen=True, kw_only=True)
class Track:
    """One kind of title: the process that is its ladder, and what its title is called at each level."""

    id: str
    process: str
    zh: str
    en: str
    titles: Mapping[str, Mapping[str, str]]

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels at which the title exists, the lowest first."""
        return tuple(self.titles)

    def name(self, language: str = "zh") -> str:
        """What it is called in `zh` or `en`."""
        return self.en if language == "en" else self.zh

    def title(self, level: str, language: str = "zh") -> str:
        """What who bears it at a level may be called. Raises NotFound for a level it does not have."""
        if level not in self.titles:
            raise NotFound(f"{self.id} has no title at the level {level!r}", track=self.id, level=level)
        return self.titles[level][language]


@cache
def tracks() -> Mapping[str, Track]:
    """Every track by its id, in the order of the file."""
    made = (_track(row) for row in _content()["tracks"])
    return {track.id: track for track in made}


@cache
def levels() -> Mapping[str, Term]:
    """Every level by its id, the lowest first."""
    return _terms("levels")


@cache
def grounds() -> Mapping[str, Term]:
    """The grounds of removal that have a name; a drawing may say others in words."""
    return _terms("grounds")


def find_track(track: str) -> Track:
    """A track by its id. Raises NotFound."""
    found = tracks().get(track)
    if found is None:
        raise NotFound(f"there is no track {track!r}", track=track)
    return found


def highest(found: list[str]) -> str:
    """The highest of some levels, `none` if there are none."""
    return max(found, key=list(levels()).index, default="none")


def _terms(name: str) -> Mapping[str, Term]:
    return {row["id"]: Term(id=row["id"], zh=row["zh"], en=row["en"]) for row in _content()[name]}


def _content() -> Mapping[str, Any]:
    content: Mapping[str, Any] = json.loads(FILE.read_bytes())
    return content


def _track(row: Mapping[str, Any]) -> Track:
    names = {"id": row["id"], "process": row["process"], "zh": row["zh"], "en": row["en"]}
    return Track(titles=row["titles"], **names)
