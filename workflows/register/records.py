"""A unit's record: what the register says of it on a day, in one look, and where it is applying."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from workflows.register import bans, cultivation, titles
from workflows.store.tables import GOING_ON, cases


@dataclass(frozen=True, kw_only=True)
class Record:
    """What the register says of a unit on a day: its titles (`gf.municipal`) oldest first, the tracks for
    which it is being cultivated, and the first day on which a banned one may apply again."""

    titles: tuple[str, ...]
    cultivated: tuple[str, ...]
    banned_until: date | None


def record_of(connection: sa.Connection, unit: str, *, on: date) -> Record:
    """What stands of a unit, in one look."""
    rows = connection.execute(_RECORD, {"unit": unit, "on": on}).all()
    borne = (f"{row.track}.{row.level}" for row in rows if row.kind == "title")
    return Record(
        titles=tuple(dict.fromkeys(borne)),
        cultivated=tuple(sorted({row.track for row in rows if row.kind == "cultivation"})),
        banned_until=max((row.until for row in rows if row.kind == "ban"), default=None),
    )


def running_application(connection: sa.Connection, unit: str, *, process: str, batch: str) -> str | None:
    """The id of a case in which the unit already applies by this process in this batch, if there is one."""
    c = cases.c
    same = (c.unit_id == unit) & (c.process_id == process) & (c.batch_id == batch)
    query = sa.select(c.case_id).where(same, c.status.in_(GOING_ON))
    return connection.execute(query.order_by(c.case_id).limit(1)).scalar_one_or_none()


def _told(kind: str, query: sa.Select[Any], names: tuple[str, ...]) -> sa.Select[Any]:
    """Rows in one shape; `names` are the columns of track, level, since, until, or empty."""
    of = query.order_by(None).subquery()
    shape = zip(_SHAPE.items(), names, strict=True)
    columns = [
        (of.c[name] if name else sa.cast(sa.null(), type_)).label(label) for (label, type_), name in shape
    ]
    return sa.select(sa.literal_column(f"'{kind}'").label("kind"), *columns)


_SHAPE: dict[str, sa.types.TypeEngine[Any]] = {
    "track": sa.Text(),
    "level": sa.Text(),
    "since": sa.Date(),
    "until": sa.Date(),
}
_RECORD = sa.union_all(
    _told("title", titles.OF_UNIT, ("track", "level", "decided_on", "")),
    _told("cultivation", cultivation.OF_UNIT, ("track", "", "entered_on", "")),
    _told("ban", bans.BARRING, ("", "", "since", "until")),
).order_by("since", "track")
