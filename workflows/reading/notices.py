"""Public notices: the draft lists whose window for objections is open. Everybody may read them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from engine.errors import NotFound
from workflows.actors.policy import Actor
from workflows.store.tables import cases, timers

WINDOW = "pub_window_over"
"""The element of the publicity process whose timer ends the window."""

PUBLIC = Actor(id="public", name="社会公众", level="public")
"""Who objects without an account: nobody in particular; the form asks for the real name."""


@dataclass(frozen=True, kw_only=True)
class Notice:
    """What the public may know of a case under publicity: who, what, where, until when. Nothing else."""

    case_id: str
    unit_name: str
    unit_name_en: str
    uscc: str
    process_name: str
    process_name_en: str
    authority_name: str
    batch_name: str
    ends_at: datetime


def open_notices(connection: sa.Connection, *, limit: int = 500) -> tuple[Notice, ...]:
    """The notices open now, the first to end first."""
    found = connection.execute(_open().order_by(timers.c.due_at, cases.c.case_id).limit(limit))
    return tuple(_notice(row) for row in found.mappings())


def open_notice(connection: sa.Connection, case_id: str) -> Notice:
    """The open notice of a case. Raises NotFound: a case not under publicity is nobody's business."""
    row = connection.execute(_open().where(cases.c.case_id == case_id)).mappings().first()
    if row is None:
        raise NotFound(f"there is no open notice of {case_id}", code="NOTICE_NOT_FOUND")
    return _notice(row)


def _open() -> sa.Select[Any]:
    shown = (
        cases.c.case_id,
        cases.c.unit_name,
        cases.c.unit_name_en,
        cases.c.uscc,
        cases.c.process_name,
        cases.c.process_name_en,
        cases.c.authority_name,
        cases.c.batch_name,
        timers.c.due_at.label("ends_at"),
    )
    is_open = (timers.c.element == WINDOW) & (timers.c.state == "set") & (cases.c.status == "active")
    return sa.select(*shown).join(timers, timers.c.case_id == cases.c.case_id).where(is_open)


def _notice(row: sa.RowMapping) -> Notice:
    return Notice(**{str(name): value for name, value in row.items()})
