"""What a notice tells: titles that stand on a day, and what was given, taken and renamed between two days."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import sqlalchemy as sa

from workflows.register.rows import Row, found
from workflows.register.titles import BORNE, designations, removals, transfers
from workflows.register.units import authority_of, code_of, names_of, renames

_TITLE = tuple(designations.c[name] for name in ("track", "level", "title", "title_en"))


def standing(
    connection: sa.Connection,
    *,
    tracks: Iterable[str] = (),
    levels: Iterable[str] = (),
    authority: str | None = None,
    on: date,
    expiring_before: date | None = None,
) -> tuple[Row, ...]:
    """The titles that stand on a day, by track, authority and unit; of a renewed one the newer."""
    b = BORNE.c
    query = sa.select(BORNE).order_by(b.track, b.authority, b.unit, b.level, b.decided_on, b.designation_id)
    for column, wanted in ((b.track, tuple(tracks)), (b.level, tuple(levels))):
        query = query.where(column.in_(wanted)) if wanted else query
    query = query.where(b.authority == authority) if authority else query
    rows = found(connection, query, on=on)
    newest = {(row["unit"], row["track"], row["level"]): row for row in rows}
    return tuple(row for row in newest.values() if _expires(row, expiring_before))


def _expires(row: Row, before: date | None) -> bool:
    return before is None or (row["valid_until"] is not None and row["valid_until"] < before)


def given(connection: sa.Connection, *, since: date, until: date, level: str) -> tuple[Row, ...]:
    """The titles of a level that were given from `since` to `until`, both days included."""
    d = designations.c
    query = sa.select(designations, *_bearer(d.unit)).where(d.level == level)
    return _rows(connection, query.where(d.decided_on.between(since, until)), d.decided_on, until)


def taken(connection: sa.Connection, *, since: date, until: date, level: str) -> tuple[Row, ...]:
    """The titles of a level that were taken away in that time, with their grounds."""
    d, r = designations.c, removals.c
    query = (
        sa.select(
            d.track,
            d.level,
            d.title,
            d.title_en,
            r.case_id,
            r.unit,
            r.ground,
            r.document,
            r.removed_on,
            *_bearer(r.unit),
        )
        .join(removals, r.designation_id == d.designation_id)
        .where(d.level == level, r.removed_on.between(since, until))
    )
    return _rows(connection, query, r.removed_on, until)


def renamed(connection: sa.Connection, *, since: date, until: date, level: str) -> tuple[Row, ...]:
    """The titles of a level whose bearers got another name in that time, or that went to another bearer."""
    return _new_names(connection, since, until, level) + _new_bearers(connection, since, until, level)


def _new_names(connection: sa.Connection, since: date, until: date, level: str) -> tuple[Row, ...]:
    r = renames.c
    query = sa.select(renames).where(r.since.between(since, until)).order_by(r.since, r.case_id, r.number)
    return tuple(
        {**row, **_title(borne)}
        for row in found(connection, query)
        for borne in standing(connection, levels=(level,), on=row["since"])
        if borne["unit"] == row["unit"]
    )


def _title(borne: Row) -> dict[str, Any]:
    return {name: borne[name] for name in ("track", "level", "title", "title_en", "uscc", "authority")}


def _new_bearers(connection: sa.Connection, since: date, until: date, level: str) -> tuple[Row, ...]:
    d, t = designations.c, transfers.c
    before, before_en = names_of(t.previous)
    previous = (before.label("previous"), before_en.label("previous_en"))
    facts = (t.case_id, t.unit, t.document, t.since, *previous)
    query = sa.select(*_TITLE, *facts, *_bearer(t.unit)).join(transfers, t.designation_id == d.designation_id)
    query = query.where(d.level == level, t.since.between(since, until))
    return _rows(connection, query, t.since, until)


def _bearer(unit: sa.ColumnElement[str]) -> tuple[sa.Label[str], ...]:
    return *names_of(unit), code_of(unit), authority_of(unit)


def _rows(
    connection: sa.Connection, query: sa.Select[Any], day: sa.ColumnElement[date], on: date
) -> tuple[Row, ...]:
    ordered = query.order_by(day, designations.c.track, designations.c.designation_id)
    return found(connection, ordered, on=on)
