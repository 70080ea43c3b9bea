"""Units: a new name, and one that becomes part of another."""

from __future__ import annotations

import sqlalchemy as sa

from engine.values import Value
from workflows.register import titles, units
from workflows.services.inputs import chosen, day, needed, optional, texts
from workflows.services.operation import Done, DrawnError, Operation, Reading, Values

MERGED = "merged"
"""The ground on which titles end with a merger."""


def _rename(inputs: Values, read: Reading) -> dict[str, Value]:
    on = day(inputs, "date", read.today)
    unit = units.find_unit(read.connection, needed(inputs, "unit"), on=on)
    name = needed(inputs, "name").strip()
    if name == unit["name"]:
        raise DrawnError("SAME_NAME", f"{unit['id']} is already called {name} on {on}")
    return {"previous": unit["name"], "previous_en": unit["name_en"], "unit": unit["id"], "since": on}


def _write_rename(connection: sa.Connection, done: Done) -> None:
    name = needed(done.told, "name").strip()
    units.record_rename(
        connection,
        case_id=done.case_id,
        number=done.number,
        unit=optional(done.answer, "unit") or needed(done.told, "unit"),
        name=name,
        name_en=optional(done.told, "name_en").strip() or name,
        previous=optional(done.answer, "previous"),
        previous_en=optional(done.answer, "previous_en"),
        document=optional(done.told, "document"),
        since=day(done.told, "date", done.today),
    )


def _merge(inputs: Values, read: Reading) -> dict[str, Value]:
    on, fate = day(inputs, "date", read.today), chosen(inputs, "titles", ("carry", "end"))
    unit, into = (
        units.find_unit(read.connection, needed(inputs, name), on=on)["id"] for name in ("unit", "into")
    )
    if units.merged_into(read.connection, unit, on=on):
        raise DrawnError("MERGED_ALREADY", f"{unit} has become part of another unit before {on}")
    if into in units.absorbed(read.connection, unit, on=on):
        raise DrawnError("MERGED_INTO_ITSELF", f"{unit} cannot become part of {into}, which is part of it")
    borne = titles.titles_of(read.connection, unit, on=on)
    there = {(title.track, title.level) for title in titles.titles_of(read.connection, into, on=on)}
    carried = [t.designation_id for t in borne if fate == "carry" and (t.track, t.level) not in there]
    told: list[Value] = [t.designation_id for t in borne]
    ended: list[Value] = [title for title in told if title not in carried]
    return {"titles": told, "carried": [*carried], "ended": ended, "unit": unit, "into": into}


def _write_merger(connection: sa.Connection, done: Done) -> None:
    on, told, answer = day(done.told, "date", done.today), done.told, done.answer
    unit, into = (optional(answer, name) or needed(told, name) for name in ("unit", "into"))
    facts = {"case_id": done.case_id, "document": optional(told, "document")}
    fate = needed(told, "titles")
    units.record_merger(connection, number=done.number, unit=unit, into=into, titles=fate, since=on, **facts)
    titles.record_transfer(connection, texts(answer, "carried"), previous=unit, unit=into, since=on, **facts)
    titles.record_removal(connection, texts(answer, "ended"), unit=unit, ground=MERGED, on=on, **facts)


OPERATIONS = (
    Operation(
        type="register.rename",
        sentence="Give a unit another name from a day on.",
        run=_rename,
        write=_write_rename,
        tables=(units.renames,),
    ),
    Operation(
        type="register.merge",
        sentence="Make a unit part of another; its titles are carried over or end, its bans go over.",
        run=_merge,
        write=_write_merger,
        tables=(units.mergers, titles.transfers, titles.removals),
    ),
)
