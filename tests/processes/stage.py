"""One house in memory where every example is played once, whoever asks first."""

from __future__ import annotations

from functools import cache

from tests.processes import drawn
from workflows.workshop.play import Theatre
from workflows.workshop.played import Played


@cache
def theatre() -> Theatre:
    """The house."""
    return Theatre()


@cache
def played(name: str) -> Played:
    """How the example `process/name` went. Raises Stuck naming the step that did not fit."""
    example = drawn.examples()[name]
    return theatre().play(drawn.ROOT / example["process"], example)
