"""Clauses of rule documents in the reader's words, as they read now."""

from __future__ import annotations

from web.context import rooms
from web.words import language
from workflows.register.clauses import clauses_in


def clause(name: str) -> dict[str, str]:
    """The id, and of a clause that a document has also its text and how that is known."""
    with rooms().reading() as connection:
        known = clauses_in(connection).get(name.partition("(")[0])
    if known is None:
        return {"id": name, "text": "", "known": ""}
    return {"id": name, "text": known.text(language()), "known": known.known(language())}
