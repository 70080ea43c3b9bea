"""The years after a title: scores, who stands last, green codes, targets to pull others along."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from engine.values import Value
from workflows.register import years
from workflows.register.tracks import find_track, levels
from workflows.services.inputs import chosen, needed, number, optional, some_day, whole, year
from workflows.services.operation import Done, Operation, Reading, Values


def _enter_score(inputs: Values, read: Reading) -> dict[str, Value]:
    needed(inputs, "unit")
    find_track(needed(inputs, "track"))
    chosen(inputs, "level", tuple(levels()))
    if whole(inputs, "year") is None or number(inputs, "score") is None:
        raise ValueError("a score is of a `year` and has a `score`")
    return {"recorded": True}


def _write_score(connection: sa.Connection, done: Done) -> None:
    years.record_score(
        connection,
        case_id=done.case_id,
        number=done.number,
        unit=needed(done.told, "unit"),
        track=needed(done.told, "track"),
        level=needed(done.told, "level"),
        year=year(done.told, done.today.year),
        score=number(done.told, "score") or Decimal(0),
        since=done.today,
    )


def _rank(inputs: Values, read: Reading) -> dict[str, Value]:
    share = number(inputs, "share")
    if share is None or not 0 <= share <= 1:
        raise ValueError(f"expected `share` to be from 0 to 1, found {share}")
    found = years.last_of(
        read.connection,
        track=needed(inputs, "track"),
        level=chosen(inputs, "level", tuple(levels())),
        year=year(inputs, read.today.year),
        share=share,
        years=whole(inputs, "years") or 1,
        on=read.today,
    )
    return {"last": [_shown(last) for last in found]}


def _shown(last: years.Last) -> dict[str, Value]:
    told = {"unit": last.unit, "name": last.name, "score": last.score}
    return {**told, "rank": Decimal(last.rank), "years_in_a_row": Decimal(last.years_in_a_row)}


def _give_code(inputs: Values, read: Reading) -> dict[str, Value]:
    unit, of = needed(inputs, "unit"), year(inputs, read.today.year)
    some_day(inputs, "valid_until")
    if inputs.get("grade") is None:
        return {"code": None}
    chosen(inputs, "grade", years.GRADES)
    mark = hashlib.sha256(f"{read.case_id}\0{unit}\0{of}".encode()).hexdigest()[:12].upper()
    return {"code": f"{of}-{mark}"}


def _write_code(connection: sa.Connection, done: Done) -> None:
    years.record_green_code(
        connection,
        case_id=done.case_id,
        number=done.number,
        unit=needed(done.told, "unit"),
        year=year(done.told, done.today.year),
        code=optional(done.answer, "code"),
        grade=optional(done.told, "grade"),
        since=done.today,
        valid_until=some_day(done.told, "valid_until"),
    )


def _set_targets(inputs: Values, read: Reading) -> dict[str, Value]:
    needed(inputs, "unit")
    find_track(needed(inputs, "track"))
    if whole(inputs, "year") is None:
        raise ValueError("targets are of a `year`")
    _targets(inputs)
    return {"recorded": True}


def _targets(inputs: Values) -> dict[str, int]:
    rows: Any = inputs.get("targets")
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise ValueError(f"expected `targets` to be a list of {{track, count}}, found {rows!r}")
    return {find_track(needed(row, "track")).id: whole(row, "count") or 0 for row in rows}


def _write_targets(connection: sa.Connection, done: Done) -> None:
    years.record_pull(
        connection,
        case_id=done.case_id,
        unit=needed(done.told, "unit"),
        track=needed(done.told, "track"),
        year=year(done.told, done.today.year),
        targets=_targets(done.told),
    )


OPERATIONS = (
    Operation(
        type="register.score",
        sentence="Keep a unit's score of a year.",
        run=_enter_score,
        write=_write_score,
        tables=(years.yearly_scores,),
    ),
    Operation(
        type="register.ranking",
        sentence="Say who is among the last of a year, and for how many years in a row.",
        run=_rank,
    ),
    Operation(
        type="register.green_code",
        sentence="Give a unit its green code of a year, or make it void.",
        run=_give_code,
        write=_write_code,
        tables=(years.green_codes,),
    ),
    Operation(
        type="register.pull",
        sentence="Set how many firms a park or a supply-chain leader shall pull along in a year.",
        run=_set_targets,
        write=_write_targets,
        tables=(years.pull_targets,),
    ),
)
