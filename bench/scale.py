"""From a province to a nation by arithmetic: `python -m bench.scale` prints the table of docs/scale.md.

What was measured stands above, what is assumed below it, and everything else is computed. Measure again,
change the constants, print the table again: a test sees to it that the page says the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

# --- measured; docs/scale.md says by which commands

ENTRIES_A_CASE = 160
COMMANDS_A_CASE = 31
STORED_KB_A_CASE = 189
COMMANDS_A_SECOND = 498
LOG_KB_A_COMMAND = 6.8
STATEMENTS_A_COMMAND = 8.3
SYNCED_WRITES_A_COMMAND = 0.27
VERIFYING_MS_AN_ENTRY = 0.28

# --- decided in the code

CONNECTIONS_A_PROCESS = 20
"""Ten that a process keeps, and ten more that it may open."""

# --- assumed

LAST_DAY = 0.2
"""Of a year's applications come on the last day of the season."""

LAST_HOURS = 0.5
HOURS = 4
"""Half of those in four hours."""

COMMANDS_AN_APPLICATION = 10
"""Begun, kept as a draft on the way, handed in."""

IDLE = 2
"""Processes are given twice what they need."""

SIZES = (10_000, 1_000_000, 100_000_000)


def applications_a_second(cases: int) -> float:
    """At the peak, if so many cases begin in a year."""
    return cases * LAST_DAY * LAST_HOURS / (HOURS * 3600)


def commands_a_second(cases: int) -> float:
    """At the peak; each is a transaction, and those that meet share a commit."""
    return applications_a_second(cases) * COMMANDS_AN_APPLICATION


def processes(cases: int) -> int:
    """Of `tidu serve`, on as many processors; two at least."""
    return max(2, math.ceil(commands_a_second(cases) * IDLE / COMMANDS_A_SECOND))


def rows() -> Iterator[tuple[str, ...]]:
    """The lines of the table, its head first."""
    yield ("", *(_count(cases) + " cases a year" for cases in SIZES))
    told = {
        "entries a year": lambda n: _count(n * ENTRIES_A_CASE),
        "stored a year, evidence files apart": lambda n: _bytes(n * STORED_KB_A_CASE * 1e3),
        "commands a year": lambda n: _count(n * COMMANDS_A_CASE),
        "applications a second at the peak": lambda n: _number(applications_a_second(n)),
        "commands a second at the peak": lambda n: _number(commands_a_second(n)),
        "statements a second": lambda n: _number(commands_a_second(n) * STATEMENTS_A_COMMAND),
        "synced writes a second": lambda n: _number(commands_a_second(n) * SYNCED_WRITES_A_COMMAND),
        "log of PostgreSQL a second": lambda n: _bytes(commands_a_second(n) * LOG_KB_A_COMMAND * 1e3),
        "processes of `tidu serve`": lambda n: _count(processes(n)),
        "connections they may open": lambda n: _count(processes(n) * CONNECTIONS_A_PROCESS),
        "verifying a year's entries, hours of one processor": lambda n: _number(
            n * ENTRIES_A_CASE * VERIFYING_MS_AN_ENTRY / 3.6e6
        ),
    }
    for what, compute in told.items():
        yield (what, *(compute(cases) for cases in SIZES))


def table() -> str:
    """The table as the page has it."""
    head, *lines = rows()
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, ("---",) * len(head), *lines))


def _number(value: float) -> str:
    return f"{float(f'{value:.2g}'):,g}" if value < 1000 else f"{float(f'{value:.2g}'):,.0f}"


def _count(value: float) -> str:
    for unit, size in (("G", 1e9), ("M", 1e6)):
        if value >= size:
            return f"{float(f'{value / size:.2g}'):g} {unit}"
    return _number(value)


def _bytes(value: float) -> str:
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if value >= size:
            return f"{float(f'{value / size:.2g}'):g} {unit}"
    return f"{value:.0f} B"


if __name__ == "__main__":
    print(table())
