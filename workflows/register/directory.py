"""The public directory: who bears which title on a day, and the history of one unit's titles and names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from engine.errors import NotFound, WrongState
from workflows.actors.people import authorities, units
from workflows.register.rows import Row, found
from workflows.register.titles import BORNE, CONCERNS, designations, removals, transfers
from workflows.register.tracks import levels, tracks
from workflows.register.units import earlier_names, find_unit, merged_into, renames
from workflows.register.years import green_code_of

VALID, EXPIRED, REMOVED, CARRIED = "valid", "expired", "removed", "carried"
"""What has become of a title by a day."""


@dataclass(frozen=True, kw_only=True)
class Held:
    """One title in a unit's history: since when, what became of it; `ended_on` is the first day without."""

    designation_id: str
    track: str
    level: str
    title: str
    title_en: str
    batch: str
    document: str
    body: str
    decided_on: date
    since: date
    valid_until: date | None
    state: str
    ended_on: date | None
    ground: str


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What the public may know of a unit on a day. Who never bore a title has no entry."""

    id: str
    uscc: str
    name: str
    name_en: str
    authority: str
    authority_name: str
    authority_name_en: str
    titles: tuple[Held, ...]
    names: tuple[Row, ...]
    part_of: str | None
    green_code: Row | None

    @property
    def standing(self) -> tuple[Held, ...]:
        """The titles that it bears on the day."""
        return tuple(title for title in self.titles if title.state == VALID)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is looked for: a text (name, earlier name, credit code) and filters; empty ones do not count."""

    q: str = ""
    track: str = ""
    level: str = ""
    authority: str = ""
    first: int = 0
    limit: int = 50


def find_titles(connection: sa.Connection, wanted: Wanted, *, on: date) -> tuple[int, tuple[Row, ...]]:
    """How many titles that stand on a day fit, and a page of them by track, level, place and name."""
    b = BORNE.c
    filters = ((b.track, wanted.track), (b.level, wanted.level), (b.authority, wanted.authority))
    query = sa.select(BORNE).where(*(column == value for column, value in filters if value))
    if wanted.q:
        query = query.where(b.unit.in_(_named(wanted.q)))
    total = connection.execute(sa.select(sa.func.count()).select_from(query.subquery()), {"on": on})
    order = (*_places(b), b.authority, b.unit_name, b.designation_id)
    page = query.order_by(*order).limit(wanted.limit).offset(wanted.first)
    return total.scalar_one(), found(connection, page, on=on)


def _places(b: Any) -> tuple[sa.ColumnElement[int], ...]:
    """Tracks in the order of their file, the highest level first; what is not known any more comes last."""
    return tuple(
        sa.case({name: place for place, name in enumerate(names)}, value=column, else_=len(names))
        for column, names in ((b.track, [*tracks()]), (b.level, [*levels()][::-1]))
    )


def without_title(connection: sa.Connection, q: str, *, on: date, limit: int = 10) -> tuple[Row, ...]:
    """The units that fit a text and bore a title by a day, but bear none on it: id, uscc, name."""
    bore = sa.union(
        sa.select(designations.c.unit).where(designations.c.decided_on <= on),
        sa.select(transfers.c.unit).where(transfers.c.since <= on),
    )
    bears = sa.select(BORNE.c.unit)
    query = sa.select(bore.subquery().c.unit)
    ids = query.where(query.selected_columns[0].in_(_named(q)), query.selected_columns[0].not_in(bears))
    rows = found(connection, ids.order_by(query.selected_columns[0]).limit(limit), on=on)
    return tuple(find_unit(connection, row["unit"], on=on) for row in rows)


def _named(q: str) -> sa.CompoundSelect[Any]:
    """The ids of the units that are or were called so, or have this credit code."""
    like = f"%{_escaped(q)}%"
    known = sa.or_(
        units.c.name.ilike(like, escape="\\"),
        units.c.name_en.ilike(like, escape="\\"),
        units.c.uscc == q.upper(),
    )
    called = (renames.c.name, renames.c.name_en, renames.c.previous, renames.c.previous_en)
    were = sa.or_(*(name.ilike(like, escape="\\") for name in called))
    return sa.union(sa.select(units.c.id).where(known), sa.select(renames.c.unit).where(were))


def _escaped(text: str) -> str:
    for mark in ("\\", "%", "_"):
        text = text.replace(mark, "\\" + mark)
    return text


