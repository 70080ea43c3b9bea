"""What was ordered on the command line, for every scenario alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Line = dict[str, Any]
Run = Callable[["Order"], Iterator[Line]]


@dataclass(frozen=True, kw_only=True)
class Order:
    """`cases` and `warm` None and no `sizes` stand for what the scenario takes by itself."""

    scenario: str
    store: str = "pg"
    threads: tuple[int, ...] = (1,)
    subjects: tuple[str, ...] = ("ours", "floor")
    rounds: int = 1
    cases: int | None = None
    warm: int | None = None
    processes: int = 1
    payload: int = 2000
    sizes: tuple[int, ...] = ()
    calibrate: float = 2.0
