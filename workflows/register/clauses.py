"""Rule documents, article by article: what drawings refer to, in our words, and how it is known."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from engine.errors import InvalidInput, NotFound
from engine.tables import metadata
from workflows.register.rules import FOLDER
from workflows.store.columns import Moment

STATUSES = {
    "read": ("原文可见", "the text was read"),
    "paraphrased": ("据报道或转述", "as reported or paraphrased"),
    "inferred": ("推定", "inferred"),
}
NAME = r"[A-Z]{1,2}[0-9]{1,3}"
"""What the id of a clause looks like: `F13`. It is no article number."""

amendments = sa.Table(
    "clause_amendments",
    metadata,
    sa.Column("clause", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("article", sa.Text),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("zh", sa.Text, nullable=False),
    sa.Column("en", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
)

pins = sa.Table(  # how each clause read when somebody last held a version of a process against it
    "clause_pins",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("clause", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("checked_by", sa.Text, nullable=False),
    sa.Column("checked_at", Moment, nullable=False),
)


@dataclass(frozen=True, kw_only=True)
class Clause:
    """One sentence in our words. `article` is None where its number is not known; `status` says how it is."""

    id: str
    document: str
    article: str | None
    status: str
    zh: str
    en: str
    effective_from: date | None = None
    effective_to: date | None = None

    @property
    def digest(self) -> str:
        """sha-256 of both texts: whoever refers to the clause can see that it was changed."""
        return hashlib.sha256(f"{self.zh}\n{self.en}".encode()).hexdigest()

    def text(self, language: str = "zh") -> str:
        """What it says, in `zh` or `en`."""
        return self.en if language == "en" else self.zh

    def known(self, language: str = "zh") -> str:
        """How it is known, in words."""
        return STATUSES[self.status][language == "en"]

    def is_over(self, on: date) -> bool:
        """Whether it is in force no longer."""
        return self.effective_to is not None and self.effective_to < on


@dataclass(frozen=True, kw_only=True)
class RuleDocument:
    """A document; `number` and the day of issue are None where they are not known, `binding` says whether
    it binds here."""

    id: str
    title: str
    title_en: str
    number: str | None
    issued: date | None
    known: str
    known_en: str
    binding: bool
    effective_from: date | None
    effective_to: date | None
    clauses: tuple[Clause, ...]


@cache
def documents() -> Mapping[str, RuleDocument]:
    """Every document that ships with the product, by its id; those that bind here first."""
    paths = sorted((FOLDER / "documents").glob("*.json"))
    found = sorted(map(_document, (json.loads(path.read_bytes()) for path in paths)), key=_rank)
    return {one.id: one for one in found}


@cache
def clauses() -> Mapping[str, Clause]:
    """Every clause that ships with the product, by its id (`F36`), document by document."""
    return _by_id(documents().values())


def documents_in(connection: sa.Connection) -> Mapping[str, RuleDocument]:
    """The documents as they read now: those that ship, and what process owners amended since."""
    newest = {row.clause: row for row in connection.execute(_AMENDMENTS)}
    return {key: _amended(one, newest) for key, one in documents().items()} if newest else documents()


def clauses_in(connection: sa.Connection) -> Mapping[str, Clause]:
    """The clauses as they read now, by their ids."""
    found = documents_in(connection)
    return clauses() if found is documents() else _by_id(found.values())


def amend(
    connection: sa.Connection,
    clause: str,
    *,
    document: str,
    article: str | None,
    status: str,
    zh: str,
    en: str,
    by: str,
    reason: str,
    at: datetime,
) -> Clause:
    """Write down how a clause reads from now on, or a new one. What it was before stays on record.

    Raises NotFound for an unknown document, InvalidInput for an unknown status, an empty text, or a
    clause of another document.
    """
    if document not in documents():
        raise NotFound(f"there is no rule document {document!r}", document=document)
    if not re.fullmatch(NAME, clause):
        raise InvalidInput(f"expected an id such as F90, found {clause[:20]!r}", code="VALIDATION")
    if status not in STATUSES or not zh.strip() or not en.strip():
        raise InvalidInput("expected a status and a text in both languages", code="VALIDATION")
    known = clauses_in(connection).get(clause)
    if known is not None and known.document != document:
        raise InvalidInput(f"{clause} belongs to {known.document}", code="VALIDATION")
    last = sa.select(sa.func.max(amendments.c.number)).where(amendments.c.clause == clause)
    number = (connection.scalar(last) or 0) + 1
    row = {"clause": clause, "number": number, "document": document, "status": status}
    connection.execute(
        sa.insert(amendments).values(
            **row, article=article or None, zh=zh.strip(), en=en.strip(), by=by, reason=reason, at=at
        )
    )
    return clauses_in(connection)[clause]


def _document(content: Mapping[str, Any]) -> RuleDocument:
    told = ("id", "title", "title_en", "number", "known", "known_en", "binding")
    whole = content["effective"]
    since, until = _span(whole)
    found = tuple(
        clause
        for article in content["articles"]
        for clause in _clauses_of(content["id"], article, _span(article.get("effective") or whole))
    )
    return RuleDocument(
        **{name: content[name] for name in told},
        issued=_day(content["date"]),
        effective_from=since,
        effective_to=until,
        clauses=found,
    )


def _clauses_of(
    document: str, article: Mapping[str, Any], span: tuple[date | None, date | None]
) -> Iterable[Clause]:
    where = {"document": document, "article": article["number"]}
    for row in article["clauses"]:
        yield Clause(**row, **where, effective_from=span[0], effective_to=span[1])


def _span(effective: Mapping[str, str | None]) -> tuple[date | None, date | None]:
    return _day(effective["from"]), _day(effective["to"])


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _rank(document: RuleDocument) -> tuple[bool, str]:
    return not document.binding, document.id


def _by_id(found: Iterable[RuleDocument]) -> Mapping[str, Clause]:
    return {clause.id: clause for document in found for clause in document.clauses}


def _amended(document: RuleDocument, newest: Mapping[str, sa.Row[Any]]) -> RuleDocument:
    ours = {key: row for key, row in newest.items() if row.document == document.id}
    if not ours:
        return document
    kept = [_reads(clause, ours.pop(clause.id, None)) for clause in document.clauses]
    span = {"effective_from": document.effective_from, "effective_to": document.effective_to}
    new = [
        _reads(Clause(id=key, document=document.id, article=None, status="read", zh="", en="", **span), row)
        for key, row in sorted(ours.items())
    ]
    return replace(document, clauses=(*kept, *new))


def _reads(clause: Clause, row: sa.Row[Any] | None) -> Clause:
    if row is None:
        return clause
    return replace(clause, article=row.article, status=row.status, zh=row.zh, en=row.en)


_AMENDMENTS = sa.select(amendments).order_by(amendments.c.clause, amendments.c.number)
