"""A case in which somebody may be barred."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from tests.story import Story
from workflows.actors.people import grant, persons


@pytest.fixture
def begun(story: Story) -> Story:
    """A case in which everything waits at once: evaluation, check, score and decision."""
    with story.database.begin() as connection:
        ours = dict(connection.execute(sa.select(persons).where(persons.c.id == "eval1")).mappings().one())
        connection.execute(sa.insert(persons).values({**ours, "id": "eval9", "evaluator": "ev2"}))
        grant(connection, "eval9", group="evaluator@ev1", by="system", now=story.clock())
    return story.deploy("conflicted_part").start("conflicted", values={})
