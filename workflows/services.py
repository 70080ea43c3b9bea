"""The registry of named service operations: what a service task of a drawing can ask the house to do.

An operation reads and answers; it changes nothing. Its answer is journalled, and only then is its
effect written, as a projection: so a repeated attempt has no second effect, and replay never calls out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from engine.errors import EngineError, NotFound
from engine.values import Value, from_json
from workflows.actors.people import people_in
from workflows.register import titles
from workflows.register.calendar import local_day
from workflows.store.tables import GOING_ON, cases, notifications

Values = Mapping[str, Value]


class DrawnError(EngineError):
    """An outcome the drawing has a path for: thrown into it as the BPMN error of this code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What an operation may look at: the database (to read), the case and job it works for, the time."""

    connection: sa.Connection
    case_id: str
    job_id: str
    now: datetime


@dataclass(frozen=True, kw_only=True)
class Done:
    """A job that succeeded, as its journal entry tells it: inputs and result in their JSON form."""

    case_id: str
    job_id: str
    type: str
    inputs: Mapping[str, Any]
    result: Mapping[str, Any]
    at: datetime
    process: str
    unit: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One thing a service task can ask for. `write` projects a finished one into `tables`."""

    type: str
    sentence: str
    run: Callable[[Values, Reading], dict[str, Value]]
    write: Callable[[sa.Connection, Done], None] | None = None
    tables: tuple[sa.Table, ...] = ()


def run(type_: str, inputs: Values, read: Reading) -> dict[str, Value]:
    """The answer of one operation. Raises NotFound SERVICE_UNKNOWN, DrawnError, or whatever failed."""
    operation = OPERATIONS.get(type_)
    if operation is None:
        raise NotFound(f"there is no service operation {type_!r}", code="SERVICE_UNKNOWN", type=type_)
    return operation.run(inputs, read)


def has_effects(type_: str) -> bool:
    """Whether a finished job of this type stands for rows."""
    operation = OPERATIONS.get(type_)
    return operation is not None and operation.write is not None


def write_effects(connection: sa.Connection, done: Done) -> None:
    """Write the rows that a finished job stands for."""
    operation = OPERATIONS.get(done.type)
    if operation is not None and operation.write is not None:
        operation.write(connection, done)


def written_tables() -> tuple[sa.Table, ...]:
    """Every table that finished jobs are projected into, for a rebuild to empty."""
    return tuple(dict.fromkeys(table for op in OPERATIONS.values() for table in op.tables))


# --- notices ------------------------------------------------------------------------------------------


def _send_notice(inputs: Values, read: Reading) -> dict[str, Value]:
    if not recipients(inputs):
        raise ValueError("a notice names whom it is `to`: people, or groups with an @ or a group's name")
    if not isinstance(inputs.get("template"), str):
        raise ValueError("a notice names its `template`")
    return {"sent": True}


def _write_notices(connection: sa.Connection, done: Done) -> None:
    content = {key: value for key, value in done.inputs.items() if key not in ("to", "template")}
    rows = [
        {
            "case_id": done.case_id,
            "number": f"{done.job_id}/{place}",
            "recipient_kind": kind,
            "recipient": name,
            "template": done.inputs["template"],
            "content": content,
            "created_at": done.at,
        }
        for place, (kind, name) in enumerate(recipients(done.inputs))
    ]
    if rows:  # an example may answer a notice to nobody
        connection.execute(notifications.insert(), rows)


GROUPS_WITHOUT_PLACE = frozenset({"provincial_officer", "provincial_leader", "expert"})


