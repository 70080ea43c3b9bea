"""Scenario A: how many human completions a second an engine makes durable, and what a case costs.

Candidates take turns within a round, so that a busy machine slows all of them; ratios are made within
rounds. Every line carries the oracle over exactly its cases.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

from bench import form, lines, machine
from bench.candidates import Candidate, Crew
from bench.lines import Line
from bench.order import Order
from bench.stores import Counts, Store, Unavailable, environment, opened

CASES = 200
WARM = {"ours": 50, "floor": 50, "spiff": 50}
WARM_JVM = 1000


def run(order: Order) -> Iterator[Line]:
    """A line for each candidate, number of threads and round; one with the reason for who cannot run."""
    with ExitStack() as stack:
        store = stack.enter_context(opened(order.store))
        env = environment(store, calibrate=order.calibrate)
        running: dict[str, Crew] = {}
        for kind in order.subjects:
            try:
                candidate = Crew(kind, store, threads=max(order.threads), processes=order.processes)
                stack.callback(candidate.close)
                _warm(candidate, kind, order)
                running[kind] = candidate
            except Unavailable as reason:
                yield lines.missing("A", kind, str(reason), store=store.label, env=env)
        for turn in range(1, order.rounds + 1):
            for threads in order.threads:
                for kind, candidate in running.items():
                    yield measured(store, candidate, order, kind=kind, threads=threads, turn=turn, env=env)


def measured(
    store: Store,
    candidate: Candidate | Crew,
    order: Order,
    *,
    kind: str,
    threads: int,
    turn: int,
    env: Mapping[str, Any],
    scenario: str = "A",
    **params: Any,
) -> Line:
    """One candidate through so many cases, with everything that was counted meanwhile."""
    cases = (order.cases or CASES) // order.processes * order.processes
    store.settle(candidate.database)
    candidate.forget_peak()
    before, cpu = store.counts(candidate.database), candidate.cpu_seconds()
    others = machine.Foreign(machine.OWN, *filter(None, [store.server_pid]))
    driven = candidate.drive(cases, threads=threads, payload=order.payload)
    foreign = others.cores()
    used = 1000 * (candidate.cpu_seconds() - cpu)
    peak = candidate.peak_mib()
    store.settle(candidate.database)
    after = store.counts(candidate.database)
    return lines.line(
        scenario,
        candidate.name,
        store=store.label,
        threads=threads,
        params={
            "cases": cases,
            "payload": order.payload,
            "history": "full",
            "form": "doc",
            **_several(order),
            **params,
        },
        round=turn,
        warm_cases=warm_cases(kind, order),
        rate={
            "completions_s": round(cases * form.COMPLETIONS / driven["wall"], 1),
            "cases_s": round(cases / driven["wall"], 2),
        },
        lat_ms=driven["lat_ms"],
        per_case={"cpu_app_ms": round(used / cases, 2), **_per_case(before, after, driven, cases)},
        peak_rss_mb=round(peak, 1),
        oracle=candidate.judge(),
        env={**env, "foreign_cpu": foreign},
    )


def _several(order: Order) -> dict[str, int]:
    return {"processes": order.processes} if order.processes > 1 else {}


def warm_cases(kind: str, order: Order) -> int:
    """How many cases a candidate has behind it before anything is measured."""
    return WARM.get(kind, WARM_JVM) if order.warm is None else order.warm


def _warm(candidate: Crew, kind: str, order: Order) -> None:
    cases = warm_cases(kind, order)
    if cases:
        candidate.drive(cases, threads=max(order.threads), payload=order.payload)


def _per_case(before: Counts, after: Counts, driven: Mapping[str, Any], cases: int) -> dict[str, float]:
    """What the store counted between two looks; what only the asker counts stands in its place."""
    told = {"stmts": driven.get("statements"), "tx": driven.get("transactions")}
    asked = {name: value for name, value in told.items() if value is not None}
    stored = {name: after[name] - before[name] for name in after}
    return {name: round(value / cases, 2) for name, value in (asked | stored).items()}
