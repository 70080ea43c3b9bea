"""What a case starts with: the checked start form, the unit, the batch and its rules, and a number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from engine.case.shared import Shared
from engine.errors import FieldError, InvalidInput, NotFound
from engine.values import Value
from workflows.actors.policy import Actor
from workflows.acts.letters import ABOUT, Letter
from workflows.acts.submissions import read, typed
from workflows.library.forms.form import Form
from workflows.library.packages import Package
from workflows.register.batches import (
    Batch,
    case_context,
    find_batch,
    governing,
    newest_open,
    rules_for_case,
)
from workflows.register.calendar import SHANGHAI, local_day
from workflows.register.units import find_unit

Values = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Opening:
    """What is asked for. `unit` None is the applicant's own, or the one that the field `about` of the start
    form names by id or credit code; `batch` None is the newest open one.

    `rules` are other values than the batch's, for trying things out; no door offers them.
    """

    process: str
    values: Values
    unit: str | None = None
    batch: str | None = None
    rules: Values | None = None


@dataclass(frozen=True, kw_only=True)
class Opened:
    """The data a case begins with, those of them that many cases share, and what the journal names beside."""

    values: dict[str, Value]
    shared: dict[str, Shared]
    unit_id: str | None
    batch_id: str | None
    calendar: str | None
    form: Form | None

    @property
    def authority(self) -> str:
        """The code of the unit's authority; nothing if the case is about no unit."""
        unit = self.values.get("unit")
        return str(unit.get("authority", "")) if isinstance(unit, dict) else ""


def opened(
    connection: sa.Connection, asked: Opening, package: Package, *, actor: Actor, now: datetime
) -> Opened:
    """Look up what ids stand for and check the start form. Raises NotFound, InvalidInput."""
    data = package.form("start")
    form = read(data) if data else None
    unit = asked.unit if asked.unit is not None else actor.unit
    if unit is None and form and any(field.key == ABOUT for field in form.fields):
        unit = _unit_of(connection, asked.values.get(ABOUT), now)
    batch = newest_open(connection) if asked.batch is None else _named(connection, asked.batch)
    rules = rules_for_case(batch, asked.rules) if batch else governing(connection, None, on=local_day(now))
    told = case_context(connection, unit, batch, now=now, rules=rules)
    seen = {**told, **starter(actor)}
    values = form.check(asked.values, context=seen, now=now) if form else typed(asked.values)
    return Opened(
        values={**values, **_own(told), "applicant": actor.id},
        shared={"rules": rules.shared} if rules else {},
        unit_id=unit,
        batch_id=batch.id if batch else None,
        calendar=batch.calendar if batch else None,
        form=form,
    )


def starter(actor: Actor) -> dict[str, Value]:
    """What a start form is told of whoever fills it, to ask each what they can know; no case keeps it."""
    return {"starter": {"level": actor.level}}


def begun(connection: sa.Connection, letter: Letter, *, now: datetime) -> Opened:
    """What a case begins with that a letter begins. Nobody fills in a form: the drawing says what comes."""
    batch = _named(connection, letter.batch)
    rules = governing(connection, batch, on=local_day(now))
    unit = _unit_of(connection, letter.unit, now)
    told = case_context(connection, unit, batch, now=now, rules=rules)
    return Opened(
        values={**_own(told), "applicant": letter.applicant},
        shared={"rules": rules.shared} if rules else {},
        unit_id=unit,
        batch_id=batch.id if batch else None,
        calendar=batch.calendar if batch else None,
        form=None,
    )


def case_number(connection: sa.Connection, prefix: str, now: datetime) -> str:
    """The next number, counted per prefix and year without a gap: `GF-2026-000123`."""
    stem = f"{prefix}-{now.astimezone(SHANGHAI).year}"
    return f"{stem}-{connection.execute(_COUNT, {'prefix': stem}).scalar_one():06}"


_COUNT = sa.text(
    "INSERT INTO case_numbers (prefix, last) VALUES (:prefix, 1)"
    " ON CONFLICT (prefix) DO UPDATE SET last = case_numbers.last + 1 RETURNING last"
)


def _named(connection: sa.Connection, batch: str | None) -> Batch | None:
    return find_batch(connection, batch) if batch else None


def _unit_of(connection: sa.Connection, named: Any, now: datetime) -> str | None:
    """The unit of this id or unified social credit code; nothing named is none, and the form may object."""
    name = named.strip() if isinstance(named, str) else ""
    if not name:
        return None
    try:
        return str(find_unit(connection, name, on=local_day(now))["id"])
    except NotFound:
        wrong = FieldError(
            pointer=f"/{ABOUT}",
            code="unit",
            message=f"no unit has the id or credit code {name!r}",
            message_zh="没有这个编号或统一社会信用代码的单位",
        )
        raise InvalidInput(f"there is no unit {name!r}", fields=(wrong,), code="UNIT_NOT_FOUND") from None


def _own(told: Mapping[str, Any]) -> dict[str, Value]:
    """Without the rules, unless there are none: cases share them."""
    return {name: value for name, value in told.items() if name != "rules" or value is None}
