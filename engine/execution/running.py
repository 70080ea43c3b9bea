"""The outermost level of a case: its counters, its queue of ready tokens, its inner levels."""

# mypy: disallow-subclassing-any=False

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.util.task import TaskState

from engine.definition.beginnings import Beginning
from engine.definition.nodes.base import Mishap
from engine.definition.shapes import ATTEMPTS, SIGNAL_JOB
from engine.execution.adhoc import AdHocLevel
from engine.execution.asking import Asker
from engine.execution.branches import forked
from engine.execution.compensating import Done
from engine.execution.inner import InnerLevel
from engine.execution.levels import MOST_LEVELS, Level
from engine.execution.signals import Ended, Job, Passed, Signal, Withdrawn
from engine.execution.token import LEVEL, Token
from engine.values import Value

MOST_STEPS = 10_000
"""Automatic steps that one command may cause: a loop without a wait ends as a failure, not as a hang."""
MOST_TOKENS = 5000


def inner_level(spec: Any, parent: Token, data: Mapping[str, Value], *, depth: int) -> InnerLevel:
    """The level that belongs to this kind of activity."""
    kind = AdHocLevel if parent.shape.ad_hoc is not None else InnerLevel
    return kind(spec, parent, data, depth=depth, is_embedded=parent.shape.kind != "callActivity")


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
        self.turns: dict[int, Token] = {}
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
        self.closed = False
        self.cancelled = False
        self.signals_reach = "case"
        self.sending: dict[int, str] = {}
        self.ends: list[str] = []
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
                    self.stop(token, steps)
                    return
                token.run()
            if not (self.open_joins() or self.meet_conditions() or self.take_turns()):
                return

    def stop(self, token: Token, steps: int) -> None:
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

    def take_turns(self) -> bool:
        """Let the next activity of an ad-hoc sub-process begin whose turn it is; true if one does."""
        for token in list(self.turns.values()):
            if token.workflow.is_next(token):
                token.task_spec._update(token)
                return True
        return False

    # --- levels -----------------------------------------------------------------------------------------

    def open_inner(
        self, token: Token, name: str, data: Mapping[str, Value], undo: Done | None = None
    ) -> None:
        """Begin the level `name` of sub-process or call `token`, or only a compensation handler of it.
        Raises Mishap when nested too deeply."""
        depth = token.workflow.depth_here + 1
        if depth > MOST_LEVELS:
            raise Mishap("TOO_DEEP", f"{token.element} is nested more than {MOST_LEVELS} levels deep")
        level = inner_level(self.subprocess_specs[name], token, data, depth=depth)
        self.subprocesses[token.id] = level
        brought, token.brought = token.brought, None
        token.awaits = "undoing" if undo else "level"
        token._set_state(TaskState.STARTED)
        if undo:
            level.done = list(undo.inner)
            level.place(undo.handler, level.start_data, local=dict(undo.local))
        else:
            level.begin(brought)

    def begin_by(self, beginning: Beginning, carried: dict[str, Value]) -> None:
        """Let the case begin with what has happened at one of its beginnings, and wait for the events
        that must happen together with it; those see what the first one carried."""
        if beginning.gateway is None:
            self.begin(carried, beginning.element)
            return
        for name in self.spec.event_levels:
            self.place(name, self.start_data, host=LEVEL)
        targets = beginning.together or (beginning.element,)
        ways = [way for way in self.spec.task_specs[beginning.gateway].exits if way.target in targets]
        data = {**self.start_data, **carried} if len(ways) > 1 else self.start_data
        frames = forked((), self.next_fork()) if len(ways) > 1 else ()
        passed = Passed(
            n=self.next_number(), element=beginning.gateway, flows=tuple(way.flow for way in ways)
        )
        self.tell(passed)
        for way in ways:
            happened = carried if way.target == beginning.element else None
            self.place(way.target, data, way=way, frames=frames, brought=happened)

    # --- signals ----------------------------------------------------------------------------------------

    def broadcast(self, name: str, carried: Mapping[str, Value]) -> None:
        """Let a signal happen to everyone in the case who waits for it."""
        waiting = [t for t in self.numbers.values() if t.awaits == "signal" and t.message == name]
        for token in waiting:
            if token.id in token.workflow.tasks:
                token.workflow.happen(token, dict(carried))

    def send_signal(self, element: str, name: str, carried: Mapping[str, Value]) -> None:
        """Ask for the delivery of a signal to other cases. No token waits for it: whoever threw it goes
        on, or is taken away; only the case as a whole is not over before."""
        if self.signals_reach == "case":
            return
        number = self.next_number()
        self.sending[number] = element
        letter: dict[str, Value] = {"signal": name, "values": dict(carried)}
        self.tell(Job(n=number, element=element, type=SIGNAL_JOB, retries=ATTEMPTS, inputs=letter))

    def sent(self, number: int) -> None:
        """A signal has been delivered; the case is over if it only waited for that."""
        del self.sending[number]
        if self.closed and not self.sending:
            for element in self.ends:
                self.tell(Ended(element=element))
            self.completed = True

    def close(self) -> None:
        self.closed = True
        self.completed = not self.sending
        if self.sending:
            self.ends = [one.element for one in self.signals if isinstance(one, Ended)]

    def give_up(self) -> None:
        """Withdraw everything; the case is cancelled."""
        self.clear()
        for number in self.sending:
            self.tell(Withdrawn(n=number))
        self.sending = {}
        self.cancelled = True
