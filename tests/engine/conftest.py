"""How often the tests of the engine draw lots: in the suite, and in a campaign (`make campaign`)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

HOW_OFTEN = {
    "durations": (300, 100_000),
    "models": (30, 300),
    "paths": (10, 50),
    "histories": (30, 300),
    "ends": (60, 1_000),
    "equal_walks": (6, 60),
}
"""For each kind: how many in the suite, how many in a campaign."""


@pytest.fixture(scope="session")
def often(request: pytest.FixtureRequest) -> Callable[[str], int]:
    """How often to do a thing in this run."""
    return lambda what: HOW_OFTEN[what][request.config.getoption("--campaign")]
