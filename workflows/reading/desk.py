"""One task laid open on the desk: its form and data, the draft, the outcomes, and what would follow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from engine import journal
from engine.case.case import Case
from engine.case.standing import Task
from engine.definition.model import Definition, Element
from engine.errors import EngineError, NotFound
from engine.events import TaskCompleted, TaskCreated
from engine.execution import signals as sig
from engine.replay import LiveCases
from engine.values import Value, from_json, to_plain
from workflows.actors import policy
from workflows.actors.conflict_rules import MOMENTS, ConflictRule, Mark, conflict_rules, marks_of
from workflows.actors.people import find_person, people_in
from workflows.actors.policy import Actor, TaskFacts, Verdict
from workflows.acts import submissions
from workflows.conflicts import judging
from workflows.conflicts.judging import AtTask
from workflows.conflicts.kinds import Ground
from workflows.library.catalog import Catalog
from workflows.library.forms.form import Form
from workflows.register.calendar import Calendar, Explanation
from workflows.store.tables import drafts
from workflows.transaction.facts import case_row, task_facts, task_row


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a look at a task needs: an open connection, the library, who looks and when."""

    connection: sa.Connection
    library: Catalog
    live: LiveCases
    actor: Actor
    now: datetime


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What somebody has typed so far, JSON-native; `revision` is what the next save must name."""

    values: Mapping[str, Any]
    revision: int
    saved_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class NextStep:
    """A task that would wait next."""

    element: str
    name: str
    name_en: str
    groups: tuple[str, ...]
    users: tuple[str, ...]
    due_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What would follow. `known` is False where it depends on what is not filled in yet."""

    known: bool
    steps: tuple[NextStep, ...] = ()
    ends: bool = False


@dataclass(frozen=True, kw_only=True)
class OutcomeView:
    """One decision button with what it requires, what it means and what would follow."""

    value: str
    label: str
    label_en: str
    style: str
    requires: tuple[str, ...]
    consequence: str
    consequence_en: str
    next: Preview


@dataclass(frozen=True, kw_only=True)
class Barred:
    """A candidate whom a conflict rule keeps from a task; `may_allow`: who looks may allow an override."""

    rule: ConflictRule
    person: Actor
    ground: Ground
    may_allow: bool


@dataclass(frozen=True, kw_only=True)
class TaskView:
    """Everything the task page shows. `task` is its line in a list, `case` the case's row.

    `context` are the data the task sees, JSON-native and friendly; `values` what the form begins with:
    the draft, or what was handed in the round before. `form` is the form, `schema` its file's content.
    """

    task: Any
    case: Mapping[str, Any]
    instructions: str
    instructions_en: str
    form: Form | None
    schema: Mapping[str, Any] | None
    context: Mapping[str, Any]
    facts: Mapping[str, Value]
    values: Mapping[str, Any]
    previous: Mapping[str, Any]
    draft: Draft
    outcomes: tuple[OutcomeView, ...]
    next: Preview
    can: Mapping[str, Verdict]
    due: Explanation | None


def visible_row(connection: sa.Connection, actor: Actor, task_id: str) -> dict[str, Any]:
    """The task's read model, for eyes that may see it. Raises NotFound."""
    row = task_row(connection, task_id)
    if not policy.sees(actor, task_facts(connection, task_id).case):
        raise NotFound(f"there is no task {task_id}", code="TASK_NOT_FOUND")
    return dict(row)


def is_claimable(look: Look, task_id: str) -> bool:
    """Whether the policy would let the actor claim it now."""
    task = task_facts(look.connection, task_id)
    if not policy.may_claim(look.actor, task).allowed:
        return False
    return policy.first_refusal(_conflicts(look, task, "claim")).allowed


def why(look: Look, task_id: str) -> dict[str, list[Verdict]]:
    """Every check with its answer. Raises NotFound for who may not see the task."""
    visible_row(look.connection, look.actor, task_id)
    task = task_facts(look.connection, task_id)
    asked = policy.why(look.actor, task)
    return {verb: [*verdicts, *_conflicts(look, task, verb)] for verb, verdicts in asked.items()}


def barred(look: Look, task_id: str) -> list[Barred]:
    """Whom conflict rules keep from a task that is open, and for whom the actor may allow an override."""
    task = task_facts(look.connection, task_id)
    if not policy.first_refusal(policy.is_workable(task)).allowed or not _marks(look, task):
        return []
    with _case(look, task.case.case_id) as case:
        at = AtTask(connection=look.connection, case=case, task=task, now=look.now)
        return list(_barred(at, look.actor))


