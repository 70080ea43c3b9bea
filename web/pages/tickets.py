"""Tickets: a form for people without an account carries the secret of its reporter, signed, with its moment.

Whoever fills the form gets the secret with the receipt. A ticket stands for one report, however often it is
sent. It also tells machines from people: nobody fills such a form in the blink of an eye.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import request
from itsdangerous import BadSignature, URLSafeSerializer

from engine.errors import FieldError, InvalidInput
from web import words
from web.context import now, rooms
from web.pages.posted import TICKET, TRAP
from workflows.actors.policy import Actor
from workflows.actors.reporters import ALPHABET, LENGTH, reporter

SOONEST = timedelta(seconds=3)
LATEST = timedelta(hours=12)
GROUP = 4


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """One form, handed out at a moment. `text` is what the page carries."""

    secret: str
    at: datetime
    text: str

    @property
    def reporter(self) -> Actor:
        """Who fills it in."""
        return reporter(self.secret)

    @property
    def spelled(self) -> str:
        """The secret as a receipt shows it."""
        return "-".join(self.secret[place : place + GROUP] for place in range(0, LENGTH, GROUP))


def new() -> Ticket:
    """A ticket that nobody has."""
    secret = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    told = {"secret": secret, "at": now().isoformat()}
    return Ticket(secret=secret, at=now(), text=_signer().dumps(told))


def posted() -> Ticket:
    """The ticket of the form that was sent. Raises InvalidInput TICKET_INVALID: not ours, or too old."""
    text = request.form.get(TICKET, "")
    try:
        told = _signer().loads(text)
    except BadSignature:
        raise _invalid() from None
    ticket = Ticket(secret=told["secret"], at=datetime.fromisoformat(told["at"]), text=text)
    if now() - ticket.at > LATEST:
        raise _invalid()
    return ticket


def faults(ticket: Ticket) -> tuple[FieldError, ...]:
    """Why this looks like a machine's: sent at once, or the field filled in that people leave empty."""
    if request.form.get(TRAP):
        return (fault("trap", "请将最后一栏留空后再提交"),)
    if now() - ticket.at < SOONEST:
        return (fault("too_soon", "提交过快，请核对后再次提交"),)
    return ()


def fault(code: str, zh: str, **facts: object) -> FieldError:
    """What is wrong with the whole of a form, in the reader's language."""
    told = words.say(zh, **facts)
    return FieldError(pointer="", code=code, message=told, message_zh=told)


def _invalid() -> InvalidInput:
    told = fault("ticket", "表单已过期，请核对后再次提交；文件须重新选择")
    return InvalidInput("the form is too old, or not ours", fields=(told,), code="TICKET_INVALID")


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(rooms().settings.secret_key, salt="tidu.ticket")
