"""The senders of an installation: a channel for each thing that its settings let out."""

from __future__ import annotations

import sqlalchemy as sa

from engine.errors import NotFound
from web.context import Rooms
from web.outgoing.mail import Mails
from web.outgoing.webhooks import Webhooks
from workflows.store.tables import reading
from workflows.work.postman import Send
from workflows.work.subscriptions import subscription_of


def senders(rooms: Rooms) -> dict[str, Send]:
    """Channel → what sends by it."""
    settings = rooms.settings
    found: dict[str, Send] = {
        "webhook": Webhooks(
            url_of=lambda subscription_id: _url(rooms.database, subscription_id),
            key=settings.secret_key,
            source=settings.base_url,
            networks=settings.webhook_networks,
            clock=rooms.clock,
        )
    }
    if settings.smtp_url:
        found["mail"] = Mails(url=settings.smtp_url, sender=settings.mail_from, base_url=settings.base_url)
    return found


def _url(database: sa.Engine, subscription_id: str) -> str | None:
    with reading(database) as connection:
        try:
            found = subscription_of(connection, subscription_id)
        except NotFound:
            return None
    return None if found.ended_at else found.url
