"""Several who act at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from engine.errors import Rejected


def at_once(acts: list[Callable[[], object]]) -> list[object]:
    """What each act answered, or why it was refused, all of them let go at the same moment."""
    gate = Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        gate.wait()
        try:
            return act()
        except Rejected as refused:
            return refused

    with ThreadPoolExecutor(len(acts)) as crowd:
        return list(crowd.map(run, acts))
