"""What an authority recommends to the province in a batch: its letters and their summary table (e-7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from engine.case.shared import Shared
from engine.errors import NotFound
from engine.events import TaskCompleted
from engine.journal import Line
from engine.tables import journal as stored
from engine.values import Value, from_json
from workflows.actors.people import authorities
from workflows.actors.policy import LOCAL_LEVELS, WATCHING_ROLES, Actor
from workflows.proof.evidence import evidence
from workflows.register.batches import Batch, batches, find_batch
from workflows.register.quotas import Pool, holders
from workflows.register.rules import quota_of
from workflows.register.tracks import tracks
from workflows.store.tables import cases, tasks

RECOMMENDS, UP = "m_recommend", "recommended_up"
"""The element at which a leader recommends to the province, and the outcome that does."""

TOLD = ("sector", "held", "evaluated", "opinion", "contact", "document_no", "body")
"""What the entry of a recommendation tells as text."""


@dataclass(frozen=True, kw_only=True)
class Annex:
    """A file that came with a recommendation; `digest` is its SHA-256."""

    name: str
    digest: str


@dataclass(frozen=True, kw_only=True)
class Recommended:
    """A line of the summary table, out of the entry by which a leader recommended; `entry` is its seq,
    `digest` the journal's digest up to it. The unit is called as when it applied."""

    case_id: str
    entry: int
    digest: str
    at: datetime
    track: str
    order: Decimal | None
    unit: str
    uscc: str
    sector: str
    held: str
    score: Decimal | None
    evaluated: str
    opinion: str
    contact: str
    annexes: tuple[Annex, ...]
    document_no: str
    body: str
    date: date | None

    def told(self) -> dict[str, Value]:
        """Everything but what the whole letter has in common."""
        own = {
            name: value for name, value in vars(self).items() if name not in ("at", "document_no", "annexes")
        }
        return {**own, "entry": Decimal(self.entry), "annexes": [dict(vars(annex)) for annex in self.annexes]}


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A recommendation letter: what was recommended under one document number."""

    authority: str
    authority_name: str
    batch: str
    batch_name: str
    document_no: str
    rows: tuple[Recommended, ...]

    @cached_property
    def frozen(self) -> Shared:
        """Its text, canonical JSON, and the digest of it. Nothing that happens in its cases later changes
        either; another recommendation under the same number does."""
        names = ("authority", "authority_name", "batch", "batch_name", "document_no")
        head = {name: getattr(self, name) for name in names}
        return Shared.of({**head, "rows": [row.told() for row in self.rows]})

    @property
    def bodies(self) -> tuple[str, ...]:
        """Who signed, mostly one."""
        return tuple(dict.fromkeys(row.body for row in self.rows if row.body))

    @property
    def dates(self) -> tuple[date, ...]:
        """The days it bears, mostly one."""
        return tuple(sorted({row.date for row in self.rows if row.date}))


@dataclass(frozen=True, kw_only=True)
class Sender:
    """An authority in a batch, how many units it recommends and in how many cases it has yet to decide."""

    batch: str
    batch_name: str
    batch_name_en: str
    authority: str
    authority_name: str
    authority_name_en: str
    recommended: int
    pending: int


@dataclass(frozen=True, kw_only=True)
class Quota:
    """How many places an authority has in a batch and track, and which cases hold one."""

    track: str
    of: int
    held_by: tuple[str, ...]


SENDER = tuple(Sender.__dataclass_fields__)


def may_read(actor: Actor, authority: str) -> bool:
    """An authority reads its own; the province and auditors read all."""
    if actor.roles & WATCHING_ROLES or actor.level == "provincial":
        return True
    return actor.level in LOCAL_LEVELS and bool(authority) and actor.authority == authority


def senders(connection: sa.Connection, actor: Actor, *, batch: str = "") -> tuple[Sender, ...]:
    """Who recommends in which batch, the newest batch first, as far as the actor may read it."""
    t = tasks.c
    is_up = (t.state == "completed") & (t.outcome == UP)
    is_open = t.state.in_(("ready", "claimed"))
    in_english = [sa.func.coalesce(column, "") for column in (batches.c.name_en, authorities.c.name_en)]
    who = (t.batch_id, t.batch_name, in_english[0], t.authority, t.authority_name, in_english[1])
    counts = [sa.func.sum(sa.case((condition, 1), else_=0)) for condition in (is_up, is_open)]
    query = sa.select(*who, *counts).outerjoin(batches, batches.c.id == t.batch_id)
    query = query.outerjoin(authorities, authorities.c.code == t.authority)
    query = query.where(t.element == RECOMMENDS, is_up | is_open).group_by(*who)
    query = query.where(t.batch_id == batch) if batch else query
    found = connection.execute(query.order_by(t.batch_id.desc(), t.authority))
    made = (Sender(**dict(zip(SENDER, row, strict=True))) for row in found)
    return tuple(sender for sender in made if may_read(actor, sender.authority))


def letters(
    connection: sa.Connection, *, batch: str, authority: str, until: datetime | None = None
) -> tuple[Letter, ...]:
    """The letters of an authority in a batch, as of a moment, the first one first."""
    found = _rows(connection, batch=batch, authority=authority, until=until)
    if not found:
        return ()
    annexes = _annexes(connection, (entry for _, entry in found))
    rows = [_recommended(row, line, annexes) for row, line in found]
    about = found[0][0]
    numbers = dict.fromkeys(row.document_no for row in sorted(rows, key=lambda row: (row.at, row.case_id)))
    return tuple(
        Letter(
            authority=authority,
            authority_name=about["authority_name"],
            batch=batch,
            batch_name=about["batch_name"],
            document_no=number,
            rows=tuple(sorted((row for row in rows if row.document_no == number), key=_place)),
        )
        for number in numbers
    )


def letter(
    connection: sa.Connection, *, batch: str, authority: str, number: str, until: datetime | None = None
) -> Letter:
    """One letter by its document number. Raises NotFound."""
    for one in letters(connection, batch=batch, authority=authority, until=until):
        if one.document_no == number:
            return one
    raise NotFound(f"{authority} wrote no letter {number!r} in {batch!r}", code="NOT_FOUND", number=number)


def is_recommended(connection: sa.Connection, case_id: str) -> bool:
    """Whether a case was recommended to the province."""
    t = tasks.c
    mine = (t.case_id == case_id) & (t.element == RECOMMENDS) & (t.outcome == UP)
    return connection.execute(sa.select(t.task_id).where(mine, t.state == "completed")).first() is not None


def undecided(connection: sa.Connection, *, batch: str, authority: str, limit: int = 30) -> tuple[str, ...]:
    """The tasks at which the authority has yet to recommend in a batch."""
    t = tasks.c
    mine = (t.authority == authority) & (t.batch_id == batch) & (t.element == RECOMMENDS)
    query = sa.select(t.task_id).where(mine, t.state.in_(("ready", "claimed")))
    return tuple(connection.scalars(query.order_by(t.created_at, t.task_id).limit(limit)))


def quotas(connection: sa.Connection, *, batch: str, authority: str) -> tuple[Quota, ...]:
    """The quotas of an authority in a batch; a track without one is not told. Raises NotFound."""
    rules = find_batch(connection, batch)
    told = ((track, _quota(rules, track, authority)) for track in tracks())
    return tuple(
        Quota(track=track, of=of, held_by=tuple(h.case_id for h in holders(connection, pool)))
        for track, of in told
        if of is not None and (pool := Pool(batch=batch, authority=authority, track=track))
    )


def _quota(batch: Batch, track: str, authority: str) -> int | None:
    key = f"quota.{track}"
    if key not in batch.rules.parameters:
        return None
    default, own = quota_of(batch.rules.value(key))
    found: Any = own.get(authority, default)
    return None if found is None else int(found)


Found = list[tuple[sa.RowMapping, Line]]


def _rows(connection: sa.Connection, *, batch: str, authority: str, until: datetime | None) -> Found:
    """Each completed recommendation: its task and case, and the line of the journal that tells of it."""
    t = tasks.c
    shown = (t.case_id, t.task_id, t.case_process, t.unit_name, t.authority_name, t.batch_name, cases.c.uscc)
    mine = (t.authority == authority) & (t.batch_id == batch) & (t.element == RECOMMENDS)
    query = sa.select(*shown).join(cases, cases.c.case_id == t.case_id)
    query = query.where(mine, t.state == "completed", t.outcome == UP)
    query = query.where(t.ended_at <= until) if until else query
    done = {row["task_id"]: row for row in connection.execute(query).mappings()}
    lines = _completions(connection, {row["case_id"] for row in done.values()})
    return [(row, lines[task_id]) for task_id, row in done.items()]


def _completions(connection: sa.Connection, case_ids: Iterable[str]) -> dict[str, Line]:
    """Task id → the line by which it was completed, of these cases."""
    is_one = stored.c.body.contains('"type":"TaskCompleted"')
    query = sa.select(stored).where(stored.c.case_id.in_(sorted(case_ids)), is_one)
    lines = (
        Line(case_id=row.case_id, seq=row.seq, body=row.body, digest=row.digest)
        for row in connection.execute(query)
    )
    return {_completed(line).task_id: line for line in lines}


def _completed(line: Line) -> TaskCompleted:
    event = line.entry().event
    assert isinstance(event, TaskCompleted)
    return event


def _annexes(connection: sa.Connection, lines: Iterable[Line]) -> Mapping[str, Annex]:
    """Evidence id → what was handed in under it."""
    ids = {one for line in lines for one in _completed(line).values.get("annexes") or ()}
    query = sa.select(evidence).where(evidence.c.evidence_id.in_(sorted(ids)))
    return {row.evidence_id: Annex(name=row.name, digest=row.digest) for row in connection.execute(query)}


def _recommended(row: sa.RowMapping, line: Line, annexes: Mapping[str, Annex]) -> Recommended:
    told: dict[str, Any] = {name: from_json(value) for name, value in _completed(line).values.items()}
    return Recommended(
        case_id=line.case_id,
        entry=line.seq,
        digest=line.digest,
        at=line.entry().at,
        track=next(
            (t.id for t in tracks().values() if t.process == row["case_process"]), row["case_process"]
        ),
        order=told.get("order"),
        unit=row["unit_name"],
        uscc=row["uscc"],
        score=told.get("score"),
        annexes=tuple(annexes[one] for one in told.get("annexes") or () if one in annexes),
        date=told.get("date"),
        **{name: str(told.get(name) or "") for name in TOLD},
    )


def _place(row: Recommended) -> tuple[Any, ...]:
    """By track, then in the order of the authority, then by name."""
    known = [*tracks()]
    track = known.index(row.track) if row.track in known else len(known)
    return (track, row.order is None, row.order or Decimal(0), row.unit, row.case_id)
