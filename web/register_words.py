"""What the register's codes are called: tracks, levels, titles, grounds, what became of a title."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from web import words
from workflows.register.tracks import grounds, levels, tracks

STATES = {"valid": "有效", "expired": "已到期", "removed": "已移出", "carried": "已随合并转出"}


def track_name(track: str) -> str:
    """`绿色工厂`, or what the register says where the track is not known any more."""
    known = tracks().get(track)
    return known.name(words.language()) if known else track


def level_name(level: str) -> str:
    """`省级`."""
    known = levels().get(level)
    return known.name(words.language()) if known else level


def title_name(track: str, level: str, told: Mapping[str, Any]) -> str:
    """`省级绿色工厂`; of a track or level that is not known any more, the words of the decision."""
    known = tracks().get(track)
    if known is not None and level in known.levels:
        return known.title(level, words.language())
    return words.pick(told.get("title"), told.get("title_en"))


def state_name(state: str) -> str:
    """What became of a title."""
    return words.say(STATES[state])


def ground_name(ground: str) -> str:
    """Why a title was taken away; a ground that is not known is told as it was written."""
    known = grounds().get(ground)
    return known.name(words.language()) if known else ground
