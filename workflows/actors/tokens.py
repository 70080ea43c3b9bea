"""Programs that act for people: their tokens, issued once, checked at every request, ended for good."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from engine.errors import InvalidInput, NotAllowed, NotFound
from engine.tables import metadata
from workflows.actors.people import account_of, find_person
from workflows.actors.policy import Actor
from workflows.store.columns import Document, Moment

TOKEN = re.compile(r"tidu_([A-Za-z0-9-]{1,40})_([A-Za-z0-9_-]{20,200})")

tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("token_id", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, sa.ForeignKey("persons.id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("scopes", Document, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("revoked_at", Moment),
    sa.Index(None, "person"),
)


@dataclass(frozen=True, kw_only=True)
class Token:
    """An API token without its secret; `token_id` is its public prefix."""

    token_id: str
    person: str
    name: str
    scopes: frozenset[str]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


_TOKEN = sa.select(tokens).where(tokens.c.token_id == sa.bindparam("token_id"))


def issue_token(
    connection: sa.Connection,
    person: str,
    *,
    token_id: str,
    secret: str,
    name: str,
    scopes: Iterable[str],
    now: datetime,
    expires_at: datetime,
) -> str:
    """A new API token, as text to show once; only its digest is kept. `secret` is random, 20 characters
    or more. Raises NotFound, InvalidInput."""
    find_person(connection, person)
    text = f"tidu_{token_id}_{secret}"
    found = TOKEN.fullmatch(text)
    if not found or found[1] != token_id or expires_at <= now:
        raise InvalidInput("expected an id, a secret of 20 characters or more, an expiry in the future")
    facts = {"person": person, "name": name, "scopes": sorted(set(scopes)), "created_at": now}
    row = {"token_id": token_id, "digest": _digest(secret), "expires_at": expires_at, **facts}
    connection.execute(sa.insert(tokens).values(row))
    return text


def check_token(connection: sa.Connection, text: str, *, now: datetime) -> tuple[Actor, frozenset[str]]:
    """Who a token stands for, and its scopes. Raises NotAllowed with `TOKEN_INVALID`, `TOKEN_REVOKED`,
    `TOKEN_EXPIRED` or `ACCOUNT_DISABLED`."""
    found = TOKEN.fullmatch(text)
    row = connection.execute(_TOKEN, {"token_id": found[1] if found else ""}).mappings().one_or_none()
    if not found or row is None or not hmac.compare_digest(row["digest"], _digest(found[2])):
        raise NotAllowed("the token is not known", code="TOKEN_INVALID")
    if row["revoked_at"]:
        raise NotAllowed("the token was revoked", code="TOKEN_REVOKED")
    if row["expires_at"] <= now:
        raise NotAllowed("the token has expired", code="TOKEN_EXPIRED")
    if (account := account_of(connection, row["person"])) and account["disabled"]:
        raise NotAllowed("the account is disabled", code="ACCOUNT_DISABLED")
    return find_person(connection, row["person"]), frozenset(row["scopes"])


def tokens_of(connection: sa.Connection, person: str) -> tuple[Token, ...]:
    """A person's tokens, newest first, without their secrets."""
    query = sa.select(tokens).where(tokens.c.person == person).order_by(tokens.c.created_at.desc())
    return tuple(_token(row) for row in connection.execute(query).mappings())


def revoke_token(connection: sa.Connection, token_id: str, *, person: str, now: datetime) -> None:
    """End a token of `person` at once. Repeating it changes nothing. Raises NotFound."""
    mine = (tokens.c.token_id == token_id) & (tokens.c.person == person)
    if not connection.execute(sa.select(tokens.c.person).where(mine)).first():
        raise NotFound(f"{person} has no token {token_id!r}", token=token_id)
    live = mine & tokens.c.revoked_at.is_(None)
    connection.execute(sa.update(tokens).where(live).values(revoked_at=now))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _token(row: sa.RowMapping) -> Token:
    facts = {
        key: row[key] for key in ("token_id", "person", "name", "created_at", "expires_at", "revoked_at")
    }
    return Token(scopes=frozenset(row["scopes"]), **facts)
