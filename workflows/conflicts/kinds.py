"""What each kind of conflict rule looks at, and the fact by which it bars somebody."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from engine.case.case import Case
from engine.definition.model import Definition
from engine.temporal import add_months
from workflows.actors.conflict_rules import ConflictRule, Mark, marks_of
from workflows.actors.people import authorities, evaluators, persons
from workflows.actors.policy import Actor, CaseFacts
from workflows.register.batches import batches
from workflows.register.calendar import local_day
from workflows.register.evaluators import evaluator_projects
from workflows.store.tables import definitions, tasks


@dataclass(frozen=True, kw_only=True)
class Question:
    """Whether `rule` bars `person` from a task at `element`; `case` is at hand wherever there is a task."""

    connection: sa.Connection
    rule: ConflictRule
    side: str
    person: Actor
    about: CaseFacts
    now: datetime
    element: str = ""
    case: Case | None = None


@dataclass(frozen=True, kw_only=True)
class Ground:
    """The fact that bars somebody, in two languages, and as it is kept."""

    zh: str
    en: str
    facts: Mapping[str, Any]


def ground_of(asked: Question) -> Ground | None:
    """Why the rule bars the person; nothing if it does not."""
    return next(KINDS[asked.rule.kind](asked), None)


# --- origin -------------------------------------------------------------------------------------------


def _origin(asked: Question) -> Iterator[Ground]:
    """The person comes from the place the unit belongs to, or works for it."""
    person, about = asked.person, asked.about
    if person.unit and person.unit == about.unit:
        yield Ground(
            zh=f"{person.name} 是申报单位的人员",
            en=f"{person.name} belongs to the unit",
            facts={"unit": person.unit},
        )
    if person.authority and person.authority == about.authority:
        place, place_en = _place(asked.connection, about.authority)
        yield Ground(
            zh=f"{person.name} 来自申报单位所在的{place}",
            en=f"{person.name} comes from {place_en}, where the unit is",
            facts={"authority": about.authority},
        )


def _place(connection: sa.Connection, code: str) -> tuple[str, str]:
    query = sa.select(authorities.c.name, authorities.c.name_en).where(authorities.c.code == code)
    row = connection.execute(query).first()
    return (row.name, row.name_en) if row else (code, code)


# --- involvement ----------------------------------------------------------------------------------------

TIES = {
    "employee": ("任职", "worked for it"),
    "consultant": ("提供咨询", "advised it"),
    "representative": ("任法定代表人", "was its legal representative"),
}


def _involvement(asked: Question) -> Iterator[Ground]:
    """The person was tied to the unit, or did one of the named elements in a case of it."""
    yield from _ties(asked)
    yield from _acted(asked)


def _ties(asked: Question) -> Iterator[Ground]:
    since = _since(asked).isoformat()
    for tie in asked.person.ties:
        is_recent = not tie.until or tie.until >= since
        if tie.of in asked.about.unit_marks and tie.kind in asked.rule.ties and is_recent:
            word, word_en = TIES.get(tie.kind, (tie.kind, tie.kind))
            span = f"{tie.since or '…'} 至 {tie.until or '今'}"
            yield Ground(
                zh=f"{asked.person.name} 于 {span} 为申报单位{word}",
                en=f"{asked.person.name} {word_en} from {tie.since or '…'} to {tie.until or 'now'}",
                facts={"tie": tie.kind, "since": tie.since, "until": tie.until},
            )


def _acted(asked: Question) -> Iterator[Ground]:
    if not asked.rule.acted or not asked.about.unit or asked.element in asked.rule.acted:
        return  # who did such an element may do it again
    row = asked.connection.execute(
        _ACTED,
        {
            "person": asked.person.id,
            "unit": asked.about.unit,
            "elements": asked.rule.acted,
            "since": datetime.combine(_since(asked), time(), tzinfo=UTC),
        },
    ).first()
    if row is not None:
        yield _did(asked.person, row, f"案件 {row.case_id} 的", f" in case {row.case_id}")


def _since(asked: Question) -> date:
    """The day since when facts count."""
    years = asked.rule.years
    return add_months(local_day(asked.now), -12 * years) if years else date.min


_TOLD = sa.select(
    tasks.c.case_id, tasks.c.task_id, tasks.c.element, tasks.c.name, tasks.c.name_en, tasks.c.ended_at
)
_ACTED = (
    _TOLD.where(
        tasks.c.completed_by == sa.bindparam("person"),
        tasks.c.ended_at >= sa.bindparam("since", type_=tasks.c.ended_at.type),
        tasks.c.unit_id == sa.bindparam("unit"),
        tasks.c.element.in_(sa.bindparam("elements", expanding=True)),
    )
    .order_by(tasks.c.ended_at.desc())
    .limit(1)
)


def _did(person: Actor, row: Any, where: str, where_en: str) -> Ground:
    """Who did what when."""
    day = local_day(row.ended_at)
    return Ground(
        zh=f"{person.name} 于 {day} 完成了{where}【{row.name}】",
        en=f"{person.name} completed {row.name_en or row.name}{where_en} on {day}",
        facts={
            "conflicting_case": row.case_id,
            "conflicting_task": row.task_id,
            "conflicting_element": row.element,
            "at": row.ended_at.isoformat(),
        },
    )


# --- four eyes along a chain ------------------------------------------------------------------------------


def _four_eyes(asked: Question) -> Iterator[Ground]:
    """The person did an element of another side of the chain, on any level of the case."""
    assert asked.case is not None
    done = asked.case.standing.completed_by
    others = _other_sides(asked.case.definition, asked.rule.id, asked.side)
    mine = [element for element in others if asked.person.id in done.get(element, ())]
    if mine:
        key = {"case_id": asked.about.case_id, "elements": mine, "person": asked.person.id}
        row = asked.connection.execute(_DONE, key).first()
        assert row is not None
        yield _did(asked.person, row, "", "")


_SIDES: WeakKeyDictionary[Definition, dict[Mark, tuple[str, ...]]] = WeakKeyDictionary()
"""Definition → mark → its elements, gathered once: every completion on a chain asks for them."""


def _other_sides(definition: Definition, rule: str, side: str) -> tuple[str, ...]:
    if definition not in _SIDES:
        found: dict[Mark, tuple[str, ...]] = {}
        for element in definition.elements.values():
            for mark in marks_of(element.properties):
                found[mark] = (*found.get(mark, ()), element.id)
        _SIDES[definition] = found
    sides = _SIDES[definition].items()
    return tuple(
        one for mark, elements in sides if mark.rule == rule and mark.side != side for one in elements
    )


_DONE = (
    _TOLD.where(
        tasks.c.case_id == sa.bindparam("case_id"),
        tasks.c.completed_by == sa.bindparam("person"),
        tasks.c.element.in_(sa.bindparam("elements", expanding=True)),
    )
    .order_by(tasks.c.ended_at.desc())
    .limit(1)
)


# --- the evaluator's legal representative ------------------------------------------------------------------


def _representative(asked: Question) -> Iterator[Ground]:
    """The evaluator's legal representative is the unit's too, or an interest of an official of the case."""
    if asked.person.evaluator:
        yield from _of_the_evaluator(asked, asked.person.evaluator)
    elif asked.person.interests:
        yield from _of_the_official(asked)


def _of_the_evaluator(asked: Question, evaluator: str) -> Iterator[Ground]:
    row = asked.connection.execute(_EVALUATOR, {"evaluator": evaluator}).first()
    if row is None or not row.legal_representative:
        return
    who = row.legal_representative
    if who in asked.about.unit_marks:
        yield Ground(
            zh=f"{row.name} 的法定代表人 {who} 也是申报单位的法定代表人",
            en=f"{who}, legal representative of {row.name_en or row.name}, is the unit's as well",
            facts={"evaluator": evaluator, "representative": who},
        )
    for official in _officials(asked):
        if {who, evaluator} & set(map(str, official.interests)):
            yield Ground(
                zh=f"{row.name} 的法定代表人 {who} 与本案经办人员 {official.name} 有利害关系",
                en=f"{official.name}, an official of the case, has an interest in {who} of {row.name}",
                facts={"evaluator": evaluator, "representative": who, "official": official.id},
            )


def _officials(asked: Question) -> list[sa.Row[Any]]:
    """Who did or holds a task of the case."""
    assert asked.case is not None
    standing = asked.case.standing
    people = {person for done in standing.completed_by.values() for person in done}
    people |= {task.assignee for task in standing.tasks.values() if task.assignee} - {asked.person.id}
    query = sa.select(persons.c.id, persons.c.name, persons.c.interests).where(persons.c.id.in_(people))
    return list(asked.connection.execute(query.where(persons.c.evaluator.is_(None))))


def _of_the_official(asked: Question) -> Iterator[Ground]:
    chosen = sa.select(evaluators).join(evaluator_projects, evaluator_projects.c.evaluator == evaluators.c.id)
    for row in asked.connection.execute(chosen.where(evaluator_projects.c.case_id == asked.about.case_id)):
        who = row.legal_representative
        if {row.id, row.name, who} & asked.person.interests:
            yield Ground(
                zh=f"{asked.person.name} 与本案评价机构 {row.name}（法定代表人 {who}）有利害关系",
                en=f"{asked.person.name} has an interest in {row.name}, the evaluator of this case",
                facts={"evaluator": row.id, "representative": who},
            )


_EVALUATOR = sa.select(evaluators.c.name, evaluators.c.name_en, evaluators.c.legal_representative).where(
    evaluators.c.id == sa.bindparam("evaluator")
)


# --- who wrote the rules -----------------------------------------------------------------------------------


def _rule_editor(asked: Question) -> Iterator[Ground]:
    """The person wrote the rules of the batch or a drawing of the case, and nobody else approved them."""
    assert asked.case is not None
    begun = asked.case.beginning
    mine = {"person": asked.person.id, "batch": begun.batch, "pins": list(begun.pins.values())}
    for row in asked.connection.execute(_WRITTEN, mine):
        what, what_en = (
            ("批次 {} 的规则参数", "the rules of batch {}")
            if row.kind == "rules"
            else ("流程 {}", "the drawing {}")
        )
        yield Ground(
            zh=f"{asked.person.name} 编制了{what.format(row.its_id)}，且未经他人批准",
            en=f"{asked.person.name} wrote {what_en.format(row.its_id)}, and nobody else approved it",
            facts={row.kind: row.its_id},
        )


def _alone(author: sa.ColumnElement[Any], approved_by: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Written by the person and approved by nobody else."""
    person: sa.BindParameter[str] = sa.bindparam("person")
    return sa.and_(author == person, sa.or_(approved_by.is_(None), approved_by == person))


_PIN = definitions.c.key + sa.literal_column("':'") + sa.cast(definitions.c.version, sa.Text)
_WRITTEN = sa.union_all(
    sa.select(sa.literal_column("'rules'").label("kind"), batches.c.id.label("its_id")).where(
        batches.c.id == sa.bindparam("batch"), _alone(batches.c.opened_by, batches.c.approved_by)
    ),
    sa.select(sa.literal_column("'drawing'"), _PIN).where(
        _alone(definitions.c.author, definitions.c.approved_by),
        _PIN.in_(sa.bindparam("pins", expanding=True)),
    ),
)


KINDS: Mapping[str, Callable[[Question], Iterator[Ground]]] = {
    "origin": _origin,
    "involvement": _involvement,
    "four_eyes": _four_eyes,
    "representative": _representative,
    "rule_editor": _rule_editor,
}
