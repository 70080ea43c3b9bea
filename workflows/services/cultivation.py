"""The cultivation database: in, how far, and out."""

from __future__ import annotations

from decimal import Decimal

import sqlalchemy as sa

from engine.values import Value
from workflows.register import cultivation
from workflows.register.bans import ban_of
from workflows.register.tracks import find_track
from workflows.services.inputs import chosen, needed, number, texts, whole
from workflows.services.operation import Done, DrawnError, Operation, Reading, Values


def _cultivate(inputs: Values, read: Reading) -> dict[str, Value]:
    unit, track = needed(inputs, "unit"), find_track(needed(inputs, "track")).id
    if _entries(read, unit, track):
        text = f"{unit} already stands in the cultivation database for {track}"
        raise DrawnError("ALREADY_CULTIVATED", text)
    ban = ban_of(read.connection, unit, on=read.today)
    if ban is not None:
        raise DrawnError("BANNED", f"{unit} is banned until {ban.until}, and is not cultivated before")
    return {"entry_id": cultivation.entry_id(read.case_id, track)}


def _write_entry(connection: sa.Connection, done: Done) -> None:
    cultivation.enter_cultivation(
        connection,
        case_id=done.case_id,
        unit=needed(done.told, "unit"),
        track=needed(done.told, "track"),
        on=done.today,
        valid_years=whole(done.told, "valid_years"),
        target_year=whole(done.told, "target_year"),
    )


def _enter_stage(inputs: Values, read: Reading) -> dict[str, Value]:
    unit, track = needed(inputs, "unit"), needed(inputs, "track")
    stage = chosen(inputs, "stage", cultivation.STAGES)
    number(inputs, "score")
    texts(inputs, "gaps")
    if not _entries(read, unit, track):
        raise DrawnError("NOT_CULTIVATED", f"{unit} is not in the cultivation database for {track}")
    return {"stage": stage}


def _write_stage(connection: sa.Connection, done: Done) -> None:
    score = number(done.told, "score")
    cultivation.record_stage(
        connection,
        case_id=done.case_id,
        number=done.number,
        unit=needed(done.told, "unit"),
        track=needed(done.told, "track"),
        stage=needed(done.told, "stage"),
        score="" if score is None else str(score),
        gaps=texts(done.told, "gaps"),
        since=done.today,
    )


def _leave(inputs: Values, read: Reading) -> dict[str, Value]:
    unit, track = needed(inputs, "unit"), needed(inputs, "track")
    chosen(inputs, "ground", cultivation.GROUNDS)
    entries = _entries(read, unit, track)
    return {"left": Decimal(len(entries)), "entries": [*entries]}


def _write_exit(connection: sa.Connection, done: Done) -> None:
    cultivation.leave_cultivation(
        connection,
        texts(done.answer, "entries"),
        case_id=done.case_id,
        unit=needed(done.told, "unit"),
        track=needed(done.told, "track"),
        ground=needed(done.told, "ground"),
        on=done.today,
    )


def _entries(read: Reading, unit: str, track: str) -> list[str]:
    standing = cultivation.entries_of(read.connection, unit, on=read.today)
    return [entry["entry_id"] for entry in standing if entry["track"] == track]


OPERATIONS = (
    Operation(
        type="register.cultivate",
        sentence="Enter a unit into the cultivation database for one track.",
        run=_cultivate,
        write=_write_entry,
        tables=(cultivation.cultivation,),
    ),
    Operation(
        type="register.stage",
        sentence="Note how far a unit in the cultivation database has come.",
        run=_enter_stage,
        write=_write_stage,
        tables=(cultivation.cultivation_stages,),
    ),
    Operation(
        type="register.leave",
        sentence="Take a unit out of the cultivation database for one track.",
        run=_leave,
        write=_write_exit,
        tables=(cultivation.cultivation_exits,),
    ),
)
