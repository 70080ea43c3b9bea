"""The draw of experts, by a lot that anybody can draw again."""

from __future__ import annotations

import sqlalchemy as sa

from engine.values import Value
from workflows.actors.people import people_in
from workflows.actors.policy import CaseFacts
from workflows.conflicts.judging import barred_at_draw
from workflows.services import lots
from workflows.services.operation import Operation, Reading, Values
from workflows.store.tables import cases


def _draw_experts(inputs: Values, read: Reading) -> dict[str, Value]:
    count = int(inputs.get("count") or 0)
    exclude = set(inputs.get("exclude") or [])
    about = _about(read)
    fit = {
        person.id: person.name
        for person in people_in(read.connection, "expert")
        if person.id not in exclude
        and not person.interests & about.unit_marks
        and not barred_at_draw(read.connection, about, person, read.now)
    }
    if len(fit) < count:
        raise ValueError(f"expected {count} experts without a conflict of interest, found {len(fit)}")
    given = inputs.get("seed")  # drawings of before name one; nobody chooses it any more
    draw = {} if given else lots.told(lots.seed_of(read), fit, count)
    chosen = lots.in_order(str(given or draw["seed"]), fit)[:count]
    return draw | {"experts": [{"id": one, "name": fit[one]} for one in chosen]}


def _about(read: Reading) -> CaseFacts:
    query = sa.select(cases).where(cases.c.case_id == read.case_id)
    row = dict(read.connection.execute(query).mappings().one())
    return CaseFacts(
        case_id=read.case_id,
        status=row.get("status", ""),
        unit=row.get("unit_id", ""),
        unit_marks=frozenset(row.get("marks", ())),
        authority=row.get("authority", ""),
    )


OPERATIONS = (
    Operation(
        type="experts.draw",
        sentence="Draw experts without an interest in the unit, by a lot that anybody can draw again.",
        run=_draw_experts,
    ),
)
