"""How often a test strikes, in the suite and in a campaign, and the tally of what its blows came to.

A test of a promise asks for `campaign`, says how many blows it strikes in either run, and tells what came of
them. `make campaign` writes the tallies down, one line of JSON for each test, and makes docs/campaigns.md of
them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest


@dataclass
class Campaign:
    """One test's part in a run."""

    is_long: bool
    number: str = ""
    counts: dict[str, int] = field(default_factory=dict)

    def times(self, suite: int, campaign: int) -> int:
        """How often to strike in this run."""
        return campaign if self.is_long else suite

    def tell(self, number: str, **counts: int) -> None:
        """What came of it: the number of the line in docs/campaigns.md, and what was counted.

        Told again, counts are added up. Say also what is hoped to be nought: `lost=0`.
        """
        assert self.number in ("", number), f"one test speaks for one line: {self.number}, {number}"
        self.number = number
        for what, count in counts.items():
            self.counts[what] = self.counts.get(what, 0) + count


def add_options(parser: pytest.Parser) -> None:
    parser.addoption("--campaign", action="store_true", help="strike and draw lots far more often")
    parser.addoption(
        "--tally", type=Path, help="put a line for each test that told what it counted behind FILE"
    )


def deselect_long_tests(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests marked `long` take part in campaigns alone."""
    if config.getoption("--campaign"):
        return
    long = [item for item in items if item.get_closest_marker("long")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


def take_part(request: pytest.FixtureRequest) -> Iterator[Campaign]:
    part = Campaign(request.config.getoption("--campaign"))
    began = time.monotonic()
    yield part
    tally = request.config.getoption("--tally")
    if tally is not None and part.number:
        _write(tally, request.node, part, time.monotonic() - began)


def _write(tally: Path, node: pytest.Item, part: Campaign, seconds: float) -> None:
    called = getattr(node, "came_to", None)
    line = {
        "line": part.number,
        "test": node.nodeid,
        "passed": called is not None and called.passed,
        "seconds": round(seconds, 1),
        "counts": part.counts,
    }
    with tally.open("a", encoding="utf-8") as written:
        written.write(json.dumps(line, ensure_ascii=False) + "\n")
