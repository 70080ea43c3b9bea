"""The candidates of a run: each a process of its own over a database of its own, asked by lines."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.peers import java
from bench.stores import Store, Unavailable

ROOT = Path(__file__).resolve().parents[1]
Command = Callable[[str, int], list[str]]


class Candidate:
    """One running candidate. `name` is what it calls itself, with its version."""

    def __init__(self, kind: str, store: Store, *, threads: int, url: str = "") -> None:
        """On a new database unless `url` names one. Raises Unavailable with the reason."""
        self.database = f"bench_{kind}"
        command = _command(kind, store)
        self.url = url or store.create(self.database)
        self._process = subprocess.Popen(
            command(self.url, threads), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.pid = self._process.pid
        self.name: str = self._hear()["name"]
        self._next = 0

    def drive(self, cases: int, *, threads: int, payload: int) -> dict[str, Any]:
        """So many new cases to their end; wall seconds, latencies and its own counts."""
        first, self._next = self._next, self._next + cases
        return self.ask(do="drive", cases=cases, threads=threads, payload=payload, first=first)

    def judge(self) -> dict[str, Any]:
        """The oracle over the cases driven last."""
        return self.ask(do="judge")

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


def _command(kind: str, store: Store) -> Command:
    if kind in ("ours", "floor", "spiff"):
        served = [sys.executable, "-m", "bench.subjects.serve", kind]
        return lambda url, threads: [*served, url, str(threads)]
    if kind in java.ENGINES:
        if not store.server_pid:
            raise Unavailable("it does not run on SQLite")
        return java.prepared(kind)
    raise Unavailable("nobody wrote its harness")
