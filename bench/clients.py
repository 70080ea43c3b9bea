"""People at their browsers: persistent connections, a shared order of the day, and when each answer came."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from bench.subjects.serve import spread


@dataclass(frozen=True)
class Answer:
    """Status 0: the connection broke and nobody knows."""

    status: int
    body: Any


class Client:
    """One connection to a server, opened again when the server has closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, body: Any = None, *, token: str = "") -> Answer:
        """One request. A kept connection that turns out closed is opened again, once."""
        said = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        text = None if body is None else json.dumps(body)
        for fresh in (self._connection is None, True):
            try:
                return self._asked(method, path, text, said)
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                self.close()
                if fresh:
                    break
        return Answer(0, None)

    def _asked(self, method: str, path: str, text: str | None, said: Mapping[str, str]) -> Answer:
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        self._connection.request(method, path, text, dict(said))
        answer = self._connection.getresponse()
        found = answer.read()
        return Answer(answer.status, json.loads(found) if found[:1] in (b"{", b"[") else None)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


@dataclass
class Book:
    """What was asked for, how long it took and how it ended; several threads write."""

    taken: dict[str, list[float]] = field(default_factory=dict)
    ended: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, kind: str, since: float, status: int) -> float:
        """Write down what `kind` took since a moment; the moment now."""
        now = time.perf_counter()
        with self.lock:
            self.taken.setdefault(kind, []).append(1000 * (now - since))
            self.ended[f"{kind} {status}"] += 1
        return now

    def latencies(self) -> dict[str, dict[str, float]]:
        return {kind: spread(taken) for kind, taken in self.taken.items()}

    @property
    def broken(self) -> int:
        """Answers that no client should ever get."""
        return sum(times for kind, times in self.ended.items() if kind.rpartition(" ")[2][0] in "05")


Deed = Callable[[Client, Any, float], None]
"""What a client does with one thing; the moment is when it should have begun."""


def at_once(port: int, clients: int, things: Iterable[Any], deed: Deed) -> float:
    """Every client takes the next thing as soon as it is free; the seconds until all are done."""
    waiting = iter(list(things))
    lock = threading.Lock()

    def work(_: int) -> None:
        client = Client(port)
        while True:
            with lock:
                thing = next(waiting, None)
            if thing is None:
                break
            deed(client, thing, time.perf_counter())
        client.close()

    begin = time.perf_counter()
    _all(clients, work)
    return time.perf_counter() - begin


def on_schedule(port: int, clients: int, things: Iterable[Any], deed: Deed, *, rate: float) -> float:
    """So many things a second, whether or not the ones before are done; waiting counts as latency."""
    begin = time.perf_counter() + 0.1
    waiting = iter([(begin + place / rate, thing) for place, thing in enumerate(things)])
    lock = threading.Lock()

    def work(_: int) -> None:
        client = Client(port)
        while True:
            with lock:
                due = next(waiting, None)
            if due is None:
                break
            time.sleep(max(0.0, due[0] - time.perf_counter()))
            deed(client, due[1], due[0])
        client.close()

    _all(clients, work)
    return time.perf_counter() - begin


def _all(clients: int, work: Callable[[int], None]) -> None:
    with ThreadPoolExecutor(clients) as pool:
        for done in [pool.submit(work, number) for number in range(clients)]:
            done.result()
