"""What the rules of a decision table say in words: annotation, clause, place in the table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from engine.xml import parse_xml

CLAUSE = re.compile(r"([A-Z]{1,3}(?:-[A-Z])?\d+[a-z]?(?:\(\d+\))?)\s+")
INFERRED = re.compile(r"^inferred[:：]\s*|\s*[（(]inferred[)）]\s*$|[，,]\s*inferred(?=[)）]\s*$)")


@dataclass(frozen=True, kw_only=True)
class Annotation:
    """One rule for people. `decision` is the table's name, `row` counts from 1."""

    decision: str
    row: int
    text: str
    clause: str
    is_inferred: bool


@lru_cache(maxsize=256)
def told_rules(dmn: bytes) -> dict[str, Annotation]:
    """Rule id → annotation, of every table of a DMN file. Raises BadDefinition for what is no XML."""
    found: dict[str, Annotation] = {}
    for decision in parse_xml(dmn, what="a decision").iterfind(".//{*}decision"):
        for row, rule in enumerate(decision.iterfind(".//{*}rule"), start=1):
            told = [*rule.iterfind("{*}description"), *rule.iterfind("{*}annotationEntry/{*}text")]
            words = " ".join(text.strip() for part in told if (text := part.text or "").strip())
            found[rule.get("id", "")] = _annotation(decision.get("name", ""), row, words)
    return found


def _annotation(decision: str, row: int, words: str) -> Annotation:
    told = INFERRED.sub("", words)
    clause = CLAUSE.match(told)
    return Annotation(
        decision=decision,
        row=row,
        text=(told[clause.end() :] if clause else told).strip(),
        clause=clause[1] if clause else "",
        is_inferred=told != words,
    )
