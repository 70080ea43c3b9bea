"""What a token throws: escalations and signals on the spot, messages and other cases' signals as jobs."""

from __future__ import annotations

from typing import Any

from SpiffWorkflow.util.task import TaskState

from engine.definition.nodes.base import stored
from engine.definition.shapes import ATTEMPTS, MESSAGE_JOB, Shape, Trigger
from engine.execution.branches import fresh
from engine.execution.signals import Ended
from engine.execution.token import Token
from engine.values import Value

LAST = ("escalation", "error", "cancel", "terminate")
"""What may take the token away is thrown after everything else."""


class Throwing:
    """The part of a level that throws. What catches is found by `engine.execution.catching`."""

    top_workflow: Any
    tasks: dict[int, Token]
    depth_here: int
    ask: Any
    place: Any
    drop: Any
    clear: Any
    end: Any
    move: Any
    tell_passed: Any
    job_awaited: Any
    throw_error: Any
    escalate: Any

    # --- a token passes -----------------------------------------------------------------------------------

    def throw_and_leave(self, token: Token) -> None:
        """A token passes a throwing event, unless what it throws takes the token away."""
        self.tell_passed(token)
        self.throw_all(token)
        if token.id in self.tasks:
            self.move(token)

    def reach_end(self, token: Token) -> None:
        """A token came to an end event."""
        self.tell_passed(token)
        if self.depth_here == 0:
            self.top_workflow.tell(Ended(element=token.element))
        self.throw_all(token)
        if token.id not in self.tasks:
            return
        self.drop(token)
        if "terminate" in token.shape.kinds():
            self.clear()
        self.end(token)

    def throw_all(self, token: Token) -> None:
        """Throw everything an event throws, until something takes the token away."""
        for trigger in sorted(token.shape.triggers, key=_place):
            if token.id in self.tasks:
                self.throw(token, trigger)

    def throw(self, token: Token, trigger: Trigger) -> None:
        """Let what is thrown find its catcher."""
        if trigger.kind in ("error", "cancel"):
            self.throw_error(token, trigger.code, trigger.kind)
        elif trigger.kind == "escalation":
            self.escalate(token, trigger)
        elif trigger.kind == "signal":
            carried = mapped(token) if self.top_workflow.signals_reach == "house" else {}
            if token.shape.properties.get("scope") != "case":
                self.top_workflow.send_signal(token.element, trigger.name, carried)
            self.top_workflow.broadcast(trigger.name, carried)

    def throw_for_instance(self, container: Token) -> None:
        """One of several instances is done: throw what its activity throws then, as long as it is there."""
        for which in container.many.pop("thrown", ()):
            if container.id in self.tasks:
                self.throw(container, container.shape.loops[0].thrown[which].trigger)

    # --- messages -----------------------------------------------------------------------------------------

    def send_message(self, token: Token, trigger: Trigger) -> None:
        """Ask for the delivery of a message. Its key is evaluated here, its values are the inputs."""
        key = None if trigger.correlation is None else stored(self.ask(trigger.correlation, token))
        letter = {"message": trigger.name, "correlation": key, "values": mapped(token)}
        self.job_awaited(token, kind=MESSAGE_JOB, retries=ATTEMPTS, inputs=letter)

    def send_messages(self, token: Token) -> bool:
        """Have each message of an event that throws several things sent; true if it throws none."""
        sends = [which for which, one in enumerate(token.shape.triggers) if one.kind == "message"]
        if sends:
            token.awaits = "several"
            token._set_state(TaskState.STARTED)
        for which in sends:
            self.place(token.task_spec.name, token.data, host=token.id, which=which, local=token.local)
        return not sends


def mapped(token: Token) -> dict[str, Value]:
    """What a message or a signal carries: the values its element maps, and nothing if it maps nothing."""
    names = _targets(token.shape)
    return {name: fresh(value) for name, value in token.local.items() if name in names}


def _targets(shape: Shape) -> frozenset[str]:
    return frozenset(item.target.partition(".")[0] for item in shape.inputs)


def _place(trigger: Trigger) -> int:
    return LAST.index(trigger.kind) if trigger.kind in LAST else -1
