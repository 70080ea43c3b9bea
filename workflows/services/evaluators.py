"""Evaluators: their projects of a year, and sanctions against them."""

from __future__ import annotations

from decimal import Decimal

import sqlalchemy as sa

from engine.temporal import add_months
from engine.values import Value
from workflows.register import evaluators
from workflows.services.inputs import chosen, day, needed, optional, some_day, whole, year
from workflows.services.operation import Done, Operation, Reading, Values


def _count_projects(inputs: Values, read: Reading) -> dict[str, Value]:
    evaluator, level = needed(inputs, "evaluator"), optional(inputs, "level") or None
    asked = year(inputs, read.today.year)
    count = evaluators.project_count(read.connection, evaluator, year=asked, level=level)
    until = evaluators.not_accepted_until(read.connection, evaluator, on=read.today)
    return {"count": Decimal(count), "not_accepted_until": until}


def _write_project(connection: sa.Connection, done: Done) -> None:
    """The evaluator asked about last is the case's: an earlier choice no longer counts."""
    projects = evaluators.evaluator_projects
    connection.execute(sa.delete(projects).where(projects.c.case_id == done.case_id))
    evaluators.record_project(
        connection,
        case_id=done.case_id,
        evaluator=needed(done.told, "evaluator"),
        year=year(done.told, done.today.year),
        unit=str(done.unit.get("id", "")),
        track=optional(done.told, "track") or done.process,
        level=optional(done.told, "level"),
    )


def _sanction(inputs: Values, read: Reading) -> dict[str, Value]:
    evaluator = needed(inputs, "evaluator")
    needed(inputs, "ground")
    evaluators.find_evaluator(read.connection, evaluator)
    since, years = day(inputs, "date", read.today), whole(inputs, "years")
    if chosen(inputs, "kind", evaluators.KINDS) == "warning":
        return {"not_accepted_until": None}
    if not years:
        raise ValueError("reports are not accepted for a number of `years`, found none")
    return {"not_accepted_until": add_months(since, 12 * years)}


def _write_sanction(connection: sa.Connection, done: Done) -> None:
    evaluators.record_sanction(
        connection,
        case_id=done.case_id,
        number=done.number,
        evaluator=needed(done.told, "evaluator"),
        kind=needed(done.told, "kind"),
        ground=needed(done.told, "ground"),
        since=day(done.told, "date", done.today),
        until=some_day(done.answer, "not_accepted_until"),
    )


OPERATIONS = (
    Operation(
        type="evaluator.count",
        sentence="Count an evaluator's projects of a year, and enter this case among them.",
        run=_count_projects,
        write=_write_project,
        tables=(evaluators.evaluator_projects,),
    ),
    Operation(
        type="evaluator.sanction",
        sentence="Warn an evaluator, or accept its reports no more for some years.",
        run=_sanction,
        write=_write_sanction,
        tables=(evaluators.evaluator_sanctions,),
    ),
)
