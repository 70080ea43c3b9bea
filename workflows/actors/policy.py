"""Who may do what, as pure rules over facts: every rule answers with a verdict that can be read aloud."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

WATCHING_ROLES = frozenset({"auditor", "system"})
LOCAL_LEVELS = frozenset({"county", "municipal"})


@dataclass(frozen=True, kw_only=True)
class Tie:
    """What a person was to a unit (`of`: an id or a name): `employee`, `consultant`, …; days as ISO text."""

    of: str
    kind: str
    since: str = ""
    until: str = ""


PUBLIC_LEVEL = "public"
"""The level of whoever has no account."""


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who asks: a person, the system itself or a program.

    `groups` are candidate groups (`municipal_officer@620100`), `roles` are duties apart from cases
    (`process_owner`, `approver`, `auditor`, `administrator`). `interests` are ids and names of units this
    person may not decide about: the employer, a legal representative; `ties` are for conflict rules, which
    weigh what they were and when.
    """

    id: str
    name: str
    groups: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    authority: str | None = None
    unit: str | None = None
    evaluator: str | None = None
    level: str = "staff"
    interests: frozenset[str] = frozenset()
    ties: tuple[Tie, ...] = ()
    on_behalf_of: str | None = None

    @property
    def is_system(self) -> bool:
        return "system" in self.roles


SYSTEM = Actor(id="system", name="系统", roles=frozenset({"system"}))


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The answer of one rule: `code` is stable, the sentences are for people, `facts` for programs."""

    rule: str
    allowed: bool
    code: str = ""
    sentence: str = ""
    sentence_zh: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class CaseFacts:
    """What the rules ask about a case. `unit_marks` are the ids and names the unit is known by.

    A `confined` case is for those alone who have a part in it. `seq` is where its journal ended when these
    facts were read.
    """

    case_id: str
    status: str
    seq: int | None = None
    confined: bool = False
    unit: str = ""
    unit_marks: frozenset[str] = frozenset()
    authority: str = ""
    started_by: str = ""
    groups: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Done:
    """One earlier completion in the same case."""

    task_id: str
    element: str
    name: str
    name_en: str
    by: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class TaskFacts:
    """What the rules ask about a task, the case it belongs to included."""

    task_id: str
    case: CaseFacts
    element: str
    name: str
    name_en: str
    state: str
    suspended: bool = False
    assignee: str | None = None
    assignee_name: str = ""
    owner: str | None = None
    claimed_at: datetime | None = None
    ended_at: datetime | None = None
    groups: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    not_same_as: tuple[str, ...] = ()
    done: tuple[Done, ...] = ()


def may_see(actor: Actor, case: CaseFacts) -> Verdict:
    """The unit sees its own cases, a local authority those of its territory, the province and auditors all,
    everybody else those in which they have or had a task. Administrators see none by their role.
    A confined case nobody sees by office, not even the province, its authority, the unit or an auditor."""
    if sees(actor, case):
        return yes("see", f"case {case.case_id} is in your sight", "该案件在您的可见范围内")
    return no("see", "NOT_FOUND", f"no case {case.case_id}", f"没有案件 {case.case_id}")


def sees(actor: Actor, case: CaseFacts) -> bool:
    """The bare answer of `may_see`."""
    if case.confined:
        return actor.is_system or _has_part(actor, case)
    if actor.roles & WATCHING_ROLES or actor.level == "provincial":
        return True
    if actor.level == "unit":
        return bool(case.unit) and actor.unit == case.unit
    if actor.level in LOCAL_LEVELS and actor.authority == case.authority:
        return True
    return _has_part(actor, case)


def _has_part(actor: Actor, case: CaseFacts) -> bool:
    return actor.id in case.people or actor.id == case.started_by or bool(actor.groups & case.groups)


def may_claim(actor: Actor, task: TaskFacts) -> Verdict:
    """A candidate of the task, in scope, neither barred by four eyes nor by interest; nobody holds it."""
    return first_refusal(claim_checks(actor, task))


def may_complete(actor: Actor, task: TaskFacts) -> Verdict:
    """The holder, who is still neither barred nor out of scope; not while the case stands still."""
    return first_refusal(complete_checks(actor, task))


def may_release(actor: Actor, task: TaskFacts) -> Verdict:
    """The holder gives back what nobody else waits for."""
    return first_refusal([*is_workable(task), holds(actor, task)])


def may_transfer(actor: Actor, task: TaskFacts) -> Verdict:
    """The holder, or a leader of the authority or of the province who distributes work."""
    return first_refusal([*is_workable(task), holds_or_leads(actor, task)])


def may_receive(person: Actor, task: TaskFacts) -> Verdict:
    """Whether the task may be put into this person's hands: everything that claiming asks but a free task."""
    return first_refusal([is_candidate(person, task), *_fit(person, task)])


