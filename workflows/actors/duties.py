"""Who may do what apart from tasks: start, send, steer, mend, audit, edit and approve."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from workflows.actors.policy import (
    LOCAL_LEVELS,
    PUBLIC_LEVEL,
    Actor,
    CaseFacts,
    Verdict,
    in_scope,
    leads,
    no,
    yes,
)


@dataclass(frozen=True, kw_only=True)
class DraftFacts:
    """What the rules ask about a process draft."""

    key: str
    authors: frozenset[str]
    submitted_by: str | None = None


def may_start(
    actor: Actor,
    process: str,
    *,
    started_by: Iterable[str],
    unit: str | None,
    kind: str | None = None,
    for_kinds: Iterable[str] = (),
    authority: str = "",
) -> Verdict:
    """Applying is voluntary (provincial rule, policy F11): only an applicant of the unit starts it.
    What officers start is about a unit of their own authority, if it is about one: `authority` is the unit's.

    `started_by` are group patterns of the process: `applicant`, `provincial_officer`, or `none`. `for_kinds`
    are the kinds of units that a process is for, `kind` that of this unit; without any it is for all.
    """
    patterns = tuple(started_by) or ("applicant",)
    if actor.is_system:
        return yes("start", "the system may start it", "系统可以发起")
    if "applicant" in patterns and actor.level == "unit":
        verdict = _applies_for_own_unit(actor, unit)
        return _is_of_kind(process, kind, tuple(for_kinds)) if verdict.allowed else verdict
    if any(in_pattern(actor, pattern) for pattern in patterns if pattern != "applicant"):
        return _starts_in_territory(actor, process, authority)
    facts = {"process": process, "started_by": list(patterns)}
    who, who_zh = _who_starts(patterns)
    return no("start", "NOT_STARTER", f"{process} is started by {who}", f"该流程由{who_zh}发起", **facts)


def may_send(actor: Actor, message: str, case: CaseFacts, *, sent_by: Iterable[str]) -> Verdict:
    """A message reaches a case from those its drawing names; without a name, from officers in scope."""
    patterns = tuple(sent_by) or ("municipal_officer", "municipal_leader", "provincial_officer")
    if actor.is_system:
        return yes("send", "the system may send it", "系统可以发送")
    if "applicant" in patterns and actor.level == "unit" and actor.unit == case.unit:
        return yes("send", f"your unit may send {message}", "贵单位可以提交")
    if any(in_pattern(actor, p) and in_scope(actor, case) for p in patterns if p != "applicant"):
        return yes("send", f"you may send {message}", "您可以提交")
    who = ", ".join(patterns)
    return no("send", "NOT_SENDER", f"{message} is sent by {who}", f"您不能向该案件提交“{message}”")


def may_withdraw(actor: Actor, case: CaseFacts) -> Verdict:
    """The applicant's own unit, as long as the case runs (policy B: withdrawal until designation)."""
    if case.status != "active":
        return no(
            "withdraw", "CASE_NOT_ACTIVE", f"case is {case.status}", "案件已不在办理中", state=case.status
        )
    return may_send(actor, "withdraw", case, sent_by=("applicant",))


def may_steer(actor: Actor, case: CaseFacts) -> Verdict:
    """Suspending, resuming and ending a case by hand: the province, or the leader of its authority."""
    if actor.is_system or "provincial_officer" in actor.groups or leads(actor, case):
        return yes("steer", "you may steer this case", "您可以中止或恢复该案件")
    return no(
        "steer", "NOT_LEADER", "only the province or the leader of its authority", "仅省厅或本级领导可以操作"
    )


def may_mend(actor: Actor) -> Verdict:
    """Resolving an incident: those who answer for the machine or for the drawing."""
    return _role(actor, "mend", "administrator", "process_owner")


def may_audit(actor: Actor) -> Verdict:
    """Reading every case, verifying, comparing; never changing."""
    return _role(actor, "audit", "auditor")


def may_edit(actor: Actor) -> Verdict:
    """Changing drafts of processes."""
    return _role(actor, "edit", "process_owner")


def may_approve(actor: Actor, draft: DraftFacts) -> Verdict:
    """An approver whose hand is not in the draft: no author approves the own rules (policy D)."""
    verdict = _role(actor, "approve", "approver")
    if not verdict.allowed:
        return verdict
    if actor.id in draft.authors or actor.id == draft.submitted_by:
        return no(
            "approve",
            "SOD",
            f"{actor.id} wrote draft {draft.key} and may not approve it",
            "起草人不能审批自己的草案",
        )
    return verdict


def in_pattern(actor: Actor, pattern: str) -> bool:
    """`municipal_officer` matches any authority's, `municipal_officer@620100` that one's; roles match too."""
    return (
        pattern in actor.roles
        or pattern == actor.level == PUBLIC_LEVEL  # whoever has no account
        or pattern in actor.groups
        or any(g.partition("@")[0] == pattern for g in actor.groups)
    )


def _applies_for_own_unit(actor: Actor, unit: str | None) -> Verdict:
    if unit is None or unit == actor.unit:
        return yes("start", "an applicant applies for the own unit", "申请人为本单位申报")
    return no(
        "start",
        "OUT_OF_SCOPE",
        f"{actor.id} applies for {actor.unit}, not for {unit}",
        "只能为本单位申报",
        unit=unit,
    )


def _is_of_kind(process: str, kind: str | None, kinds: tuple[str, ...]) -> Verdict:
    if not kinds or kind in kinds:
        return yes("start", "an applicant applies for the own unit", "申请人为本单位申报")
    told = f"{process} is for a unit of the kind {' or '.join(kinds)}, not {kind}"
    return no("start", "WRONG_KIND", told, "该类别不由贵单位这类单位申报", kind=kind, expected=list(kinds))


def _starts_in_territory(actor: Actor, process: str, authority: str) -> Verdict:
    if actor.level in LOCAL_LEVELS and authority and actor.authority != authority:
        return no(
            "start",
            "OUT_OF_SCOPE",
            f"{actor.id} acts for {actor.authority}, the unit belongs to {authority}",
            "该单位不在您的管辖范围内",
            authority=authority,
        )
    return yes("start", f"you may start {process}", "您可以发起该流程")


def _who_starts(patterns: tuple[str, ...]) -> tuple[str, str]:
    if patterns == ("none",):
        return "other processes only", "其他流程"
    if patterns == ("applicant",):
        return "an applicant of the unit, voluntarily", "申请单位自愿"
    return ", ".join(patterns), "、".join(patterns)


def _role(actor: Actor, rule: str, *roles: str) -> Verdict:
    if actor.is_system or actor.roles & set(roles):
        return yes(rule, f"you are {' or '.join(roles)}", "您具有相应角色", roles=list(roles))
    return no(
        rule, "NOT_ALLOWED", f"expected the role {' or '.join(roles)}", "您没有相应角色", roles=list(roles)
    )
