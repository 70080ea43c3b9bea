"""How points and ranges lie to each other."""

from __future__ import annotations

from collections.abc import Callable

from engine.expressions.builtins.registry import builtin
from engine.expressions.comparison import order
from engine.expressions.scope import NullResult, Range, Run
from engine.values import Value

Relation = Callable[["_Compare", Range, Range], bool]
POINT = "number|string|date|time|date and time|days and time duration|years and months duration"


class _Compare:
    """Compares the ends of ranges; what has no order makes the whole function null."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def __call__(self, left: Value, right: Value) -> int:
        found = order(left, right, self.run)
        if found is None:
            raise NullResult("the ends cannot be compared")
        return found

    def starts_first(self, a: Range, b: Range) -> bool:
        """`a` begins before `b`, or with it."""
        place = self(a.start, b.start)
        return place < 0 or (place == 0 and (a.start_included or not b.start_included))

    def ends_last(self, a: Range, b: Range) -> bool:
        """`a` ends after `b`, or with it."""
        place = self(a.end, b.end)
        return place > 0 or (place == 0 and (a.end_included or not b.end_included))

    def reaches(self, a: Range, b: Range) -> bool:
        """`a` goes at least to where `b` begins."""
        place = self(a.end, b.start)
        return place > 0 or (place == 0 and a.end_included and b.start_included)


def _before(c: _Compare, a: Range, b: Range) -> bool:
    return not c.reaches(a, b)


def _after(c: _Compare, a: Range, b: Range) -> bool:
    return _before(c, b, a)


def _meets(c: _Compare, a: Range, b: Range) -> bool:
    return a.end_included and b.start_included and c(a.end, b.start) == 0


def _met_by(c: _Compare, a: Range, b: Range) -> bool:
    return _meets(c, b, a)


def _overlaps(c: _Compare, a: Range, b: Range) -> bool:
    return c.reaches(a, b) and c.reaches(b, a)


def _overlaps_before(c: _Compare, a: Range, b: Range) -> bool:
    place = c(a.start, b.start)
    is_first = place < 0 or (place == 0 and a.start_included and not b.start_included)
    return is_first and c.reaches(a, b) and c.ends_last(b, a)


def _overlaps_after(c: _Compare, a: Range, b: Range) -> bool:
    return _overlaps_before(c, b, a)


def _finishes(c: _Compare, a: Range, b: Range) -> bool:
    return a.end_included == b.end_included and c(a.end, b.end) == 0 and c.starts_first(b, a)


def _finished_by(c: _Compare, a: Range, b: Range) -> bool:
    return _finishes(c, b, a)


def _includes(c: _Compare, a: Range, b: Range) -> bool:
    return c.starts_first(a, b) and c.ends_last(a, b)


def _during(c: _Compare, a: Range, b: Range) -> bool:
    return _includes(c, b, a)


def _starts(c: _Compare, a: Range, b: Range) -> bool:
    return a.start_included == b.start_included and c(a.start, b.start) == 0 and c.ends_last(b, a)


def _started_by(c: _Compare, a: Range, b: Range) -> bool:
    return _starts(c, b, a)


def _coincides(c: _Compare, a: Range, b: Range) -> bool:
    alike = (a.start_included, a.end_included) == (b.start_included, b.end_included)
    return alike and c(a.start, b.start) == 0 and c(a.end, b.end) == 0


def _declare(name: str, relation: Relation, left: str, right: str, names: str) -> None:
    one, other = names.split()

    @builtin(name, f"{one}: {left}, {other}: {right}")
    def related(run: Run, a: Value, b: Value) -> Value:
        return relation(_Compare(run), _as_range(a), _as_range(b))


def _as_range(value: Value) -> Range:
    return value if isinstance(value, Range) else Range(value, value)


for _name, _relation in {"before": _before, "after": _after, "coincides": _coincides}.items():
    _declare(_name, _relation, POINT, POINT, "point1 point2")
    _declare(_name, _relation, "range", "range", "range1 range2")
for _name, _relation in {"before": _before, "after": _after}.items():
    _declare(_name, _relation, POINT, "range", "point range")
    _declare(_name, _relation, "range", POINT, "range point")
for _name, _relation in {
    "meets": _meets,
    "met by": _met_by,
    "overlaps": _overlaps,
    "overlaps before": _overlaps_before,
    "overlaps after": _overlaps_after,
    "finishes": _finishes,
    "finished by": _finished_by,
    "includes": _includes,
    "during": _during,
    "starts": _starts,
    "started by": _started_by,
}.items():
    _declare(_name, _relation, "range", "range", "range1 range2")
for _name, _relation in {"finishes": _finishes, "during": _during, "starts": _starts}.items():
    _declare(_name, _relation, POINT, "range", "point range")
for _name, _relation in {
    "finished by": _finished_by,
    "includes": _includes,
    "started by": _started_by,
}.items():
    _declare(_name, _relation, "range", POINT, "range point")
