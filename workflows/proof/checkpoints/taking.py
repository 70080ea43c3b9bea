"""Who makes checkpoints: positions for what is new, a look back at the one before, a signature."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from engine.errors import WrongState
from engine.proof import positions
from engine.proof.notes import Checkpoint, Verifier, named
from engine.tables import positions as given
from workflows.proof.checkpoints import records
from workflows.proof.checkpoints.keyring import Keyring
from workflows.store.tables import cases, reading

CASES_AT_ONCE = 50
"""So many cases' entries get their positions in one transaction: on SQLite others wait for it."""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A checkpoint, the note that holds it, and how many entries got their positions for it."""

    checkpoint: Checkpoint
    note: str
    added: int


class Checkpoints:
    """Makes checkpoints and knows the last. Any number may try: one at a time does."""

    def __init__(self, database: sa.Engine, ring: Keyring, *, clock: Callable[[], datetime]) -> None:
        self.ring = ring
        self._database = database
        self._clock = clock

    def begin(self, seed: bytes, *, place: str) -> Verifier:
        """See to it that there is a key: 32 secret bytes, named after `place`. Answers the public one."""
        self.ring.begin(named(seed, place))
        return self.ring.signer().verifier

    def take(self) -> Taken:
        """Sign what the journal is now; where nothing is new the last checkpoint stands.

        Raises WrongState NO_KEY, and JOURNAL_WENT_BACK where the journal does not extend the last
        checkpoint: then nothing is signed and no position given until somebody has looked.
        """
        self.ring.signer()
        with reading(self._database) as connection:
            self._look_back(connection)
        added = self._give_positions()
        with self._database.begin() as connection:
            positions.alone(connection)
            checkpoint, note = self._sign(connection)
            records.keep(connection, checkpoint, note, at=self._clock())
        return Taken(checkpoint=checkpoint, note=note, added=added)

    def take_if_due(self, every: timedelta) -> Taken | None:
        """`take`, if there is a key and the last checkpoint is older than `every`."""
        if not self.ring.can_sign:
            return None
        with reading(self._database) as connection:
            last = records.kept(connection, newest=1)
        if last and self._clock() - last[0].at < every:
            return None
        return self.take()

    def standing(self) -> str:
        """How it stands with signing, in words. Raises WrongState as `take` does, where nothing is signed."""
        if not self.ring.can_sign:
            return "there is no key: nothing is signed until `tidu init`"
        with reading(self._database) as connection:
            last = self._look_back(connection)
        return f"the last knows {last.size} entries, all are there" if last else "none was signed yet"

    def renew(self, seed: bytes, *, place: str) -> Verifier:
        """A new key under a new name: the present one is good for what it signed that is still there.

        This is also how work goes on after entries were lost. Raises WrongState NO_KEY.
        """
        self.ring.signer()
        with reading(self._database) as connection:
            size = positions.length(connection)
        last = self.ring.last()
        self.ring.renew(named(seed, place), until=min(size, last.size) if last else size)
        return self.ring.signer().verifier

    def _look_back(self, connection: sa.Connection) -> Checkpoint | None:
        last = self.ring.last()
        if last is None:
            return None
        tree = positions.tree(connection)
        if last.size > tree.size:
            raise _went_back(
                f"the last checkpoint knows {last.size} entries, the database has {tree.size} of them"
            )
        if tree.root(last.size) != last.root:
            raise _went_back(f"the first {last.size} entries are not those of the last checkpoint")
        return last

    def _sign(self, connection: sa.Connection) -> tuple[Checkpoint, str]:
        signer, last = self.ring.signer(), self._look_back(connection)
        tree = positions.tree(connection)
        now = Checkpoint(origin=signer.name, size=tree.size, root=tree.root())
        note = self.ring.latest() if now == last else None
        if note is None:
            note = signer.sign(now.text)
            self.ring.remember(note)
        return now, note

    def _give_positions(self) -> int:
        news, added = self._with_news(), 0
        for start in range(0, len(news), CASES_AT_ONCE):
            with self._database.begin() as connection:
                added += positions.extend(connection, news[start : start + CASES_AT_ONCE])
        return added

    def _with_news(self) -> list[str]:
        """The cases that have entries without a position, those first that changed first."""
        last = sa.select(sa.func.max(given.c.last)).where(given.c.case_id == cases.c.case_id)
        has_news = cases.c.seq > sa.func.coalesce(last.scalar_subquery(), 0)
        query = sa.select(cases.c.case_id).where(has_news).order_by(cases.c.updated_at, cases.c.case_id)
        with reading(self._database) as connection:
            return list(connection.scalars(query))


def _went_back(why: str) -> WrongState:
    return WrongState(f"no checkpoint is signed: {why}", code="JOURNAL_WENT_BACK")
