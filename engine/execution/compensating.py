"""How what was done is undone: compensation handlers, in reverse order, and cancelled transactions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from SpiffWorkflow.util.task import TaskState

from engine.definition.shapes import Trigger
from engine.execution.token import LEVEL, Token
from engine.values import Value


@dataclass(frozen=True, kw_only=True)
class Done:
    """Activity `activity` of level `level` was done and can be undone by `handler`.

    `within` is the activity that holds it on the level that remembers it, often itself; `local` are the
    variables of its own, as the item of a multi-instance activity. `inner` is what was done inside and is
    left to the handler, if that is the sub-process's own compensation event sub-process.
    """

    level: str
    activity: str
    handler: str
    within: str
    local: Mapping[str, Value] = field(default_factory=dict)
    inner: tuple[Done, ...] = ()


class Compensating:
    """The part of a level that remembers what can be undone, and undoes it.

    `done` stands in order of completion. An embedded level hands its entries to the level around it when
    it closes. A handler sees the variables as they are now, and the item of its instance.
    """

    top_workflow: Any
    spec: Any
    tasks: dict[int, Token]
    done: list[Done]
    place: Any
    withdraw: Any
    drop: Any
    tell_passed: Any

    def remember_done(self, token: Token, handler: str | None) -> None:
        """An activity, or one instance of it, is done. Its handler undoes what was done inside as well."""
        if not handler:
            return
        own = token.element
        self.done = [entry for entry in self.done if entry.within != own or entry.activity == own]
        local = dict(token.local) if token.index is not None else {}
        self.done.append(Done(level=self.spec.name, activity=own, handler=handler, within=own, local=local))

    def take_over_done(self, level: Compensating, token: Token) -> None:
        """The embedded level of `token` is done: what was done in it was done within that activity."""
        own, handler = token.element, level.spec.undoer
        if handler is None:
            self.done = self.done + [replace(entry, within=own) for entry in level.done]
            return
        entry = Done(level=level.spec.name, activity=own, handler=handler, within=own)
        entry = replace(entry, local=dict(token.local), inner=tuple(level.done))
        self.done = [*self.done, entry]

    def compensate(self, token: Token, trigger: Trigger) -> bool:
        """Begin to undo; true if there is nothing to undo. A cancelled transaction stops first."""
        if trigger.kind == "cancel":
            for other in [t for t in self.tasks.values() if t.id != LEVEL and t is not token]:
                self.withdraw(other)
        level = self.enclosing()
        plan = [entry for entry in level.done if trigger.name in ("", entry.within)]
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
        entry = token.plan.pop()
        token.awaits = "undoing"
        token._set_state(TaskState.STARTED)
        if entry.level == self.spec.name:
            self.place(entry.handler, token.data, host=token.id, frames=(), local=dict(entry.local))
        else:
            self.top_workflow.open_inner(token, entry.level, token.data, entry)
        return True

    def leave_handler(self, handler: Token) -> None:
        """A handler is done: tell it, and go on undoing."""
        self.tell_passed(handler, ())
        self.handled(handler)

    def handled(self, handler: Token) -> None:
        """What the handler wrote stays, the next one begins."""
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
