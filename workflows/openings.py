"""What a case starts with: the checked start form, the unit, the batch and its rules, and a number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from engine.values import Value
from workflows.calendar import SHANGHAI
from workflows.forms.form import Form
from workflows.letters import Letter
from workflows.packages import Package
from workflows.policy import Actor
from workflows.register.batches import case_context, open_batches
from workflows.submissions import read, typed

Values = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Opening:
    """What is asked for. `unit` None is the applicant's own, `batch` None the newest open one.

    `rules` are other values than the batch's, for trying things out; no door offers them.
    """

    process: str
    values: Values
    unit: str | None = None
    batch: str | None = None
    rules: Values | None = None


@dataclass(frozen=True, kw_only=True)
class Opened:
    """The data a case begins with, and what the journal names beside them."""

    values: dict[str, Value]
    unit_id: str | None
    batch_id: str | None
    calendar: str | None
    form: Form | None


def opened(
    connection: sa.Connection, asked: Opening, package: Package, *, actor: Actor, now: datetime
) -> Opened:
    """Look up what ids stand for and check the start form. Raises NotFound, InvalidInput."""
    unit = asked.unit if asked.unit is not None else actor.unit
    batch = asked.batch if asked.batch is not None else _newest_batch(connection)
    told = case_context(connection, unit, batch, now=now, overrides=asked.rules)
    data = package.form("start")
    form = read(data) if data else None
    values = form.check(asked.values, context=told, now=now) if form else typed(asked.values)
    return Opened(
        values={**values, **_plain_names(told), "applicant": actor.id},
        unit_id=unit,
        batch_id=batch,
        calendar=told["batch"]["calendar"] if told["batch"] else None,
        form=form,
    )


def begun(connection: sa.Connection, letter: Letter, *, now: datetime) -> Opened:
    """What a case begins with that a letter begins. Nobody fills in a form: the drawing says what comes."""
    told = case_context(connection, letter.unit, letter.batch, now=now)
    return Opened(
        values={**_plain_names(told), "applicant": letter.applicant},
        unit_id=letter.unit,
        batch_id=letter.batch,
        calendar=told["batch"]["calendar"] if told["batch"] else None,
        form=None,
    )


def case_number(connection: sa.Connection, prefix: str, now: datetime) -> str:
    """The next number, counted per prefix and year without a gap: `GF-2026-000123`."""
    stem = f"{prefix}-{now.astimezone(SHANGHAI).year}"
    query = sa.text(
        "INSERT INTO case_numbers (prefix, last) VALUES (:prefix, 1)"
        " ON CONFLICT (prefix) DO UPDATE SET last = case_numbers.last + 1 RETURNING last"
    )
    return f"{stem}-{connection.execute(query, {'prefix': stem}).scalar_one():06}"


def _newest_batch(connection: sa.Connection) -> str | None:
    found = open_batches(connection)
    return found[0].id if found else None


def _plain_names(told: Mapping[str, Any]) -> dict[str, Value]:
    """A column's name is not quite a text, and the journal takes only texts."""
    return {
        name: {str(key): inner for key, inner in value.items()} if isinstance(value, Mapping) else value
        for name, value in told.items()
    }
