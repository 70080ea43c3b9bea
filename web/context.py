"""What a request may reach for: the rooms below, the moment it happens, who asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import sqlalchemy as sa
from flask import current_app, g

from web.problems import NotSignedIn
from web.settings import Settings
from web.storage import Writing
from workflows.actors.policy import Actor
from workflows.commands import Commands
from workflows.library.catalog import Catalog
from workflows.proof.bundle.writing import Sources
from workflows.proof.checkpoints.taking import Checkpoints
from workflows.proof.evidence import Store
from workflows.reading.history import History
from workflows.reading.inbox import Inbox
from workflows.store.tables import reading
from workflows.store.tidemarks import Tidemarks


@dataclass(frozen=True, kw_only=True)
class Rooms:
    """The house put together once by `create_app`; nothing else is shared between requests."""

    settings: Settings
    clock: Callable[[], datetime]
    database: sa.Engine
    catalog: Catalog
    commands: Commands
    inbox: Inbox
    history: History
    files: Store
    tidemarks: Tidemarks
    checkpoints: Checkpoints
    writing: Writing = field(default_factory=Writing)

    def reading(self) -> sa.Connection:
        """A connection that only reads: on SQLite it does not take the lock of writers."""
        return reading(self.database)


def evidence_sources(house: Rooms) -> Sources:
    """What a bundle is made from."""
    return Sources(
        database=house.database,
        library=house.catalog,
        files=house.files,
        checkpoints=house.checkpoints,
    )


def rooms() -> Rooms:
    return current_app.extensions["tidu"]


def now() -> datetime:
    """The moment of this request, read once from the clock (UTC)."""
    if "now" not in g:
        g.now = rooms().clock().astimezone(UTC)
    return g.now


def who() -> Actor | None:
    """Who asks, if anybody is signed in; set by the guard before any page or API runs."""
    return g.get("actor")


def actor() -> Actor:
    """Who asks. Raises NotSignedIn."""
    if (found := who()) is None:
        raise NotSignedIn("nobody is signed in")
    return found
