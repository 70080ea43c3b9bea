"""The coverage report as one document, for programs and the command line."""

from __future__ import annotations

from typing import Any

from workflows.library.references import Reference
from workflows.workshop.rules.coverage import ClauseLine, Coverage


def report(found: Coverage) -> dict[str, Any]:
    """Everything that it says, by names."""
    return {
        "rules": f"{found.rules.id}:{found.rules.version}",
        "elements": found.counted,
        "clauses": [line_report(line) for line in found.lines],
        "not_carried_out": [line.clause.id for line in found.lines if not line.is_carried_out],
        "silent": [place_report(one) for one in found.silent],
        "unknown": [_named(place, name) for place, name in found.unknown],
        "over": [_named(place, name) for place, name in found.over],
        "stale": [_named(place, name) for place, name in found.stale],
        "parameters": {
            "used": sum(1 for line in found.parameters if line.places),
            "unused": [line.parameter.key for line in found.parameters if not line.places],
        },
    }


def line_report(line: ClauseLine) -> dict[str, Any]:
    """One clause and who carries it out."""
    clause = line.clause
    return {
        "id": clause.id,
        "document": clause.document,
        "article": clause.article,
        "status": clause.status,
        "zh": clause.zh,
        "en": clause.en,
        "digest": clause.digest,
        "effective": {
            "from": clause.effective_from and clause.effective_from.isoformat(),
            "to": clause.effective_to and clause.effective_to.isoformat(),
        },
        "places": [place_report(one) for one in line.places],
        "parameters": [parameter.key for parameter in line.parameters],
        "stale": [place_report(one) for one in line.stale],
    }


def place_report(one: Reference) -> dict[str, Any]:
    """One place of a package."""
    return {"process": one.process, "place": one.place, "kind": one.kind, "step": one.step or None}


def _named(place: Reference, clause: str) -> dict[str, Any]:
    return {**place_report(place), "clause": clause}
