"""Open sessions of people: begun at sign-in, seen while used, ended for good wherever they are asked from."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

import sqlalchemy as sa

from engine.tables import metadata
from workflows.actors.people import account_of, find_person
from workflows.actors.policy import Actor
from workflows.store.columns import Moment

SEEN_EVERY = timedelta(minutes=1)
"""How exact `seen_at` is: a busy session writes once a minute, not with every request."""

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),  # of the secret in the cookie, never the secret
    sa.Column("person", sa.Text, sa.ForeignKey("persons.id"), nullable=False),
    sa.Column("began_at", Moment, nullable=False),
    sa.Column("seen_at", Moment, nullable=False),
    sa.Column("ended_at", Moment),
    sa.Index(None, "person"),
)


_SESSION = sa.select(sessions).where(sessions.c.digest == sa.bindparam("digest"))


def begin(connection: sa.Connection, secret: str, *, person: str, now: datetime) -> None:
    """Open a session of `person`; `secret` is fresh and random. Old ended sessions are swept away."""
    connection.execute(sa.delete(sessions).where(sessions.c.began_at < now - timedelta(days=2)))
    row = {"digest": _digest(secret), "person": person, "began_at": now, "seen_at": now}
    connection.execute(sa.insert(sessions).values(row))


def find(
    connection: sa.Connection, secret: str, *, now: datetime, idle: timedelta, longest: timedelta
) -> tuple[Actor, bool] | None:
    """Whose session it is, and whether it should be `seen` again; None when it is over.

    It is over after `idle` without use, `longest` after it began, when it was ended, when the account was
    disabled, and when the password was changed since. Groups and roles are as granted now.
    """
    found = connection.execute(_SESSION, {"digest": _digest(secret)}).first()
    if found is None or found.ended_at or now - found.seen_at >= idle or now - found.began_at >= longest:
        return None
    account = account_of(connection, found.person)
    if account is None or account["disabled"] or account["changed_at"] > found.began_at:
        return None
    return find_person(connection, found.person), now - found.seen_at >= SEEN_EVERY


def see(connection: sa.Connection, secret: str, *, now: datetime) -> None:
    """Note that a session is in use."""
    mine = sessions.c.digest == _digest(secret)
    connection.execute(sa.update(sessions).where(mine).values(seen_at=now))


def end(connection: sa.Connection, secret: str, *, now: datetime) -> None:
    """End a session for good: its cookie is worth nothing from now on. Repeating it changes nothing."""
    mine = (sessions.c.digest == _digest(secret)) & sessions.c.ended_at.is_(None)
    connection.execute(sa.update(sessions).where(mine).values(ended_at=now))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
