"""Which conflict rules are asked of whom at a task, what they say, and who may allow an override."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from engine.case.case import Case
from engine.case.standing import Override
from workflows.actors.conflict_rules import ConflictRule, Mark, conflict_rules, marks_of
from workflows.actors.people import find_person
from workflows.actors.policy import Actor, CaseFacts, TaskFacts, Verdict, no, yes
from workflows.conflicts.kinds import Ground, Question, ground_of

CODES = {"four_eyes": "SOD", "rule_editor": "SOD"}
"""The code of a refusal by kind; of the others, COI."""


@dataclass(frozen=True, kw_only=True)
class AtTask:
    """A task of a case at hand, about which somebody asks."""

    connection: sa.Connection
    case: Case
    task: TaskFacts
    now: datetime

    @property
    def marks(self) -> tuple[Mark, ...]:
        """The rules that the drawing names at this task and that are known; most tasks have none."""
        marks = marks_of(self.case.definition.elements[self.task.element].properties)
        return tuple(mark for mark in marks if mark.rule in conflict_rules())

    def overrides(self, rule: str, person: str) -> Override | None:
        """The override that stands for this person, not used yet."""
        given = self.case.standing.overrides.get(self.task.task_id, ())
        return next((one for one in given if (one.rule, one.person) == (rule, person)), None)


def verdicts(at: AtTask, person: Actor, moment: str) -> list[Verdict]:
    """What every rule that is asked at this moment (`assign`, `claim`, `complete`) says about the person."""
    return list(_verdicts(at, person, moment))


def grounds(at: AtTask, person: Actor, rule: str) -> Ground | None:
    """Why a rule that is asked at the task bars the person, whatever the moment and whoever allowed it."""
    found = (_ground(at, mark, person) for mark in at.marks if mark.rule == rule)
    return next(filter(None, found), None)


def barred_at_draw(connection: sa.Connection, about: CaseFacts, person: Actor, now: datetime) -> bool:
    """Whether a rule that is asked before lots are drawn bars the person."""
    asked = (
        Question(connection=connection, rule=rule, side="", person=person, about=about, now=now)
        for rule in conflict_rules().values()
        if "draw" in rule.at
    )
    return any(map(ground_of, asked))


def may_override(at: AtTask, actor: Actor, rule: ConflictRule, person: Actor) -> Verdict:
    """A second person of the groups that the rule names, whom it does not bar as well."""
    groups = rule.overriders(at.task.case.authority)
    told = {"conflict": rule.id, "override_by": list(groups)}
    if not groups:
        return no(
            rule.id,
            "CONFLICT_FINAL",
            f"{rule.name_en} allows no override",
            f"回避规则“{rule.name}”不允许例外",
            **told,
        )
    if actor.id == person.id or not actor.groups & set(groups) or grounds(at, actor, rule.id):
        return no(
            rule.id,
            "NOT_OVERRIDER",
            f"expected another person of {', '.join(groups)} whom the rule does not bar, found {actor.id}",
            f"须由 {'、'.join(groups)} 中不受该规则限制的他人准许",
            **told,
        )
    return yes(rule.id, "you may allow it", "您可以准许例外", **told)


def _verdicts(at: AtTask, person: Actor, moment: str) -> Iterator[Verdict]:
    for mark in at.marks:
        rule = conflict_rules()[mark.rule]
        if moment in rule.at:
            yield _judged(at, mark, rule, person)


def _judged(at: AtTask, mark: Mark, rule: ConflictRule, person: Actor) -> Verdict:
    ground = _ground(at, mark, person)
    if ground is None:
        return yes(
            rule.id, f"{rule.name_en}: nothing speaks against it", f"{rule.name}：未发现应当回避的情形"
        )
    allowed = at.overrides(rule.id, person.id)
    if allowed is not None:
        return _overridden(at, rule, allowed)
    return no(
        rule.id,
        CODES.get(rule.kind, "COI"),
        f"{rule.name_en}: {ground.en}, and may not act on {at.task.name_en or at.task.name}",
        f"{rule.name}：{ground.zh}，不能办理【{at.task.name}】",
        **ground.facts,
        conflict=rule.id,
        conflict_name=rule.name,
        conflict_name_en=rule.name_en,
        override_by=list(rule.overriders(at.task.case.authority)),
    )


def _overridden(at: AtTask, rule: ConflictRule, allowed: Override) -> Verdict:
    who = find_person(at.connection, allowed.by).name
    return yes(
        rule.id,
        f"{rule.name_en}: {who} allowed an override on {allowed.at[:10]}",
        f"{rule.name}：{who} 已于 {allowed.at[:10]} 准许例外",
        conflict=rule.id,
        allowed_by=allowed.by,
    )


def _ground(at: AtTask, mark: Mark, person: Actor) -> Ground | None:
    """What bars the person, or whom the person stands in for."""
    asked = Question(
        connection=at.connection,
        rule=conflict_rules()[mark.rule],
        side=mark.side,
        person=person,
        about=at.task.case,
        now=at.now,
        element=at.task.element,
        case=at.case,
    )
    found = ground_of(asked)
    if found is None and person.on_behalf_of:
        found = ground_of(replace(asked, person=find_person(at.connection, person.on_behalf_of)))
    return found
