"""Rule sets as they are kept: versions that never change once approved, and which is in force on a day."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from engine.errors import NotFound, WrongState
from engine.tables import metadata
from workflows.register.rules import RuleSet, load_rules, rule_set_ids, stored_rules
from workflows.store.columns import Document, Moment
from workflows.store.contents import keep

rule_sets = sa.Table(
    "rule_sets",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # editing, submitted, approved
    sa.Column("content", Document, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("effective_from", sa.Text),
    sa.Column("effective_to", sa.Text),
    sa.Column("base", sa.Text),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("authors", Document, nullable=False),  # everybody whose hand is in it
    sa.Column("changed_by", sa.Text, nullable=False),
    sa.Column("changed_at", Moment, nullable=False),
    sa.Column("submitted_by", sa.Text),
    sa.Column("submitted_at", Moment),
    sa.Column("approved_by", sa.Text),
    sa.Column("approved_at", Moment),
    sa.Column("note", sa.Text, nullable=False),
)
SHIPPED = "system"
"""Who is the author of the rule sets that come with the product."""


@dataclass(frozen=True, kw_only=True)
class KeptRules:
    """One version of a rule set: a draft, waiting for a second person, or approved and settled for good."""

    id: str
    version: int
    revision: int
    state: str
    rules: RuleSet
    digest: str
    base: str | None
    author: str
    authors: tuple[str, ...]
    changed_by: str
    changed_at: datetime
    submitted_by: str | None
    submitted_at: datetime | None
    approved_by: str | None
    approved_at: datetime | None
    note: str

    @property
    def name(self) -> str:
        """`gansu-2026:1`."""
        return f"{self.id}:{self.version}"

    def is_in_force(self, on: date) -> bool:
        """Whether it is approved and a case that has no batch could be governed by it on this day."""
        since, until = self.rules.effective
        return (
            self.state == "approved" and since is not None and since <= on and (until is None or on <= until)
        )


def load_rule_sets(connection: sa.Connection, *, now: datetime) -> tuple[str, ...]:
    """Keep the rule sets that ship with the product as approved versions; answers the names of new ones.

    What was kept once is not kept again; a file that changed is the next version.
    """
    new = []
    for rules in map(load_rules, rule_set_ids()):
        known = sa.select(rule_sets.c.version, rule_sets.c.digest).where(rule_sets.c.id == rules.id)
        there = {row.version: row.digest for row in connection.execute(known)}
        if not any(_numbered(rules, version).digest == digest for version, digest in there.items()):
            number = max((rules.version, *(version + 1 for version in there)))
            new.append(_ship(connection, rules, version=number, now=now))
    return tuple(new)


def every_rule_set(connection: sa.Connection) -> tuple[KeptRules, ...]:
    """All versions of all rule sets, the newest of each first."""
    query = sa.select(rule_sets).order_by(rule_sets.c.id, rule_sets.c.version.desc())
    return tuple(map(rule_set_of, connection.execute(query)))


def find_rule_set(connection: sa.Connection, rules: str, version: int) -> KeptRules:
    """One version, approved or not. Raises NotFound."""
    query = sa.select(rule_sets).where(rule_sets.c.id == rules, rule_sets.c.version == version)
    row = connection.execute(query).first()
    if row is None:
        raise NotFound(f"there is no rule set {rules}:{version}", code="RULES_NOT_FOUND", rules=rules)
    return rule_set_of(row)


def approved_rules(connection: sa.Connection, rules: str, version: int | None = None) -> KeptRules:
    """A version that a batch may be opened with: the newest approved one unless `version` says which.

    Raises NotFound, WrongState RULES_NOT_APPROVED.
    """
    if version is not None:
        found = find_rule_set(connection, rules, version)
        if found.state != "approved":
            raise WrongState(f"{found.name} is {found.state}", code="RULES_NOT_APPROVED", rules=found.name)
        return found
    query = sa.select(rule_sets).where(rule_sets.c.id == rules, rule_sets.c.state == "approved")
    row = connection.execute(query.order_by(rule_sets.c.version.desc()).limit(1)).first()
    if row is None:
        raise NotFound(f"no version of {rules} is approved", code="RULES_NOT_FOUND", rules=rules)
    return rule_set_of(row)


def rules_on(connection: sa.Connection, day: date) -> RuleSet | None:
    """What governs a case that has no batch: the rule set in force on this day, of several the one that
    began last, and of those the one approved last."""
    digest = connection.scalar(_IN_FORCE, {"day": day.isoformat()})
    if digest is None:
        return None
    if digest not in _READ:
        content = sa.select(rule_sets.c.content).where(rule_sets.c.digest == digest).limit(1)
        _READ[digest] = stored_rules(connection.execute(content).scalar_one())
    return _READ[digest]


def rule_set_of(row: Any) -> KeptRules:
    """The version that a row describes."""
    facts = dict(row._mapping)
    content = facts.pop("content")
    del facts["effective_from"], facts["effective_to"]
    return KeptRules(**{**facts, "authors": tuple(facts["authors"]), "rules": stored_rules(content)})


def row_of(rules: RuleSet) -> dict[str, Any]:
    """The columns that tell what a rule set holds."""
    since, until = rules.effective
    return {
        "content": rules.content,
        "digest": rules.digest,
        "effective_from": since and since.isoformat(),
        "effective_to": until and until.isoformat(),
    }


def renumbered(rules: RuleSet, *, version: int, **facts: Any) -> Mapping[str, Any]:
    """The content of a rule set under another version, and with other `id`, `year`, `effective` …"""
    content: Mapping[str, Any] = json.loads(json.dumps(rules.content))
    return {**content, "version": version, "approved_by": None, **facts}


def keep_shared(connection: sa.Connection, rules: RuleSet) -> None:
    """Put what cases are told of them where cases look it up."""
    keep(connection, {"rules": rules.shared.text.encode()})


def _numbered(rules: RuleSet, version: int) -> RuleSet:
    return stored_rules({**rules.content, "version": version})


def _ship(connection: sa.Connection, shipped: RuleSet, *, version: int, now: datetime) -> str:
    rules = _numbered(shipped, version)
    who = {"author": SHIPPED, "authors": [SHIPPED], "changed_by": SHIPPED, "changed_at": now}
    row = {"id": rules.id, "version": version, "revision": 1, "state": "approved", "base": None, "note": ""}
    connection.execute(sa.insert(rule_sets).values(**row, **row_of(rules), **who, approved_at=now))
    if rules.effective[0]:  # a batch that is opened with others keeps them itself
        keep_shared(connection, rules)
    return f"{rules.id}:{version}"


_READ: dict[str, RuleSet] = {}
"""Digest → rule set: read once in the life of a process."""
_IN_FORCE = (
    sa.select(rule_sets.c.digest)
    .where(rule_sets.c.state == sa.literal_column("'approved'"))
    .where(rule_sets.c.effective_from <= sa.bindparam("day"))
    .where(sa.or_(rule_sets.c.effective_to.is_(None), rule_sets.c.effective_to >= sa.bindparam("day")))
    .order_by(rule_sets.c.effective_from.desc(), rule_sets.c.approved_at.desc(), rule_sets.c.version.desc())
    .limit(1)
)
