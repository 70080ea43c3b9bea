"""Tables in Markdown from lines: medians with least and most, ratios within rounds, a verdict per gate."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from statistics import median
from typing import Any

from bench import gates, lines, targets
from bench.gates import Measured
from bench.lines import Line

NOISY = 0.25
"""Processors busy with others above which a line is not counted, unless one asks for it."""

HIDDEN = (".p999", ".max", "rate.cases_s")
NAMES = {
    "rate.completions_s": "completions/s",
    "per_case.cpu_app_ms": "CPU of the application, ms a case",
    "per_case.cpu_db_ms": "CPU of PostgreSQL, ms a case",
    "per_case.stmts": "statements a case",
    "per_case.tx": "transactions a case",
    "per_case.fsync": "fsyncs a case",
    "per_case.wal_b": "log written, bytes a case",
    "per_case.stored_b": "stored, bytes a case",
    "peak_rss_mb": "peak memory, MiB",
}


def told(found: Iterable[Line], *, keep_noisy: bool = False) -> str:
    """All tables, one part for each thing that was measured alike."""
    every = list(found)
    kept = [one for one in every if keep_noisy or _foreign(one) <= NOISY]
    groups: dict[str, list[Line]] = {}
    for one in kept:
        if not lines.is_missing(one):
            groups.setdefault(_alike(one), []).append(one)
    parts = [part for group in groups.values() for part in _part(group)]
    parts += _growth(groups.values())
    if len(kept) < len(every):
        parts.append(
            f"{len(every) - len(kept)} of {len(every)} lines were measured on a busy machine and left out."
        )
    gone = {(one["scenario"], one["subject"]): one["oracle"]["why"] for one in every if lines.is_missing(one)}
    parts += [f"{scenario}: {subject} could not be had: {why}" for (scenario, subject), why in gone.items()]
    return "\n\n".join(parts)


def in_one_line(one: Line) -> str:
    """What a line says, for somebody who waits."""
    if lines.is_missing(one):
        return f"{one['scenario']} {one['subject']}: {one['oracle']['why']}"
    head = f"{one['scenario']} round {one['round']} {one['subject']} {one['store']} threads {one['threads']}"
    oracle = "right" if one["oracle"]["ok"] else f"WRONG {one['oracle']}"
    figures = {name: value for name, value in _leaves(one) if not name.endswith((".p95", ".p99", *HIDDEN))}
    ended = f"oracle {oracle}, others busy {_foreign(one)}"
    return f"{head} {json.dumps(one['params'])}: {json.dumps(figures)} {ended}"


def _foreign(one: Line) -> float:
    return float(one["env"].get("foreign_cpu", 0.0))


def _alike(one: Line) -> str:
    return json.dumps([one["scenario"], one["store"], one["threads"], one["params"]], sort_keys=True)


def _part(group: list[Line]) -> Iterator[str]:
    first = group[0]
    params = ", ".join(f"{name} {value}" for name, value in first["params"].items())
    yield f"### {first['scenario']}: {first['store']}, threads {first['threads']}, {params}"
    yield _machine(group)
    measured = _by_subject(group)
    yield _figures(measured)
    if ratios := _ratios(measured):
        yield ratios
    if verdicts := targets.verdicts(first, measured):
        yield _table(["gate", "found", "verdict"], verdicts)


def _growth(groups: Iterable[list[Line]]) -> Iterator[str]:
    """What the largest store costs over the smallest, for scenarios that grow one."""
    sized: dict[tuple[str, str, int], dict[int, dict[str, Measured]]] = {}
    for group in groups:
        first = group[0]
        if first["scenario"] in targets.GROWTH:
            size = first["params"][targets.GROWTH[first["scenario"]][0]]
            place = (first["scenario"], first["store"], first["threads"])
            sized.setdefault(place, {})[size] = _by_subject(group)
    for (scenario, store, threads), sizes in sized.items():
        if len(sizes) > 1:
            yield f"### {scenario}: {store}, threads {threads}, {min(sizes):,} to {max(sizes):,}"
            yield _table(["growth", "least", "most", "times", "verdict"], _grown(scenario, sizes))


def _grown(scenario: str, sizes: Mapping[int, dict[str, Measured]]) -> Iterator[list[str]]:
    for name, figure, bound in targets.GROWTH[scenario][1]:
        least, most = figure(sizes[min(sizes)]), figure(sizes[max(sizes)])
        if least and most is not None:
            verdict = "held" if most / least <= bound else "missed"
            times = f"{most / least:.3g} (≤ {bound:g})"
            yield [name, number(least), number(most), times, verdict]


def _machine(group: list[Line]) -> str:
    env = group[0]["env"]
    noise = [_foreign(one) for one in group]
    store = next((f"{name} {env[name]}" for name in ("pg", "sqlite") if name in env), "")
    return (
        f"{env['cpu']}, {env['mem_gib']} GiB, Python {env['python']}, {store},"
        f" synced write {env['fsync_us']} µs, loop {env['loop_ms']} ms,"
        f" others busy {min(noise)}–{max(noise)} cores; commit {group[0]['git']}"
    )


def _by_subject(group: list[Line]) -> dict[str, Measured]:
    """Subject → measure → round → value; a line whose oracle said no counts for nothing."""
    found: dict[str, Measured] = {}
    for one in group:
        if not one["oracle"]["ok"]:
            found.setdefault(f"{one['subject']} (wrong)", {})
            continue
        mine = found.setdefault(one["subject"], {})
        for name, value in _leaves(one):
            mine.setdefault(name, {})[one["round"]] = value
    return found


def _leaves(one: Line) -> Iterator[tuple[str, float]]:
    """Every figure of a line under its dotted name."""
    for part in ("rate", "lat_ms", "per_case", "statements", "plans", "memory_kib", "rss_mb", "answers"):
        yield from _inside(part, one.get(part) or {})
    if "peak_rss_mb" in one:
        yield "peak_rss_mb", one["peak_rss_mb"]


def _inside(name: str, value: Any) -> Iterator[tuple[str, float]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _inside(f"{name}.{key}", inner)
    elif isinstance(value, int | float):
        yield name, float(value)


def _figures(measured: Mapping[str, Measured]) -> str:
    names = dict.fromkeys(name for mine in measured.values() for name in mine)
    shown = [name for name in names if not name.endswith(HIDDEN)]
    rows = [[_name(name), *(_cell(mine.get(name, {})) for mine in measured.values())] for name in shown]
    return _table(["median (least–most)", *measured], rows)


def _ratios(measured: Mapping[str, Measured]) -> str:
    """Ours over each other's, round by round."""
    if "ours" not in measured or len(measured) < 2:
        return ""
    others = [name for name in measured if name != "ours"]
    rates = [name for name in measured["ours"] if _compares(name)]
    rows = [
        [f"ours over theirs: {_name(name)}", *(_cell(gates.ratio(measured, name, other)) for other in others)]
        for name in [*rates, gates.CPU]
    ]
    rows = [row for row in rows if any(row[1:])]
    return _table(["ratio within rounds", *others], rows) if rows else ""


def _compares(name: str) -> bool:
    """Whether one is glad to be above or below others in this."""
    is_rate = name.startswith("rate.") and not name.endswith(HIDDEN)
    return is_rate or (name.startswith("lat_ms.") and name.endswith(".p50"))


def _name(name: str) -> str:
    if name.startswith("lat_ms."):
        _, kind, rank = name.split(".", 2)
        return f"{kind} {rank}, ms"
    return NAMES.get(name, name.removeprefix("rate.").removeprefix("per_case.").replace("_", " "))


def _cell(rounds: Mapping[int, float]) -> str:
    values = list(rounds.values())
    if not values:
        return ""
    if len(values) == 1 or min(values) == max(values):
        return number(values[0])
    return f"{number(median(values))} ({number(min(values))}–{number(max(values))})"


def number(value: float) -> str:
    """Three figures that mean something."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _table(head: list[str], rows: Iterable[Iterable[str]]) -> str:
    ruled = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in ruled)
