"""Exclusive, parallel, inclusive and event-based gateways."""

# mypy: disallow-subclassing-any=False

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from SpiffWorkflow.bpmn.specs import defaults as spiff

from engine.definition.nodes.base import Exit, Mishap, Node, Token


class ExclusiveGateway(Node, spiff.ExclusiveGateway):
    """One way out: the first, in file order, whose condition is true, else the default flow."""

    def chosen(self, token: Token) -> tuple[Exit, ...]:
        for way in self.exits:
            if way.flow != self.default and self.holds(token, way):
                return (way,)
        return self.fallback()


class Join(Node):
    """A gateway that collects tokens: every incoming flow brings its own.

    What the branches wrote is united. Where two branches wrote the same variable, the one whose flow
    stands later in the file wins, whenever it arrived.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.entries: tuple[str, ...] = ()

    def arrive(self, token: Token) -> bool:
        waiting = token.workflow.waiting_at(self, token)
        if len(self.entries) > 1 and any(flow not in waiting for flow in self.entries):
            token.workflow.wait_at_join(token)
            return False
        token.workflow.join(token, waiting)
        return True


class ParallelGateway(Join, spiff.ParallelGateway):
    """Takes one token from every incoming flow, gives one to every outgoing flow."""

    def choose(self, token: Token) -> tuple[Exit, ...]:
        return self.exits


class InclusiveGateway(Join, spiff.InclusiveGateway):
    """Waits for every token that can still come, then takes every way whose condition is true.

    `reaches` tells for every node of the level which of the incoming flows it can still feed without
    going through this gateway.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reaches: dict[str, frozenset[str]] = {}

    def is_complete(self, token: Token) -> bool:
        """Whether no other token of the level can still reach an empty incoming flow, except one that
        can also reach a flow which is already served."""
        served = token.workflow.waiting_at(self, token)
        for other in token.workflow.moving():
            if other.task_spec is self:
                continue
            feeds = self.reaches.get(other.task_spec.name, frozenset())
            if feeds and not feeds & served.keys():
                return False
        return True


class ComplexGateway(Join):
    """Opens when its activation condition is true, which may count the tokens; then takes every way
    whose condition is true."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reaches: dict[str, frozenset[str]] = {}

    def arrive(self, token: Token) -> bool:
        return len(self.entries) < 2 or bool(token.workflow.discriminate(token, self))

    def opens(self, token: Token, waiting: Mapping[str, Token]) -> bool:
        """The activation condition. Raises Mishap unless it is true or false."""
        seen = {**token.visible(), "activationCount": Decimal(len(waiting))}
        value = token.workflow.ask(self.shape.activation, token, seen)
        if not isinstance(value, bool):
            why = token.workflow.warnings() or f"it is {value!r:.60}"
            raise Mishap("CONDITION", f"the activation of {self.element} is neither true nor false: {why}")
        return value


class EventBasedGateway(Node, spiff.EventBasedGateway):
    """Waits until the first of the following events happens; the others are withdrawn."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, event_definition=None, **kwargs)

    def arrive(self, token: Token) -> bool:
        token.workflow.race(token, self.exits)
        return False

    def choose(self, token: Token) -> tuple[Exit, ...]:
        raise Mishap("RACE", "an event-based gateway is left by the event that happens first")
