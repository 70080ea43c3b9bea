"""A register that operations write, and that must be the same when it is written again."""

from __future__ import annotations

import pytest

from tests.reliability.dumps import dump
from tests.workflows.services.asking import Register
from workflows.register import batches
from workflows.transaction import projections


@pytest.fixture
def register(story):
    """Whatever a story leaves behind is the same when it is written again from the journal."""
    made = Register(story)
    yield made
    before = dump(made.database), dump(made.database, (batches.batches,))
    with made.database.begin() as connection:
        projections.rebuild(connection, made.catalog)
    assert (dump(made.database), dump(made.database, (batches.batches,))) == before
