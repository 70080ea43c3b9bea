"""A draft as it is stored: its files, whose hands are in it, how far it has come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from engine.errors import NotFound
from workflows.library.catalog import Version
from workflows.store.tables import GOING_ON, cases, definition_drafts, draft_revisions

UNDECIDED: dict[str, Any] = {
    "state": "editing",
    "submitted_by": None,
    "submitted_at": None,
    "approved_by": None,
    "approved_at": None,
    "approved_revision": None,
    "note": "",
    "accepted": None,
}
"""What every change of the files makes of review and approval."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A process that is being changed. `files` is path → digest; `authors` everybody whose hand is in it."""

    key: str
    revision: int
    base: int | None
    files: Mapping[str, str]
    author: str
    changed_by: str
    changed_at: datetime
    authors: tuple[str, ...]
    state: str
    submitted_by: str | None
    submitted_at: datetime | None
    approved_by: str | None
    approved_at: datetime | None
    approved_revision: int | None
    note: str
    accepted: Mapping[str, str]

    @property
    def is_approved(self) -> bool:
        """Whether exactly these files were approved."""
        return self.state == "approved" and self.approved_revision == self.revision


@dataclass(frozen=True, kw_only=True)
class Overview:
    """One process at a glance: its versions newest first, running cases by version, its draft if any."""

    key: str
    live: Version | None
    versions: tuple[Version, ...]
    running: Mapping[int, int]
    draft: Draft | None


def read_draft(connection: sa.Connection, key: str) -> Draft:
    """The draft of a process, locked until the transaction ends. Raises NotFound."""
    query = sa.select(definition_drafts).where(definition_drafts.c.key == key).with_for_update()
    row = connection.execute(query).first()
    if row is None:
        raise NotFound(f"process {key} has no draft", code="DRAFT_NOT_FOUND", process=key)
    return draft_of(row)


def draft_of(row: Any) -> Draft:
    """The draft that a row describes."""
    facts = dict(row._mapping)
    return Draft(**{**facts, "authors": tuple(facts["authors"]), "accepted": facts["accepted"] or {}})


def remember(connection: sa.Connection, draft: Draft, *, started_at: datetime) -> None:
    """Keep this revision for good; `started_at` tells the drafts of one process apart."""
    connection.execute(
        draft_revisions.insert().values(
            key=draft.key,
            started_at=started_at,
            revision=draft.revision,
            files=dict(draft.files),
            author=draft.changed_by,
            at=draft.changed_at,
        )
    )


def started_at(connection: sa.Connection, key: str) -> datetime:
    """When the newest draft of a process was begun."""
    newest = sa.select(sa.func.max(draft_revisions.c.started_at)).where(draft_revisions.c.key == key)
    return connection.execute(newest).scalar_one()  # type: ignore[no-any-return]


def running(connection: sa.Connection, key: str) -> dict[int, int]:
    """Open cases by version of the process they were started as."""
    counted = (
        sa.select(cases.c.definition_id, sa.func.count())
        .where(cases.c.process_id == key, cases.c.status.in_(GOING_ON))
        .group_by(cases.c.definition_id)
    )
    return {int(name.rpartition(":")[2]): count for name, count in connection.execute(counted)}


def changed_files(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Paths that were added, removed or have other content."""
    return sorted(path for path in {*before, *after} if before.get(path) != after.get(path))
