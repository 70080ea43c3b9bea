"""Lots: drawn by a digest that nobody chose, so that anybody with the journal can draw them again.

The seed is the digest of the entry that asked for the draw. That entry holds the names and the share, stands
on every entry before it, and has the moment of the database's clock: nobody knows it before it is written,
and a repeated attempt draws the same. A name's place is the order of sha256(seed, NUL, name).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from decimal import ROUND_DOWN, Decimal
from math import ceil

from engine import journal
from engine.events import JobCreated
from engine.journal import Head
from engine.values import Value
from workflows.services.inputs import number, texts
from workflows.services.operation import Operation, Reading, Values

WHOLE = 16**12
PLACES = Decimal("0.000001")


def seed_of(read: Reading) -> Head:
    """The entry that asked for the draw, by its number and digest. Raises ValueError if there is none."""
    for line in journal.read(read.connection, read.case_id):
        if read.job_id in line.body:
            event = line.entry().event
            if isinstance(event, JobCreated) and event.job_id == read.job_id:
                return line.head
    raise ValueError(f"no entry of {read.case_id} asks for {read.job_id}")


def in_order(seed: str, names: Iterable[str]) -> list[str]:
    """The names as the lot has them, the first drawn first."""
    return sorted(names, key=lambda name: _mark(seed, name))


def lot(seed: str, name: str) -> Decimal:
    """The name's lot: from 0 up to, and never, 1, in millionths."""
    share = Decimal(int(_mark(seed, name)[:12], 16)) / WHOLE
    return share.quantize(PLACES, rounding=ROUND_DOWN)


def how_many(count: int, share: Decimal) -> int:
    """So many of `count` a share asks for, a started one counted in."""
    return ceil(count * share)


def told(seed: Head, names: Iterable[str], count: int) -> dict[str, Value]:
    """A draw as an operation answers it: what it rests on, every name with its lot, and the `count` drawn."""
    order = in_order(seed.digest, names)
    lots: list[Value] = [{"name": name, "lot": lot(seed.digest, name)} for name in order]
    drawn: list[Value] = list(order[:count])
    return {"seed": seed.digest, "entry": Decimal(seed.seq), "lots": lots, "drawn": drawn}


def _mark(seed: str, name: str) -> str:
    return hashlib.sha256(f"{seed}\0{name}".encode()).hexdigest()


def _draw(inputs: Values, read: Reading) -> dict[str, Value]:
    names, seed = texts(inputs, "names"), seed_of(read)
    if len(set(names)) < len(names):
        raise ValueError("expected every name once")
    if inputs.get("below") is None:
        return told(seed, names, how_many(len(names), _part(inputs, "share")))
    below = _part(inputs, "below")
    return told(seed, names, sum(1 for name in names if lot(seed.digest, name) < below))


def _part(inputs: Values, name: str) -> Decimal:
    value = number(inputs, name)
    if value is None or not 0 <= value <= 1:
        raise ValueError(f"expected a `{name}` from 0 to 1, found {value!r}")
    return value


OPERATIONS = (
    Operation(
        type="lots.draw",
        sentence="Draw a share of names, or each whose lot is low, by the digest of the entry that asks.",
        run=_draw,
    ),
)
