"""Who is asking: a person with a session cookie, or a program with a bearer token."""

from __future__ import annotations

import logging
import secrets
from datetime import timedelta

from flask import g, request, session

from engine.errors import NotAllowed
from web import storage
from web.context import now, rooms
from web.problems import NotSignedIn
from workflows.actors import people, sessions, tokens
from workflows.actors.passwords import matches
from workflows.actors.policy import Actor

log = logging.getLogger("tidu.web")

SCHEME = "bearer "
SESSION = "session"


def recognise() -> Actor | None:
    """The actor of this request, None if nobody says who they are. Raises NotSignedIn for a bad token.

    A request that carries a token is judged by the token alone, whatever cookies come with it.
    """
    header = request.headers.get("Authorization", "")
    g.by_token = header[: len(SCHEME)].lower() == SCHEME
    g.scopes = None
    return _by_token(header[len(SCHEME) :].strip()) if g.by_token else _by_cookie()


def sign_in(account: str, password: str) -> Actor:
    """Check the password and open a fresh session. Raises NotAllowed BAD_CREDENTIALS or LOCKED_OUT.

    Accounts that do not exist and accounts that are closed get the answer of a wrong password. Raises
    MemoryError where there is none to measure it with.
    """
    with rooms().reading() as connection:
        stored = people.stored_password(connection, account)
    proven = stored if matches(stored, password) else ""  # takes long: nobody waits for it at the database
    with rooms().database.begin() as connection:
        login = people.judge(connection, account, proven=proven, now=now())
        if login.actor is not None:
            secret = _renew()
            sessions.begin(connection, secret, person=login.actor.id, now=now())
    if login.actor is None:
        raise _refusal(login)
    g.actor = login.actor
    return login.actor


def sign_out() -> None:
    """End the session at the server; what the browser keeps is worthless from now on."""
    if secret := session.get(SESSION):
        with rooms().database.begin() as connection:
            sessions.end(connection, secret, now=now())
    language = session.get("language")
    session.clear()
    if language:
        session["language"] = language
    g.actor = None


def _by_token(text: str) -> Actor:
    try:
        with rooms().reading() as connection:
            actor, g.scopes = tokens.check_token(connection, text, now=now())
    except NotAllowed as refused:
        raise NotSignedIn(str(refused), code=refused.code) from refused
    return actor


def _by_cookie() -> Actor | None:
    if not (secret := session.get(SESSION)):
        return None
    settings = rooms().settings
    terms = {
        "idle": timedelta(minutes=settings.session_idle_minutes),
        "longest": timedelta(hours=settings.session_hours),
    }
    with rooms().reading() as connection:
        found = sessions.find(connection, secret, now=now(), **terms)
    if found is None:
        session.pop(SESSION, None)
        return None
    actor, is_due = found
    if is_due:
        _see(secret)
    return actor


def _see(secret: str) -> None:
    """Note that the session is in use. Where the storage refuses, its owner can read all the same."""
    try:
        with rooms().database.begin() as connection:
            sessions.see(connection, secret, now=now())
    except storage.LOST as error:
        log.warning("a session was not noted as seen: %s", storage.trouble(error))


def _renew() -> str:
    """Nothing of the visitor's session before the sign-in survives but the language."""
    language = session.get("language")
    session.clear()
    if language:
        session["language"] = language
    session[SESSION] = secret = secrets.token_urlsafe(32)
    return secret


def _refusal(login: people.Login) -> NotAllowed:
    if login.code == "ACCOUNT_LOCKED" and login.locked_until is not None:
        seconds = int((login.locked_until - now()).total_seconds()) + 1
        return NotAllowed("the account rests", code="LOCKED_OUT", retry_after=seconds)
    return NotAllowed("account or password is wrong", code="BAD_CREDENTIALS")
