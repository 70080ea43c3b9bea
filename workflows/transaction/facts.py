"""Reads from the read models what the rules ask about a case or a task."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from engine.case.case import Case
from engine.errors import NotFound
from workflows.actors.people import persons
from workflows.actors.policy import LOCAL_LEVELS, WATCHING_ROLES, Actor, CaseFacts, Done, TaskFacts, sees
from workflows.actors.reporters import name_of
from workflows.store.tables import candidates, cases, tasks
from workflows.transaction.beginnings import Beginning, is_confined


def case_row(connection: sa.Connection, case_id: str) -> Mapping[str, Any]:
    """The case's read model. Raises NotFound."""
    row = connection.execute(sa.select(cases).where(cases.c.case_id == case_id)).mappings().first()
    if row is None:
        raise NotFound(f"there is no case {case_id}", code="CASE_NOT_FOUND")
    return dict(row)


def task_row(connection: sa.Connection, task_id: str) -> Mapping[str, Any]:
    """The task's read model. Raises NotFound."""
    query = sa.select(tasks).where(tasks.c.case_id == case_of(task_id), tasks.c.task_id == task_id)
    row = connection.execute(query).mappings().first()
    if row is None:
        raise NotFound(f"there is no task {task_id}", code="TASK_NOT_FOUND")
    return dict(row)


def case_of(its_id: str) -> str:
    """The case that a task, timer, job or incident id belongs to."""
    return its_id.rpartition(".")[0]


def case_facts(connection: sa.Connection, case_id: str, eyes: Actor | None = None) -> CaseFacts:
    """What the rules ask about a case. Raises NotFound.

    Who is or was involved is looked up only where `eyes` do not see the case for a simpler reason.
    """
    row = connection.execute(_CASE, {"case_id": case_id}).mappings().first()
    if row is None:
        raise NotFound(f"there is no case {case_id}", code="CASE_NOT_FOUND")
    return _as_seen(connection, _case_facts(row), eyes)


def task_facts(connection: sa.Connection, task_id: str, eyes: Actor | None = None) -> TaskFacts:
    """What the rules ask about a task and its case, as `case_facts` does. Raises NotFound."""
    key = {"case_id": case_of(task_id), "task_id": task_id}
    row = connection.execute(_TASK, key).mappings().first()
    if row is None:
        raise NotFound(f"there is no task {task_id}", code="TASK_NOT_FOUND")
    barring = tuple(row["not_same_as"])
    hands = (row["assignee"], row["owner"], row["completed_by"])
    case = _near(_case_facts(row), row["groups"], (*row["users"], *hands))
    return TaskFacts(
        task_id=row["task_id"],
        case=_as_seen(connection, case, eyes),
        element=row["element"],
        name=row["name"],
        name_en=row["name_en"],
        state=row["state"],
        suspended=row["suspended"],
        assignee=row["assignee"],
        assignee_name=row["assignee_name"] or row["assignee"] or "",
        owner=row["owner"],
        claimed_at=row["claimed_at"],
        ended_at=row["ended_at"],
        groups=tuple(row["groups"]),
        users=tuple(row["users"]),
        not_same_as=barring,
        done=_done(connection, row["case_id"], barring) if barring else (),
    )


def live_case_facts(connection: sa.Connection, case: Case, eyes: Actor | None = None) -> CaseFacts:
    """What `case_facts` says, of a case that is at hand."""
    return _as_seen(connection, _live_case(case), eyes)


def _live_case(case: Case) -> CaseFacts:
    begun = Beginning.of(case.started)
    return CaseFacts(
        case_id=case.case_id,
        status=case.status,
        confined=is_confined(case.definition.drawing),
        unit=begun.text("unit", "id"),
        unit_marks=frozenset(begun.marks),
        authority=begun.text("unit", "authority"),
        started_by=begun.started_by,
        seq=case.head.seq,
    )