def _barred(at: AtTask, actor: Actor) -> Iterator[Barred]:
    named = [find_person(at.connection, person) for person in at.task.users]
    people = {p.id: p for group in at.task.groups for p in people_in(at.connection, group)}
    for person in (people | {p.id: p for p in named}).values():
        for mark in at.marks:
            rule = conflict_rules()[mark.rule]
            ground = judging.grounds(at, person, rule.id)
            if ground is not None and not at.overrides(rule.id, person.id):
                allows = judging.may_override(at, actor, rule, person).allowed
                yield Barred(rule=rule, person=person, ground=ground, may_allow=allows)


def _conflicts(look: Look, task: TaskFacts, verb: str) -> list[Verdict]:
    """What the conflict rules say; a case is laid open only if its drawing names some at the task."""
    if verb not in MOMENTS or not _marks(look, task):
        return []
    with _case(look, task.case.case_id) as case:
        at = AtTask(connection=look.connection, case=case, task=task, now=look.now)
        return judging.verdicts(at, look.actor, verb)


def _marks(look: Look, task: TaskFacts) -> tuple[Mark, ...]:
    row = case_row(look.connection, task.case.case_id)
    definition = look.library.definition(row["pins"], row["process_id"])
    return marks_of(definition.elements[task.element].properties)


@contextmanager
def _case(look: Look, case_id: str) -> Iterator[Case]:
    case = look.live.take(look.connection, case_id)
    try:
        yield case
    finally:
        look.live.put_back(case)


def open_task(look: Look, line: Any, row: Mapping[str, Any]) -> TaskView:
    """The page of one task, open or done."""
    with _case(look, row["case_id"]) as case:
        return _laid_open(look, case, line, row)


def preview(look: Look, row: Mapping[str, Any], values: Mapping[str, Any]) -> Preview:
    """What would follow a completion with these values, tried on a copy of the case."""
    with _case(look, row["case_id"]) as case:
        task = case.standing.tasks.get(row["task_id"])
        form = submissions.form_of(look.library, case, case.definition.elements[row["element"]])
        filled = _filled(form, values, case.local(task.id) if task else {}, look.now)
        return _tried(case, task, filled, look.now)


def draft_of(connection: sa.Connection, case_id: str, task_id: str, person: str) -> Draft:
    """One person's draft; revision 0 if there is none."""
    row = connection.execute(
        sa.select(drafts).where(
            drafts.c.case_id == case_id, drafts.c.task_id == task_id, drafts.c.person == person
        )
    ).first()
    if row is None:
        return Draft(values={}, revision=0, saved_at=None)
    return Draft(values=row.values, revision=row.revision, saved_at=row.saved_at)


def _laid_open(look: Look, case: Case, line: Any, row: Mapping[str, Any]) -> TaskView:
    element = case.definition.elements[row["element"]]
    task = case.standing.tasks.get(row["task_id"])
    context = case.local(row["task_id"]) if task else dict(case.variables)
    data = look.library.form(case.beginning.pins, element)
    previous = _handed_in(look.connection, row)
    draft = draft_of(look.connection, row["case_id"], row["task_id"], look.actor.id)
    begun = _begun(element, context, previous, draft)
    form = submissions.read(data) if data else None
    filled = _filled(form, begun, context, look.now)
    rules = task_facts(look.connection, row["task_id"])
    at = AtTask(connection=look.connection, case=case, task=rules, now=look.now)
    return TaskView(
        task=line,
        case=case_row(look.connection, row["case_id"]),
        instructions=element.documentation,
        instructions_en=element.properties.get("documentation:en", ""),
        form=form,
        schema=orjson.loads(data) if data else None,
        context={name: to_plain(value) for name, value in context.items()},
        facts=context,
        values=begun,
        previous={name: to_plain(value) for name, value in previous.items()},
        draft=draft,
        outcomes=tuple(_outcomes(case, task, element, filled, look.now)),
        next=UNKNOWN if _has_outcomes(element) else _tried(case, task, filled, look.now),
        can={
            "claim": _also(policy.may_claim(look.actor, rules), at, look.actor, "claim"),
            "complete": _also(policy.may_complete(look.actor, rules), at, look.actor, "complete"),
            "release": policy.may_release(look.actor, rules),
            "transfer": policy.may_transfer(look.actor, rules),
        },
        due=_due(case, row),
    )


