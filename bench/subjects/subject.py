"""What every candidate written in Python must be able to do, and how it is driven by so many threads."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from bench import form

Latencies = dict[str, list[float]]


@dataclass(kw_only=True)
class Asked:
    """What went to the database by this process's own count: statements and transactions that write."""

    statements: int = 0
    transactions: int = 0


@dataclass(frozen=True, kw_only=True)
class Load:
    """So many cases, numbered from `first`, with pages of `payload` bytes, by so many threads."""

    cases: int
    threads: int = 1
    payload: int = 2000
    first: int = 0


@dataclass(kw_only=True)
class Driven:
    """The wall time of all phases, and milliseconds of every act by its kind."""

    wall: float = 0.0
    latencies: Latencies = field(default_factory=dict)
    cases: list[Any] = field(default_factory=list)


class Subject(ABC):
    """A candidate over one database of its own. Each act is one durable transaction, but `find`."""

    name = ""

    def __init__(self, url: str, *, threads: int) -> None:
        self.url = url
        self.threads = threads
        self.asked = Asked()

    @abstractmethod
    def start(self, number: int) -> Any:
        """A new case; what the candidate knows it by."""

    @abstractmethod
    def find(self, case: Any, step: str) -> Any:
        """The open task of a step, or the timer that waits, looked up in the database."""

    @abstractmethod
    def complete(self, case: Any, task: Any, step: str, page: form.Page, points: int) -> None:
        """Somebody hands in a page and the case moves on."""

    @abstractmethod
    def fire(self, case: Any, timer: Any) -> None:
        """The publicity is over."""

    @abstractmethod
    def judge(self, cases: list[Any], first: int) -> dict[str, Any]:
        """The oracle over cases driven to their end: ok, events, double and what was found wrong."""

    def timeline(self, case: Any) -> int:
        """The whole story of a case, told; how many rows it has."""
        raise NotImplementedError(f"{self.name} tells no stories")

    @abstractmethod
    def release(self) -> None:
        """Let connections go, so that the database reports what they did."""

    def close(self) -> None:
        """Nothing of it stays open."""
        self.release()


def drive(subject: Subject, load: Load) -> Driven:
    """All cases through all phases, breadth first; every thread has its own share of the cases."""
    form.pages(load.payload)
    driven = Driven(cases=[None] * load.cases)
    with ThreadPoolExecutor(load.threads) as pool:
        for phase in form.PHASES:
            act = _act(subject, phase, driven, load)
            begin = time.perf_counter()
            for measured in pool.map(lambda n, act=act: _share(act, n, load), range(load.threads)):
                for kind, taken in measured.items():
                    driven.latencies.setdefault(kind, []).extend(taken)
            driven.wall += time.perf_counter() - begin
    return driven


Act = Callable[[int, Latencies], None]


def _share(act: Act, thread: int, load: Load) -> Latencies:
    measured: Latencies = {"start": [], "query": [], "complete": [], "fire": []}
    for place in range(thread, load.cases, load.threads):
        act(place, measured)
    return measured


def _act(subject: Subject, phase: str, driven: Driven, load: Load) -> Act:
    """What one phase does to the case at a place."""

    def start(place: int, measured: Latencies) -> None:
        with _timed(measured["start"]):
            driven.cases[place] = subject.start(load.first + place)

    def fire(place: int, measured: Latencies) -> None:
        case = driven.cases[place]
        with _timed(measured["query"]):
            timer = subject.find(case, form.TIMER)
        with _timed(measured["fire"]):
            subject.fire(case, timer)

    def complete(place: int, measured: Latencies) -> None:
        case, number = driven.cases[place], load.first + place
        page = form.page(number, phase, load.payload)
        with _timed(measured["query"]):
            task = subject.find(case, phase)
        with _timed(measured["complete"]):
            subject.complete(case, task, phase, page, form.points(number))

    return {"start": start, form.TIMER: fire}.get(phase, complete)


class _timed:
    """Milliseconds of what happens inside, added to a list."""

    def __init__(self, into: list[float]) -> None:
        self._into = into

    def __enter__(self) -> None:
        self._begin = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._into.append(1000 * (time.perf_counter() - self._begin))
