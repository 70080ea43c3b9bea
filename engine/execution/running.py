"""The outermost level of a case: its counters, its queue of ready tokens, its inner levels."""

# mypy: disallow-subclassing-any=False

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.util.task import TaskState

from engine.definition.nodes.base import Mishap
from engine.execution.asking import Asker
from engine.execution.levels import MOST_LEVELS, InnerLevel, Level
from engine.execution.signals import Signal
from engine.execution.token import Token
from engine.values import Value

MOST_STEPS = 10_000
"""Automatic steps that one command may cause: a loop without a wait ends as a failure, not as a hang."""
MOST_TOKENS = 5000


class CaseWorkflow(Level, BpmnWorkflow):
    """SpiffWorkflow's workflow of one case. Only live tokens exist, so nothing grows with its history.

    The order of steps is first come, first served; it depends on nothing but the commands.
    """

    def __init__(self, spec: Any, specs: Mapping[str, Any], asker: Asker, data: dict[str, Value]) -> None:
        self.asker = asker
        self.subprocess_specs = specs
        self.subprocesses: dict[int, InnerLevel] = {}
        self.numbers: dict[int, Token] = {}
        self.joining: dict[int, Token] = {}
        self.watching: dict[int, Token] = {}
        self.queue: deque[Token] = deque()
        self.signals: list[Signal] = []
        self.rounds: dict[str, int] = {}
        self.last_number = 0
        self.last_fork = 0
        self.spec = spec
        self.tasks = {}
        self.data: dict[str, Value] = {}
        self.completed = False
        self.success = True
        self.cancelled = False
        self.set_up(data, 0)

    # --- counting and telling ---------------------------------------------------------------------------

    def next_number(self) -> int:
        """The next token's number."""
        self.last_number += 1
        return self.last_number

    def next_fork(self) -> int:
        """The next fork's number."""
        self.last_fork += 1
        return self.last_fork

    def tell(self, signal: Signal) -> None:
        """Something happened."""
        self.signals.append(signal)

    # --- moving -----------------------------------------------------------------------------------------

    def do_engine_steps(self, *args: Any, **kwargs: Any) -> None:
        """Move every token that can move, until all wait or one of them had to give up."""
        steps = 0
        while True:
            while self.queue:
                token = self.queue.popleft()
                if token.state != TaskState.READY or token.id not in token.workflow.tasks:
                    continue
                steps += 1
                if steps > MOST_STEPS or len(self.numbers) > MOST_TOKENS:
                    self.give_up(token, steps)
                    return
                token.run()
            if not self.open_joins() and not self.meet_conditions():
                return

    def give_up(self, token: Token, steps: int) -> None:
        """One token fails for all; the others keep their places in the queue, for the next command."""
        if steps > MOST_STEPS:
            token.workflow.fail(token, "TOO_MANY_STEPS", f"more than {MOST_STEPS} steps without a wait")
        else:
            token.workflow.fail(token, "TOO_MANY_TOKENS", f"more than {MOST_TOKENS} tokens at once")

    def open_joins(self) -> bool:
        """Let the inclusive gateways go on whose tokens are all there; true if something moves again."""
        for token in list(self.joining.values()):
            join, level = token.task_spec, token.workflow
            if hasattr(join, "is_complete") and join.is_complete(token):
                level.join(token, level.waiting_at(join, token))
                token._ready()
                return True
        return False

    def meet_conditions(self) -> bool:
        """Let the conditional events happen whose condition has become true; true if something moves."""
        for token in list(self.watching.values()):
            level = token.workflow
            holds = level.attempt(token, level.condition_holds)
            if holds and not token.message:
                token.message = "true"
                level.happen(token, {})
                return True
            if holds is False:
                token.message = ""
        return False

    # --- levels -----------------------------------------------------------------------------------------

    def open_inner(self, token: Token, name: str, data: Mapping[str, Value], handler: str = "") -> None:
        """Begin the level `name` of sub-process or call `token`, or only a compensation handler of it.
        Raises Mishap when nested too deeply."""
        depth = token.workflow.depth_here + 1
        if depth > MOST_LEVELS:
            raise Mishap("TOO_DEEP", f"{token.element} is nested more than {MOST_LEVELS} levels deep")
        embedded = token.shape.kind != "callActivity"
        level = InnerLevel(self.subprocess_specs[name], token, data, depth=depth, is_embedded=embedded)
        self.subprocesses[token.id] = level
        brought, token.brought = token.brought, None
        token.awaits = "undoing" if handler else "level"
        token._set_state(TaskState.STARTED)
        if handler:
            level.place(handler, level.start_data)
        else:
            level.begin(brought)

    def broadcast(self, name: str) -> int:
        """Let a signal happen to everyone in the case who waits for it."""
        waiting = [t for t in self.numbers.values() if t.awaits == "signal" and t.message == name]
        for token in waiting:
            if token.id in token.workflow.tasks:
                token.workflow.happen(token, {})
        return len(waiting)

    def close(self) -> None:
        self.completed = True
