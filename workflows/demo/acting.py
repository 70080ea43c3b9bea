"""How the people of a season act: by the commands themselves, or through somebody's doors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from workflows.actors.policy import Actor
from workflows.transaction.results import Result


class Acting(Protocol):
    """What people do in a season, as `Commands` has it; each of it may be refused by a `Rejected`."""

    def start_case(
        self, process: str, values: Mapping[str, Any], *, actor: Actor, unit: str | None, batch: str | None
    ) -> Result: ...

    def claim_task(self, task_id: str, *, actor: Actor) -> object: ...

    def complete_task(self, task_id: str, values: Mapping[str, Any], *, actor: Actor) -> object: ...

    def receive_message(
        self, case_id: str, message: str, values: Mapping[str, Any], *, actor: Actor
    ) -> object: ...