def live_task_facts(
    connection: sa.Connection, case: Case, task_id: str, eyes: Actor | None = None
) -> TaskFacts | None:
    """What `task_facts` says, of a case that is at hand; nothing if the task does not wait any more."""
    task = case.standing.tasks.get(task_id)
    if task is None:
        return None
    element = case.definition.elements[task.element]
    barring = element.task.not_same_as if element.task else ()
    is_barring = any(case.standing.completed_by.get(name) for name in barring)
    is_own = eyes is not None and eyes.id == task.assignee
    names = {} if is_own else names_of(connection, [task.assignee])
    about = _near(_live_case(case), task.groups, (*task.users, task.assignee, task.owner))
    return TaskFacts(
        task_id=task_id,
        case=_as_seen(connection, about, eyes),
        element=element.id,
        name=element.name,
        name_en=element.name_en or element.name,
        state=task.state,
        suspended=case.status == "suspended",
        assignee=task.assignee,
        assignee_name=names.get(task.assignee or "", eyes.name if eyes and is_own else ""),
        owner=task.owner,
        claimed_at=datetime.fromisoformat(task.claimed_at) if task.claimed_at else None,
        groups=task.groups,
        users=task.users,
        not_same_as=tuple(barring),
        done=_done(connection, case.case_id, tuple(barring)) if is_barring else (),
    )


def _case_facts(row: sa.RowMapping) -> CaseFacts:
    """From a row that holds the case's columns, of which a task repeats the unit and the authority."""
    return CaseFacts(
        case_id=row["case_id"],
        status=row["status"],
        confined=row["confined"],
        unit=row["unit_id"],
        unit_marks=frozenset(row["marks"]),
        authority=row["authority"],
        started_by=row["started_by"],
        seq=row["seq"],
    )


def _near(case: CaseFacts, groups: Iterable[str], people: Iterable[str | None]) -> CaseFacts:
    """With those whose task it is or was: most who ask about a task are among them."""
    return replace(case, groups=frozenset(groups), people=frozenset(filter(None, people)))


def _as_seen(connection: sa.Connection, case: CaseFacts, eyes: Actor | None) -> CaseFacts:
    """With everybody who is or was involved, unless `eyes` see it without."""
    if eyes is not None and sees(eyes, case):
        return case
    involved = connection.execute(_INVOLVED, {"case_id": case.case_id}).all()
    groups = frozenset(name for kind, name in involved if kind == "group")
    return replace(case, groups=groups, people=frozenset(name for kind, name in involved if kind == "user"))


# What every command asks is built once: building these costs more than asking them.
_THE_CASE: sa.BindParameter[str] = sa.bindparam("case_id")
_CASE = sa.select(
    cases.c.case_id,
    cases.c.status,
    cases.c.confined,
    cases.c.unit_id,
    cases.c.marks,
    cases.c.authority,
    cases.c.started_by,
    cases.c.seq,
).where(cases.c.case_id == _THE_CASE)
_TASK = (
    sa.select(
        tasks.c.case_id,
        tasks.c.task_id,
        tasks.c.element,
        tasks.c.name,
        tasks.c.name_en,
        tasks.c.state,
        tasks.c.suspended,
        tasks.c.assignee,
        tasks.c.owner,
        tasks.c.completed_by,
        tasks.c.claimed_at,
        tasks.c.ended_at,
        tasks.c.groups,
        tasks.c.users,
        tasks.c.not_same_as,
        tasks.c.unit_id,
        tasks.c.authority,
        cases.c.status,
        cases.c.confined,
        cases.c.marks,
        cases.c.started_by,
        cases.c.seq,
        persons.c.name.label("assignee_name"),
    )
    .join(cases, cases.c.case_id == tasks.c.case_id)
    .outerjoin(persons, persons.c.id == tasks.c.assignee)
    .where(tasks.c.case_id == _THE_CASE, tasks.c.task_id == sa.bindparam("task_id"))
)
_DONE = (
    sa.select(
        tasks.c.task_id,
        tasks.c.element,
        tasks.c.name,
        tasks.c.name_en,
        tasks.c.completed_by,
        tasks.c.ended_at,
    )
    .where(
        tasks.c.case_id == _THE_CASE,
        tasks.c.state == "completed",
        tasks.c.element.in_(sa.bindparam("elements", expanding=True)),
    )
    .order_by(tasks.c.ended_at, tasks.c.task_id)
)
_INVOLVED = sa.union(
    sa.select(candidates.c.kind, candidates.c.name).where(candidates.c.case_id == _THE_CASE),
    *(
        sa.select(sa.literal_column("'user'"), hand).where(tasks.c.case_id == _THE_CASE, hand.is_not(None))
        for hand in (tasks.c.assignee, tasks.c.owner, tasks.c.completed_by)
    ),
)


