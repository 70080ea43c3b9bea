"""Where tokens wait for each other: joins, quantities, discriminators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from SpiffWorkflow.util.task import TaskState

from engine.execution.branches import merge
from engine.execution.token import Token


class Joining:
    """The part of a level that brings tokens together."""

    top_workflow: Any
    tasks: dict[int, Token]
    spent: dict[str, set[str]]
    drop: Any
    settle: Any

    def waiting_at(self, join: Any, token: Token) -> dict[str, Token]:
        """The oldest token on each incoming flow of a join, in the order of the flows in the file."""
        here: dict[str, Token] = {}
        for other in self.tasks.values():
            if other.task_spec is join and other.flow and (other.awaits == "join" or other is token):
                here.setdefault(other.flow, other)
        return {flow: here[flow] for flow in join.entries if flow in here}

    def wait_at_join(self, token: Token) -> None:
        """The token waits for its companions."""
        token.awaits = "join"
        token._set_state(TaskState.WAITING)
        self.top_workflow.joining[token.id] = token

    def join(self, token: Token, waiting: Mapping[str, Token]) -> None:
        """Unite the waiting tokens in `token`."""
        if len(waiting) > 1:
            part = merge([other.part for other in waiting.values()])
            token.data, token.frames = dict(part.data), part.frames
        for other in waiting.values():
            self.top_workflow.joining.pop(other.id, None)
            if other is not token:
                self.drop(other)
        token.awaits = ""

    def moving(self) -> Iterator[Token]:
        """The tokens that keep this level open."""
        return (token for token in self.tasks.values() if token.host is None)

    def gather(self, token: Token, quantity: int) -> bool:
        """Wait until so many tokens have come to the same element; then they go on as one."""
        here = [t for t in self.tasks.values() if t.task_spec is token.task_spec and t.awaits == "join"]
        if len(here) + 1 < quantity:
            self.wait_at_join(token)
            return False
        self.join(token, {str(other.id): other for other in [*here, token]})
        token.gathered = True
        return True

    def discriminate(self, token: Token, gateway: Any) -> bool:
        """A token came to a complex gateway: true if it opens now.

        After it has opened, one token of each other flow is swallowed, as far as any can still come;
        then the gateway starts anew.
        """
        spent = self.spent.get(gateway.name)
        if spent is not None and not self.can_come(gateway, spent, token):
            del self.spent[gateway.name]
            spent = None
        if spent is None:
            waiting = self.waiting_at(gateway, token)
            if not gateway.opens(token, waiting):
                self.wait_at_join(token)
                return False
            self.spent[gateway.name] = set(waiting)
            self.join(token, waiting)
        elif token.flow in spent:
            self.wait_at_join(token)
            return False
        else:
            spent.add(token.flow or "")
            self.drop(token)
            self.settle()
        if self.spent[gateway.name] == set(gateway.entries):
            del self.spent[gateway.name]
        return token.id in self.tasks

    def can_come(self, gateway: Any, spent: set[str], token: Token) -> bool:
        """Whether a flow that has not been served since the gateway opened can still bring a token."""
        open_flows = set(gateway.entries) - spent
        if token.flow in open_flows:
            return True
        others = (other for other in self.moving() if other is not token)
        return any(open_flows & gateway.reaches.get(t.task_spec.name, frozenset()) for t in others)
