"""Titles: looked up, given, taken, listed, and what changed between two days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from engine.errors import NotFound
from engine.values import Value
from workflows.register import bans, changes, pending, titles
from workflows.register.records import record_of
from workflows.register.tracks import find_track, highest, levels
from workflows.register.units import find_unit
from workflows.services.inputs import chosen, day, needed, optional, some_day, texts, whole
from workflows.services.operation import Done, DrawnError, Operation, Reading, Values
from workflows.store.tables import GOING_ON, cases


def _look_up(inputs: Values, read: Reading) -> dict[str, Value]:
    asked, track = needed(inputs, "unit"), inputs.get("track")
    unit, name = _known(read, asked)
    record = record_of(read.connection, unit, on=read.today)
    borne = [
        title
        for title in titles.titles_of(read.connection, unit, on=read.today)
        if track in (None, title.track)
    ]
    level = highest([title.level for title in borne])
    return {
        "level": level,
        "titles": [*record.titles],
        "banned_until": record.banned_until,
        "open_cases": Decimal(_other_cases(read, unit)),
        "cultivated": [*record.cultivated],
        "valid_until": _end([title for title in borne if title.level == level]),
        "name": name,
    }


def _known(read: Reading, asked: str) -> tuple[str, str]:
    """The id and the name of a unit; a firm that is not known to the house is what it was asked by."""
    try:
        unit = find_unit(read.connection, asked, on=read.today)
    except NotFound:
        return asked, ""
    return str(unit["id"]), str(unit["name"])


def _end(borne: Iterable[titles.Designation]) -> date | None:
    last = max((title.valid_until or date.max for title in borne), default=date.max)
    return None if last == date.max else last


def _other_cases(read: Reading, unit: str) -> int:
    own = sa.select(cases.c.process_id).where(cases.c.case_id == read.case_id).scalar_subquery()
    query = sa.select(sa.func.count()).where(
        cases.c.unit_id == unit,
        cases.c.process_id == own,
        cases.c.status.in_(GOING_ON),
        cases.c.case_id != read.case_id,
    )
    return read.connection.execute(query).scalar_one()


def _designate(inputs: Values, read: Reading) -> dict[str, Value]:
    unit, track = needed(inputs, "unit"), find_track(needed(inputs, "track")).id
    level, on = chosen(inputs, "level", tuple(levels())), day(inputs, "date", read.today)
    known = titles.duplicate(read.connection, unit, track=track, level=level, on=on)
    if known is not None and known.case_id != read.case_id and not _renews(inputs, known, on):
        raise DrawnError("ALREADY_BORNE", f"{unit} already bears {track}.{level} by case {known.case_id}")
    ban = bans.ban_of(read.connection, unit, on=on) or bans.ban_of(read.connection, unit, on=read.today)
    if ban is not None:
        raise DrawnError("BANNED", f"{unit} is banned until {ban.until}, and nothing is designated before")
    return {"designation_id": f"{read.case_id}-{track}-{level}", "document": inputs.get("document")}


def _renews(inputs: Values, known: titles.Designation, on: date) -> bool:
    """Whether the new title outlives the old one: who has a title without an end has nothing to renew."""
    last = titles.last_day(on, whole(inputs, "valid_years"))
    return known.valid_until is not None and (last is None or last > known.valid_until)


def _write_designation(connection: sa.Connection, done: Done) -> None:
    told = done.told
    titles.record_designation(
        connection,
        case_id=done.case_id,
        designation_id=str(done.result["designation_id"]),
        unit=needed(told, "unit"),
        track=needed(told, "track"),
        level=needed(told, "level"),
        title=optional(told, "title"),
        title_en=optional(told, "title_en"),
        batch=optional(told, "batch"),
        document=optional(told, "document"),
        body=optional(told, "body"),
        decided_on=day(told, "date", done.today),
        valid_years=whole(told, "valid_years"),
    )


def _remove(inputs: Values, read: Reading) -> dict[str, Value]:
    needed(inputs, "ground")
    on = day(inputs, "date", read.today)
    unit = find_unit(read.connection, needed(inputs, "unit"), on=on)
    track, wanted = inputs.get("track"), texts(inputs, "levels")
    gone = [
        title
        for title in titles.titles_of(read.connection, unit["id"], on=on)
        if track in (None, title.track) and (not wanted or title.level in wanted)
    ]
    years = whole(inputs, "ban_years")
    return {
        "removed": [title.designation_id for title in gone],
        "titles": [*dict.fromkeys(f"{title.track}.{title.level}" for title in gone)],
        "banned_until": bans.end_of_ban(on, years) if years else None,
        "unit": unit["id"],
        "uscc": unit["uscc"],
    }


def _write_removal(connection: sa.Connection, done: Done) -> None:
    told, answer, on = done.told, done.answer, day(done.told, "date", done.today)
    facts = {
        "case_id": done.case_id,
        "unit": optional(answer, "unit") or needed(told, "unit"),
        "ground": needed(told, "ground"),
        "document": optional(told, "document"),
    }
    titles.record_removal(connection, texts(answer, "removed"), on=on, **facts)
    pending.end_pending(connection, done.case_id, on=done.today)
    if years := whole(told, "ban_years"):
        code = optional(answer, "uscc")
        bans.record_ban(connection, number=done.number, uscc=code, since=on, years=years, **facts)


STANDING = (
    *("designation_id", "case_id", "unit", "unit_name", "authority", "track", "level", "title"),
    *("decided_on", "valid_until"),
)
_CALLED = {
    "case_id": "case",
    "unit_name": "name",
    "decided_on": "date",
    "removed_on": "date",
    "since": "date",
}


def _list_standing(inputs: Values, read: Reading) -> dict[str, Value]:
    rows = changes.standing(
        read.connection,
        tracks=texts(inputs, "tracks"),
        levels=texts(inputs, "levels"),
        authority=optional(inputs, "authority") or None,
        on=day(inputs, "on", read.today),
        expiring_before=some_day(inputs, "expiring_before"),
    )
    return {"standing": [_shown(row, STANDING) | {"decided_on": row["decided_on"]} for row in rows]}


def _list_changes(inputs: Values, read: Reading) -> dict[str, Value]:
    asked: Any = {
        "since": day(inputs, "since", read.today),
        "until": day(inputs, "until", read.today),
        "level": chosen(inputs, "level", tuple(levels())),
    }
    shared = ("unit", "name", "track", "level", "title")
    given = changes.given(read.connection, **asked)
    taken = changes.taken(read.connection, **asked)
    renamed = changes.renamed(read.connection, **asked)
    return {
        "new": [_shown(row, (*shared, "decided_on")) for row in given],
        "removed": [_shown(row, (*shared, "removed_on", "ground")) for row in taken],
        "renamed": [_shown(row, (*shared, "previous", "since")) for row in renamed],
    }


def _shown(row: Mapping[str, Any], names: Iterable[str]) -> dict[str, Value]:
    return {_CALLED.get(name, name): row[name] for name in names}


OPERATIONS = (
    Operation(
        type="register.lookup",
        sentence="Look up a unit's titles, its ban and its other running applications.",
        run=_look_up,
    ),
    Operation(
        type="register.designate",
        sentence="Enter a title into the register.",
        run=_designate,
        write=_write_designation,
        tables=(titles.designations,),
    ),
    Operation(
        type="register.remove",
        sentence="Take a unit's titles away, and bar it for some years.",
        run=_remove,
        write=_write_removal,
        tables=(titles.removals, bans.bans),
    ),
    Operation(
        type="register.standing",
        sentence="List the titles that stand on a day.",
        run=_list_standing,
    ),
    Operation(
        type="register.changes",
        sentence="List the titles that were given, taken and renamed between two days.",
        run=_list_changes,
    ),
)
