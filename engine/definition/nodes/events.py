"""Start, end, intermediate and boundary events."""

# mypy: disallow-subclassing-any=False

from __future__ import annotations

from typing import Any

from SpiffWorkflow.bpmn.specs import defaults as spiff
from SpiffWorkflow.bpmn.specs.event_definitions.simple import NoneEventDefinition

from engine.definition.nodes.base import Node, Token
from engine.definition.nodes.tasks import JobTask
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
    """Waits for its trigger; a link has none, it is jumped to."""

    def arrive(self, token: Token) -> bool:
        if self.shape.trigger.kind == "link":
            return True
        token.workflow.trigger_awaited(token, self.shape.trigger)
        return False


class ReceiveTask(Event, spiff.ReceiveTask):
    """A task that is done when its message comes."""

    def arrive(self, token: Token) -> bool:
        token.workflow.trigger_awaited(token, self.shape.trigger)
        token.workflow.listen(token)
        return False


class BoundaryEvent(Event, spiff.BoundaryEvent):
    """Listens while its activity is open. A token leaves from here when the trigger happens."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, cancel_activity=kwargs["shape"].interrupting, **kwargs)

    def arrive(self, token: Token) -> bool:
        if token.host is None:
            return True
        token.workflow.trigger_awaited(token, self.shape.trigger)
        return False


class ThrowEvent(Event, spiff.IntermediateThrowEvent):
    """Throws an escalation or a signal, undoes, jumps to a link, or just passes."""

    def arrive(self, token: Token) -> bool:
        return undone(token, self.shape.trigger)

    def _on_complete(self, my_task: Token) -> None:
        my_task.workflow.throw_and_leave(my_task, self.shape.trigger)


class EndEvent(Event, spiff.EndEvent):
    """Where a token ends; what else it does depends on the trigger."""

    def arrive(self, token: Token) -> bool:
        return undone(token, self.shape.trigger)

    def work(self, token: Token) -> None:
        super().work(token)
        if self.shape.trigger.kind in ("error", "cancel"):
            token.workflow.check_error_caught(token, self.shape.trigger)

    def _on_complete(self, my_task: Token) -> None:
        my_task.workflow.reach_end(my_task, self.shape.trigger)


class EndJob(JobTask, spiff.EndEvent):
    """An end event whose message somebody has to send first."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, event_definition=NoneEventDefinition(), **kwargs)

    def _on_complete(self, my_task: Token) -> None:
        my_task.workflow.reach_end(my_task, Trigger())


class ThrowJob(JobTask, spiff.IntermediateThrowEvent):
    """A message throw event that has a job type: somebody has to send it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, event_definition=NoneEventDefinition(), **kwargs)


def undone(token: Token, trigger: Trigger) -> bool:
    """Whether nothing is left to undo before the token goes on."""
    if trigger.kind not in ("compensation", "cancel"):
        return True
    return bool(token.workflow.compensate(token, trigger))
