"""`tidu user …` and `tidu token …`: who may sign in, and which programs may act for them."""

from __future__ import annotations

import argparse
import getpass
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from engine.errors import InvalidInput
from web.cli import house
from web.cli.voice import Voice
from workflows.actors.people import disable_account, find_person, set_password
from workflows.actors.policy import SYSTEM, Actor
from workflows.actors.staff import add_person, change_grants, everybody, owner_of
from workflows.actors.tokens import issue_token, revoke_token, tokens_of
from workflows.transaction.change import record_operation

SECRET_BYTES = 32


def list_people(arguments: argparse.Namespace, voice: Voice) -> int:
    """Everybody with their groups, roles and the state of their account."""
    rooms = house.open_house()
    with rooms.reading() as connection:
        listed = everybody(connection, now=rooms.clock())
    rows = [{**_shown(entry.person), "account": entry.account} for entry in listed]
    lines = [f"{r['id']:16} {r['account']:9} {r['name']}  {' '.join(r['groups'] + r['roles'])}" for r in rows]
    voice.answer({"people": rows}, *(lines or ["nobody yet: see `tidu user add --help`"]))
    return 0


def add(arguments: argparse.Namespace, voice: Voice) -> int:
    """A new person, without a password."""
    with _changing("user.add", arguments.person) as (connection, now):
        person = add_person(
            connection,
            arguments.person,
            name=arguments.name,
            level=arguments.level,
            authority=arguments.authority,
            unit=arguments.unit,
            groups=arguments.group,
            roles=arguments.role,
            now=now,
        )
    voice.answer(_shown(person), f"{person.id} is there; `tidu user password {person.id}` lets them sign in")
    return 0


def change(arguments: argparse.Namespace, voice: Voice) -> int:
    """Give and take groups and roles."""
    with _changing("user.grant", arguments.person) as (connection, now):
        person = change_grants(
            connection,
            arguments.person,
            groups=arguments.group,
            roles=arguments.role,
            taken=arguments.take,
            now=now,
        )
    voice.answer(_shown(person), f"{person.id}: {' '.join(sorted(person.groups | person.roles))}")
    return 0


def password(arguments: argparse.Namespace, voice: Voice) -> int:
    """A new password, asked for twice, or the first line of standard input."""
    given = _password()
    with _changing("user.password", arguments.person) as (connection, now):
        set_password(connection, arguments.person, given, now=now)
    voice.answer({"id": arguments.person}, f"{arguments.person} has a new password")
    return 0


def disable(arguments: argparse.Namespace, voice: Voice) -> int:
    """Close an account, or open it again."""
    with _changing("user.disable", arguments.person) as (connection, _):
        disable_account(connection, arguments.person, disabled=not arguments.undo)
    word = "open" if arguments.undo else "disabled"
    voice.answer({"id": arguments.person, "account": word}, f"{arguments.person} is {word}")
    return 0


def list_tokens(arguments: argparse.Namespace, voice: Voice) -> int:
    """A person's tokens, without their secrets."""
    rooms = house.open_house()
    with rooms.reading() as connection:
        find_person(connection, arguments.person)
        found = tokens_of(connection, arguments.person)
    rows = [{**vars(token), "scopes": sorted(token.scopes)} for token in found]
    lines = [f"{row['token_id']:20} {row['name']} until {row['expires_at']:%Y-%m-%d}" for row in rows]
    voice.answer({"tokens": rows}, *(lines or ["no tokens"]))
    return 0


def add_token(arguments: argparse.Namespace, voice: Voice) -> int:
    """A new token; its text is told once and kept nowhere."""
    token_id, secret = secrets.token_hex(8), secrets.token_urlsafe(SECRET_BYTES)
    with _changing("token.add", token_id) as (connection, now):
        text = issue_token(
            connection,
            arguments.person,
            token_id=token_id,
            secret=secret,
            name=arguments.name,
            scopes=arguments.scope,
            now=now,
            expires_at=now + timedelta(days=arguments.days),
        )
    voice.answer({"token_id": token_id, "token": text}, text)
    return 0


def end_token(arguments: argparse.Namespace, voice: Voice) -> int:
    """End a token at once."""
    with _changing("token.revoke", arguments.token) as (connection, now):
        revoke_token(connection, arguments.token, person=owner_of(connection, arguments.token), now=now)
    voice.answer({"token_id": arguments.token}, f"{arguments.token} is revoked")
    return 0


@contextmanager
def _changing(action: str, entity: str) -> Iterator[tuple[sa.Connection, datetime]]:
    """One transaction with its operation record: the operator of the machine did it."""
    rooms = house.open_house()
    now = rooms.clock()
    with rooms.database.begin() as connection:
        yield connection, now
        record_operation(connection, SYSTEM, action=action, entity=entity, at=now)


def _shown(person: Actor) -> dict[str, Any]:
    return {
        "id": person.id,
        "name": person.name,
        "level": person.level,
        "authority": person.authority,
        "unit": person.unit,
        "groups": sorted(person.groups),
        "roles": sorted(person.roles),
    }


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    given = getpass.getpass("New password: ")
    if getpass.getpass("Once more: ") != given:
        raise InvalidInput("the two passwords differ", code="PASSWORDS_DIFFER")
    return given
