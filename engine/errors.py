"""Why the engine says no."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class EngineError(Exception):
    """Everything the engine and the rooms above it raise on purpose."""


class Rejected(EngineError):
    """A command was refused and nothing was written.

    `code` is the stable name a program reads (``TASK_ALREADY_CLAIMED``), `facts` are the
    JSON-native values the door needs to say it again in the user's language. The message
    itself is English and says what was expected and what was found.
    """

    default_code = "REJECTED"

    def __init__(self, message: str, *, code: str | None = None, **facts: Any) -> None:
        super().__init__(message)
        self.code = code or self.default_code
        self.facts = facts


class NotFound(Rejected):
    """There is no such thing, or the asker may not know of it."""

    default_code = "NOT_FOUND"


class NotAllowed(Rejected):
    """The thing can be done, but not by this actor."""

    default_code = "NOT_ALLOWED"


class WrongState(Rejected):
    """The thing cannot be done now: somebody or something was there first."""

    default_code = "WRONG_STATE"


class StaleCase(WrongState):
    """Another writer appended to the case between this command's load and its append."""

    default_code = "STALE_CASE"


@dataclass(frozen=True, kw_only=True)
class FieldError:
    """One thing wrong with one value: `pointer` is a JSON pointer into what was sent."""

    pointer: str
    code: str
    message: str
    message_zh: str = ""


class InvalidInput(Rejected):
    """What was sent does not fit: `fields` names every place, not only the first."""

    default_code = "VALIDATION"

    def __init__(
        self,
        message: str,
        *,
        fields: tuple[FieldError, ...] = (),
        code: str | None = None,
        **facts: Any,
    ) -> None:
        super().__init__(message, code=code, **facts)
        self.fields = fields


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One finding of a check: where (BPMN or DMN element id), which rule, how bad, in words."""

    element: str
    rule: str
    severity: str  # "error" blocks deployment, "warning" needs acceptance, "info" tells
    message: str
    message_zh: str = ""


class BadDefinition(EngineError):
    """A package that cannot be deployed; `problems` says where and why."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(f"{p.element}: {p.message} [{p.rule}]" for p in problems))
        self.problems = problems


class ReplayMismatch(EngineError):
    """Journal and model disagree: at entry `seq` of `case_id` another fact was expected."""

    def __init__(self, case_id: str, seq: int, *, recorded: Any, recomputed: Any) -> None:
        super().__init__(f"case {case_id} entry {seq}: recorded {recorded!r}, the model says {recomputed!r}")
        self.case_id = case_id
        self.seq = seq
        self.recorded = recorded
        self.recomputed = recomputed
