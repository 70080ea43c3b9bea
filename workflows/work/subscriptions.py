"""Servers of others that want to be told what happens: subscribed to kinds of events, and ended."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

import sqlalchemy as sa

from engine.errors import FieldError, InvalidInput, NotFound
from engine.events import Cause, Consequence
from workflows.actors.policy import Actor
from workflows.transaction.change import record_operation
from workflows.transaction.outbox import Subscription, name_of, outbox, subscriptions

TYPES = tuple(sorted(name_of(kind) for base in (Cause, Consequence) for kind in base.__subclasses__()))
"""What can be subscribed to."""

PATTERN = re.compile(r"[a-z0-9.*]{1,80}")
LONGEST_URL = 1_000


def subscribe(
    connection: sa.Connection,
    subscription_id: str,
    *,
    url: str,
    events: Iterable[str],
    actor: Actor,
    now: datetime,
    request_id: str = "",
) -> Subscription:
    """A server is told from now on. Raises InvalidInput for an address or a pattern that can never fit."""
    patterns = tuple(dict.fromkeys(events)) or ("*",)
    _check(url, patterns)
    row = {"id": subscription_id, "url": url, "events": list(patterns)}
    connection.execute(subscriptions.insert().values(**row, created_by=actor.id, created_at=now))
    what = {"action": "webhook.add", "entity": subscription_id, "new": {"url": url, "events": list(patterns)}}
    record_operation(connection, actor, **what, at=now, request_id=request_id)
    return subscription_of(connection, subscription_id)


def subscription_of(connection: sa.Connection, subscription_id: str) -> Subscription:
    """One of them, ended or not. Raises NotFound."""
    query = sa.select(subscriptions).where(subscriptions.c.id == subscription_id)
    row = connection.execute(query).mappings().first()
    if row is None:
        raise NotFound(f"there is no webhook {subscription_id}", code="WEBHOOK_NOT_FOUND")
    return Subscription.of(row)


def unsubscribe(
    connection: sa.Connection, subscription_id: str, *, actor: Actor, now: datetime, request_id: str = ""
) -> int:
    """It is told nothing more; answers how many dispatches that lay ready are given up. Raises NotFound."""
    subscription_of(connection, subscription_id)
    mine = (subscriptions.c.id == subscription_id) & subscriptions.c.ended_at.is_(None)
    connection.execute(sa.update(subscriptions).where(mine).values(ended_at=now))
    unsent = (outbox.c.outlet == subscription_id) & outbox.c.state.in_(("waiting", "failed"))
    left = connection.execute(sa.update(outbox).where(unsent).values(state="given_up", ended_at=now)).rowcount
    what = {"action": "webhook.end", "entity": subscription_id, "new": {"given_up": left}}
    record_operation(connection, actor, **what, at=now, request_id=request_id)
    return left


def _check(url: str, patterns: Iterable[str]) -> None:
    wrong = [
        _field("events", f"nothing is called {one!r}", f"没有名为 {one!r} 的事件")
        for one in patterns
        if not _fits(one)
    ]
    parts = urlsplit(url)
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.username
        or len(url) > LONGEST_URL
    ):
        wrong.append(_field("url", "expected an http or https address", "应为 http 或 https 地址"))
    if wrong:
        raise InvalidInput(wrong[0].message, fields=tuple(wrong))


def _fits(pattern: str) -> bool:
    return bool(PATTERN.fullmatch(pattern)) and any(fnmatchcase(type_, pattern) for type_ in TYPES)


def _field(name: str, message: str, message_zh: str) -> FieldError:
    return FieldError(pointer=f"/{name}", code="invalid", message=message, message_zh=message_zh)