def visible(actor: Actor) -> sa.ColumnElement[bool]:
    """The cases an actor sees, as a condition on `cases`: the same rule as `policy.sees`."""
    if actor.is_system:
        return sa.true()
    return sa.or_(sa.and_(sa.not_(cases.c.confined), _by_office(actor)), _having_part(actor))


def _by_office(actor: Actor) -> sa.ColumnElement[bool]:
    if actor.roles & WATCHING_ROLES or actor.level == "provincial":
        return sa.true()
    if actor.level == "unit":
        return cases.c.unit_id == actor.unit if actor.unit else sa.false()
    if actor.level in LOCAL_LEVELS and actor.authority:
        return cases.c.authority == actor.authority
    return sa.false()


def _having_part(actor: Actor) -> sa.ColumnElement[bool]:
    """Who started it, has or had a task. The unit's people know of their own only, unless it is confined."""
    part = sa.or_(
        cases.c.started_by == actor.id,
        _among(_involving(actor), actor),
        _among(_in_hands_of(actor), actor),
    )
    return sa.and_(cases.c.confined, part) if actor.level == "unit" else part


def _among(found: sa.Select[tuple[str]], actor: Actor) -> sa.ColumnElement[bool]:
    """Of a unit's people all are looked up: they are few. What an office ever had grows with the store, so
    each case is asked instead."""
    if actor.level == "unit":
        return cases.c.case_id.in_(found)
    return found.where(found.selected_columns.case_id == cases.c.case_id).correlate(cases).exists()


def _involving(actor: Actor) -> sa.Select[tuple[str]]:
    in_group = (candidates.c.kind == "group") & candidates.c.name.in_(sorted(actor.groups))
    in_person = (candidates.c.kind == "user") & (candidates.c.name == actor.id)
    return sa.select(candidates.c.case_id).where(in_group | in_person)


def _in_hands_of(actor: Actor) -> sa.Select[tuple[str]]:
    hands = sa.or_(tasks.c.assignee == actor.id, tasks.c.owner == actor.id, tasks.c.completed_by == actor.id)
    return sa.select(tasks.c.case_id).where(hands)


def _done(connection: sa.Connection, case_id: str, elements: tuple[str, ...]) -> tuple[Done, ...]:
    found = connection.execute(_DONE, {"case_id": case_id, "elements": elements})
    return tuple(
        Done(
            task_id=row.task_id,
            element=row.element,
            name=row.name,
            name_en=row.name_en,
            by=row.completed_by,
            at=row.ended_at,
        )
        for row in found
    )


def names_of(connection: sa.Connection, people: Iterable[str | None]) -> dict[str, str]:
    """Person id → name, for those that are known; a stranger is a reporter, or keeps the id."""
    wanted = sorted({person for person in people if person})
    if not wanted:
        return {}
    rows = connection.execute(sa.select(persons.c.id, persons.c.name).where(persons.c.id.in_(wanted)))
    return {person: name_of(person) for person in wanted} | {row.id: row.name for row in rows}
