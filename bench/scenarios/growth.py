"""Scenario H: what a case costs while ever more cases are stored, most of them finished long ago.

At each size the store is filled with copies of a finished and of an open case, and then scenario A is
measured on top. Growing is judged within this scenario: the largest against the smallest.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

from bench import bulk, lines
from bench.candidates import Candidate
from bench.lines import Line
from bench.order import Order
from bench.scenarios import throughput
from bench.stores import environment, opened
from bench.subjects.ours import Ours
from bench.subjects.subject import Load, drive

SIZES = (1_000, 10_000, 100_000)
CASES = 500
FINISHED = 0.95


def run(order: Order) -> Iterator[Line]:
    """A line for each size, number of threads and round, of ours alone."""
    order = replace(order, cases=order.cases or CASES)
    with ExitStack() as stack:
        store = stack.enter_context(opened(order.store))
        env = environment(store, calibrate=order.calibrate)
        candidate = Candidate("ours", store, threads=max(order.threads))
        stack.callback(candidate.close)
        filling = Filling(candidate.url)
        stack.callback(filling.close)
        candidate.drive(throughput.warm_cases("ours", order), threads=1, payload=order.payload)
        for size in sorted(order.sizes or SIZES):
            filling.fill(size)
            for turn in range(1, order.rounds + 1):
                for threads in order.threads:
                    yield throughput.measured(
                        store,
                        candidate,
                        order,
                        kind="ours",
                        threads=threads,
                        turn=turn,
                        env=env,
                        scenario="H",
                        stored_cases=size,
                    )
        for kind in order.subjects:
            if kind != "ours":
                why = "growth is measured of ours alone"
                yield lines.missing("H", kind, why, store=store.label, env=env)


class Filling:
    """Copies of one finished and one open case, up to so many."""

    def __init__(self, url: str) -> None:
        self._subject = Ours(url, threads=1)
        (self._finished,) = drive(self._subject, Load(cases=1)).cases
        self._open = self._subject.start(0)
        self._stored = 0

    def fill(self, size: int) -> None:
        """Bring the store to `size` cases, 95 of 100 finished."""
        coming = size - self._stored
        finished = round(coming * FINISHED)
        first = self._stored + 1
        bulk.copies(self._subject.database, self._finished, finished, first=first)
        bulk.copies(self._subject.database, self._open, coming - finished, first=first + finished)
        self._stored = size
        self._subject.release()

    def close(self) -> None:
        self._subject.close()
