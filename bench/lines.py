"""The line that every measurement becomes: one JSON object, its keys a contract (`v` 1)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import machine

VERSION = 1
Line = dict[str, Any]


def line(
    scenario: str,
    subject: str,
    *,
    store: str,
    env: Mapping[str, Any],
    params: Mapping[str, Any],
    threads: int = 1,
    round: int = 1,
    warm_cases: int = 0,
    **measured: Any,
) -> Line:
    """One measurement; `measured` is rate, lat_ms, per_case, peak_rss_mb, oracle: what it has."""
    return {
        "v": VERSION,
        "ts": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "git": machine.version(),
        "scenario": scenario,
        "subject": subject,
        "store": store,
        "threads": threads,
        "params": dict(params),
        "round": round,
        "warm_cases": warm_cases,
        **measured,
        "env": dict(env),
    }


def missing(scenario: str, subject: str, why: str, *, store: str, env: Mapping[str, Any]) -> Line:
    """The row of a candidate that cannot be had here."""
    oracle = {"ok": False, "why": why}
    return line(scenario, subject, store=store, env=env, params={}, round=0, oracle=oracle)


def is_missing(one: Line) -> bool:
    return "why" in one["oracle"]


def append(path: Path, one: Line) -> None:
    """Put a line behind what the file holds."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(one, ensure_ascii=False) + "\n")


def read(paths: Iterable[Path]) -> Iterator[Line]:
    """Every line of these files. Raises ValueError for a line of another version."""
    for path in paths:
        for text in path.read_text(encoding="utf-8").splitlines():
            found: Line = json.loads(text)
            if found.get("v") != VERSION:
                raise ValueError(f"{path}: expected version {VERSION}, found {found.get('v')!r}")
            yield found
