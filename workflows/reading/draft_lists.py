"""Draft lists that have been published: the frozen text of each and its digest. Everybody may read them."""

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
from workflows.store.tables import cases, tasks

PUBLICATION = "bat_publish"
"""The element of the batch at which a person publishes the list; frozen before, it is nobody's business."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """A list that has been published: the batch's case, its name if it opened the batch, and when."""

    case_id: str
    name: str
    name_en: str
    published_at: datetime


@dataclass(frozen=True, kw_only=True)
class DraftList:
    """`text` as it was frozen, `digest` as every letter tells it, `notice` as the officer published it."""

    text: str
    digest: str
    notice: Mapping[str, Any]

    @property
    def rows(self) -> list[Mapping[str, Any]]:
        """What the text says, row by row."""
        rows: Any = Shared.read(self.text).value
        return list(rows)


def published_lists(connection: sa.Connection, *, limit: int = 50) -> tuple[Published, ...]:
    """The lists published, the last one first."""
    found = connection.execute(_published().order_by(tasks.c.ended_at.desc(), tasks.c.case_id).limit(limit))
    return tuple(_list(row) for row in found.mappings())


def published_list(connection: sa.Connection, case_id: str) -> Published:
    """The list of one batch's case. Raises NotFound: what is not published is nobody's business."""
    row = connection.execute(_published().where(tasks.c.case_id == case_id)).mappings().first()
    if row is None:
        raise NotFound(f"there is no published list of {case_id}", code="NOTICE_NOT_FOUND")
    return _list(row)


def draft_list(history: History, connection: sa.Connection, case_id: str) -> DraftList:
    """What was published, out of the case's journal. Raises NotFound."""
    published_list(connection, case_id)
    seq = connection.execute(sa.select(cases.c.seq).where(cases.c.case_id == case_id)).scalar_one()
    told = history.state(case_id, seq).variables
    frozen, notice = told.get("draft"), told.get("draft_notice")
    if not isinstance(frozen, dict) or not isinstance(notice, dict):
        raise NotFound(f"the journal of {case_id} tells of no list", code="NOTICE_NOT_FOUND")
    return DraftList(text=frozen["text"], digest=frozen["digest"], notice=notice)


def _published() -> sa.Select[Any]:
    name, name_en = (sa.func.coalesce(column, "") for column in (batches.c.name, batches.c.name_en))
    shown = (
        tasks.c.case_id,
        name.label("name"),
        name_en.label("name_en"),
        tasks.c.ended_at.label("published_at"),
    )
    done = (tasks.c.element == PUBLICATION) & (tasks.c.state == "completed")
    return sa.select(*shown).outerjoin(batches, batches.c.case_id == tasks.c.case_id).where(done)


def _list(row: sa.RowMapping) -> Published:
    return Published(**{str(name): value for name, value in row.items()})
