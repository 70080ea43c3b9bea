"""Titles, the cultivation database, bans and evaluators' projects: what stands in the register.

The rows are what finished service operations mean: they carry the case they come from and can be
written again from the journal. Writing twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from engine.errors import NotFound
from engine.tables import metadata
from engine.temporal import add_months
from workflows.actors.people import evaluators, units
from workflows.store.tables import GOING_ON, cases

TRACKS = ("gf", "sc", "gp", "we", "wp")
LEVELS = ("municipal", "provincial", "national")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, default="")


designations = sa.Table(
    "designations",
    metadata,
    sa.Column("case_id", sa.Text, primary_key=True),
    sa.Column("designation_id", sa.Text, primary_key=True),
    *map(_text, ("unit", "track", "level", "title", "title_en", "batch", "document")),
    sa.Column("decided_on", sa.Date, nullable=False),
    sa.Column("valid_until", sa.Date),  # the last day; null is open-ended
    sa.Column("removed_on", sa.Date),
    *map(_text, ("removed_by", "ground")),  # the case that removed it, and why
    sa.Index(None, "unit"),
    sa.Index(None, "track", "level", "decided_on"),
)

cultivation = sa.Table(
    "cultivation",
    metadata,
    sa.Column("case_id", sa.Text, primary_key=True),
    sa.Column("unit", sa.Text, primary_key=True),
    sa.Column("track", sa.Text, primary_key=True),
    sa.Column("entered_on", sa.Date, nullable=False),
    sa.Column("valid_until", sa.Date),
    sa.Column("left_on", sa.Date),
    *map(_text, ("stage", "ground")),
    sa.Column("target_year", sa.Integer),
    sa.Index(None, "unit"),
)

bans = sa.Table(
    "bans",
    metadata,
    sa.Column("case_id", sa.Text, primary_key=True),
    sa.Column("unit", sa.Text, primary_key=True),
    _text("ground"),
    sa.Column("since", sa.Date, nullable=False),
    sa.Column("until", sa.Date, nullable=False),  # the first day on which it may apply again
    sa.Index(None, "unit"),
)

evaluator_projects = sa.Table(
    "evaluator_projects",
    metadata,
    sa.Column("case_id", sa.Text, primary_key=True),
    sa.Column("evaluator", sa.Text, primary_key=True),
    sa.Column("year", sa.Integer, primary_key=True, autoincrement=False),
    *map(_text, ("unit", "track", "level")),
    sa.Index(None, "evaluator", "year"),
)


@dataclass(frozen=True, kw_only=True)
class Designation:
    """One title of one unit. `valid_until` None is open-ended; `removed_on` ends it for good."""

    case_id: str
    designation_id: str
    unit: str
    track: str
    level: str
    title: str
    title_en: str
    batch: str
    document: str
    decided_on: date
    valid_until: date | None
    removed_on: date | None
    removed_by: str
    ground: str

    def is_valid(self, on: date) -> bool:
        """Whether the unit bears the title on this day."""
        return _stands(on, since=self.decided_on, until=self.valid_until, ended=self.removed_on)


@dataclass(frozen=True, kw_only=True)
class Ban:
    """A unit may not apply, be recommended or be listed before `until` (F36, F37)."""

    case_id: str
    unit: str
    ground: str
    since: date
    until: date


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
        "decided_on": decided_on,
        "valid_until": add_months(decided_on, 12 * valid_years) if valid_years else None,
    }
    _once(connection, designations, row)


def titles_of(connection: sa.Connection, unit: str, *, on: date) -> tuple[Designation, ...]:
    """The titles a unit bears on a day, oldest first."""
    query = sa.select(designations).where(designations.c.unit == unit)
    rows = connection.execute(query.order_by(designations.c.decided_on)).mappings()
    return tuple(title for row in rows if (title := Designation(**row)).is_valid(on))


@dataclass(frozen=True, kw_only=True)
class Record:
    """What the register says of a unit on a day: its titles (`gf.municipal`) oldest first, the tracks for
    which it is being cultivated, and the first day on which a banned one may apply again."""

    titles: tuple[str, ...]
    cultivated: tuple[str, ...]
    banned_until: date | None


def record_of(connection: sa.Connection, unit: str, *, on: date) -> Record:
    """What stands of a unit, in one look."""
    rows = connection.execute(_RECORD, {"unit": unit}).all()
    standing = [row for row in rows if _stands(on, since=row.since, until=row.until, ended=row.ended)]
    return Record(
        titles=tuple(f"{row.track}.{row.level}" for row in standing if row.kind == "title"),
        cultivated=tuple(sorted({row.track for row in standing if row.kind == "cultivation"})),
        banned_until=max((row.until for row in rows if row.kind == "ban" and row.until > on), default=None),
    )


def _stands(on: date, *, since: date, until: date | None, ended: date | None) -> bool:
    """Whether what was entered `since`, is valid `until` and was `ended`, if it was, stands on this day."""
    is_ended = ended is not None and ended <= on
    is_expired = until is not None and until < on
    return since <= on and not is_ended and not is_expired


def _told(kind: str, table: sa.Table, names: tuple[str, ...]) -> sa.Select[Any]:
    """A unit's rows in one shape; `names` are the columns of track, level, since, until, ended, or empty."""
    shape = zip(("track", "level", "since", "until", "ended"), names, strict=True)
    columns = [(table.c[name] if name else sa.null()).label(label) for label, name in shape]
    told = sa.select(sa.literal_column(f"'{kind}'").label("kind"), *columns)
    return told.where(table.c.unit == sa.bindparam("unit"))


