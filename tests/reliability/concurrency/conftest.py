"""What the controlled races may ask for: a stage with two doors."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.reliability.concurrency.control import Stage, stage_of
from tests.story import Story


@pytest.fixture
def stage(story: Story) -> Iterator[Stage]:
    """Two doors over the story's database, with somebody at each."""
    with stage_of(story) as stage:
        yield stage
