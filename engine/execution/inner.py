"""The level inside an activity: it hands what it leaves behind to the level around it."""

# mypy: disallow-subclassing-any=False

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from SpiffWorkflow.bpmn.util.subworkflow import BpmnSubWorkflow
from SpiffWorkflow.util.task import TaskState

from engine.execution.levels import Level
from engine.execution.token import Token
from engine.values import Value


class InnerLevel(Level, BpmnSubWorkflow):
    """The level of a sub-process, an event sub-process or a called process."""

    def __init__(
        self, spec: Any, parent: Token, data: Mapping[str, Value], *, depth: int, is_embedded: bool
    ) -> None:
        self.parent_token = parent
        self.parent_task_id = parent.id
        self.top_workflow = parent.workflow.top_workflow
        self.is_embedded = is_embedded
        self.correlations: dict[str, Any] = {}
        self.spec = spec
        self.tasks = {}
        self.data: dict[str, Value] = {}
        self.completed = False
        self.success = True
        self.set_up(data, depth)

    @property
    def parent_workflow(self) -> Any:
        """The level around this one."""
        return self.parent_token.workflow

    def close(self) -> None:
        self.completed = True
        del self.top_workflow.subprocesses[self.parent_task_id]
        token = self.parent_token
        if token.awaits == "undoing":
            token.replace(self.data)
            if not token.workflow.undo_next(token):
                token._ready()
            return
        if self.is_embedded:
            token.workflow.take_over_done(self, token)
        token.brought = self.data
        token._set_state(TaskState.READY)
