"""Clauses: what the drawings and the parameters refer to, said in two languages, with how it is known."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from workflows.register.rules import FOLDER

STATUSES = {
    "read": ("原文可见", "the text was read"),
    "reported": ("据报道或转述", "as reported"),
    "elsewhere": ("参照其他省市", "by analogy with other provinces"),
    "proposal": ("本系统建议", "a proposal of this system"),
}


@dataclass(frozen=True, kw_only=True)
class Source:
    """A document; `number` and `date` are None where they are not known."""

    id: str
    title: str
    title_en: str
    number: str | None
    date: str | None
    known: str


@dataclass(frozen=True, kw_only=True)
class Clause:
    """One clause in our words. `article` is None where its number is not known; `status` says how it is."""

    id: str
    source: Source
    article: str | None
    status: str
    zh: str
    en: str

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


@cache
def clauses() -> Mapping[str, Clause]:
    """Every clause by its id (`F36`), in the order of the file."""
    content: Mapping[str, Any] = json.loads((FOLDER / "clauses.json").read_bytes())
    sources = {row["id"]: Source(**row) for row in content["documents"]}
    found = (Clause(**{**_facts(row), "source": sources[row["document"]]}) for row in content["clauses"])
    return {clause.id: clause for clause in found}


def _facts(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "document"}
