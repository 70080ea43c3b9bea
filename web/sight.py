"""Who may look at a case at all: asked before anything of it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.errors import NotFound
from web.context import actor, rooms
from workflows import facts, policy


def seen_case(case_id: str) -> Mapping[str, Any]:
    """The case's row, for eyes that may see it. Raises NotFound for others: they learn nothing."""
    with rooms().database.connect() as connection:
        row = facts.case_row(connection, case_id)
        if not policy.sees(actor(), facts.case_facts(connection, case_id)):
            raise NotFound(f"there is no case {case_id}", code="CASE_NOT_FOUND")
    return row
