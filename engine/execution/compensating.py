"""How what was done is undone: compensation handlers, in reverse order, and cancelled transactions."""

from __future__ import annotations

from typing import Any

from SpiffWorkflow.util.task import TaskState

from engine.definition.shapes import Trigger
from engine.execution.token import LEVEL, Token


class Compensating:
    """The part of a level that remembers what can be undone, and undoes it.

    `done` holds [level, activity, handler] in order of completion. An embedded level hands its entries to
    the level around it when it closes. A handler sees the variables as they are now.
    """

    top_workflow: Any
    spec: Any
    tasks: dict[int, Token]
    done: list[list[str]]
    place: Any
    withdraw: Any
    drop: Any
    tell_passed: Any

    def remember_done(self, token: Token) -> None:
        """An activity with a compensation handler is done."""
        handler = token.task_spec.compensator
        if handler:
            self.done = [entry for entry in self.done if entry[0] != token.element]
            self.done.append([self.spec.name, token.element, handler])

    def compensate(self, token: Token, trigger: Trigger) -> bool:
        """Begin to undo; true if there is nothing to undo. A cancelled transaction stops first."""
        if trigger.kind == "cancel":
            for other in [t for t in self.tasks.values() if t.id != LEVEL and t is not token]:
                self.withdraw(other)
        level = self.enclosing()
        plan = [entry for entry in level.done if trigger.name in ("", entry[1])]
        level.done = [entry for entry in level.done if entry not in plan]
        token.plan = plan
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
        level, _, handler = token.plan.pop()
        token.awaits = "undoing"
        token._set_state(TaskState.STARTED)
        if level == self.spec.name:
            self.place(handler, token.data, host=token.id, frames=())
        else:
            self.top_workflow.open_inner(token, level, token.data, handler)
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
