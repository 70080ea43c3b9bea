"""What must be how fast: the targets, each with the figure it looks at, and what a run says to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

Measured = dict[str, dict[int, float]]
"""Measure → round → value, of one subject."""

CPU = "CPU of application and PostgreSQL"
LOOKUPS, TRANSACTIONS = 9, 10
"""Of a case of scenario A: reads that find a task or timer, and acts that are made durable."""

JAVA = ("flowable", "operaton")


@dataclass(frozen=True, kw_only=True)
class Gate:
    """`bound` is the least (`at_least`) or the most that `figure` may be; it may not be known: None."""

    name: str
    bound: float
    figure: Callable[[Mapping[str, Measured]], float | None]
    at_least: bool = False
    store: str = ""
    threads: int = 0

    def concerns(self, one: Mapping[str, Any]) -> bool:
        fits = not self.threads or one["threads"] == self.threads
        return fits and str(one["store"]).startswith(self.store)

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


def ours(
    name: str, *, less: float = 0.0, parts: float = 1.0
) -> Callable[[Mapping[str, Measured]], float | None]:
    """Our median of a measure, less a part that does not count, in equal parts."""

    def figure(measured: Mapping[str, Measured]) -> float | None:
        rounds = of(measured.get("ours", {}), name)
        return (median(rounds.values()) - less) / parts if rounds else None

    return figure


def over(name: str, *others: str) -> Callable[[Mapping[str, Measured]], float | None]:
    """Our median ratio to the best of others, which are known by how their names begin."""

    def figure(measured: Mapping[str, Measured]) -> float | None:
        if "ours" not in measured:
            return None
        there = [other for other in measured if other.startswith(others)]
        ratios = [median(found.values()) for other in there if (found := ratio(measured, name, other))]
        return min(ratios) if ratios and name != CPU else max(ratios, default=None)

    return figure


RATE = "rate.completions_s"
GATES: dict[str, tuple[Gate, ...]] = {
    "A": (
        Gate(
            name="completions, ours over the better Java engine",
            bound=8,
            figure=over(RATE, *JAVA),
            at_least=True,
            store="pg",
        ),
        Gate(
            name="completions, ours over the floor",
            bound=1.5,
            figure=over(RATE, "floor"),
            at_least=True,
            store="pg",
            threads=1,
        ),
        Gate(
            name="completions, ours over the floor",
            bound=1.0,
            figure=over(RATE, "floor"),
            at_least=True,
            store="pg",
            threads=8,
        ),
        Gate(name="completions/s", bound=1000, figure=ours(RATE), at_least=True, store="sqlite", threads=1),
        Gate(name="CPU, ours over the better Java engine", bound=0.25, figure=over(CPU, *JAVA), store="pg"),
        Gate(name="CPU, ours over the floor", bound=2, figure=over(CPU, "floor")),
        Gate(name="stored bytes a case", bound=30_000, figure=ours("per_case.stored_b")),
        Gate(
            name="statements of a durable act, without the look-up",
            bound=5,
            figure=ours("per_case.stmts", less=LOOKUPS, parts=TRANSACTIONS),
        ),
        Gate(
            name="fsyncs of a durable act (the log writer has a few of its own)",
            bound=1.05,
            figure=ours("per_case.fsync", parts=TRANSACTIONS),
            store="pg",
        ),
    ),
}


def verdicts(one: Mapping[str, Any], measured: Mapping[str, Measured]) -> list[list[str]]:
    """Name, figure and verdict of every gate that concerns such lines."""
    asked = GATES.get(one["scenario"], ())
    return [gate.verdict(measured) for gate in asked if gate.concerns(one)]
