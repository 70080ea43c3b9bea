"""How many letters one letter has set off, with no person and no wait between."""

from __future__ import annotations

import sqlalchemy as sa

from workflows.acts.letters import Letter
from workflows.store.tables import echoes
from workflows.transaction.change import Change

MOST = 5_000
"""So many deliveries one letter may set off: several answers from every case of a season."""


def count(change: Change, letter: Letter) -> None:
    """One more was delivered, in the transaction that delivers it. A first letter is nobody's echo."""
    if letter.is_echo:
        query = sa.text(
            "INSERT INTO echoes (origin, deliveries) VALUES (:origin, 1)"
            " ON CONFLICT (origin) DO UPDATE SET deliveries = echoes.deliveries + 1"
        )
        change.writing.execute(query, {"origin": letter.origin})


def delivered(connection: sa.Connection, letter: Letter) -> int:
    """How many the letter behind this one has set off so far."""
    query = sa.select(echoes.c.deliveries).where(echoes.c.origin == letter.origin)
    return connection.scalar(query) or 0