_RECORD = sa.union_all(
    _told("title", designations, ("track", "level", "decided_on", "valid_until", "removed_on")),
    _told("cultivation", cultivation, ("track", "", "entered_on", "valid_until", "left_on")),
    _told("ban", bans, ("", "", "since", "until", "")),
).order_by("since")


def duplicate(
    connection: sa.Connection, unit: str, *, track: str, level: str, on: date
) -> Designation | None:
    """The same title if the unit already bears it: same unit, track and level stand once."""
    same = (
        title for title in titles_of(connection, unit, on=on) if (title.track, title.level) == (track, level)
    )
    return next(same, None)


def running_application(connection: sa.Connection, unit: str, *, process: str, batch: str) -> str | None:
    """The id of a case in which the unit already applies by this process in this batch, if there is one."""
    c = cases.c
    same = (c.unit_id == unit) & (c.process_id == process) & (c.batch_id == batch)
    query = sa.select(c.case_id).where(same, c.status.in_(GOING_ON))
    return connection.execute(query.order_by(c.case_id).limit(1)).scalar_one_or_none()


def list_titles(
    connection: sa.Connection,
    *,
    track: str | None = None,
    level: str | None = None,
    authority: str | None = None,
    on: date,
    limit: int = 200,
    offset: int = 0,
) -> tuple[Mapping[str, Any], ...]:
    """The public list: valid titles with their units' names, newest decision first."""
    d = designations.c
    columns = (units.c.name.label("unit_name"), units.c.name_en.label("unit_name_en"), units.c.authority)
    query = sa.select(designations, *columns).join(units, units.c.id == d.unit).where(d.decided_on <= on)
    query = query.where(d.removed_on.is_(None) | (d.removed_on > on))
    query = query.where(d.valid_until.is_(None) | (d.valid_until >= on))
    wanted = ((d.track, track), (d.level, level), (units.c.authority, authority))
    query = query.where(*(column == value for column, value in wanted if value))
    order = (d.decided_on.desc(), d.track, d.unit, d.designation_id)
    found = connection.execute(query.order_by(*order).limit(limit).offset(offset)).mappings()
    return tuple(dict(row) for row in found)


