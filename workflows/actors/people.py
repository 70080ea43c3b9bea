"""People and their organisations: persons, grants, accounts with passwords."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from engine.errors import InvalidInput, NotAllowed, NotFound
from engine.tables import metadata
from workflows.actors.passwords import hash_password, matches, nobody
from workflows.actors.policy import Actor
from workflows.store.columns import Document, Moment

FOLDER = Path(__file__).parents[2] / "bpmn" / "organisations"
LEVELS = frozenset(
    {"unit", "county", "municipal", "department", "provincial", "expert", "evaluator", "staff"}
)
AREAS = {"process_owner": "rules", "approver": "rules", "auditor": "audit", "administrator": "administration"}
"""Which of the three separated duties a role belongs to; no account ever holds two of them."""

FAILURES = 5
LOCKED_FOR = timedelta(minutes=15)


def _text(name: str, **more: Any) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, default="", **more)


authorities = sa.Table(
    "authorities",
    metadata,
    sa.Column("code", sa.Text, primary_key=True),
    *map(_text, ("short", "name", "name_en", "body", "body_en", "kind")),
)

departments = sa.Table(
    "departments",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    *map(_text, ("name", "name_en", "basis")),
    sa.Column("consulted", sa.Boolean, nullable=False),
)

evaluators = sa.Table(
    "evaluators",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    *map(_text, ("name", "name_en", "uscc", "address", "legal_representative", "legal_representative_en")),
    sa.Column("staff", sa.Integer),
    sa.Column("senior_staff", sa.Integer),
    sa.Column("not_accepted_until", sa.Text),  # a date, or null
)

units = sa.Table(
    "units",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    *map(_text, ("name", "name_en", "kind", "authority", "county", "county_en", "address")),
    _text("uscc", unique=True),
    *map(_text, ("sector", "sector_name", "sector_name_en", "phone", "email", "founded")),
    *map(_text, ("legal_representative", "legal_representative_en", "contact", "contact_en")),
    sa.Column("key_sector", sa.Boolean, nullable=False),
    sa.Column("capital", sa.Integer),  # in 10 000 yuan
    sa.Index(None, "authority"),
)

persons = sa.Table(
    "persons",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    *map(_text, ("name", "name_en", "email", "level")),
    *(sa.Column(name, sa.Text) for name in ("authority", "unit", "department", "evaluator")),
    *map(_text, ("specialty", "specialty_en")),
    sa.Column("interests", Document, nullable=False),
)

grants = sa.Table(
    "grants",
    metadata,
    sa.Column("person", sa.Text, sa.ForeignKey("persons.id"), primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),  # group, role
    sa.Column("name", sa.Text, primary_key=True),
    _text("granted_by"),
    sa.Column("granted_at", Moment, nullable=False),
    sa.Index(None, "kind", "name"),
)

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("person", sa.Text, sa.ForeignKey("persons.id"), primary_key=True),
    _text("password"),
    sa.Column("failures", sa.Integer, nullable=False, default=0),
    sa.Column("locked_until", Moment),
    sa.Column("disabled", sa.Boolean, nullable=False, default=False),
    sa.Column("changed_at", Moment, nullable=False),
)


@dataclass(frozen=True, kw_only=True)
class Login:
    """The answer to a password: the actor, or the code of the refusal (`BAD_CREDENTIALS`,
    `ACCOUNT_LOCKED`, `ACCOUNT_DISABLED`) and until when it stands."""

    actor: Actor | None = None
    code: str = ""
    locked_until: datetime | None = None


# What every request asks is built once: building these costs more than asking them.
_WHO: sa.BindParameter[str] = sa.bindparam("person")
_PERSON = sa.select(persons).where(persons.c.id == _WHO)
_GRANTS = sa.select(grants.c.kind, grants.c.name).where(grants.c.person == _WHO)
_ACCOUNT = sa.select(accounts).where(accounts.c.person == _WHO)


def find_person(connection: sa.Connection, person: str) -> Actor:
    """The person as an actor, with groups and roles as granted now. Raises NotFound."""
    row = connection.execute(_PERSON, {"person": person}).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no person {person!r}", person=person)
    held = connection.execute(_GRANTS, {"person": person}).all()
    return _actor(row, [(kind, name) for kind, name in held])


def people_in(connection: sa.Connection, group: str) -> tuple[Actor, ...]:
    """Everybody in a group, by id."""
    inside = sa.select(grants.c.person).where(grants.c.kind == "group", grants.c.name == group)
    found = connection.execute(inside.order_by(grants.c.person)).scalars().all()
    return tuple(find_person(connection, person) for person in found)


def set_password(connection: sa.Connection, person: str, password: str, *, now: datetime) -> None:
    """Give a person a new password and open a locked account. Raises NotFound, InvalidInput."""
    find_person(connection, person)
    values = {"password": hash_password(password), "failures": 0, "locked_until": None, "changed_at": now}
    _put(connection, accounts, {"person": person, **values})


def check_password(connection: sa.Connection, person: str, password: str, *, now: datetime) -> Login:
    """Whether the password is right: measured, and judged. Where others wait for this transaction, do the
    two apart. Raises MemoryError."""
    stored = stored_password(connection, person)
    return judge(connection, person, proven=stored if matches(stored, password) else "", now=now)


def stored_password(connection: sa.Connection, person: str) -> str:
    """What a password is measured against; unknown persons take as long as known ones."""
    found = account_of(connection, person)
    return found["password"] if found else nobody()


def judge(connection: sa.Connection, person: str, *, proven: str, now: datetime) -> Login:
    """What comes of a sign-in; `proven` is the stored password that was matched, empty if it was not.

    Counts failures: after 5 in a row the account rests 15 minutes. Never raises for a wrong answer, so that
    the count is kept: commit in any case. Unknown persons get the answer of known ones.
    """
    found = account_of(connection, person)
    if found is None:
        return Login(code="BAD_CREDENTIALS")
    if found["locked_until"] and now < found["locked_until"]:
        return Login(code="ACCOUNT_LOCKED", locked_until=found["locked_until"])
    if not proven or proven != found["password"]:
        return _count_failure(connection, found, now)
    if found["disabled"]:
        return Login(code="ACCOUNT_DISABLED")
    _change_account(connection, person, failures=0, locked_until=None)
    return Login(actor=find_person(connection, person))


def disable_account(connection: sa.Connection, person: str, *, disabled: bool) -> None:
    """Close an account, or open it again. Its tokens stop working with it. Raises NotFound."""
    if not _change_account(connection, person, disabled=disabled):
        raise NotFound(f"{person!r} has no account", person=person)


def grant(
    connection: sa.Connection, person: str, *, group: str = "", role: str = "", by: str, now: datetime
) -> None:
    """Give a person one group or one role. Raises NotFound, InvalidInput for an unknown role, NotAllowed
    with `SELF_GRANT`, and with `SOD` when administration, rules and audit would meet in one account."""
    kind, name = ("role", role) if role else ("group", group)
    if by == person:
        raise NotAllowed(f"{person} may not grant anything to themselves", code="SELF_GRANT", person=person)
    actor = find_person(connection, person)
    if role and role not in AREAS:
        raise InvalidInput(f"there is no role {role!r}")
    _keep_apart(person, actor.roles | {role} if role else actor.roles)
    row = {"person": person, "kind": kind, "name": name, "granted_by": by, "granted_at": now}
    _put(connection, grants, row)


def revoke(connection: sa.Connection, person: str, *, group: str = "", role: str = "") -> bool:
    """Take one group or one role away; whether the person had it."""
    kind, name = ("role", role) if role else ("group", group)
    which = (grants.c.person == person) & (grants.c.kind == kind) & (grants.c.name == name)
    return connection.execute(sa.delete(grants).where(which)).rowcount > 0


def load_organisations(
    connection: sa.Connection, folder: Path = FOLDER, *, password: str | None = None, now: datetime
) -> int:
    """Read authorities, departments, evaluators, units and people from the JSON files of a folder.

    What is there is brought up to date, nothing is deleted; accounts are only made, never changed, and
    only with a `password` (the demonstration's). Returns how many people. Raises NotAllowed (`SOD`).
    """
    for table in (authorities, departments, evaluators, units):
        for row in _rows(folder, table.name):
            _put(connection, table, row)
    people = _rows(folder, "people")
    hashed = hash_password(password) if password is not None else None
    for row in people:
        _load_person(connection, row, hashed, now)
    return len(people)


def _rows(folder: Path, name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((folder / f"{name}.json").read_text("utf-8"))[name]
    return rows


def _load_person(
    connection: sa.Connection, row: Mapping[str, Any], hashed: str | None, now: datetime
) -> None:
    person = row["id"]
    _keep_apart(person, frozenset(row["roles"]))
    facts = {key: value for key, value in row.items() if key in persons.c}
    _put(connection, persons, {"interests": [], **facts})
    for kind, names in (("group", row["groups"]), ("role", row["roles"])):
        for name in names:
            held = {"person": person, "kind": kind, "name": name, "granted_by": "system", "granted_at": now}
            _put(connection, grants, held)
    if hashed and account_of(connection, person) is None:
        _put(connection, accounts, {"person": person, "password": hashed, "changed_at": now})


def _actor(row: sa.RowMapping, held: list[tuple[str, str]]) -> Actor:
    return Actor(
        id=row["id"],
        name=row["name"],
        groups=frozenset(name for kind, name in held if kind == "group"),
        roles=frozenset(name for kind, name in held if kind == "role"),
        authority=row["authority"],
        unit=row["unit"],
        level=row["level"],
        interests=frozenset(row["interests"]),
    )


def _keep_apart(person: str, roles: frozenset[str]) -> None:
    areas = sorted({AREAS[role] for role in roles})
    if len(areas) > 1:
        raise NotAllowed(
            f"{' and '.join(areas)} may not meet in one account ({person})", code="SOD", person=person
        )


def account_of(connection: sa.Connection, person: str) -> sa.RowMapping | None:
    """The account of a person, if there is one."""
    return connection.execute(_ACCOUNT, {"person": person}).mappings().one_or_none()


def _change_account(connection: sa.Connection, person: str, **values: Any) -> bool:
    change = sa.update(accounts).where(accounts.c.person == person).values(**values)
    return connection.execute(change).rowcount > 0


def _count_failure(connection: sa.Connection, account: sa.RowMapping, now: datetime) -> Login:
    person = accounts.c.person == account["person"]
    one_more = sa.update(accounts).where(person).values(failures=accounts.c.failures + 1)
    if connection.execute(one_more.returning(accounts.c.failures)).scalar_one() < FAILURES:
        return Login(code="BAD_CREDENTIALS")
    until = now + LOCKED_FOR
    _change_account(connection, account["person"], failures=0, locked_until=until)
    return Login(code="ACCOUNT_LOCKED", locked_until=until)


def _put(connection: sa.Connection, table: sa.Table, row: Mapping[str, Any]) -> None:
    """Insert the row, or bring it up to date if its key is there."""
    mine = sa.and_(*(column == row[column.name] for column in table.primary_key))
    if connection.execute(sa.select(*table.primary_key).where(mine)).first():
        connection.execute(sa.update(table).where(mine).values(**row))
    else:
        connection.execute(sa.insert(table).values(**row))
