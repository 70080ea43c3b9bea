"""The draw of experts, by a seed that anybody can check."""

from __future__ import annotations

import hashlib

import sqlalchemy as sa

from engine.values import Value
from workflows.actors.people import people_in
from workflows.services.operation import Operation, Reading, Values
from workflows.store.tables import cases


def _draw_experts(inputs: Values, read: Reading) -> dict[str, Value]:
    count = int(inputs.get("count") or 0)
    exclude = set(inputs.get("exclude") or [])
    marks = set(read.connection.scalar(sa.select(cases.c.marks).where(cases.c.case_id == read.case_id)) or [])
    fit = {
        person.id: person.name
        for person in people_in(read.connection, "expert")
        if person.id not in exclude and not person.interests & marks
    }
    if len(fit) < count:
        raise ValueError(f"expected {count} experts without an interest in the unit, found {len(fit)}")
    chosen = drawn(sorted(fit), count, str(inputs.get("seed") or read.job_id))
    return {"experts": [{"id": person, "name": fit[person]} for person in chosen]}


def drawn(names: list[str], count: int, seed: str) -> list[str]:
    """`count` of `names`, in an order that anybody can compute again from the seed."""
    return sorted(names, key=lambda name: hashlib.sha256(f"{seed}\0{name}".encode()).hexdigest())[:count]


OPERATIONS = (
    Operation(
        type="experts.draw",
        sentence="Draw experts without an interest in the unit, by a seed that anybody can check.",
        run=_draw_experts,
    ),
)
