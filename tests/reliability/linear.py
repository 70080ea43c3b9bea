"""Whether what clients saw of one task can have happened one after the other (Wing and Gong's search)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

UNKNOWN = ("unknown", None)
"""No answer came: it may have happened at any later moment, or never."""

Outcome = tuple[str, str | None]
"""`done` or the code of a refusal, and whom it names."""


@dataclass(frozen=True)
class State:
    """A task: `ready`, `claimed` by its holder, or `completed` by them."""

    word: str = "ready"
    holder: str | None = None


@dataclass(frozen=True, kw_only=True)
class Call:
    """What a client asked and was told, between two moments of one clock."""

    verb: str
    by: str
    to: str | None = None
    began: int
    ended: int
    outcome: Outcome

    @property
    def is_known(self) -> bool:
        return self.outcome != UNKNOWN


def step(state: State, call: Call) -> tuple[State, Outcome]:
    """What a task becomes by a call, and what the caller is told."""
    if call.verb == "look":
        return state, (state.word, state.holder)
    if state.word == "completed":
        return state, ("TASK_COMPLETED", state.holder)
    if call.verb == "claim":
        if state.holder in (None, call.by):
            return State("claimed", call.by), ("done", call.by)
        return state, ("TASK_ALREADY_CLAIMED", state.holder)
    if state.holder != call.by:
        return state, ("NOT_ASSIGNEE", state.holder)
    match call.verb:
        case "release":
            return State(), ("done", None)
        case "transfer":
            return State("claimed", call.to), ("done", call.to)
        case "complete":
            return State("completed", call.by), ("done", call.by)
    raise ValueError(f"nobody can {call.verb} a task")


def is_linearizable(history: Sequence[Call], start: State | None = None) -> bool:
    """Whether some order explains every answer: each call takes effect at one moment between its beginning
    and its end, and one without an answer at a moment after its beginning, or never."""
    asked = tuple(history)
    seen: set[tuple[int, State]] = set()
    waiting = [(0, start or State())]
    known = sum(1 << place for place, call in enumerate(asked) if call.is_known)
    while waiting:
        done, state = waiting.pop()
        if done & known == known:
            return True
        if (done, state) in seen:
            continue
        seen.add((done, state))
        left = [(place, call) for place, call in enumerate(asked) if not done >> place & 1]
        first_end = min(call.ended for _, call in left if call.is_known)
        for place, call in left:
            if call.began < first_end:
                after, told = step(state, call)
                if told == call.outcome or not call.is_known:
                    waiting.append((done | 1 << place, after))
    return False
