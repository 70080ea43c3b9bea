"""Who may sign in at an installation: its bodies, new people, and what an operator lists."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from engine.errors import InvalidInput, NotFound, WrongState
from workflows.actors.people import (
    FOLDER,
    LEVELS,
    accounts,
    authorities,
    departments,
    find_person,
    grant,
    persons,
    revoke,
    units,
)
from workflows.actors.policy import Actor
from workflows.actors.tokens import tokens

OPERATOR = "system"
"""Who acts on the command line of the machine itself."""

PERSON_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One person as an operator sees them; `account` is none, open, locked or disabled."""

    person: Actor
    account: str


def load_bodies(connection: sa.Connection, folder: Path = FOLDER) -> None:
    """Bring the authorities and departments up to date: the bodies every installation works with."""
    for table in (authorities, departments):
        rows = json.loads((folder / f"{table.name}.json").read_text("utf-8"))[table.name]
        connection.execute(sa.delete(table))
        connection.execute(sa.insert(table), rows)


def add_person(
    connection: sa.Connection,
    person: str,
    *,
    name: str,
    level: str,
    authority: str | None = None,
    unit: str | None = None,
    groups: Iterable[str] = (),
    roles: Iterable[str] = (),
    now: datetime,
) -> Actor:
    """A new person without a password, with groups and roles.

    Raises InvalidInput, WrongState for an id that is taken, NotFound for an unknown authority or unit,
    NotAllowed (`SOD`) when administration, rules and audit would meet.
    """
    if not PERSON_ID.fullmatch(person) or level not in LEVELS or not name.strip():
        levels = ", ".join(sorted(LEVELS))
        raise InvalidInput(f"expected an id of a-z 0-9 . _ -, a name, and a level of {levels}")
    if connection.execute(sa.select(persons.c.id).where(persons.c.id == person)).first():
        raise WrongState(f"there is a person {person} already", code="PERSON_EXISTS", person=person)
    for column, wanted in ((authorities.c.code, authority), (units.c.id, unit)):
        if wanted and not connection.execute(sa.select(column).where(column == wanted)).first():
            raise NotFound(f"there is no {column.table.name} {wanted!r}", code="BODY_NOT_FOUND")
    who = {"id": person, "name": name, "level": level, "authority": authority, "unit": unit}
    connection.execute(persons.insert().values({**who, "interests": []}))
    change_grants(connection, person, groups=groups, roles=roles, now=now)
    return find_person(connection, person)


def change_grants(
    connection: sa.Connection,
    person: str,
    *,
    groups: Iterable[str] = (),
    roles: Iterable[str] = (),
    taken: Iterable[str] = (),
    now: datetime,
) -> Actor:
    """Give groups and roles, take away what `taken` names; the person as they stand then.

    Raises NotFound, InvalidInput for an unknown role, NotAllowed (`SOD`).
    """
    find_person(connection, person)
    for name in taken:
        revoke(connection, person, group=name)
        revoke(connection, person, role=name)
    for role in roles:
        grant(connection, person, role=role, by=OPERATOR, now=now)
    for group in groups:
        grant(connection, person, group=group, by=OPERATOR, now=now)
    return find_person(connection, person)


def everybody(connection: sa.Connection, *, now: datetime) -> tuple[Listed, ...]:
    """All people, by id."""
    known = {row.person: row for row in connection.execute(sa.select(accounts))}
    ids = sorted(connection.scalars(sa.select(persons.c.id)))
    return tuple(
        Listed(person=find_person(connection, person), account=_account(known.get(person), now))
        for person in ids
    )


def owner_of(connection: sa.Connection, token_id: str) -> str:
    """Whose API token this is. Raises NotFound."""
    found = connection.execute(sa.select(tokens.c.person).where(tokens.c.token_id == token_id)).first()
    if found is None:
        raise NotFound(f"there is no token {token_id!r}", code="TOKEN_NOT_FOUND", token=token_id)
    return str(found.person)


def _account(row: sa.Row[tuple[object, ...]] | None, now: datetime) -> str:
    if row is None:
        return "none"
    if row.disabled:
        return "disabled"
    return "locked" if row.locked_until and now < row.locked_until else "open"
