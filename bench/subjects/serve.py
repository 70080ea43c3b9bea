"""A candidate in a process of its own: it does what lines on its standard input ask, and answers in lines.

`drive` brings so many cases to their end and answers times; `judge` answers the oracle over them. The Java
peers speak the same lines. `python -m bench.subjects.serve NAME URL THREADS`.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable
from typing import Any

from bench.subjects.floor import Floor
from bench.subjects.ours import Ours
from bench.subjects.stock import Stock
from bench.subjects.subject import Driven, Load, Subject, drive

CANDIDATES: dict[str, Callable[..., Subject]] = {"ours": Ours, "floor": Floor, "spiff": Stock}


class Served:
    """One candidate, and the cases it was driven through last."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._load = Load(cases=0)
        self._driven = Driven()

    def answer(self, do: str, **given: Any) -> dict[str, Any]:
        return {"drive": self._drive, "judge": self._judge, "timeline": self._timeline}[do](**given)

    def _drive(self, **given: int) -> dict[str, Any]:
        self._load = Load(**given)
        asked = self._subject.asked
        before = asked.statements, asked.transactions
        self._driven = drive(self._subject, self._load)
        self._subject.release()
        return {
            "wall": self._driven.wall,
            "lat_ms": {kind: spread(taken) for kind, taken in self._driven.latencies.items()},
            "statements": asked.statements - before[0],
            "transactions": asked.transactions - before[1],
        }

    def _judge(self) -> dict[str, Any]:
        judged = self._subject.judge(self._driven.cases, self._load.first)
        self._subject.release()
        return judged

    def _timeline(self) -> dict[str, Any]:
        rows, taken = 0, []
        for case in self._driven.cases:
            begin = time.perf_counter()
            rows = self._subject.timeline(case)
            taken.append(1000 * (time.perf_counter() - begin))
        return {"lat_ms": {"timeline": spread(taken)}, "rows": rows}


def spread(taken: list[float]) -> dict[str, float]:
    """Percentiles by nearest rank, in what was given."""
    ranked = sorted(taken)
    if not ranked:
        return {}
    at = {name: ranked[math.ceil(part * len(ranked)) - 1] for name, part in RANKS.items()}
    return {name: round(value, 3) for name, value in at.items()}


RANKS = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "p999": 0.999, "max": 1.0}


def main() -> None:
    name, url, threads = sys.argv[1:]
    subject = CANDIDATES[name](url, threads=int(threads))
    served = Served(subject)
    print(json.dumps({"name": subject.name}), flush=True)
    for line in sys.stdin:
        print(json.dumps(served.answer(**json.loads(line))), flush=True)
    subject.close()


if __name__ == "__main__":
    main()
