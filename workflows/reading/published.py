"""What a batch has published: frozen rows, and their digest. Everybody may read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from engine.case.shared import Shared
from engine.errors import NotFound
from workflows.reading.history import History
from workflows.register.batches import batches
from workflows.store.tables import cases, jobs, tasks


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of publication: where a batch freezes it, where a person puts it out, and what holds both.

    Frozen and not yet put out, it is nobody's business.
    """

    freezing: str
    publication: str
    frozen: str
    notice: str


DRAFT_LIST = Kind(freezing="bat_freeze", publication="bat_publish", frozen="draft", notice="draft_notice")
DESIGNATIONS = Kind(freezing="bat_notice_freeze", publication="bat_notice", frozen="tables", notice="notice")


@dataclass(frozen=True, kw_only=True)
class Published:
    """Something published: the batch's case, its name if it opened the batch, and when."""

    case_id: str
    name: str
    name_en: str
    published_at: datetime


@dataclass(frozen=True, kw_only=True)
class Frozen:
    """`text` as it was frozen, its `digest`, and `notice` as the officer published it."""

    text: str
    digest: str
    notice: Mapping[str, Any]

    @property
    def rows(self) -> list[Mapping[str, Any]]:
        """What the text says, row by row."""
        rows: Any = Shared.read(self.text).value
        return list(rows)


def all_published(connection: sa.Connection, kind: Kind, *, limit: int = 50) -> tuple[Published, ...]:
    """All of a kind that were published, the last one first."""
    query = _published(kind).order_by(tasks.c.ended_at.desc(), tasks.c.case_id)
    return tuple(_told(row) for row in connection.execute(query.limit(limit)).mappings())


def find_published(connection: sa.Connection, kind: Kind, case_id: str) -> Published:
    """What one batch's case published. Raises NotFound: what is not published is nobody's business."""
    row = connection.execute(_published(kind).where(tasks.c.case_id == case_id)).mappings().first()
    if row is None:
        raise NotFound(f"{case_id} has published nothing of that kind", code="NOTICE_NOT_FOUND")
    return _told(row)


def frozen_of(history: History, connection: sa.Connection, kind: Kind, case_id: str) -> Frozen:
    """The very text that was published, out of the case's journal. Raises NotFound."""
    find_published(connection, kind, case_id)
    seq = connection.execute(sa.select(cases.c.seq).where(cases.c.case_id == case_id)).scalar_one()
    told = history.state(case_id, seq).variables
    frozen, notice = told.get(kind.frozen), told.get(kind.notice)
    if not isinstance(frozen, dict) or not isinstance(notice, dict):
        raise NotFound(f"the journal of {case_id} tells of no list", code="NOTICE_NOT_FOUND")
    return Frozen(text=frozen["text"], digest=frozen["digest"], notice=notice)


def _published(kind: Kind) -> sa.Select[Any]:
    name, name_en = (sa.func.coalesce(column, "") for column in (batches.c.name, batches.c.name_en))
    shown = (
        tasks.c.case_id,
        name.label("name"),
        name_en.label("name_en"),
        tasks.c.ended_at.label("published_at"),
    )
    done = (tasks.c.element == kind.publication) & (tasks.c.state == "completed")
    frozen = sa.exists().where(
        jobs.c.case_id == tasks.c.case_id, jobs.c.element == kind.freezing, jobs.c.state == "succeeded"
    )
    query = sa.select(*shown).outerjoin(batches, batches.c.case_id == tasks.c.case_id)
    return query.where(done, frozen)


def _told(row: sa.RowMapping) -> Published:
    return Published(**{str(name): value for name, value in row.items()})