def remove_titles(
    connection: sa.Connection,
    *,
    case_id: str,
    unit: str,
    track: str | None = None,
    level: str | None = None,
    ground: str,
    on: date,
) -> int:
    """Take a unit's titles away, all or those of one track or level; how many are gone by this case."""
    d = designations.c
    wanted = [d.unit == unit, *(c == v for c, v in ((d.track, track), (d.level, level)) if v)]
    standing = sa.update(designations).where(*wanted, d.removed_on.is_(None))
    connection.execute(standing.values(removed_on=on, removed_by=case_id, ground=ground))
    gone = sa.select(sa.func.count()).select_from(designations).where(*wanted, d.removed_by == case_id)
    return connection.execute(gone).scalar_one()


def record_ban(
    connection: sa.Connection, *, case_id: str, unit: str, ground: str, since: date, years: int
) -> date:
    """Bar a unit from applying for `years` from the day of removal; the day from which it may again."""
    until = add_months(since, 12 * years)
    row = {"case_id": case_id, "unit": unit, "ground": ground, "since": since, "until": until}
    _once(connection, bans, row)
    return until


def ban_of(connection: sa.Connection, unit: str, *, on: date) -> Ban | None:
    """The ban that bars a unit on a day, the longest if there are several."""
    standing = (bans.c.unit == unit) & (bans.c.since <= on) & (bans.c.until > on)
    query = sa.select(bans).where(standing).order_by(bans.c.until.desc(), bans.c.case_id).limit(1)
    row = connection.execute(query).mappings().one_or_none()
    return Ban(**row) if row else None


def enter_cultivation(
    connection: sa.Connection,
    *,
    case_id: str,
    unit: str,
    track: str,
    on: date,
    valid_years: int | None,
    stage: str = "registered",
    target_year: int | None = None,
) -> None:
    """Enter a unit into the cultivation database for one track (F10, F26)."""
    until = add_months(on, 12 * valid_years) if valid_years else None
    row = {"case_id": case_id, "unit": unit, "track": track, "entered_on": on, "valid_until": until}
    _once(connection, cultivation, {**row, "stage": stage, "target_year": target_year})


def leave_cultivation(connection: sa.Connection, unit: str, *, track: str, ground: str, on: date) -> int:
    """Take a unit out of the cultivation database; how many entries ended."""
    c = cultivation.c
    standing = (c.unit == unit) & (c.track == track) & c.left_on.is_(None)
    change = sa.update(cultivation).where(standing).values(left_on=on, ground=ground, stage="left")
    return connection.execute(change).rowcount


def cultivated(connection: sa.Connection, unit: str, *, on: date) -> tuple[str, ...]:
    """The tracks for which a unit is in the cultivation database on a day."""
    return record_of(connection, unit, on=on).cultivated


def record_project(
    connection: sa.Connection, *, case_id: str, evaluator: str, year: int, unit: str, track: str, level: str
) -> None:
    """Count one project of an evaluator."""
    row = {"case_id": case_id, "evaluator": evaluator, "year": year}
    _once(connection, evaluator_projects, {**row, "unit": unit, "track": track, "level": level})


def project_count(connection: sa.Connection, evaluator: str, *, year: int, level: str | None = None) -> int:
    """How many projects the evaluators of one legal representative have in a year (F43).

    `level` None counts all levels. The evaluator and all others with the same legal representative
    count together. Raises NotFound.
    """
    query = sa.select(evaluators.c.legal_representative).where(evaluators.c.id == evaluator)
    behind = connection.execute(query).scalar_one_or_none()
    if behind is None:
        raise NotFound(f"there is no evaluator {evaluator!r}", evaluator=evaluator)
    together = sa.select(evaluators.c.id).where(evaluators.c.legal_representative == behind)
    p = evaluator_projects.c
    counted = sa.select(sa.func.count()).where(p.evaluator.in_(together), p.year == year)
    return connection.execute(counted.where(p.level == level) if level else counted).scalar_one()


def _once(connection: sa.Connection, table: sa.Table, row: Mapping[str, Any]) -> None:
    """Insert a row unless its key is there: the same operation means the same row."""
    mine = sa.and_(*(column == row[column.name] for column in table.primary_key))
    if not connection.execute(sa.select(*table.primary_key).where(mine)).first():
        connection.execute(sa.insert(table).values(**row))
