"""What a draft must pass before it may move on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.errors import BadDefinition, InvalidInput, Problem, WrongState
from workflows.actors import duties
from workflows.actors.policy import Actor, Verdict
from workflows.library.packages import Package, read_unready
from workflows.workshop.drafts.draft import Draft

MIN_REASON = 5
MIN_OPINION = 2  # 同意


def may_approve(actor: Actor, draft: Draft) -> Verdict:
    """An approver whose hand is not in the draft."""
    facts = duties.DraftFacts(
        key=draft.key, authors=frozenset(draft.authors), submitted_by=draft.submitted_by
    )
    return duties.may_approve(actor, facts)


def may_publish(actor: Actor, draft: Draft) -> Verdict:
    """An owner, or whoever may approve: the second pair of eyes has already looked."""
    edits = duties.may_edit(actor)
    return edits if edits.allowed else may_approve(actor, draft)


def in_state(draft: Draft, *states: str) -> None:
    """Raises WrongState DRAFT_STATE."""
    if draft.state not in states:
        raise WrongState(
            f"draft {draft.key} is {draft.state}, expected {' or '.join(states)}",
            code="DRAFT_STATE",
            state=draft.state,
        )


def stale(draft: Draft, revision: int) -> WrongState:
    """The refusal of whoever read another revision: who saved in between, and when."""
    return WrongState(
        f"revision {revision} of {draft.key} was read, it is {draft.revision} now",
        code="DRAFT_STALE",
        current={
            "revision": draft.revision,
            "by": draft.changed_by,
            "savedAt": draft.changed_at.isoformat(),
        },
    )


def same_process(key: str, files: Mapping[str, bytes]) -> Package:
    """The package, ready to be deployed or not, if it has a process `key`. Raises BadDefinition."""
    package = read_unready(files, key)
    if package.process_id != key:
        problem = Problem(
            element=package.process_id,
            rule="package.name",
            severity="error",
            message=f"the process is called {package.process_id}, expected {key}",
            message_zh=f"流程编号是 {package.process_id}，应为 {key}",
        )
        raise BadDefinition((problem,))
    return package


def needs_reason(reason: str, *, least: int = MIN_REASON) -> None:
    """Raises InvalidInput REASON_REQUIRED."""
    if len(reason.strip()) < least:
        raise InvalidInput(f"a reason of at least {least} characters", code="REASON_REQUIRED", least=least)


def accept(problems: Iterable[Problem], accepted: Mapping[str, str]) -> None:
    """Errors stop a draft, and so does a warning without a written reason under `rule:element`.

    Raises BadDefinition, InvalidInput GATE_FAILED.
    """
    found = tuple(problems)
    if errors := tuple(p for p in found if p.severity == "error"):
        raise BadDefinition(errors)
    warnings = [f"{p.rule}:{p.element}" for p in found if p.severity == "warning"]
    left = [name for name in warnings if len(accepted.get(name, "").strip()) < MIN_REASON]
    if left:
        raise InvalidInput(f"{len(left)} warnings are not accepted in writing", code="GATE_FAILED", open=left)
