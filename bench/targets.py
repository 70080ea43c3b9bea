"""The targets: what must be how fast, how small, how few; each a gate on the lines of one scenario."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.gates import CPU, Figure, Gate, Measured, most, ours, over, quotient, worst

LOOKUPS, ACTS = 9, 10
"""Of a case of scenario A: reads that find a task or timer, and acts that are made durable."""

JAVA = ("flowable", "operaton")
RATE = "rate.completions_s"
HISTORIES = {"story_of": None}
"""The lines of scenario D that are not the story of a case."""


def _java(threads: int) -> Gate:
    name = "completions, ours over the better Java engine"
    return Gate(name=name, bound=8, figure=over(RATE, *JAVA), at_least=True, store="pg", threads=threads)


def _floor(threads: int, bound: float) -> Gate:
    name = "completions, ours over the floor"
    return Gate(
        name=name, bound=bound, figure=over(RATE, "floor"), at_least=True, store="pg", threads=threads
    )


def _each(name: str, part: str, *, bound: float, parts: int = 1, less: float = 0, store: str = "") -> Gate:
    return Gate(name=name, bound=bound, figure=ours(part, less=less, parts=parts), store=store)


def _at(name: str, figure: Figure, bound: float, *, at_least: bool = False, **where: Any) -> Gate:
    return Gate(name=name, figure=figure, bound=bound, at_least=at_least, where=where)


ALL: dict[str, tuple[Gate, ...]] = {
    "A": (
        _java(1),
        _java(8),
        _floor(1, 1.5),
        _floor(8, 1.0),
        Gate(name="completions/s", bound=1000, figure=ours(RATE), at_least=True, store="sqlite", threads=1),
        Gate(name="CPU, ours over the better Java engine", bound=0.25, figure=over(CPU, *JAVA), store="pg"),
        Gate(name="CPU, ours over the floor", bound=2, figure=over(CPU, "floor")),
        _each("stored bytes a case", "per_case.stored_b", bound=30_000),
        _each(
            "statements of a durable act, without the look-up",
            "per_case.stmts",
            bound=5,
            parts=ACTS,
            less=LOOKUPS,
        ),
        _each(
            "fsyncs of a durable act (the log writer has a few of its own)",
            "per_case.fsync",
            bound=1.05,
            parts=ACTS,
            store="pg",
        ),
    ),
    "B": (
        _at("completions, ours over bare Flask", over(RATE, "bare"), 0.7, at_least=True, mode="max"),
        _at("complete p99 of the open loop, ms", worst("complete"), 100, mode="rate"),
    ),
    "C": (
        _at("p99 of every first page, count and far page, ms", worst("!text"), 5),
        _at("p99 of free text, ms", worst("text"), 20),
        _at("statements of a look", most("statements"), 4),
    ),
    "D": (
        _at("chain, events/s", ours("rate.chain_events_s"), 50_000, at_least=True, **HISTORIES),
        _at("run again, events/s", ours("rate.rerun_events_s"), 5_000, at_least=True, **HISTORIES),
        _at("memory of a live case, KiB", ours("memory_kib.live_case"), 60, **HISTORIES),
        _at("a case as of a moment, ms", worst("as_of_middle", "as_of_end", rank="p50"), 100, **HISTORIES),
        _at(
            "a completion at round 600 over round 6",
            quotient("lat_ms.rework_late.p50", "lat_ms.rework_early.p50"),
            1.5,
            **HISTORIES,
        ),
    ),
    "G": (
        _at("ready after, ms", ours("lat_ms.ready.p50"), 2_000),
        _at("idle memory, MiB", ours("rss_mb.idle"), 150, after="stop"),
    ),
}

GROWTH: dict[str, tuple[str, tuple[tuple[str, Figure, float], ...]]] = {
    "C": ("open_tasks", (("worst p99", worst("!text"), 2.0),)),
    "H": ("stored_cases", (("CPU a case", ours(CPU), 1.25), ("completion p99", worst("complete"), 1.5))),
}
"""Scenario → the size that grows, and what may become how many times as much from the least to the most."""


def verdicts(one: Mapping[str, Any], measured: Mapping[str, Measured]) -> list[list[str]]:
    """Name, figure and verdict of every gate that concerns such lines."""
    return [gate.verdict(measured) for gate in ALL.get(one["scenario"], ()) if gate.concerns(one)]
