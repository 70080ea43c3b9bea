"""What a gate is: a figure made from what was measured, held against a bound."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

Measured = dict[str, dict[int, float]]
"""Measure → round → value, of one subject."""

CPU = "CPU of application and PostgreSQL"

Figure = Callable[[Mapping[str, Measured]], float | None]
"""Subject → what was measured of it, to one number; None if it was not measured."""


@dataclass(frozen=True, kw_only=True)
class Gate:
    """`bound` is the least (`at_least`) or the most that `figure` may be, on lines with these parameters."""

    name: str
    bound: float
    figure: Figure
    at_least: bool = False
    store: str = ""
    threads: int = 0
    where: Mapping[str, Any] = field(default_factory=dict)

    def concerns(self, one: Mapping[str, Any]) -> bool:
        fits = not self.threads or one["threads"] == self.threads
        alike = all(one["params"].get(name) == value for name, value in self.where.items())
        return fits and alike and str(one["store"]).startswith(self.store)

    def verdict(self, measured: Mapping[str, Measured]) -> list[str]:
        sign = "≥" if self.at_least else "≤"
        found = self.figure(measured)
        if found is None:
            return [f"{self.name} {sign} {self.bound:g}", "–", "not measured"]
        held = found >= self.bound if self.at_least else found <= self.bound
        return [f"{self.name} {sign} {self.bound:g}", f"{found:.4g}", "held" if held else "missed"]


def ratio(measured: Mapping[str, Measured], name: str, other: str) -> dict[int, float]:
    """Ours over another's, in every round in which both were measured."""
    mine, theirs = of(measured["ours"], name), of(measured[other], name)
    return {turn: mine[turn] / theirs[turn] for turn in mine if theirs.get(turn)}


def of(mine: Measured, name: str) -> dict[int, float]:
    """A measure by its dotted name, or the sum of both processor times."""
    if name != CPU:
        return mine.get(name, {})
    app, db = mine.get("per_case.cpu_app_ms", {}), mine.get("per_case.cpu_db_ms", {})
    return {turn: used + db.get(turn, 0.0) for turn, used in app.items()}


def ours(name: str, *, less: float = 0.0, parts: float = 1.0) -> Figure:
    """Our median of a measure, less a part that does not count, in equal parts."""

    def figure(measured: Mapping[str, Measured]) -> float | None:
        rounds = of(measured.get("ours", {}), name)
        return (median(rounds.values()) - less) / parts if rounds else None

    return figure


def over(name: str, *others: str) -> Figure:
    """Our median ratio to the best of others, which are known by how their names begin."""

    def figure(measured: Mapping[str, Measured]) -> float | None:
        if "ours" not in measured:
            return None
        there = [other for other in measured if other.startswith(others)]
        ratios = [median(found.values()) for other in there if (found := ratio(measured, name, other))]
        return min(ratios) if ratios and name != CPU else max(ratios, default=None)

    return figure


def worst(*names: str, rank: str = "p99") -> Figure:
    """Our highest median among latencies; without names among all, `!` before a name leaves it out."""

    def figure(measured: Mapping[str, Measured]) -> float | None:
        mine = measured.get("ours", {})
        left_out = {name[1:] for name in names if name.startswith("!")}
        wanted = {name for name in names if not name.startswith("!")}
        found = [
            median(rounds.values())
            for name, rounds in mine.items()
            if (kind := _latency(name, rank)) and kind not in left_out and (not wanted or kind in wanted)
        ]
        return max(found, default=None)

    return figure


def _latency(name: str, rank: str) -> str:
    """The kind of act whose latency at a rank this is; else nothing."""
    inner = name.removeprefix("lat_ms.")
    return inner.removesuffix(f".{rank}") if inner != name and inner.endswith(f".{rank}") else ""


def most(part: str) -> Figure:
    """Our highest figure below a part of the line."""

    def figure(measured: Mapping[str, Measured]) -> float | None:
        mine = measured.get("ours", {})
        found = [median(rounds.values()) for name, rounds in mine.items() if name.startswith(f"{part}.")]
        return max(found, default=None)

    return figure


def quotient(above: str, below: str) -> Figure:
    """One of our medians over another."""

    def figure(measured: Mapping[str, Measured]) -> float | None:
        top, bottom = ours(above)(measured), ours(below)(measured)
        return top / bottom if top is not None and bottom else None

    return figure