def claim_checks(actor: Actor, task: TaskFacts) -> list[Verdict]:
    """Every rule about claiming with its answer, in the order in which a refusal is told."""
    return [*is_workable(task), is_candidate(actor, task), *_fit(actor, task), nobody_else_holds(actor, task)]


def complete_checks(actor: Actor, task: TaskFacts) -> list[Verdict]:
    """Every rule about completing with its answer, in the order in which a refusal is told."""
    return [*is_workable(task), holds(actor, task), *_fit(actor, task), is_not_delegated(actor, task)]


def why(actor: Actor, task: TaskFacts) -> dict[str, list[Verdict]]:
    """All checks, passed and failed, behind seeing, claiming, completing and transferring a task."""
    return {
        "see": [may_see(actor, task.case)],
        "claim": claim_checks(actor, task),
        "complete": complete_checks(actor, task),
        "transfer": [*is_workable(task), holds_or_leads(actor, task)],
    }


def first_refusal(verdicts: Iterable[Verdict]) -> Verdict:
    """The first refusal, or the last permission."""
    verdict = yes("nothing", "nothing speaks against it", "没有限制")
    for verdict in verdicts:
        if not verdict.allowed:
            return verdict
    return verdict


# --- single rules ------------------------------------------------------------------------------------


def is_open(task: TaskFacts) -> Verdict:
    """The task waits for somebody."""
    if task.state in ("ready", "claimed"):
        return yes("open", "the task is open", "任务待办理", state=task.state)
    code = "TASK_COMPLETED" if task.state == "completed" else "TASK_CANCELLED"
    word = "已完成" if task.state == "completed" else "已撤销"
    return no("open", code, f"task {task.task_id} is {task.state}", f"该任务{word}", **ending_facts(task))


def is_running(task: TaskFacts) -> Verdict:
    """The case is not suspended."""
    if task.suspended:
        return no(
            "running", "TASK_ON_HOLD", f"case {task.case.case_id} is suspended", "案件已中止，暂不能办理"
        )
    return yes("running", "the case is running", "案件办理中")


def is_candidate(actor: Actor, task: TaskFacts) -> Verdict:
    """Named in person or through a group."""
    shared = sorted(actor.groups & set(task.groups))
    named = actor.id in task.users
    facts = {"groups": list(task.groups), "users": list(task.users), "through": shared}
    if actor.is_system or named or shared:
        through = ", ".join(shared) or actor.id
        return yes("candidate", f"a candidate through {through}", f"您属于候选组 {through}", **facts)
    return no(
        "candidate",
        "NOT_CANDIDATE",
        f"expected a member of {', '.join(task.groups + task.users) or 'nobody'}",
        "您不在该任务的候选人或候选组中",
        **facts,
    )


def is_in_scope(actor: Actor, task: TaskFacts) -> Verdict:
    """An applicant within the own unit, a local officer within the own authority."""
    facts = {"unit": task.case.unit, "authority": task.case.authority}
    if in_scope(actor, task.case):
        return yes("scope", "the case is in your scope", "案件在您的管辖范围内", **facts)
    return no(
        "scope",
        "OUT_OF_SCOPE",
        f"case of {task.case.authority or task.case.unit} is outside your scope",
        "案件不在您的管辖范围内",
        **facts,
    )


def is_not_barred(actor: Actor, task: TaskFacts) -> Verdict:
    """Four eyes: nobody acts twice where the drawing asks for two people (`notSameAs`)."""
    people = {actor.id, actor.on_behalf_of}
    for done in task.done:
        if done.element in task.not_same_as and done.by in people:
            return _barred(done, task)
    facts = {"not_same_as": list(task.not_same_as)}
    return yes("four_eyes", "you did none of the steps it excludes", "您未经办与本环节互斥的环节", **facts)


def is_impartial(actor: Actor, task: TaskFacts) -> Verdict:
    """Conflict of interest: no officer, expert or evaluator decides about a unit they belong to."""
    if actor.level == "unit":
        return yes("interest", "an applicant acts for the own unit", "申请人办理本单位事项")
    shared = sorted(actor.interests & task.case.unit_marks)
    if shared or (actor.unit and actor.unit == task.case.unit):
        return no(
            "interest",
            "COI",
            f"{actor.id} has an interest in {task.case.unit}",
            "您与该申请单位存在利害关系，应当回避",
            interests=shared,
        )
    return yes("interest", "no interest in the unit is known", "未发现与申请单位的利害关系")


