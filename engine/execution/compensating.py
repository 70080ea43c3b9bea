"""How what was done is undone: compensation handlers, in reverse order, and cancelled transactions."""

from __future__ import annotations

from typing import Any

from SpiffWorkflow.util.task import TaskState

from engine.definition.shapes import Trigger
from engine.execution.token import LEVEL, Token


class Compensating:
    """The part of a level that remembers what can be undone, and undoes it.

    `done` holds [level, activity, handler, inner] in order of completion. What an embedded level has done
    becomes `inner` of one entry in the level around it when it closes: its handler is then the event
    sub-process that begins by compensation, or, without one, whatever undoes its inner entries. A handler
    sees the variables as they are now.
    """

    top_workflow: Any
    spec: Any
    tasks: dict[int, Token]
    done: list[list[Any]]
    place: Any
    withdraw: Any
    drop: Any
    tell_passed: Any

    def remember_done(self, token: Token) -> None:
        """An activity with a compensation handler is done."""
        handler = token.task_spec.compensator
        if handler:
            self.done = [entry for entry in self.done if entry[0] != token.element]
            self.done.append([self.spec.name, token.element, handler, []])

    def hand_over(self, level: Any) -> None:
        """The level around keeps what this one has done, as one entry."""
        if self.done or self.spec.undoer:
            level.done.append([self.spec.name, self.spec.name, self.spec.undoer or "", self.done])

    def compensate(self, token: Token, trigger: Trigger) -> bool:
        """Begin to undo; true if there is nothing to undo. A cancelled transaction stops first."""
        if trigger.kind == "cancel":
            for other in [t for t in self.tasks.values() if t.id != LEVEL and t is not token]:
                self.withdraw(other)
        level = self.enclosing()
        token.plan, level.done = _taken(level.done, trigger.name)
        return not self.undo_next(token)

    def enclosing(self) -> Any:
        """The level whose work is undone: an event sub-process undoes that of the level around it."""
        parent = getattr(self, "parent_token", None)
        return parent.workflow if parent is not None and parent.shape.by_event else self

    def undo_next(self, token: Token) -> bool:
        """Start the handler of what was done last; false if everything is undone."""
        if not token.plan:
            token.awaits = ""
            return False
        level, _, handler, inner = token.plan.pop()
        token.awaits = "undoing"
        token._set_state(TaskState.STARTED)
        if level == self.spec.name:
            self.place(handler, token.data, host=token.id, frames=())
        else:
            self.top_workflow.open_inner(token, level, token.data, handler, inner)
        return True

    def leave_handler(self, handler: Token) -> None:
        """A handler is done: what it wrote stays, the next one begins."""
        self.tell_passed(handler, ())
        self.drop(handler)
        token = self.tasks.get(handler.host or LEVEL)
        if token is None or token.id == LEVEL:
            self.handler_level_done(handler)
            return
        token.write(handler.changes_since(token))
        if not self.undo_next(token):
            token._ready()

    def handler_level_done(self, handler: Token) -> None:
        """A handler that ran in a level of its own."""
        self.end(handler)  # type: ignore[attr-defined]


def _taken(done: list[list[Any]], activity: str) -> tuple[list[list[Any]], list[list[Any]]]:
    """The steps that undo `activity`, everything if it is empty, and the entries that stay."""
    steps: list[list[Any]] = []
    rest = []
    for level, own, handler, inner in done:
        if activity in ("", own):
            steps += _steps([level, own, handler, inner])
            continue
        found, inner_rest = _taken(inner, activity)
        steps += found
        rest.append([level, own, handler, inner_rest])
    return steps, rest


def _steps(entry: list[Any]) -> list[list[Any]]:
    """What undoes an entry: its handler, or the handlers of its inner entries."""
    if entry[2]:
        return [entry]
    return [step for inner in entry[3] for step in _steps(inner)]
