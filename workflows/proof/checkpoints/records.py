"""The checkpoints that were signed, as the database remembers them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from engine.proof.notes import Checkpoint
from engine.tables import metadata
from workflows.store.columns import Moment

ALGORITHM = "sha-256"

checkpoints = sa.Table(
    "checkpoints",
    metadata,
    sa.Column("origin", sa.Text, primary_key=True),
    sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("algorithm", sa.Text, nullable=False),  # of leaves and nodes
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Index(None, "at"),
)


@dataclass(frozen=True, kw_only=True)
class Record:
    """One checkpoint as it was signed, and when."""

    origin: str
    size: int
    note: str
    at: datetime


def keep(connection: sa.Connection, checkpoint: Checkpoint, note: str, *, at: datetime) -> None:
    """Remember a checkpoint; one that is remembered already stays as it is."""
    key = {"origin": checkpoint.origin, "size": checkpoint.size}
    known = sa.select(checkpoints.c.size).filter_by(**key)
    if connection.scalar(known) is None:
        row = {**key, "algorithm": ALGORITHM, "note": note, "at": at}
        connection.execute(checkpoints.insert().values(**row))


def kept(connection: sa.Connection, *, newest: int | None = None) -> tuple[Record, ...]:
    """The checkpoints that are remembered, newest first; only so many if told."""
    query = sa.select(checkpoints).order_by(checkpoints.c.at.desc(), checkpoints.c.size.desc())
    rows = connection.execute(query.limit(newest))
    return tuple(Record(origin=row.origin, size=row.size, note=row.note, at=row.at) for row in rows)
