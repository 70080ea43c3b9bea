"""Chance that is the same everywhere: numbers drawn from SHA-256 over a seed and what they are for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TypeVar

Thing = TypeVar("Thing")


class Chance:
    """A stream of choices that depends on its name alone, not on the machine, its locale or earlier streams.

    Python's own generators are not used: they would be a second source of chance beside the commands, and
    what they yield is only promised within a release.
    """

    def __init__(self, *name: object) -> None:
        self._name = "/".join(map(str, name))
        self._drawn = 0

    def about(self, *what: object) -> Chance:
        """Another stream, for something within this one."""
        return Chance(self._name, *what)

    def below(self, limit: int) -> int:
        """A whole number from 0 to `limit` - 1. Raises ValueError for a limit under 1."""
        if limit < 1:
            raise ValueError(f"nothing lies below {limit}")
        self._drawn += 1
        digest = hashlib.sha256(f"{self._name}#{self._drawn}".encode()).digest()
        return int.from_bytes(digest[:12]) % limit  # 96 bits: the bias is beyond notice

    def between(self, least: int, most: int) -> int:
        """A whole number from `least` to `most`, both included."""
        return least + self.below(most - least + 1)

    def happens(self, percent: int) -> bool:
        """True in so many of a hundred draws."""
        return self.below(100) < percent

    def one_of(self, things: Sequence[Thing]) -> Thing:
        """One of the things, each as likely as the others."""
        return things[self.below(len(things))]

    def weighted(self, weights: Mapping[Thing, int]) -> Thing:
        """One of the keys, as likely as its weight; in the mapping's order, so give it a stable one."""
        drawn = self.below(sum(weights.values()))
        for thing, weight in weights.items():
            drawn -= weight
            if drawn < 0:
                return thing
        raise AssertionError("weights were summed over the same mapping")
