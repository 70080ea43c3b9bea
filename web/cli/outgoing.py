"""`tidu outbox …` and `tidu webhook …`: what leaves the house, what could not, and who is told."""

from __future__ import annotations

import argparse
import secrets
from typing import Any

from web.cli import house
from web.cli.voice import Voice
from web.outgoing.webhooks import secret_of
from workflows.actors.policy import SYSTEM
from workflows.transaction.outbox import open_subscriptions
from workflows.work import dispatches, subscriptions

MISUSED = 2
MOST = 10_000


def list_dispatches(arguments: argparse.Namespace, voice: Voice) -> int:
    """The newest dispatches."""
    rooms = house.open_house()
    with rooms.reading() as connection:
        found = dispatches.find(
            connection, state=arguments.state, case_id=arguments.case, limit=arguments.limit
        )
    lines = [f"{one.state:8} {one.key}  {one.what}  {one.trouble}".rstrip() for one in found]
    voice.answer({"dispatches": [_shown(one) for one in found]}, *(lines or ["nothing"]))
    return 0


def show(arguments: argparse.Namespace, voice: Voice) -> int:
    """One dispatch with every attempt."""
    rooms = house.open_house()
    with rooms.reading() as connection:
        found = dispatches.get(connection, arguments.dispatch)
        log = dispatches.attempts_of(connection, arguments.dispatch)
    told = f"{found.key} {found.state} after {found.attempts} attempts"
    lines = [
        f"{one.at:%Y-%m-%d %H:%M:%S} {one.outcome} {one.status} {one.milliseconds} ms {one.answer}"
        for one in log
    ]
    voice.answer({**_shown(found), "log": [vars(one) for one in log]}, told, *lines)
    return 0


def retry(arguments: argparse.Namespace, voice: Voice) -> int:
    """Send again what failed for good."""
    if bool(arguments.dispatch) == arguments.all:
        voice.tell("tidu outbox retry: name dispatches, or say --all")
        return MISUSED
    rooms = house.open_house()
    with rooms.database.begin() as connection:
        failed = dispatches.find(connection, state="failed", limit=MOST) if arguments.all else ()
        wanted = arguments.dispatch or [one.key for one in failed]
        for key in wanted:
            dispatches.retry(connection, key, actor=SYSTEM, now=rooms.clock())
    voice.answer({"retried": wanted}, f"{len(wanted)} will be sent again")
    return 0


def drop(arguments: argparse.Namespace, voice: Voice) -> int:
    """Give up what failed for good."""
    rooms = house.open_house()
    with rooms.database.begin() as connection:
        for key in arguments.dispatch:
            dispatches.give_up(connection, key, reason=arguments.reason, actor=SYSTEM, now=rooms.clock())
    voice.answer({"given_up": arguments.dispatch}, f"{len(arguments.dispatch)} given up")
    return 0


def list_webhooks(arguments: argparse.Namespace, voice: Voice) -> int:
    """Those that are told."""
    rooms = house.open_house()
    with rooms.reading() as connection:
        found = list(open_subscriptions(connection))
    lines = [f"{one.id}  {one.url}  {' '.join(one.events)}" for one in found]
    voice.answer({"webhooks": [vars(one) for one in found]}, *(lines or ["none: see `tidu webhook add`"]))
    return 0


def add_webhook(arguments: argparse.Namespace, voice: Voice) -> int:
    """A new one, and its secret."""
    rooms = house.open_house()
    new = f"wh{secrets.token_hex(6)}"
    with rooms.database.begin() as connection:
        subscriptions.subscribe(
            connection, new, url=arguments.url, events=arguments.event, actor=SYSTEM, now=rooms.clock()
        )
    secret = secret_of(rooms.settings.secret_key, new)
    voice.answer({"id": new, "secret": secret}, f"{new} is told in a few seconds; its secret is {secret}")
    return 0


def end_webhook(arguments: argparse.Namespace, voice: Voice) -> int:
    """Tell it nothing more."""
    rooms = house.open_house()
    with rooms.database.begin() as connection:
        left = subscriptions.unsubscribe(connection, arguments.webhook, actor=SYSTEM, now=rooms.clock())
    voice.answer({"id": arguments.webhook, "given_up": left}, f"ended; {left} dispatches are given up")
    return 0


def _shown(one: dispatches.Sent) -> dict[str, Any]:
    return {"id": one.key, **vars(one)}
