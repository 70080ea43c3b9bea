"""One order over the entries of all cases: who gets a position never loses it, and a tree stands on them.

Appending to a journal costs nothing here. Entries get their positions later, all that are there and have
none, when somebody makes a checkpoint. Numbers are given by whoever holds the lock, so the order has no gap,
and an entry that was committed before a checkpoint was made stands before every one that came after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from engine.errors import WrongState
from engine.journal import canonical, read
from engine.proof.tree import BLOCK, Growing, Tree, leaf_hash
from engine.tables import blocks, journal, positions

WIDTH = 32
"""Bytes of a leaf."""

LONGEST_RUN = 64
"""Leaves in one row, at most."""

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
    before = size = length(connection)
    rows = []
    for case_id, seq, leaves in _runs(connection, case_ids):
        last = seq + len(leaves) - 1
        rows.append(
            {"position": size, "case_id": case_id, "seq": seq, "last": last, "leaves": b"".join(leaves)}
        )
        size += len(leaves)
    if rows:
        connection.execute(positions.insert(), rows)
        _close_blocks(connection, before, size)
    return size - before


def length(connection: sa.Connection) -> int:
    """How many positions are given."""
    c = positions.c
    newest = sa.select(c.position, c.seq, c.last).order_by(c.position.desc()).limit(1)
    last = connection.execute(newest).first()
    return 0 if last is None else int(last.position) + last.last - last.seq + 1


def tree(connection: sa.Connection) -> Tree:
    """The tree over all positions, as it was kept. Good as long as the connection is open."""
    roots = connection.execute(sa.select(blocks.c.block, blocks.c.root).order_by(blocks.c.block)).all()
    whole = [bytes(row.root) for number, row in enumerate(roots) if row.block == number]
    return Tree(length(connection), lambda start, stop: _leaves(connection, start, stop), whole)


def places(connection: sa.Connection, case_id: str) -> list[Place]:
    """The positions of a case's entries, in order."""
    query = sa.select(positions).where(positions.c.case_id == case_id).order_by(positions.c.seq)
    return [
        Place(position=row.position + number, seq=row.seq + number, leaf=leaf)
        for row in connection.execute(query)
        for number, leaf in enumerate(_apart(row.leaves))
    ]


def stands(connection: sa.Connection) -> Iterator[Stand]:
    """All positions in order, each beside the entry that the journal has for it today.

    Leaves and digests are read side by side, for joined they would be sorted together, leaves and all.
    """
    kept = connection.execute(sa.select(positions).order_by(positions.c.position)).yield_per(BLOCK)
    today = groupby(connection.execute(_TODAY).yield_per(BLOCK), key=lambda row: row.position)
    at, entries = next(today, (None, iter(())))
    for run in kept:
        now = {}
        if at == run.position:
            now = {entry.seq: entry.digest for entry in entries}
            at, entries = next(today, (None, iter(())))
        yield from _stands(run, now)


def texts(connection: sa.Connection, case_id: str, *, size: int) -> list[tuple[Place, str]]:
    """The entries of a case among the first `size` of all, in order: its place, and its stored text."""
    written = {line.seq: line.body for line in read(connection, case_id)}
    mine = [place for place in places(connection, case_id) if place.position < size]
    return [(place, written[place.seq]) for place in mine if place.seq in written]


def altered(connection: sa.Connection, case_id: str) -> Iterator[tuple[int, str]]:
    """The entries of a case that were otherwise when they got their positions: seq, and what is wrong."""
    rows = connection.execute(_BEHIND, {"case_id": case_id, "last": 0})
    written = {row.seq: row.digest for row in rows}
    for place in places(connection, case_id):
        digest = written.get(place.seq)
        if digest is None:
            yield place.seq, f"the entry at position {place.position} of all is not there any more"
        elif leaf_of(case_id, place.seq, digest) != place.leaf:
            yield place.seq, f"the entry at position {place.position} of all was another one"


def _runs(connection: sa.Connection, case_ids: Iterable[str]) -> Iterator[tuple[str, int, list[bytes]]]:
    """The entries without a position: case, first seq, and the leaves of those that follow each other."""
    for case_id in case_ids:
        after = connection.scalar(_LAST, {"case_id": case_id}) or 0
        rows = connection.execute(_BEHIND, {"case_id": case_id, "last": after}).all()
        for start in range(0, len(rows), LONGEST_RUN):
            run = rows[start : start + LONGEST_RUN]
            yield case_id, run[0].seq, [leaf_of(case_id, row.seq, row.digest) for row in run]


def _stands(run: sa.Row[Any], now: Mapping[int, str]) -> Iterator[Stand]:
    """What stands at the positions of one row, of which the journal may have lost some."""
    leaves, told = _apart(run.leaves), run.last - run.seq + 1
    for number in range(max(len(leaves), told)):  # a row that tells of more than it holds was changed
        seq = run.seq + number
        leaf = leaves[number] if number < min(len(leaves), told) else b""
        today = leaf_of(run.case_id, seq, now[seq]) if seq in now else None
        yield Stand(position=run.position + number, case_id=run.case_id, seq=seq, leaf=leaf, now=today)


def _apart(leaves: bytes) -> list[bytes]:
    data = bytes(leaves)
    return [data[start : start + WIDTH] for start in range(0, len(data), WIDTH)]


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
    begin = connection.scalar(sa.select(sa.func.max(c.position)).where(c.position <= start)) or 0
    query = sa.select(c.position, c.leaves).where(c.position >= begin, c.position < stop).order_by(c.position)
    found: list[bytes] = []
    for row in connection.execute(query):
        if row.position != begin + len(found):
            break
        found += _apart(row.leaves)
    wanted = found[start - begin : stop - begin]
    if len(wanted) != stop - start:
        raise WrongState(
            f"expected {stop - start} positions from {start} on, found {len(wanted)}", code="POSITIONS_BROKEN"
        )
    return wanted


# Asked for every case that has news, so built once.
_LAST = sa.select(sa.func.max(positions.c.last)).where(positions.c.case_id == sa.bindparam("case_id"))
_BEHIND = (
    sa.select(journal.c.seq, journal.c.digest)
    .where(journal.c.case_id == sa.bindparam("case_id"), journal.c.seq > sa.bindparam("last"))
    .order_by(journal.c.seq)
)
_TODAY = (
    sa.select(positions.c.position, journal.c.seq, journal.c.digest)
    .join_from(
        positions,
        journal,
        (journal.c.case_id == positions.c.case_id) & journal.c.seq.between(positions.c.seq, positions.c.last),
    )
    .order_by(positions.c.position, journal.c.seq)
)
