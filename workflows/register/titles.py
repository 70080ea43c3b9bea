"""Titles: what was designated, what was removed, and whose they are on a day.

Nothing is changed in a row: a removal and a transfer are rows of their own that name the designation, so
that it does not matter which case's rows are written first, and any day can be asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from engine.tables import metadata
from engine.temporal import add_months
from workflows.actors.people import units
from workflows.register.rows import Row, found, once, text
from workflows.register.units import ON, names_of

designations = sa.Table(
    "designations",
    metadata,
    sa.Column("case_id", sa.Text, primary_key=True),
    sa.Column("designation_id", sa.Text, primary_key=True),
    *map(text, ("unit", "track", "level", "title", "title_en", "batch", "document", "body")),
    sa.Column("decided_on", sa.Date, nullable=False),
    sa.Column("valid_until", sa.Date),  # the last day; null is open-ended
    sa.Index(None, "unit"),
    sa.Index(None, "designation_id"),
    sa.Index(None, "track", "level", "decided_on"),
)

removals = sa.Table(
    "removals",
    metadata,
    sa.Column("case_id", sa.Text, primary_key=True),
    sa.Column("designation_id", sa.Text, primary_key=True),
    *map(text, ("unit", "ground", "document")),
    sa.Column("removed_on", sa.Date, nullable=False),  # the first day without it
    sa.Index(None, "designation_id"),
    sa.Index(None, "removed_on"),
)

transfers = sa.Table(
    "transfers",
    metadata,
    sa.Column("case_id", sa.Text, primary_key=True),
    sa.Column("designation_id", sa.Text, primary_key=True),
    *map(text, ("unit", "previous", "document")),  # who bears it now, and who bore it
    sa.Column("since", sa.Date, nullable=False),
    sa.Index(None, "designation_id"),
    sa.Index(None, "unit"),
    sa.Index(None, "since"),
)


@dataclass(frozen=True, kw_only=True)
class Designation:
    """One title and who bears it on the day that was asked about. `valid_until` None is open-ended."""

    case_id: str
    designation_id: str
    unit: str
    track: str
    level: str
    title: str
    title_en: str
    batch: str
    document: str
    body: str
    decided_on: date
    valid_until: date | None


def _bearer() -> sa.ColumnElement[str]:
    """Who bears a designation on the day `:on`."""
    t = transfers.alias()
    gone = sa.select(t.c.unit).where(t.c.designation_id == designations.c.designation_id, t.c.since <= ON)
    newest = gone.order_by(t.c.since.desc(), t.c.case_id.desc()).limit(1)
    return sa.func.coalesce(newest.scalar_subquery(), designations.c.unit)


def _is_removed() -> sa.Exists:
    gone = removals.c.designation_id == designations.c.designation_id
    return sa.exists().where(gone, removals.c.removed_on <= ON)


BEARER = _bearer().label("unit")

STANDS = (
    (designations.c.decided_on <= ON)
    & (designations.c.valid_until.is_(None) | (designations.c.valid_until >= ON))
    & ~_is_removed()
)
"""Whether a designation stands on the day `:on`."""

CONCERNS = (designations.c.unit == sa.bindparam("unit")) | designations.c.designation_id.in_(
    sa.select(transfers.c.designation_id).where(transfers.c.unit == sa.bindparam("unit"))
)
"""Whether a designation was ever the unit's `:unit`."""

FACTS = tuple(column for column in designations.c if column.name != "unit")
OF_UNIT = (
    sa.select(*FACTS, BEARER)
    .where(CONCERNS, STANDS, _bearer() == sa.bindparam("unit"))
    .order_by(designations.c.decided_on, designations.c.designation_id)
)


def record_designation(
    connection: sa.Connection,
    *,
    case_id: str,
    designation_id: str,
    unit: str,
    track: str,
    level: str,
    title: str,
    title_en: str = "",
    batch: str = "",
    document: str = "",
    body: str = "",
    decided_on: date,
    valid_years: int | None = None,
) -> None:
    """Enter a title into the register; valid for whole years from the decision, or open-ended."""
    row = {
        "case_id": case_id,
        "designation_id": designation_id,
        "unit": unit,
        "track": track,
        "level": level,
        "title": title,
        "title_en": title_en,
        "batch": batch,
        "document": document,
        "body": body,
        "decided_on": decided_on,
        "valid_until": last_day(decided_on, valid_years),
    }
    once(connection, designations, row)


def last_day(since: date, years: int | None) -> date | None:
    """The last day of what is valid for whole years from a day; None without an end."""
    return add_months(since, 12 * years) if years else None


def record_removal(
    connection: sa.Connection,
    designation_ids: Iterable[str],
    *,
    case_id: str,
    unit: str,
    ground: str,
    document: str = "",
    on: date,
) -> None:
    """Take titles away: from this day on the unit bears them no more."""
    facts = {"case_id": case_id, "unit": unit, "ground": ground, "document": document, "removed_on": on}
    for designation_id in designation_ids:
        once(connection, removals, {**facts, "designation_id": designation_id})


def record_transfer(
    connection: sa.Connection,
    designation_ids: Iterable[str],
    *,
    case_id: str,
    previous: str,
    unit: str,
    document: str = "",
    since: date,
) -> None:
    """Carry titles over to another unit, which bears them from this day on."""
    facts = {"case_id": case_id, "previous": previous, "unit": unit, "document": document, "since": since}
    for designation_id in designation_ids:
        once(connection, transfers, {**facts, "designation_id": designation_id})


def titles_of(connection: sa.Connection, unit: str, *, on: date) -> tuple[Designation, ...]:
    """The titles a unit bears on a day, oldest first; a renewed one stands twice until the old one ends."""
    return tuple(Designation(**row) for row in found(connection, OF_UNIT, unit=unit, on=on))


def duplicate(
    connection: sa.Connection, unit: str, *, track: str, level: str, on: date
) -> Designation | None:
    """The same title if the unit already bears it: same unit, track and level stand once."""
    same = (title for title in titles_of(connection, unit, on=on) if _is(title, track, level))
    return max(same, key=lambda title: (title.valid_until or date.max, title.decided_on), default=None)


def _is(title: Designation, track: str, level: str) -> bool:
    return (title.track, title.level) == (track, level)


def list_titles(
    connection: sa.Connection,
    *,
    track: str | None = None,
    level: str | None = None,
    authority: str | None = None,
    on: date,
    limit: int = 200,
    offset: int = 0,
) -> tuple[Row, ...]:
    """The public list: titles that stand on a day with their units' names then, newest decision first."""
    d = BORNE.c
    wanted = ((d.track, track), (d.level, level), (d.authority, authority))
    query = sa.select(BORNE).where(*(column == value for column, value in wanted if value))
    order = (d.decided_on.desc(), d.track, d.unit, d.designation_id)
    return found(connection, query.order_by(*order).limit(limit).offset(offset), on=on)


def _borne() -> sa.Subquery:
    of = sa.select(*FACTS, BEARER).where(STANDS).subquery()
    name, name_en = names_of(of.c.unit)
    columns = (name.label("unit_name"), name_en.label("unit_name_en"), units.c.authority, units.c.uscc)
    return sa.select(of, *columns).join(units, units.c.id == of.c.unit).subquery()


BORNE = _borne()
"""The titles that stand on the day `:on`, with their bearers: unit_name, unit_name_en, authority, uscc."""
