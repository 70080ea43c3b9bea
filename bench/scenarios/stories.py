"""The part of scenario D that has peers: the whole story of a finished case, from the rows to the reader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bench import lines, machine
from bench.candidates import Candidate
from bench.lines import Line
from bench.order import Order
from bench.scenarios.throughput import warm_cases
from bench.stores import Store, Unavailable

CASES = 100


def told(store: Store, kind: str, order: Order, env: Mapping[str, Any]) -> Iterator[Line]:
    """A line for each round of one candidate."""
    cases = order.cases or CASES
    try:
        candidate = Candidate(kind, store, threads=1)
    except Unavailable as reason:
        yield lines.missing("D", kind, str(reason), store=store.label, env=env)
        return
    warm = warm_cases(kind, order)
    candidate.drive(max(warm, 1), threads=1, payload=order.payload)
    candidate.drive(cases, threads=1, payload=order.payload)
    right = candidate.judge()
    for turn in range(1, order.rounds + 1):
        others = machine.Foreign(machine.OWN, *filter(None, [store.server_pid]))
        answered = candidate.ask(do="timeline")
        yield lines.line(
            "D",
            candidate.name,
            store=store.label,
            params={"story_of": "a case of scenario A", "cases": cases, "payload": order.payload},
            round=turn,
            warm_cases=warm,
            lat_ms=answered["lat_ms"],
            oracle={**right, "rows": answered["rows"]},
            env={**env, "foreign_cpu": others.cores()},
        )
    candidate.close()
