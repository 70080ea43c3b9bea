"""One order over the entries of all cases: who gets a position never loses it, and a tree stands on them.

Appending to a journal costs nothing here. Entries get their positions later, all that are there and have
none, when somebody makes a checkpoint. Numbers are given by whoever holds the lock, so the order has no gap,
and an entry that was committed before a checkpoint was made stands before every one that came after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from engine.errors import WrongState
from engine.journal import Line, canonical
from engine.proof.tree import BLOCK, Growing, Tree, leaf_hash
from engine.tables import blocks, journal, positions

LOCK = 7201966
"""The number of the PostgreSQL lock under which positions are given and checkpoints signed."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where an entry stands among those of all cases, and the leaf that was kept of it."""

    position: int
    seq: int
    leaf: bytes


@dataclass(frozen=True, kw_only=True)
class Stand:
    """What stands at a position today: the kept leaf, and the leaf of the journal as it is now.

    `now` is None where the entry is gone.
    """

    position: int
    case_id: str
    seq: int
    leaf: bytes
    now: bytes | None


def leaf_text(case_id: str, seq: int, digest: str) -> str:
    """The canonical text that a leaf is the hash of; the digest stands for the entry and all before it."""
    return canonical({"case": case_id, "digest": digest, "seq": seq})


def leaf_of(case_id: str, seq: int, digest: str) -> bytes:
    """The leaf of an entry."""
    return leaf_hash(leaf_text(case_id, seq, digest).encode())


def alone(connection: sa.Connection) -> None:
    """Until this transaction ends nobody else gives positions; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})


def extend(connection: sa.Connection, case_ids: Iterable[str]) -> int:
    """Give the next positions to all entries of these cases that have none; answers how many there were."""
    alone(connection)
    size = length(connection)
    rows = [
        {"position": size + number, "case_id": case_id, "seq": seq, "leaf": leaf_of(case_id, seq, digest)}
        for number, (case_id, seq, digest) in enumerate(_without(connection, case_ids))
    ]
    if rows:
        connection.execute(positions.insert(), rows)
        _close_blocks(connection, size, size + len(rows))
    return len(rows)


def length(connection: sa.Connection) -> int:
    """How many positions are given."""
    last = connection.scalar(sa.select(sa.func.max(positions.c.position)))
    return 0 if last is None else int(last) + 1


def tree(connection: sa.Connection) -> Tree:
    """The tree over all positions, as it was kept. Good as long as the connection is open."""
    roots = connection.execute(sa.select(blocks.c.block, blocks.c.root).order_by(blocks.c.block)).all()
    whole = [bytes(row.root) for number, row in enumerate(roots) if row.block == number]
    return Tree(length(connection), lambda start, stop: _leaves(connection, start, stop), whole)


def places(connection: sa.Connection, case_id: str) -> list[Place]:
    """The positions of a case's entries, in order."""
    query = sa.select(positions).where(positions.c.case_id == case_id).order_by(positions.c.seq)
    rows = connection.execute(query)
    return [Place(position=row.position, seq=row.seq, leaf=bytes(row.leaf)) for row in rows]


def stands(connection: sa.Connection) -> Iterator[Stand]:
    """All positions in order, each beside the entry that the journal has for it today."""
    same = (journal.c.case_id == positions.c.case_id) & (journal.c.seq == positions.c.seq)
    query = (
        sa.select(positions, journal.c.digest)
        .join_from(positions, journal, same, isouter=True)
        .order_by(positions.c.position)
    )
    for row in connection.execute(query).yield_per(BLOCK):
        now = None if row.digest is None else leaf_of(row.case_id, row.seq, row.digest)
        yield Stand(position=row.position, case_id=row.case_id, seq=row.seq, leaf=bytes(row.leaf), now=now)


def texts(connection: sa.Connection, case_id: str, *, size: int) -> list[tuple[Place, str]]:
    """The entries of a case among the first `size` of all, in order: its place, and its stored text."""
    same = (journal.c.case_id == positions.c.case_id) & (journal.c.seq == positions.c.seq)
    query = (
        sa.select(positions, journal.c.body)
        .join_from(positions, journal, same)
        .where(positions.c.case_id == case_id, positions.c.position < size)
        .order_by(positions.c.seq)
    )
    rows = connection.execute(query)
    return [(Place(position=row.position, seq=row.seq, leaf=bytes(row.leaf)), str(row.body)) for row in rows]


def altered(connection: sa.Connection, case_id: str, lines: Sequence[Line]) -> Iterator[tuple[int, str]]:
    """The entries of a case that were otherwise when they got their positions: seq, and what is wrong."""
    written = {line.seq: line.digest for line in lines}
    for place in places(connection, case_id):
        digest = written.get(place.seq)
        if digest is None:
            yield place.seq, f"the entry at position {place.position} of all is not there any more"
        elif leaf_of(case_id, place.seq, digest) != place.leaf:
            yield place.seq, f"the entry at position {place.position} of all was another one"


def _without(connection: sa.Connection, case_ids: Iterable[str]) -> Iterator[tuple[str, int, str]]:
    for case_id in case_ids:
        last = connection.scalar(_LAST, {"case_id": case_id}) or 0
        for row in connection.execute(_BEHIND, {"case_id": case_id, "last": last}):
            yield case_id, row.seq, row.digest


def _close_blocks(connection: sa.Connection, before: int, after: int) -> None:
    roots = []
    for block in range(before // BLOCK, after // BLOCK):
        whole = Growing()
        for leaf in _leaves(connection, block * BLOCK, (block + 1) * BLOCK):
            whole.add(leaf)
        roots.append({"block": block, "root": whole.root()})
    if roots:
        connection.execute(blocks.insert(), roots)


def _leaves(connection: sa.Connection, start: int, stop: int) -> Sequence[bytes]:
    """The kept leaves from `start` to before `stop`. Raises WrongState POSITIONS_BROKEN if some are gone."""
    c = positions.c
    query = sa.select(c.leaf).where(c.position >= start, c.position < stop).order_by(c.position)
    found = [bytes(leaf) for leaf in connection.scalars(query)]
    if len(found) != stop - start:
        raise WrongState(
            f"expected {stop - start} positions from {start} on, found {len(found)}", code="POSITIONS_BROKEN"
        )
    return found


# Asked for every case that has news, so built once.
_LAST = sa.select(sa.func.max(positions.c.seq)).where(positions.c.case_id == sa.bindparam("case_id"))
_BEHIND = (
    sa.select(journal.c.seq, journal.c.digest)
    .where(journal.c.case_id == sa.bindparam("case_id"), journal.c.seq > sa.bindparam("last"))
    .order_by(journal.c.seq)
)
