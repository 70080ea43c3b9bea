"""Bans: who may not apply, be recommended or be listed before a day, and whom that reaches.

A ban is on a unit and on its credit code. It reaches every unit with that code, whatever it is called now,
and every unit that one of them has become part of.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from engine.tables import metadata
from engine.temporal import add_months
from workflows.actors.people import units
from workflows.register.rows import job_number, once, text
from workflows.register.units import ON, lineage

bans = sa.Table(
    "bans",
    metadata,
    sa.Column("case_id", sa.Text, primary_key=True),
    job_number(),
    *map(text, ("unit", "uscc", "ground", "document")),
    sa.Column("since", sa.Date, nullable=False),
    sa.Column("until", sa.Date, nullable=False),  # the first day on which it may apply again
    sa.Index(None, "unit"),
    sa.Index(None, "uscc"),
)


@dataclass(frozen=True, kw_only=True)
class Ban:
    """A unit may not apply, be recommended or be listed before `until` (F36, F37)."""

    case_id: str
    number: int
    unit: str
    uscc: str
    ground: str
    document: str
    since: date
    until: date


def record_ban(
    connection: sa.Connection,
    *,
    case_id: str,
    number: int = 0,
    unit: str,
    uscc: str = "",
    ground: str,
    document: str = "",
    since: date,
    years: int,
) -> date:
    """Bar a unit from applying for `years` from the day of removal; the day from which it may again."""
    until = end_of_ban(since, years)
    row = {"case_id": case_id, "number": number, "unit": unit, "uscc": uscc, "ground": ground}
    once(connection, bans, {**row, "document": document, "since": since, "until": until})
    return until


def end_of_ban(since: date, years: int) -> date:
    """The first day on which a unit that is barred for whole years may apply again."""
    return add_months(since, 12 * years)


def ban_of(connection: sa.Connection, unit: str, *, on: date) -> Ban | None:
    """The ban that bars a unit on a day, the longest if there are several. `unit` is an id or a credit code:
    firms that are not known to the house have only the latter."""
    row = connection.execute(_LONGEST, {"unit": unit, "on": on}).mappings().first()
    return Ban(**row) if row else None


def _barring() -> sa.Select[Any]:
    reached = lineage()
    codes = sa.select(units.c.uscc).join(reached, reached.c.unit == units.c.id).where(units.c.uscc != "")
    by_unit = bans.c.unit.in_(sa.select(reached.c.unit))
    by_code = bans.c.uscc.in_(codes) | ((bans.c.uscc == sa.bindparam("unit")) & (bans.c.uscc != ""))
    return sa.select(bans).where(by_unit | by_code, bans.c.since <= ON, bans.c.until > ON)


BARRING = _barring()
"""The bans that bar `:unit` on the day `:on`."""

_LONGEST = BARRING.order_by(bans.c.until.desc(), bans.c.case_id, bans.c.number).limit(1)