def nobody_else_holds(actor: Actor, task: TaskFacts) -> Verdict:
    """The task is free, or already this actor's."""
    if task.assignee in (None, actor.id):
        return yes("free", "nobody else holds it", "无他人认领", assignee=task.assignee)
    return no(
        "free",
        "TASK_ALREADY_CLAIMED",
        f"task {task.task_id} is already claimed by {task.assignee}",
        f"{task.assignee_name or task.assignee} 已认领该任务",
        **holder_facts(task),
    )


def holds(actor: Actor, task: TaskFacts) -> Verdict:
    """The actor is the assignee."""
    if task.assignee == actor.id:
        return yes("holder", "you hold it", "您是当前办理人", assignee=task.assignee)
    held = f"claimed by {task.assignee}" if task.assignee else "not claimed"
    held_zh = f"由 {task.assignee_name or task.assignee} 办理" if task.assignee else "尚未认领"
    return no(
        "holder",
        "NOT_ASSIGNEE",
        f"task {task.task_id} is {held}, not by {actor.id}",
        f"该任务{held_zh}，您不是当前办理人",
        **holder_facts(task),
    )


def holds_or_leads(actor: Actor, task: TaskFacts) -> Verdict:
    """The actor is the assignee, or distributes work in this authority."""
    held = holds(actor, task)
    if held.allowed or actor.is_system or leads(actor, task.case):
        return yes("holder", "you hold it or lead those who do", "您是当前办理人或其领导")
    return held


def is_not_delegated(actor: Actor, task: TaskFacts) -> Verdict:
    """The task is not lent to the actor for an opinion only."""
    if task.owner in (None, actor.id):
        return yes("delegated", "it is not lent out", "任务未委派")
    return no(
        "delegated",
        "TASK_DELEGATED",
        f"task {task.task_id} was delegated by {task.owner}: answer it, do not complete it",
        "该任务是委派给您征求意见的，请答复而非办结",
        owner=task.owner,
    )


def holder_facts(task: TaskFacts) -> dict[str, Any]:
    """Who holds the task since when, for the one who came too late."""
    return {
        "task_id": task.task_id,
        "assignee": task.assignee,
        "assignee_name": task.assignee_name,
        "claimed_at": task.claimed_at.isoformat() if task.claimed_at else None,
    }


def ending_facts(task: TaskFacts) -> dict[str, Any]:
    """How and when a task ended, and who completed it: only its holder could."""
    at = task.ended_at.isoformat() if task.ended_at else None
    if task.state != "completed":
        return {"state": task.state, "cancelled_at": at}
    by = {"completed_by": task.assignee, "completed_by_name": task.assignee_name}
    return {"state": task.state, **by, "completed_at": at}


def is_workable(task: TaskFacts) -> Iterator[Verdict]:
    """The task waits, and its case goes on."""
    yield is_open(task)
    yield is_running(task)


def _fit(actor: Actor, task: TaskFacts) -> Iterator[Verdict]:
    yield is_in_scope(actor, task)
    yield is_not_barred(actor, task)
    yield is_impartial(actor, task)


def in_scope(actor: Actor, case: CaseFacts) -> bool:
    """The bare answer of `is_in_scope`."""
    if actor.level == "unit":
        return not case.unit or actor.unit == case.unit
    if actor.level in LOCAL_LEVELS:
        return not case.authority or actor.authority == case.authority
    return True


def leads(actor: Actor, case: CaseFacts) -> bool:
    """A leader of the province or of the authority of this case."""
    return "provincial_leader" in actor.groups or f"municipal_leader@{case.authority}" in actor.groups


def _barred(done: Done, task: TaskFacts) -> Verdict:
    return no(
        "four_eyes",
        "SOD",
        f"{done.by} completed {done.element} on {done.at:%Y-%m-%d} and may not act on {task.element}",
        f"您在 {done.at:%Y-%m-%d} 完成了【{done.name}】，不能办理【{task.name}】",
        conflicting_task=done.task_id,
        conflicting_element=done.element,
        eligible_groups=list(task.groups),
    )


def yes(rule: str, sentence: str, sentence_zh: str, **facts: Any) -> Verdict:
    """A permission and why."""
    return Verdict(rule=rule, allowed=True, sentence=sentence, sentence_zh=sentence_zh, facts=facts)


def no(rule: str, code: str, sentence: str, sentence_zh: str, **facts: Any) -> Verdict:
    """A refusal and why."""
    return Verdict(
        rule=rule, allowed=False, code=code, sentence=sentence, sentence_zh=sentence_zh, facts=facts
    )
