"""Designation notices: removals that wait for one, and what it takes up that none before has named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa

from engine.values import Value
from workflows.register import pending
from workflows.register.tracks import find_track, grounds, levels
from workflows.services.inputs import chosen, day, needed, optional, some_day, texts
from workflows.services.operation import Done, Operation, Reading, Values


def _wait(inputs: Values, read: Reading) -> dict[str, Value]:
    for name in ("unit", "ground"):
        needed(inputs, name)
    track, wanted = find_track(needed(inputs, "track")).id, texts(inputs, "levels")
    if not wanted or not set(wanted) <= set(levels()):
        raise ValueError(f"expected `levels` among {', '.join(levels())}, found {inputs.get('levels')!r}")
    return {"pending": f"{read.case_id}-{track}"}


def _write_pending(connection: sa.Connection, done: Done) -> None:
    told = done.told
    pending.record_pending(
        connection,
        case_id=done.case_id,
        unit=needed(told, "unit"),
        track=needed(told, "track"),
        levels=texts(told, "levels"),
        ground=needed(told, "ground"),
        document=optional(told, "document"),
        since=done.today,
    )


def _list_pending(inputs: Values, read: Reading) -> dict[str, Value]:
    level = chosen(inputs, "level", tuple(levels())) if inputs.get("level") else None
    rows = pending.pending_on(read.connection, level=level, on=day(inputs, "on", read.today))
    return {"pending": [{**_shown(row), "levels": [*row["levels"]], "since": row["since"]} for row in rows]}


def _take_up(inputs: Values, read: Reading) -> dict[str, Value]:
    asked: Any = {
        "since": some_day(inputs, "since") or date.min,
        "on": read.today,
        "level": chosen(inputs, "level", tuple(levels())),
    }
    removed = pending.to_be_removed(read.connection, **asked)
    renamed = pending.to_be_renamed(read.connection, **asked)
    return {
        "removed": [_titled(row) | {"date": row["removed_on"]} for row in removed],
        "renamed": [
            _named(row) | {"previous": row["previous"], "document": row["document"], "date": row["since"]}
            for row in renamed
        ],
    }


def _shown(row: Mapping[str, Any]) -> dict[str, Value]:
    known = grounds().get(row["ground"])
    reason = {"ground": row["ground"], "ground_name": known.zh if known else row["ground"]}
    return {**_whose(row), **reason, "document": row["document"]}


def _titled(row: Mapping[str, Any]) -> dict[str, Value]:
    return {**_shown(row), **_title(row)}


def _named(row: Mapping[str, Any]) -> dict[str, Value]:
    return {**_whose(row), **_title(row)}


def _whose(row: Mapping[str, Any]) -> dict[str, Value]:
    told = {name: row[name] for name in ("unit", "name", "authority", "track")}
    return {"case": row["case_id"], **told, "track_name": find_track(row["track"]).zh}


def _title(row: Mapping[str, Any]) -> dict[str, Value]:
    return {name: row[name] for name in ("level", "title", "about")}


def _write_named(connection: sa.Connection, done: Done) -> None:
    level = needed(done.told, "level")
    for kind in (pending.REMOVED, pending.RENAMED):
        about = _about(done.answer.get(kind))
        pending.record_named(connection, about, case_id=done.case_id, level=level, kind=kind)


def _about(rows: Any) -> Iterable[str]:
    return [str(row["about"]) for row in rows]


OPERATIONS = (
    Operation(
        type="register.pending_removal",
        sentence="Enter a removal that is decided and waits for a notice.",
        run=_wait,
        write=_write_pending,
        tables=(pending.pending_removals,),
    ),
    Operation(
        type="register.pending_removals",
        sentence="List the removals that wait for a notice on a day.",
        run=_list_pending,
    ),
    Operation(
        type="register.take_up",
        sentence="Take up in a notice what is removed and renamed, and no notice of the level has named.",
        run=_take_up,
        write=_write_named,
        tables=(pending.notice_items,),
    ),
)
