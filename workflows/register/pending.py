"""Removals that are decided and wait for a notice, and what each notice has named."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import sqlalchemy as sa

from engine.tables import metadata
from workflows.register import changes
from workflows.register.calendar import local_day
from workflows.register.rows import Row, found, once, put, text
from workflows.register.units import ON, authority_of, names_of
from workflows.store.columns import Document
from workflows.store.tables import cases

pending_removals = sa.Table(
    "pending_removals",
    metadata,
    sa.Column("case_id", sa.Text, primary_key=True),
    *map(text, ("unit", "track", "ground", "document")),
    sa.Column("levels", Document, nullable=False),  # those it will take the title from
    sa.Column("since", sa.Date, nullable=False),  # the first day on which it waits
    sa.Column("ended_on", sa.Date),  # the first day on which it waits no more
)

notice_items = sa.Table(
    "notice_items",
    metadata,
    sa.Column("case_id", sa.Text, primary_key=True),  # the batch's
    *(sa.Column(name, sa.Text, primary_key=True) for name in ("level", "kind", "about")),
    sa.Index(None, "level", "kind"),
)

REMOVED, RENAMED = "removed", "renamed"
"""The kinds of change that a notice names beside those who are new."""


def record_pending(
    connection: sa.Connection,
    *,
    case_id: str,
    unit: str,
    track: str,
    levels: Iterable[str],
    ground: str,
    document: str = "",
    since: date,
) -> None:
    """A removal has been decided and waits for a notice; told again, its newest word counts."""
    row = {"case_id": case_id, "unit": unit, "track": track, "ground": ground, "document": document}
    put(connection, pending_removals, {**row, "levels": [*levels], "since": since, "ended_on": None})


def end_pending(connection: sa.Connection, case_id: str, *, on: date) -> None:
    """The case has carried out its removal, whichever way it came to that: it waits no more."""
    own = pending_removals.c.case_id == case_id
    connection.execute(sa.update(pending_removals).where(own).values(ended_on=on))


def pending_on(connection: sa.Connection, *, level: str | None = None, on: date) -> tuple[Row, ...]:
    """The removals that wait on a day, the first decided first, with the unit's name and authority.

    Of a level: those that will take its title.
    """
    return tuple(
        row
        for row in found(connection, _PENDING, on=on)
        if level in (None, *row["levels"])
        if row["case_ended_at"] is None or local_day(row["case_ended_at"]) > on
    )


_PENDING = (
    sa.select(
        pending_removals,
        *names_of(pending_removals.c.unit),
        authority_of(pending_removals.c.unit),
        cases.c.ended_at.label("case_ended_at"),
    )
    .join(cases, cases.c.case_id == pending_removals.c.case_id)
    .where(pending_removals.c.since <= ON)
    .where(pending_removals.c.ended_on.is_(None) | (pending_removals.c.ended_on > ON))
    .order_by(pending_removals.c.since, pending_removals.c.case_id)
)


def record_named(
    connection: sa.Connection, about: Iterable[str], *, case_id: str, level: str, kind: str
) -> None:
    """A notice names changes of a level: no later one does."""
    row = {"case_id": case_id, "level": level, "kind": kind}
    for one in about:
        once(connection, notice_items, {**row, "about": one})


def to_be_removed(connection: sa.Connection, *, since: date, on: date, level: str) -> tuple[Row, ...]:
    """What a notice of this day has to name as removed, and no other notice of the level has.

    First those that wait for it, `removed_on` None; then those taken away from `since` on without a notice:
    by the fast lane, at the unit's own request, on the day of the rules.
    """
    standing = {
        (row["unit"], row["track"]): row for row in changes.standing(connection, levels=(level,), on=on)
    }
    waiting = [
        {**standing[row["unit"], row["track"]], **row, "removed_on": None}
        for row in pending_on(connection, level=level, on=on)
        if (row["unit"], row["track"]) in standing
    ]
    taken = changes.taken(connection, since=since, until=on, level=level)
    return _unnamed(connection, [*waiting, *taken], level=level, kind=REMOVED)


def to_be_renamed(connection: sa.Connection, *, since: date, on: date, level: str) -> tuple[Row, ...]:
    """The names and bearers that changed from `since` on, and that no notice of the level has named."""
    rows = changes.renamed(connection, since=since, until=on, level=level)
    return _unnamed(connection, rows, level=level, kind=RENAMED)


def _unnamed(connection: sa.Connection, rows: Iterable[Row], *, level: str, kind: str) -> tuple[Row, ...]:
    known = set(found_named(connection, level=level, kind=kind))
    fresh: dict[str, dict[str, Any]] = {}
    for row in rows:
        about = f"{row['case_id']}/{row.get('number') or 0}/{row['track']}"
        if about not in known:
            fresh.setdefault(about, {**row, "about": about})
    return tuple(fresh.values())


def found_named(connection: sa.Connection, *, level: str, kind: str) -> tuple[str, ...]:
    """What notices of a level have named. A batch that was ended before its notice has named nothing."""
    c = notice_items.c
    query = (
        sa.select(c.about)
        .join(cases, cases.c.case_id == c.case_id)
        .where(c.level == level, c.kind == kind, cases.c.status != "terminated")
    )
    return tuple(connection.execute(query).scalars())
