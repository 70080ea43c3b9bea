"""Write docs/campaigns.md from the tallies of a campaign: `campaign_page.py FILE…`."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

DOCUMENT = Path(__file__).resolve().parent.parent / "docs/campaigns.md"
INTRO = """\
# Campaigns

What `make campaign` struck and what came of it, written by it. The suite runs the same tests with smaller \
counts at every change. A line with nought failures in N blows says that the rate of failure is below about \
3/N, with 95 % confidence. What has no line here was not struck with these counts. \
[promises.md](promises.md) says which promise each test holds.

"""
COLUMNS = ("line", "test", "database", "blows and what came of them", "time", "")
HEAD = f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}\n"
Tally = dict[str, Any]


def page(tallies: Iterable[Tally], machine: str) -> str:
    """The whole page; of a test that was tallied more than once the counts are added up."""
    ordered = sorted(tallies, key=lambda tally: (_place(tally["line"]), tally["test"]))
    rows = "".join(_row(test, list(runs)) for test, runs in groupby(ordered, key=lambda tally: tally["test"]))
    return f"{INTRO}{machine}\n\n{HEAD}{rows}"


def _row(test: str, runs: list[Tally]) -> str:
    name, _, parameters = test.rpartition("::")[2].partition("[")
    kind = next((kind for kind in ("sqlite", "pg") if kind in parameters.rstrip("]").split("-")), "")
    rest = "-".join(word for word in parameters.rstrip("]").split("-") if word and word != kind)
    said = name.removeprefix("test_").replace("_", " ") + (f" ({rest})" if rest else "")
    counts: dict[str, int] = {}
    for run in runs:
        for what, count in run["counts"].items():
            counts[what] = counts.get(what, 0) + count
    told = ", ".join(f"{count:,} {what.replace('_', ' ')}" for what, count in counts.items())
    seconds = sum(run["seconds"] for run in runs)
    verdict = "held" if all(run["passed"] for run in runs) else "**broken**"
    database = {"sqlite": "SQLite", "pg": "PostgreSQL"}.get(kind, "")
    return f"| {runs[0]['line']} | {said} | {database} | {told} | {seconds:,.0f} s | {verdict} |\n"


def _place(line: str) -> tuple[str, int]:
    letters = line.rstrip("0123456789")
    return letters, int(line[len(letters) :] or 0)


def _read(files: Iterable[Path]) -> Iterator[Tally]:
    for file in files:
        yield from map(json.loads, file.read_text(encoding="utf-8").splitlines())


def main(files: list[str]) -> int:
    machine = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}."
    DOCUMENT.write_text(page(_read(map(Path, files)), machine), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
