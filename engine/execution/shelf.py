"""The values in a snapshot, each kept once however many branches hold it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from engine.values import Value, to_json

Row = dict[str, int]
"""Names, and the places of their values on the shelf."""


class Shelf:
    """Values that are written alike share a place; the order of names counts, for a drawing can see it.
    Places follow from the names alone, so equal states give equal shelves.

    A value is known again by its identity, so it must stay alive as long as the shelf is filled.
    """

    def __init__(self) -> None:
        self.contents: list[Any] = []
        self._by_identity: dict[int, int] = {}
        self._by_text: dict[bytes, int] = {}

    def keep(self, variables: Mapping[str, Value]) -> Row:
        """Where the values of these variables stand. Raises InvalidInput for what cannot be stored."""
        places = {name: self._place(variables[name]) for name in sorted(variables)}
        return {name: places[name] for name in variables}

    def _place(self, value: Value) -> int:
        place = self._by_identity.get(id(value))
        if place is None:
            place = self._by_identity[id(value)] = self._put(to_json(value))
        return place

    def _put(self, stored: Any) -> int:
        text = orjson.dumps(stored)
        place = self._by_text.setdefault(text, len(self.contents))
        if place == len(self.contents):
            self.contents.append(stored)
        return place
