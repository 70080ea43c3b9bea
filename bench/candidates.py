"""The candidates of a run: each a process of its own over a database of its own, asked by lines."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench import process
from bench.peers import java
from bench.stores import Store, Unavailable

ROOT = Path(__file__).resolve().parents[1]
APART = 10_000_000
"""Between the numbers of the cases of two processes."""

Command = Callable[[str, int], list[str]]


class Candidate:
    """One running candidate. `name` is what it calls itself, with its version."""

    def __init__(self, kind: str, store: Store, *, threads: int, url: str = "", first: int = 0) -> None:
        """On a new database unless `url` names one; cases are numbered from `first`. Raises Unavailable."""
        self.database = f"bench_{kind}"
        command = _command(kind, store)
        self.url = url or store.create(self.database)
        self._process = subprocess.Popen(
            command(self.url, threads), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.pid = self._process.pid
        self.name: str = self._hear()["name"]
        self._next = first

    def drive(self, cases: int, *, threads: int, payload: int) -> dict[str, Any]:
        """So many new cases to their end; wall seconds, latencies and its own counts."""
        first, self._next = self._next, self._next + cases
        return self.ask(do="drive", cases=cases, threads=threads, payload=payload, first=first)

    def judge(self) -> dict[str, Any]:
        """The oracle over the cases driven last."""
        return self.ask(do="judge")

    def cpu_seconds(self) -> float:
        """What it has used of the processors."""
        return process.cpu_seconds(self.pid)

    def forget_peak(self) -> None:
        process.forget_peak(self.pid)

    def peak_mib(self) -> float:
        return process.peak_mib(self.pid)

    def ask(self, **wanted: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(wanted) + "\n")
        self._process.stdin.flush()
        return self._hear()

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self.close()
            raise Unavailable(f"{self.database} ended with {self._process.returncode}: see its error output")
        heard: dict[str, Any] = json.loads(line)
        return heard

    def close(self) -> None:
        """It ends when nobody asks any more."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


class Crew:
    """Several processes of one candidate on one database, driven at once as if they were one."""

    def __init__(self, kind: str, store: Store, *, threads: int, processes: int) -> None:
        """Raises Unavailable."""
        self._all = [Candidate(kind, store, threads=threads)]
        url = self._all[0].url
        try:
            for number in range(1, processes):
                self._all.append(Candidate(kind, store, threads=threads, url=url, first=number * APART))
        except Unavailable:
            self.close()
            raise
        self.database, self.name = self._all[0].database, self._all[0].name

    def drive(self, cases: int, *, threads: int, payload: int) -> dict[str, Any]:
        """Equal shares; the longest wall time, and of every latency the worst process's."""
        share = max(1, cases // len(self._all))
        with ThreadPoolExecutor(len(self._all)) as pool:
            asked = [pool.submit(one.drive, share, threads=threads, payload=payload) for one in self._all]
        told = [one.result() for one in asked]
        kinds = {kind: [one["lat_ms"].get(kind, {}) for one in told] for kind in told[0]["lat_ms"]}
        return {
            "wall": max(one["wall"] for one in told),
            "lat_ms": {
                kind: {rank: max(spread[rank] for spread in all_of if spread) for rank in all_of[0]}
                for kind, all_of in kinds.items()
            },
            **{
                name: sum(one[name] for one in told)
                for name in ("statements", "transactions")
                if name in told[0]
            },
        }

    def judge(self) -> dict[str, Any]:
        """Right if each is right."""
        told = [one.judge() for one in self._all]
        summed = {name: sum(one[name] for one in told) for name in ("events", "double", "score")}
        return {"ok": all(one["ok"] for one in told), **summed}

    def cpu_seconds(self) -> float:
        return sum(one.cpu_seconds() for one in self._all)

    def forget_peak(self) -> None:
        for one in self._all:
            one.forget_peak()

    def peak_mib(self) -> float:
        return sum(one.peak_mib() for one in self._all)

    def close(self) -> None:
        for one in self._all:
            one.close()


def _command(kind: str, store: Store) -> Command:
    if kind in ("ours", "floor", "spiff"):
        served = [sys.executable, "-m", "bench.subjects.serve", kind]
        return lambda url, threads: [*served, url, str(threads)]
    if kind in java.ENGINES:
        if not store.server_pid:
            raise Unavailable("it does not run on SQLite")
        return java.prepared(kind, store.folder)
    raise Unavailable("nobody wrote its harness")
