"""Candidates of a batch: a unit's case enters itself, the batch's case asks for the ranked list."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from engine.values import Value
from workflows.register import candidates
from workflows.register.batches import find_batch
from workflows.register.tracks import find_track, levels
from workflows.services.inputs import chosen, needed, number, optional, whole
from workflows.services.operation import Done, Operation, Reading, Values


def _enter(inputs: Values, read: Reading) -> dict[str, Value]:
    batch, track = needed(inputs, "batch"), find_track(needed(inputs, "track")).id
    level = chosen(inputs, "level", tuple(levels()))
    needed(inputs, "unit")
    number(inputs, "score")
    for counted in ("opinions", "order"):
        whole(inputs, counted)
    find_batch(read.connection, batch)
    return {"candidate": candidates.candidate_id(read.case_id, batch=batch, track=track, level=level)}


def _write_candidate(connection: sa.Connection, done: Done) -> None:
    told = done.told
    candidates.record_candidate(
        connection,
        case_id=done.case_id,
        batch=needed(told, "batch"),
        unit=needed(told, "unit"),
        track=needed(told, "track"),
        level=needed(told, "level"),
        score=number(told, "score"),
        proposal=optional(told, "proposal"),
        opinions=whole(told, "opinions") or 0,
        place=whole(told, "order"),
    )


def _rank(inputs: Values, read: Reading) -> dict[str, Value]:
    rows = candidates.candidates_of(
        read.connection,
        optional(inputs, "batch") or None,
        track=optional(inputs, "track") or None,
        level=chosen(inputs, "level", tuple(levels())),
        on=read.today,
    )
    return {"candidates": [_shown(row) for row in rows]}


def _shown(row: Mapping[str, Any]) -> dict[str, Value]:
    told = ("batch", "unit", "name", "authority", "authority_name", "track", "level", "score", "proposal")
    counts = {"rank": "rank", "opinions": "opinions", "order": "place"}
    numbers = {name: _exact(row[column]) for name, column in counts.items()}
    track_name = find_track(row["track"]).zh
    return {"case": row["case_id"], "track_name": track_name, **{n: row[n] for n in told}, **numbers}


def _exact(value: int | None) -> Decimal | None:
    return None if value is None else Decimal(value)


OPERATIONS = (
    Operation(
        type="register.candidate",
        sentence="Enter a case among the candidates of a batch.",
        run=_enter,
        write=_write_candidate,
        tables=(candidates.batch_candidates,),
    ),
    Operation(
        type="register.candidates",
        sentence="List the candidates of a batch, or of all, by track, score and name.",
        run=_rank,
    ),
)
