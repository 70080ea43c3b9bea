"""Start, end, intermediate and boundary events."""

# mypy: disallow-subclassing-any=False

from __future__ import annotations

from typing import Any

from SpiffWorkflow.bpmn.specs import defaults as spiff
from SpiffWorkflow.bpmn.specs.event_definitions.simple import NoneEventDefinition

from engine.definition.nodes.base import Node, Token
from engine.definition.nodes.tasks import JobTask, ask_for_job
from engine.definition.shapes import Trigger


class Event(Node):
    """An event; what it waits for stands in its shape, SpiffWorkflow sees a none event."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, event_definition=NoneEventDefinition(), **kwargs)

    def work(self, token: Token) -> None:
        self.read_inputs(token)
        self.keep(token, token.brought or {}, None)


class StartEvent(Event, spiff.StartEvent):
    """Where a level begins. At an event sub-process the trigger has happened before."""


class CatchEvent(Event, spiff.IntermediateCatchEvent):
    """Waits for its triggers; a link has none, it is jumped to, and one that begins the case has happened."""

    def arrive(self, token: Token) -> bool:
        if self.shape.trigger.kind == "link" or token.brought is not None:
            return True
        token.workflow.event_awaited(token, self.shape)
        return False


class ReceiveTask(Event, spiff.ReceiveTask):
    """A task that is done when its message comes; one that begins the case is done by what began it."""

    def arrive(self, token: Token) -> bool:
        if token.brought is not None:
            return True
        token.workflow.event_awaited(token, self.shape)
        token.workflow.listen(token)
        return False


class BoundaryEvent(Event, spiff.BoundaryEvent):
    """Listens while its activity is open. A token leaves from here when the trigger happens."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, cancel_activity=kwargs["shape"].interrupting, **kwargs)

    def arrive(self, token: Token) -> bool:
        if token.host is None:
            return True
        token.workflow.event_awaited(token, self.shape)
        return False


class Throw(Event):
    """Throws what its triggers say. Messages are sent and things undone before the token goes on."""

    def arrive(self, token: Token) -> bool:
        self.read_inputs(token)
        if token.which is not None:
            ask_for_job(token)
            return False
        return undone(token, self.shape.trigger) and bool(token.workflow.send_messages(token))

    def work(self, token: Token) -> None:
        self.keep(token, {}, None)


class ThrowEvent(Throw, spiff.IntermediateThrowEvent):
    """Throws on the way, jumps to a link, or just passes."""

    def _on_complete(self, my_task: Token) -> None:
        my_task.workflow.throw_and_leave(my_task)


class EndEvent(Throw, spiff.EndEvent):
    """Where a token ends; what else it does depends on the triggers."""

    def work(self, token: Token) -> None:
        super().work(token)
        for trigger in self.shape.triggers:
            if trigger.kind in ("error", "cancel"):
                token.workflow.check_error_caught(token, trigger)

    def _on_complete(self, my_task: Token) -> None:
        my_task.workflow.reach_end(my_task)


class EndJob(JobTask, spiff.EndEvent):
    """An end event whose message somebody has to send first."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, event_definition=NoneEventDefinition(), **kwargs)

    def _on_complete(self, my_task: Token) -> None:
        my_task.workflow.reach_end(my_task)


class ThrowJob(JobTask, spiff.IntermediateThrowEvent):
    """A message throw event that has a job type: somebody has to send it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, event_definition=NoneEventDefinition(), **kwargs)


def undone(token: Token, trigger: Trigger) -> bool:
    """Whether nothing is left to undo before the token goes on."""
    if trigger.kind not in ("compensation", "cancel"):
        return True
    return bool(token.workflow.compensate(token, trigger))
