"""One token: a SpiffWorkflow task with a number, its branch's variables and what it waits for."""

# mypy: disallow-subclassing-any=False

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from engine.definition.nodes.base import ARRIVED, Exit
from engine.definition.shapes import Shape
from engine.execution.branches import MISSING, Frames, Part, same, wrote
from engine.values import Value

LEVEL = 0
"""The number of a level's root; listeners of event sub-processes have it as their host."""


class Token(Task):
    """SpiffWorkflow's task, counted instead of random and without a clock.

    Every token hangs below the root of its level, so the tree is never deeper than one. `host` is the
    token that a listener, an instance or a racing event belongs to; tokens without a host are what keeps
    a level open. `which` is set at a listener for one of the several triggers of an event: the place of
    that trigger; its host waits for them together. Variables are never changed in place: a write makes a
    new dict.
    """

    def __init__(
        self, workflow: Any, task_spec: Any, parent: Any = None, state: int = TaskState.FUTURE, id: Any = None
    ) -> None:
        self.id: int = workflow.top_workflow.next_number() if id is None else id
        self.workflow = workflow
        self.task_spec = task_spec
        self._parent = None if parent is None else parent.id
        self._children: list[int] = []
        self._state = state
        self.triggered = False
        self.thread_id = 0
        self.internal_data: dict[str, Any] = {}
        self.last_state_change = 0.0
        self.data: dict[str, Value] = {}
        self.local: dict[str, Value] = {}
        self.frames: Frames = ()
        self.flow: str | None = None
        self.host: int | None = None
        self.index: int | None = None
        self.which: int | None = None
        self.entered = False
        self.stage = ARRIVED
        self.awaits = ""
        self.message: str = ""
        self.correlation: Value = None
        self.due_at: datetime | None = None
        self.cycle: dict[str, Any] | None = None
        self.brought: dict[str, Value] | None = None
        self.many: dict[str, Any] = {}
        self.plan: list[Any] = []
        self.gathered = False
        self.round = 1
        self.taken: tuple[Exit, ...] = ()
        workflow.tasks[self.id] = self

    @property
    def shape(self) -> Shape:
        """The drawn element this token stands at."""
        shape: Shape = self.task_spec.shape
        return shape

    @property
    def element(self) -> str:
        """The id of that element."""
        element: str = self.task_spec.element
        return element

    def visible(self) -> dict[str, Value]:
        """The variables as an expression here sees them."""
        return {**self.data, **self.local} if self.local else self.data

    def write(self, changes: Mapping[str, Value]) -> None:
        """Set variables on this branch."""
        if changes:
            self.data = {**self.data, **changes}
            self.frames = wrote(self.frames, changes.keys())

    def seeing(self, inner: Mapping[str, Value]) -> Part:
        """This branch with the variables of an inner level: what it changed, added or removed counts as
        written here; the token's local variables stay inside."""
        old = self.data
        changed = {k: v for k, v in inner.items() if k not in self.local and not same(old.get(k, MISSING), v)}
        gone = [k for k in old if k not in inner and k not in self.local]
        data = {k: v for k, v in old.items() if k not in gone} | changed
        return Part(data, wrote(self.frames, [*changed, *gone]))

    def replace(self, inner: Mapping[str, Value]) -> None:
        """Take over the variables of an inner level."""
        part = self.seeing(inner)
        self.data, self.frames = dict(part.data), part.frames

    def changes_since(self, start: Token) -> dict[str, Value]:
        """What this token has set that `start` has not, its local variables left out."""
        return {
            k: v
            for k, v in self.data.items()
            if k not in self.local and not same(start.data.get(k, MISSING), v)
        }

    @property
    def part(self) -> Part:
        """This token's branch."""
        return Part(self.data, self.frames)

    def _set_state(self, value: int) -> None:
        self._state = value
        if value == TaskState.READY and not self.task_spec.manual:
            self.workflow.top_workflow.queue.append(self)
