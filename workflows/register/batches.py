"""Batches and units: the yearly rounds with their pinned rules, and what a case is told of both."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from engine.errors import NotFound, WrongState
from engine.tables import metadata
from engine.values import Value
from workflows.actors.people import authorities, units
from workflows.register.calendar import local_day
from workflows.register.records import record_of
from workflows.register.rows import job_number, once, text
from workflows.register.rule_sets import approved_rules, load_rule_sets, rules_on
from workflows.register.rules import FOLDER, RuleSet, flat, stored_rules
from workflows.register.units import names_of
from workflows.store.columns import Document, Moment
from workflows.store.contents import keep
from workflows.store.tables import blobs

USCC = re.compile(r"[0-9A-HJ-NP-RTUWXY]{18}")
USCC_DIGITS = "0123456789ABCDEFGHJKLMNPQRTUWXY"

batches = sa.Table(
    "batches",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("year", sa.Integer, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_en", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),  # open, closed
    sa.Column("rules", Document, nullable=False),
    sa.Column("rules_digest", sa.Text, nullable=False),
    sa.Column("calendar", sa.Text, nullable=False),
    sa.Column("opened_by", sa.Text, nullable=False),
    sa.Column("opened_at", Moment, nullable=False),
    sa.Column("approved_by", sa.Text),
    text("case_id"),  # the case that opened it; empty for what ships with the product
    sa.Index(None, "year"),
)

batch_closings = sa.Table(
    "batch_closings",
    metadata,
    sa.Column("case_id", sa.Text, primary_key=True),
    job_number(),
    text("batch"),
    sa.Column("closed_at", Moment, nullable=False),
    sa.Index(None, "batch"),
)


@dataclass(frozen=True, kw_only=True)
class Batch:
    """One round of a year, with the rule set pinned when it was opened."""

    id: str
    year: int
    name: str
    name_en: str
    status: str
    rules: RuleSet
    rules_digest: str
    calendar: str
    opened_by: str
    opened_at: datetime
    approved_by: str | None
    case_id: str


def open_batch(
    connection: sa.Connection,
    batch: str,
    *,
    name: str,
    name_en: str,
    rules: RuleSet,
    calendar: str,
    by: str,
    approved_by: str | None = None,
    case_id: str = "",
    now: datetime,
) -> Batch:
    """Open a round; its rules are copied into it and never change. Raises WrongState if it is there.

    One that a case opened is written again from the journal: it finds its rules under their digest.
    """
    if is_there(connection, batch):
        raise WrongState(f"the batch {batch} is already open", code="BATCH_EXISTS", batch=batch)
    row = {"id": batch, "year": rules.year, "name": name, "name_en": name_en, "status": "open"}
    pinned = {"rules": rules.content, "rules_digest": rules.digest, "calendar": calendar}
    who = {"opened_by": by, "approved_by": approved_by, "opened_at": now, "case_id": case_id}
    connection.execute(sa.insert(batches).values(**row, **pinned, **who))
    keep(connection, {"rules": rules.shared.text.encode(), "content": rules.text.encode()})
    return find_batch(connection, batch)


def close_batch(connection: sa.Connection, batch: str) -> None:
    """Take no more applications. Raises NotFound."""
    change = sa.update(batches).where(batches.c.id == batch).values(status="closed")
    if not connection.execute(change).rowcount:
        raise NotFound(f"there is no batch {batch!r}", batch=batch)


def record_opening(
    connection: sa.Connection, batch: str, *, case_id: str, now: datetime, **facts: Any
) -> None:
    """A case opened a round. If two did at once, it is the first one's, in whatever order they are told.

    One that came with the product stays as it is.
    """
    query = sa.select(batches.c.opened_at, batches.c.case_id).where(batches.c.id == batch)
    there = connection.execute(query).first()
    if there is not None and (not there.case_id or (there.opened_at, there.case_id) <= (now, case_id)):
        return
    connection.execute(sa.delete(batches).where(batches.c.id == batch))
    open_batch(connection, batch, case_id=case_id, now=now, **facts)


def is_there(connection: sa.Connection, batch: str) -> bool:
    """Whether a round of this id was ever opened."""
    return connection.execute(sa.select(batches.c.id).where(batches.c.id == batch)).first() is not None


def kept_rules(connection: sa.Connection, digest: str) -> RuleSet | None:
    """The rules that some round was opened with, by their digest; None if none was."""
    stored = connection.execute(
        sa.select(blobs.c.content).where(blobs.c.digest == digest)
    ).scalar_one_or_none()
    return stored_rules(json.loads(bytes(stored))) if stored is not None else None


def record_closing(connection: sa.Connection, *, case_id: str, number: int, batch: str, at: datetime) -> None:
    """A case says that a round takes no more applications."""
    row = {"case_id": case_id, "number": number, "batch": batch, "closed_at": at}
    once(connection, batch_closings, row)


def forget_opened(connection: sa.Connection) -> None:
    """Drop the rounds that cases opened, for they are written again from the journal."""
    connection.execute(sa.delete(batches).where(batches.c.case_id != ""))


def find_batch(connection: sa.Connection, batch: str) -> Batch:
    """A round by its id. Raises NotFound."""
    row = connection.execute(_NAMED, {"batch": batch}).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no batch {batch!r}", code="BATCH_NOT_FOUND", batch=batch)
    return _batch(connection, row)


def open_batches(connection: sa.Connection) -> tuple[Batch, ...]:
    """The rounds that take applications, newest first."""
    found = connection.execute(_OPEN).mappings().all()
    return tuple(_batch(connection, row) for row in found)


def newest_open(connection: sa.Connection) -> Batch | None:
    """The round that an application belongs to unless it names another."""
    row = connection.execute(_NEWEST).mappings().first()
    return _batch(connection, row) if row else None


def load_batches(connection: sa.Connection, *, by: str = "system", now: datetime) -> tuple[str, ...]:
    """Keep the rule sets that ship with the product, open the rounds that do and are not open yet; the ids
    of all of them."""
    load_rule_sets(connection, now=now)
    rows = json.loads((FOLDER / "batches.json").read_bytes())["batches"]
    there = set(connection.execute(sa.select(batches.c.id)).scalars())
    for row in rows:
        if row["id"] not in there:
            facts = {"name": row["name"], "name_en": row["name_en"], "calendar": row["calendar"]}
            rules = approved_rules(connection, row["rules"]).rules
            open_batch(connection, row["id"], rules=rules, by=by, now=now, **facts)
    return tuple(row["id"] for row in rows)


def governing(connection: sa.Connection, batch: Batch | None, *, on: date) -> RuleSet | None:
    """The rules of a case that is accepted on this day: those pinned by its batch; without a batch those in
    force on the day, None if none are."""
    return batch.rules if batch else rules_on(connection, on)


def rules_for_case(batch: Batch, overrides: Mapping[str, Any] | None = None) -> RuleSet:
    """The rules of a batch, to a case a plain FEEL context (`rules.days.gf_m5`).

    `overrides` are other values, by full key (`thresholds.gf_municipal`) or nested, for trying things out.
    Raises BadDefinition for an unknown key or a value out of range.
    """
    if not overrides:
        return batch.rules
    return batch.rules.changed(flat(overrides), version=batch.rules.version)


def case_context(
    connection: sa.Connection,
    unit: str | None,
    batch: Batch | None,
    *,
    now: datetime,
    rules: RuleSet | None = None,
) -> dict[str, Value]:
    """What a case is told when it starts: `unit`, `batch` and `rules`, as FEEL values; null without one.
    The rules are those that govern it unless there are others.

    Raises NotFound for an unknown unit.
    """
    governed = rules or governing(connection, batch, on=local_day(now))
    return {
        "unit": unit_context(connection, unit, on=local_day(now)) if unit else None,
        "batch": batch_context(batch) if batch else None,
        "rules": governed.shared.value if governed else None,
    }


def batch_context(batch: Batch) -> dict[str, Value]:
    """A batch as a FEEL context: id, status (open or closed), year, name, name_en, calendar."""
    return {
        "id": batch.id,
        "status": batch.status,
        "year": Decimal(batch.year),
        "name": batch.name,
        "name_en": batch.name_en,
        "calendar": batch.calendar,
    }


def unit_context(connection: sa.Connection, unit: str, *, on: date) -> dict[str, Value]:
    """A unit as a FEEL context: its facts, its authority's names, and what the register says on a day.

    `titles` are texts such as `gf.municipal`, `cultivated` is a list of tracks, `banned_until` a date or
    null; numbers are exact, `founded` is a date or null. Raises NotFound.
    """
    row = connection.execute(_UNIT, {"unit": unit, "on": on}).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no unit {unit!r}", code="UNIT_NOT_FOUND", unit=unit)
    stands = record_of(connection, unit, on=on)
    facts: dict[str, Value] = {str(name): value for name, value in row.items()}
    facts["capital"] = None if row["capital"] is None else Decimal(row["capital"])
    facts["founded"] = date.fromisoformat(row["founded"]) if row["founded"] else None
    facts["titles"] = list(stands.titles)
    facts["cultivated"] = list(stands.cultivated)
    facts["banned_until"] = stands.banned_until
    return facts


def is_uscc(text: str) -> bool:
    """Whether a text is a well-formed unified social credit code: 18 characters, check digit right."""
    if not USCC.fullmatch(text):
        return False
    total = sum(USCC_DIGITS.index(mark) * pow(3, place, 31) for place, mark in enumerate(text[:17]))
    return USCC_DIGITS[-total % 31] == text[17]


_IS_CLOSED = (batches.c.status == "closed") | sa.exists().where(batch_closings.c.batch == batches.c.id)
_STATUS = sa.case((_IS_CLOSED, "closed"), else_="open").label("status")
FACTS = sa.select(*(column for column in batches.c if column.name not in ("rules", "status")), _STATUS)
_OPEN = FACTS.where(~_IS_CLOSED).order_by(batches.c.opened_at.desc(), batches.c.id)
_NEWEST = _OPEN.limit(1)
_NAMED = FACTS.where(batches.c.id == sa.bindparam("batch"))
_UNIT = (
    sa.select(
        *(column for column in units.c if column.name not in ("name", "name_en")),
        *names_of(units.c.id),
        authorities.c.name.label("authority_name"),
        authorities.c.name_en.label("authority_name_en"),
    )
    .join(authorities, authorities.c.code == units.c.authority, isouter=True)
    .where(units.c.id == sa.bindparam("unit"))
)
_READ: dict[str, RuleSet] = {}
"""Digest → rule set: its hundreds of parameters are read and checked once in the life of a process."""


def _batch(connection: sa.Connection, row: sa.RowMapping) -> Batch:
    return Batch(rules=_rules(connection, row["id"], row["rules_digest"]), **row)


def _rules(connection: sa.Connection, batch: str, digest: str) -> RuleSet:
    if digest not in _READ:
        stored = connection.execute(sa.select(batches.c.rules).where(batches.c.id == batch)).scalar_one()
        _READ[digest] = stored_rules(stored)
    return _READ[digest]
