"""A house that lets things out, and servers of others that only remember what they were told."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock

import sqlalchemy as sa

from workflows.commands import Commands
from workflows.transaction.outbox import KNOWN_FOR, Outbox, outbox
from workflows.work.postman import Dispatch, Postman, Receipt
from workflows.work.subscriptions import subscribe

SENT = Receipt(is_sent=True, status="204")
BUSY = Receipt(is_sent=False, status="503", answer="come back later")
GONE = Receipt(is_sent=False, status="410", answer="never again", is_hopeless=True)


@dataclass
class Others:
    """Everybody outside: answers as it is told to, by outlet, and remembers what came."""

    answers: dict[str, Receipt] = field(default_factory=dict)
    came: list[Dispatch] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def __call__(self, dispatch: Dispatch) -> Receipt:
        with self.lock:
            self.came.append(dispatch)
        return self.answers.get(dispatch.outlet, SENT)

    def keys(self, outlet: str = "") -> list[str]:
        return [one.key for one in self.came if outlet in ("", one.outlet)]


def letting_out(story, *, mail=True):
    """The story's house with a door outwards."""
    story.commands = Commands(story.database, story.catalog, clock=story.clock, outbox=Outbox(mail=mail))
    story.worker._commands = story.commands
    return story


def subscribed(story, name, *events, url="https://example.org/hook"):
    """One more server that is told, and every process knows of it."""
    with story.database.begin() as connection:
        actor = story.person("admin")
        subscribe(connection, name, url=url, events=events or ("*",), actor=actor, now=story.clock())
    story.clock.move(KNOWN_FOR)
    return name


def postman(story, others, **more):
    return Postman(story.database, {"webhook": others, "mail": others}, clock=story.clock, **more)


def lying_ready(story, *conditions):
    """The rows of the outbox, in order."""
    query = sa.select(outbox).where(*conditions).order_by(outbox.c.case_id, outbox.c.seq, outbox.c.number)
    with story.database.connect().execution_options(reading=True) as connection:
        return list(connection.execute(query).mappings())
