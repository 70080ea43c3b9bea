"""Which conditional flows can be taken together, as far as their conditions show it."""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from decimal import Decimal
from itertools import combinations

from engine.definition.shapes import Flow

MOST_SUBSETS = 6
"""Conditional flows of which every subset is tried; of more, each alone, all but one, and all."""

IS = re.compile(r'=?\s*([\w.]+)\s*=\s*("[^"\\]*"|-?\d+(?:\.\d+)?|true|false)\s*')
IS_NOT = re.compile(r"=?\s*not\s*\(\s*([\w.]+)\s*\)\s*")
IS_SO = re.compile(r"=?\s*([\w.]+)\s*")


def subsets(flows: Sequence[Flow], numbers: Sequence[int]) -> list[tuple[int, ...]]:
    """The sets of conditional flows that can be true together: equal conditions always are, and those that
    want different values of one variable never."""
    alike: dict[str, list[int]] = {}
    for flow, number in zip(flows, numbers, strict=True):
        alike.setdefault(flow.condition.text if flow.condition else "", []).append(number)
    parts = [(wanted(text), tuple(group)) for text, group in alike.items()]
    many = range(len(parts) + 1)
    sizes = many if len(parts) <= MOST_SUBSETS else sorted({0, 1, len(parts) - 1, len(parts)})
    chosen = (some for size in sizes for some in combinations(parts, size))
    return [sum((group for _, group in some), ()) for some in chosen if _fit([want for want, _ in some])]


def wanted(text: str) -> tuple[str, Hashable] | None:
    """The variable a condition asks for and the only value it accepts; None if it asks for more."""
    if found := IS.fullmatch(text):
        return found[1], _value(found[2])
    if found := IS_NOT.fullmatch(text):
        return found[1], False
    found = IS_SO.fullmatch(text)
    return (found[1], True) if found else None


def _value(text: str) -> Hashable:
    """A literal; texts keep their quotes, so that they differ from everything else."""
    if text in ("true", "false"):
        return text == "true"
    return text if text.startswith('"') else f"{Decimal(text).normalize():f}"


def _fit(wants: Sequence[tuple[str, Hashable] | None]) -> bool:
    """Whether no variable is wanted to have two values."""
    values: dict[str, Hashable] = {}
    return all(values.setdefault(want[0], want[1]) == want[1] for want in wants if want is not None)
