"""The level of an ad-hoc sub-process: its activities are done until enough is done."""

# mypy: disallow-subclassing-any=False

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from SpiffWorkflow.util.task import TaskState

from engine.definition.formulas import Formula
from engine.definition.nodes.base import Exit, Mishap
from engine.definition.shapes import ACTIVITIES, AdHoc
from engine.execution.branches import Part, forked, written
from engine.execution.inner import InnerLevel
from engine.execution.token import Token
from engine.values import Value

NOT_BEGUN = frozenset({"turn", "join"})


class AdHocLevel(InnerLevel):
    """Every activity without a way in is enabled at once and done once; with a completion condition all
    are enabled again, round after round, until it is true.

    Ordering Sequential lets one activity run at a time, the next one in file order; people are offered
    one task after the other. What a finished step has written is seen by every later one: `start_data`
    holds what the steps share. `closing` says that the completion condition was true.
    """

    closing = False

    @property
    def rules(self) -> AdHoc:
        """How the activities are done."""
        return self.parent_token.shape.ad_hoc or AdHoc()

    # --- coming ---------------------------------------------------------------------------------------

    def place(self, name: str, data: Mapping[str, Value], *, way: Exit | None = None, **facts: Any) -> Token:
        if facts.get("host") is None:
            facts["frames"] = forked(facts.get("frames", ()), self.top_workflow.next_fork())
        return super().place(name, data, way=way, **facts)

    def begins(self, token: Token) -> bool:
        """Whether a token that came may begin now; in ordering Sequential an activity waits for its turn."""
        if token.host is not None:
            return True
        token.data = {**self.start_data, **changes_of(token)}
        waited, token.awaits = token.awaits == "turn", ""
        if self.rules.ordering == "Parallel" or waited or not is_activity(token):
            self.top_workflow.turns.pop(token.id, None)
            return True
        token.awaits = "turn"
        token._set_state(TaskState.WAITING)
        self.top_workflow.turns[token.id] = token
        return False

    def is_next(self, token: Token) -> bool:
        """Whether it is this waiting activity's turn: nothing runs, and none before it in the file waits."""
        others = [other for other in self.moving() if is_activity(other) and other is not token]
        first = (token.shape.order, token.id)
        return all(
            other.awaits in NOT_BEGUN and (other.awaits == "join" or first < (other.shape.order, other.id))
            for other in others
        )

    def join(self, token: Token, waiting: Mapping[str, Token]) -> None:
        super().join(token, waiting)
        token.data = self.start_data

    # --- leaving --------------------------------------------------------------------------------------

    def weigh(self, token: Token) -> None:
        """An activity is done: is it enough? Raises Mishap unless the condition is true or false."""
        done = self.rules.done
        if done is not None and is_activity(token) and not self.closing:
            self.closing = self.is_enough(done, token)
        if self.closing:
            token.taken = ()

    def is_enough(self, done: Formula, token: Token) -> bool:
        """The completion condition, after this activity."""
        value = self.ask(done, token, {**self.start_data, **changes_of(token)})
        if not isinstance(value, bool):
            why = self.warnings() or f"it is {value!r:.60}"
            around = self.parent_token.element
            raise Mishap(
                "CONDITION", f"the completion condition of {around} is neither true nor false: {why}"
            )
        return value

    def move(self, token: Token) -> None:
        if self.closing:
            self.wind_up(token)
        self.share(token)
        token.data, token.frames = self.start_data, ()
        super().move(token)

    def share(self, token: Token) -> None:
        """What the token has written is seen by all who come later."""
        self.start_data = {**self.start_data, **changes_of(token)}

    def wind_up(self, last: Token) -> None:
        """Nothing new begins; what runs beside `last` is withdrawn or, if the drawing says so, left to
        finish."""
        for token in list(self.moving()):
            runs = is_activity(token) and token.awaits not in NOT_BEGUN
            if token is not last and (self.rules.cancels or not runs):
                self.share_partly(token)
                self.withdraw(token)

    def share_partly(self, token: Token) -> None:
        """An activity is given up: what its inner level has written so far stays, as at a boundary event."""
        inner = self.part_of(token)
        names = written(inner.frames)
        self.start_data = {**self.start_data, **{k: v for k, v in inner.data.items() if k in names}}

    # --- ending ---------------------------------------------------------------------------------------

    def end(self, token: Token) -> None:
        self.share(token)
        self.settle()

    def settle(self) -> None:
        idle = not any(True for _ in self.moving())
        if idle and self.rules.done is not None and not self.closing:
            self.begin()
        else:
            super().settle()

    def final(self) -> Part:
        return Part(self.start_data)

    def view(self) -> Part:
        data = dict(self.start_data)
        for token in self.moving():
            part = self.part_of(token)
            data |= {name: part.data[name] for name in written(part.frames) if name in part.data}
        return Part(data)


def is_activity(token: Token) -> bool:
    """Whether the token stands at an activity of the drawn work."""
    return token.shape.kind in ACTIVITIES and token.host is None and not token.shape.for_compensation


def changes_of(token: Token) -> dict[str, Value]:
    """What the token has written since it was placed."""
    return {name: token.data[name] for name in sorted(written(token.frames)) if name in token.data}