def _also(verdict: Verdict, at: AtTask, actor: Actor, moment: str) -> Verdict:
    """The verdict, or what a conflict rule refuses."""
    if not verdict.allowed:
        return verdict
    return policy.first_refusal([*judging.verdicts(at, actor, moment), verdict])


def _begun(
    element: Element, context: Mapping[str, Value], previous: Mapping[str, Value], draft: Draft
) -> dict[str, Any]:
    """What the form begins with: the draft; else what it edits, the context its result stands under; else
    what was handed in the round before. Friendly JSON."""
    under = context.get(element.task.result) if element.task and element.task.result else None
    found = draft_values(draft) or (under if isinstance(under, Mapping) else previous)
    return {name: to_plain(value) for name, value in found.items()}


UNKNOWN = Preview(known=False)


def draft_values(draft: Draft) -> dict[str, Value]:
    """The values of a draft, typed."""
    return {name: from_json(value) for name, value in draft.values.items()}


def _filled(
    form: Form | None, values: Mapping[str, Any], context: Mapping[str, Value], now: datetime
) -> dict[str, Value]:
    """What is filled in so far, typed and computed as far as it is sound."""
    if form is None:
        return submissions.typed(values)
    kept = {name: value for name, value in values.items() if name == submissions.OUTCOME}
    return {**form.compute(values, context, now=now), **kept}


def _has_outcomes(element: Element) -> bool:
    return element.task is not None and bool(element.task.outcomes)


def _outcomes(
    case: Case, task: Task | None, element: Element, filled: Mapping[str, Value], now: datetime
) -> Iterator[OutcomeView]:
    for outcome in element.task.outcomes if element.task else ():
        chosen = {**filled, submissions.OUTCOME: outcome.value}
        yield OutcomeView(
            value=outcome.value,
            label=outcome.label,
            label_en=outcome.label_en,
            style=outcome.style,
            requires=outcome.requires,
            consequence=outcome.consequence,
            consequence_en=outcome.consequence_en,
            next=_tried(case, task, chosen, now),
        )


def _tried(case: Case, task: Task | None, values: Mapping[str, Value], now: datetime) -> Preview:
    """Complete the task on a copy of the tokens and see what waits. Journals nothing, calls nothing."""
    if task is None or case.status != "active":
        return UNKNOWN
    copy = Case.of(case.state(), case.definition, case.calendar, head=case.head)
    copy.execution.drain()
    try:
        copy.execution.complete(task.n, dict(values), now=max(now, case.at))
        told = copy.execution.drain()
    except EngineError:
        return UNKNOWN
    if any(isinstance(signal, sig.Failed) for signal in told):
        return UNKNOWN
    steps = tuple(_step(s, case.definition) for s in told if isinstance(s, sig.Waits))
    return Preview(known=True, steps=steps, ends=copy.execution.status == "completed")


def _step(signal: sig.Waits, definition: Definition) -> NextStep:
    element = definition.elements[signal.element]
    return NextStep(
        element=element.id,
        name=element.name,
        name_en=element.name_en or element.name,
        groups=signal.groups,
        users=signal.users,
        due_at=signal.due_at,
    )


def _handed_in(connection: sa.Connection, row: Mapping[str, Any]) -> dict[str, Value]:
    """What was handed in with this task, or, while it is open, the last time its element was done."""
    created: dict[str, str] = {}
    found: dict[str, Any] = {}
    if row["state"] != "completed" and row["round"] == 1:
        return {}
    for line in journal.read(connection, row["case_id"]):
        match line.entry().event:
            case TaskCreated(task_id=task_id, element=element):
                created[task_id] = element
            case TaskCompleted(task_id=task_id, values=values):
                if task_id == row["task_id"]:
                    return _values(values)
                if created.get(task_id) == row["element"]:
                    found = values
    return _values(found)


def _values(stored: Mapping[str, Any]) -> dict[str, Value]:
    return {name: from_json(value) for name, value in stored.items()}


def _due(case: Case, row: Mapping[str, Any]) -> Explanation | None:
    if row["due_days"] is None or row["due_days"] < 1 or not isinstance(case.calendar, Calendar):
        return None
    return case.calendar.explain(row["created_at"], row["due_days"])
