"""What a case starts with: the checked start form, the unit, the batch and its rules, and a number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import sqlalchemy as sa

from engine.errors import NotFound
from engine.values import Value
from workflows.packages import Package
from workflows.people import authorities, units
from workflows.policy import Actor
from workflows.submissions import read, typed

SHANGHAI = timezone(timedelta(hours=8))
Values = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Opening:
    """What is asked for: `unit`, `batch` are ids or whole records, `rules` overrides of the batch's rules."""

    process: str
    values: Values
    unit: Values | str | None = None
    batch: Values | str | None = None
    rules: Values | None = None


@dataclass(frozen=True, kw_only=True)
class Opened:
    """The data a case begins with, and what the journal names beside them."""

    values: dict[str, Value]
    unit_id: str | None
    batch_id: str | None


def opened(
    connection: sa.Connection, asked: Opening, package: Package, *, actor: Actor, now: datetime
) -> Opened:
    """Look up what ids stand for and check the start form. Raises NotFound, InvalidInput."""
    unit = _unit(connection, asked.unit if asked.unit is not None else actor.unit)
    batch = asked.batch if isinstance(asked.batch, Mapping) else {}
    form = package.form("start")
    values = read(form).check(asked.values, now=now) if form else typed(asked.values)
    given: dict[str, Any] = {"applicant": actor.id, "unit": unit, "batch": batch or None}
    given["rules"] = asked.rules or {}
    return Opened(values={**values, **typed(given)}, unit_id=unit["id"] if unit else None, batch_id=None)


def case_number(connection: sa.Connection, prefix: str, now: datetime) -> str:
    """The next number, counted per prefix and year without a gap: `GF-2026-000123`."""
    stem = f"{prefix}-{now.astimezone(SHANGHAI).year}"
    query = sa.text(
        "INSERT INTO case_numbers (prefix, last) VALUES (:prefix, 1)"
        " ON CONFLICT (prefix) DO UPDATE SET last = case_numbers.last + 1 RETURNING last"
    )
    return f"{stem}-{connection.execute(query, {'prefix': stem}).scalar_one():06}"


def _unit(connection: sa.Connection, unit: Values | str | None) -> dict[str, Any] | None:
    if unit is None or isinstance(unit, Mapping):
        return dict(unit) if unit else None
    query = (
        sa.select(units, authorities.c.name.label("authority_name"))
        .join(authorities, authorities.c.code == units.c.authority, isouter=True)
        .where(units.c.id == unit)
    )
    row = connection.execute(query).mappings().first()
    if row is None:
        raise NotFound(f"there is no unit {unit}", code="UNIT_NOT_FOUND", unit=unit)
    return {str(name): value for name, value in row.items()}  # a column's name is not quite a text
