"""What becomes of units: the history of their names, and which went into which.

Rows are what finished service operations mean. Each says since when, so that any day can be asked.
"""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from engine.errors import NotFound
from engine.tables import metadata
from workflows.actors.people import units
from workflows.register.rows import Row, found, job_number, once, text

renames = sa.Table(
    "renames",
    metadata,
    sa.Column("case_id", sa.Text, primary_key=True),
    job_number(),
    *map(text, ("unit", "name", "name_en", "previous", "previous_en", "document")),
    sa.Column("since", sa.Date, nullable=False),
    sa.Index(None, "unit", "since"),
)

mergers = sa.Table(
    "mergers",
    metadata,
    sa.Column("case_id", sa.Text, primary_key=True),
    job_number(),
    *map(text, ("unit", "into_unit", "document", "titles")),  # titles: carry, end
    sa.Column("since", sa.Date, nullable=False),
    sa.Index(None, "unit"),
    sa.Index(None, "into_unit"),
)

ON: sa.BindParameter[date] = sa.bindparam("on", type_=sa.Date)
"""The day that is asked about."""


def names_of(unit: sa.ColumnElement[str]) -> tuple[sa.Label[str], sa.Label[str]]:
    """The names of a unit on the day `:on`, Chinese and English, as columns `name` and `name_en`."""
    return _name(unit, "name", "previous"), _name(unit, "name_en", "previous_en")


def code_of(unit: sa.ColumnElement[str]) -> sa.Label[str]:
    """The credit code of a unit, as the column `uscc`."""
    return _known_of(unit, "uscc")


def authority_of(unit: sa.ColumnElement[str]) -> sa.Label[str]:
    """The authority of a unit, as the column `authority`."""
    return _known_of(unit, "authority")


def _known_of(unit: sa.ColumnElement[str], name: str) -> sa.Label[str]:
    known = units.alias()
    of = sa.select(known.c[name]).where(known.c.id == unit)
    return sa.func.coalesce(of.scalar_subquery(), "").label(name)


def _name(unit: sa.ColumnElement[str], now: str, before: str) -> sa.Label[str]:
    """The newest name up to the day; else what it was called before the next; else what it is known by."""
    of = renames.alias()
    known = units.alias()
    newest = (of.c.since.desc(), of.c.case_id.desc(), of.c.number.desc())
    up_to = sa.select(of.c[now]).where(of.c.unit == unit, of.c.since <= ON).order_by(*newest).limit(1)
    after = sa.select(of.c[before]).where(of.c.unit == unit, of.c.since > ON)
    first = after.order_by(of.c.since, of.c.case_id, of.c.number).limit(1)
    always = sa.select(known.c[now]).where(known.c.id == unit)
    return sa.func.coalesce(*(found.scalar_subquery() for found in (up_to, first, always)), "").label(now)


_NAMED = sa.select(units.c.id, units.c.authority, units.c.uscc, *names_of(units.c.id))
_BY_ID = _NAMED.where(units.c.id == sa.bindparam("unit"))
_BY_CODE = _NAMED.where(units.c.uscc == sa.bindparam("unit"))


def find_unit(connection: sa.Connection, unit: str, *, on: date) -> Row:
    """A unit by its id or its credit code: id, authority, uscc, and its names on a day. Raises NotFound."""
    for query in (_BY_ID, _BY_CODE):
        for row in found(connection, query, unit=unit, on=on):
            return row
    raise NotFound(f"there is no unit {unit!r}", code="UNIT_NOT_FOUND", unit=unit)


def record_rename(
    connection: sa.Connection,
    *,
    case_id: str,
    number: int,
    unit: str,
    name: str,
    name_en: str,
    previous: str,
    previous_en: str,
    document: str = "",
    since: date,
) -> None:
    """From a day on the unit has another name (F41)."""
    row = {"case_id": case_id, "number": number, "unit": unit, "document": document, "since": since}
    names = {"name": name, "name_en": name_en, "previous": previous, "previous_en": previous_en}
    once(connection, renames, row | names)


def earlier_names(connection: sa.Connection, unit: str, *, on: date) -> tuple[Row, ...]:
    """The changes of a unit's name up to a day, newest first: name, previous, since, document."""
    query = sa.select(renames).where(renames.c.unit == unit, renames.c.since <= on)
    return found(connection, query.order_by(renames.c.since.desc(), renames.c.number.desc()))


def record_merger(
    connection: sa.Connection,
    *,
    case_id: str,
    number: int,
    unit: str,
    into: str,
    titles: str,
    document: str = "",
    since: date,
) -> None:
    """From a day on the unit is part of another; `titles` says whether they are carried or end (`end`)."""
    row = {"case_id": case_id, "number": number, "unit": unit, "into_unit": into, "since": since}
    once(connection, mergers, {**row, "titles": titles, "document": document})


def merged_into(connection: sa.Connection, unit: str, *, on: date) -> str | None:
    """The unit that a unit has become part of by a day, if it has."""
    query = sa.select(mergers.c.into_unit).where(mergers.c.unit == unit, mergers.c.since <= on)
    found = connection.execute(query.order_by(mergers.c.since.desc(), mergers.c.number.desc()).limit(1))
    return found.scalar_one_or_none()


def lineage() -> sa.CTE:
    """The unit `:unit` and all that have become part of it by the day `:on`, near or far, as `unit`."""
    itself: sa.ColumnElement[str] = sa.cast(sa.bindparam("unit", type_=sa.Text), sa.Text)
    own = sa.select(itself.label("unit")).cte("lineage", recursive=True)
    merged = sa.select(mergers.c.unit).join(own, mergers.c.into_unit == own.c.unit)
    return own.union(merged.where(mergers.c.since <= ON))


def absorbed(connection: sa.Connection, unit: str, *, on: date) -> frozenset[str]:
    """The unit itself and all that have become part of it by a day."""
    return frozenset(connection.execute(_ABSORBED, {"unit": unit, "on": on}).scalars())


_ABSORBED = sa.select(lineage().c.unit)