def recipients(inputs: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Whom a notice is to, each once: kind (group, user) and name."""
    to = inputs.get("to")
    names = [to] if isinstance(to, str) else to if isinstance(to, list) else []
    return [(_kind(name), name) for name in dict.fromkeys(n for n in names if isinstance(n, str) and n)]


def _kind(name: str) -> str:
    return "group" if "@" in name or name in GROUPS_WITHOUT_PLACE else "user"


# --- the draw of experts -------------------------------------------------------------------------------


def _draw_experts(inputs: Values, read: Reading) -> dict[str, Value]:
    count = int(inputs.get("count") or 0)
    exclude = set(inputs.get("exclude") or [])
    marks = set(_case(read).get("marks", []))
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


# --- the register --------------------------------------------------------------------------------------


def _look_up(inputs: Values, read: Reading) -> dict[str, Value]:
    unit, track = str(inputs["unit"]), inputs.get("track")
    today = local_day(read.now)
    borne = titles.titles_of(read.connection, unit, on=today)
    levels = [title.level for title in borne if track in (None, title.track)]
    ban = titles.ban_of(read.connection, unit, on=today)
    return {
        "level": max(levels, key=titles.LEVELS.index) if levels else "none",
        "titles": [f"{title.track}.{title.level}" for title in borne],
        "banned_until": ban.until if ban else None,
        "open_cases": Decimal(_other_cases(read, unit)),
    }


def _other_cases(read: Reading, unit: str) -> int:
    own = _case(read)
    query = sa.select(sa.func.count()).where(
        cases.c.unit_id == unit,
        cases.c.process_id == own.get("process_id"),
        cases.c.status.in_(GOING_ON),
        cases.c.case_id != read.case_id,
    )
    return read.connection.execute(query).scalar_one()


def _count_projects(inputs: Values, read: Reading) -> dict[str, Value]:
    year = int(inputs.get("year") or local_day(read.now).year)
    return {"count": Decimal(titles.project_count(read.connection, str(inputs["evaluator"]), year=year))}


def _write_project(connection: sa.Connection, done: Done) -> None:
    """The evaluator asked about last is the case's: an earlier choice no longer counts."""
    projects = titles.evaluator_projects
    connection.execute(sa.delete(projects).where(projects.c.case_id == done.case_id))
    titles.record_project(
        connection,
        case_id=done.case_id,
        evaluator=str(from_json(done.inputs["evaluator"])),
        year=int(from_json(done.inputs.get("year")) or local_day(done.at).year),
        unit=str(done.unit.get("id", "")),
        track=done.process,
        level="",
    )


def _designate(inputs: Values, read: Reading) -> dict[str, Value]:
    unit, track, level = (str(inputs[name]) for name in ("unit", "track", "level"))
    known = titles.duplicate(read.connection, unit, track=track, level=level, on=local_day(read.now))
    if known is not None and known.case_id != read.case_id:
        raise ValueError(f"{unit} already bears {track}.{level} by case {known.case_id}")
    return {"designation_id": f"{read.case_id}-{track}-{level}", "document": inputs.get("document")}


def _write_designation(connection: sa.Connection, done: Done) -> None:
    told = {name: from_json(value) for name, value in done.inputs.items()}
    decided = told.get("date")
    titles.record_designation(
        connection,
        case_id=done.case_id,
        designation_id=str(done.result["designation_id"]),
        unit=str(told["unit"]),
        track=str(told["track"]),
        level=str(told["level"]),
        title=str(told.get("title") or ""),
        title_en=str(told.get("title_en") or ""),
        batch=str(told.get("batch") or ""),
        document=str(told.get("document") or ""),
        decided_on=decided if type(decided) is date else local_day(done.at),
        valid_years=int(told["valid_years"]) if told.get("valid_years") else None,
    )


def _cultivate(inputs: Values, read: Reading) -> dict[str, Value]:
    unit, track = str(inputs["unit"]), str(inputs["track"])
    if track in titles.cultivated(read.connection, unit, on=local_day(read.now)):
        raise ValueError(f"{unit} already stands in the cultivation database for {track}")
    return {"entry_id": f"{read.case_id}-{track}"}


def _write_cultivation(connection: sa.Connection, done: Done) -> None:
    told = {name: from_json(value) for name, value in done.inputs.items()}
    titles.enter_cultivation(
        connection,
        case_id=done.case_id,
        unit=str(told["unit"]),
        track=str(told["track"]),
        on=local_day(done.at),
        valid_years=int(told["valid_years"]) if told.get("valid_years") else None,
        target_year=int(told["target_year"]) if told.get("target_year") else None,
    )


def _case(read: Reading) -> Mapping[str, Any]:
    query = sa.select(cases).where(cases.c.case_id == read.case_id)
    return dict(read.connection.execute(query).mappings().one())


OPERATIONS: dict[str, Operation] = {
    operation.type: operation
    for operation in (
        Operation(
            type="notice.send",
            sentence="Tell people or groups something about the case.",
            run=_send_notice,
            write=_write_notices,
            tables=(notifications,),
        ),
        Operation(
            type="experts.draw",
            sentence="Draw experts without an interest in the unit, by a seed that anybody can check.",
            run=_draw_experts,
        ),
        Operation(
            type="evaluator.count",
            sentence="Count an evaluator's projects of a year, and enter this case among them.",
            run=_count_projects,
            write=_write_project,
            tables=(titles.evaluator_projects,),
        ),
        Operation(
            type="register.lookup",
            sentence="Look up a unit's titles, its ban and its other running applications.",
            run=_look_up,
        ),
        Operation(
            type="register.designate",
            sentence="Enter a title into the register.",
            run=_designate,
            write=_write_designation,
            tables=(titles.designations,),
        ),
        Operation(
            type="register.cultivate",
            sentence="Enter a unit into the cultivation database for one track.",
            run=_cultivate,
            write=_write_cultivation,
            tables=(titles.cultivation,),
        ),
    )
}