def every_authority(connection: sa.Connection) -> tuple[Row, ...]:
    """The local authorities in the order of their codes."""
    return found(connection, sa.select(authorities).order_by(authorities.c.code))


def entry_of(connection: sa.Connection, unit: str, *, on: date) -> Entry:
    """A unit's entry as of a day, by its credit code or id. Raises NotFound if it bore no title by then."""
    known = find_unit(connection, unit, on=on)
    titles = _history(connection, known["id"], on=on)
    if not titles:
        raise NotFound(f"{unit} bore no title by {on}", code="UNIT_NOT_FOUND", unit=unit)
    names = sa.select(authorities).where(authorities.c.code == known["authority"])
    authority = next(iter(found(connection, names)), {})
    return Entry(
        **known,
        authority_name=authority.get("name", ""),
        authority_name_en=authority.get("name_en", ""),
        titles=titles,
        names=earlier_names(connection, known["id"], on=on),
        part_of=merged_into(connection, known["id"], on=on),
        green_code=green_code_of(connection, known["id"], on=on),
    )


def standing_title(connection: sa.Connection, designation_id: str, *, on: date) -> tuple[Entry, Held]:
    """A title and who bears it on a day. Raises NotFound, WrongState TITLE_ENDED if it stands no more."""
    given = sa.select(designations).where(designations.c.designation_id == designation_id)
    row = next(iter(found(connection, given.where(designations.c.decided_on <= on))), None)
    if row is None:
        raise NotFound(f"there is no title {designation_id!r}", title=designation_id)
    borne = sa.select(BORNE.c.unit).where(BORNE.c.designation_id == designation_id)
    bearer = connection.execute(borne, {"on": on}).scalar_one_or_none()
    if bearer is None:
        raise WrongState(f"{designation_id} does not stand on {on}", code="TITLE_ENDED", title=designation_id)
    entry = entry_of(connection, bearer, on=on)
    return entry, next(title for title in entry.standing if title.designation_id == designation_id)


def _history(connection: sa.Connection, unit: str, *, on: date) -> tuple[Held, ...]:
    """Every title that was ever the unit's by a day, the newest first."""
    query = sa.select(designations).where(CONCERNS, designations.c.decided_on <= on)
    newest = query.order_by(designations.c.decided_on.desc(), designations.c.designation_id)
    rows = found(connection, newest, unit=unit)
    ends, moves = _ends(connection, rows, on), _moves(connection, rows, on)
    held = (_held(row, unit, ends.get(row["designation_id"]), moves, on) for row in rows)
    return tuple(title for title in held if title is not None)


def _ends(connection: sa.Connection, rows: tuple[Row, ...], on: date) -> dict[str, Row]:
    ids = [row["designation_id"] for row in rows]
    query = sa.select(removals).where(removals.c.designation_id.in_(ids), removals.c.removed_on <= on)
    last_first = query.order_by(removals.c.removed_on.desc(), removals.c.case_id.desc())
    return {row["designation_id"]: row for row in found(connection, last_first)}  # the first removal counts


def _moves(connection: sa.Connection, rows: tuple[Row, ...], on: date) -> tuple[Row, ...]:
    ids = [row["designation_id"] for row in rows]
    query = sa.select(transfers).where(transfers.c.designation_id.in_(ids), transfers.c.since <= on)
    return found(connection, query.order_by(transfers.c.since, transfers.c.case_id))


def _held(row: Row, unit: str, end: Row | None, moves: tuple[Row, ...], on: date) -> Held | None:
    """The title as the unit's own; None if it had not come to the unit by the day."""
    mine = [move for move in moves if move["designation_id"] == row["designation_id"]]
    came = next((move["since"] for move in reversed(mine) if move["unit"] == unit), None)
    if row["unit"] != unit and came is None:
        return None
    went = next((move["since"] for move in reversed(mine) if move["previous"] == unit), None)
    is_gone = bool(mine) and mine[-1]["unit"] != unit
    state, ended_on, ground = VALID, None, ""
    if is_gone:
        state, ended_on = CARRIED, went
    elif end is not None:
        state, ended_on, ground = REMOVED, end["removed_on"], end["ground"]
    elif row["valid_until"] is not None and row["valid_until"] < on:
        state = EXPIRED
    facts = {name: row[name] for name in row if name not in ("case_id", "unit")}
    return Held(**facts, since=came or row["decided_on"], state=state, ended_on=ended_on, ground=ground)
