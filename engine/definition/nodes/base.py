"""The node all others are made of: a token comes, the work is done, the token leaves."""

# mypy: disallow-subclassing-any=False

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from SpiffWorkflow.bpmn.specs.mixins.bpmn_spec_mixin import BpmnSpecMixin

from engine.definition.formulas import Formula
from engine.definition.shapes import Shape
from engine.errors import InvalidInput
from engine.temporal import YearsMonths
from engine.values import MAX_DEPTH, Value

Token = Any
"""A token of `engine.execution.token`: a SpiffWorkflow task with its variables. The execution stands
on the definition, so its classes cannot be named here."""

ARRIVED, WORKED = "arrived", "worked"
PLAIN = frozenset({type(None), bool, str, Decimal, date, datetime, time, timedelta, YearsMonths})
"""What a value can be that holds no others."""


class Mishap(Exception):
    """The model cannot go on here, and a person must look: `code` is stable, the message for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Exit:
    """One way out: the sequence flow and the node it leads to."""

    flow: str
    target: str
    condition: Formula | None = None


class Node(BpmnSpecMixin):
    """Task specification without predictions: children exist only once a token moves there.

    SpiffWorkflow calls `_update` when a token arrives, `_run` when it is its turn and `_on_complete`
    when it is done. Whatever a formula does wrong ends in the token's ERROR state and a signal, never
    in an exception for the caller.
    """

    def __init__(self, wf_spec: Any, bpmn_id: str, *, shape: Shape, **kwargs: Any) -> None:
        super().__init__(wf_spec, bpmn_id, bpmn_name=shape.name, lane=shape.lane, **kwargs)
        self.shape = shape
        self.element = shape.id
        self.exits: tuple[Exit, ...] = ()
        self.default: str | None = shape.default
        self.listeners: tuple[str, ...] = ()
        self.catchers: tuple[str, ...] = ()
        self.compensator: str | None = None
        self.manual = False

    # --- what SpiffWorkflow calls -------------------------------------------------------------------

    def _predict(self, my_task: Token, *args: Any, **kwargs: Any) -> None:
        """Nothing is predicted."""

    def _update(self, my_task: Token) -> None:
        if my_task.workflow.attempt(my_task, self._update_hook):
            my_task._ready()

    def _update_hook(self, my_task: Token) -> bool:
        quantity = self.shape.start_quantity
        alone = my_task.gathered or my_task.host is not None
        if quantity > 1 and not alone and not my_task.workflow.gather(my_task, quantity):
            return False
        return bool(my_task.workflow.begins(my_task)) and self.arrive(my_task)

    def _on_ready(self, my_task: Token) -> None:
        """The drawing was checked when it was deployed."""

    def _run(self, my_task: Token) -> bool:
        return bool(my_task.workflow.attempt(my_task, self._run_hook))

    def _run_hook(self, my_task: Token) -> bool:
        if my_task.stage != WORKED:
            self.work(my_task)
            my_task.stage = WORKED
        my_task.taken = self.choose(my_task)
        my_task.workflow.weigh(my_task)
        return True

    def _on_complete(self, my_task: Token) -> None:
        my_task.workflow.leave(my_task)

    def _on_error(self, my_task: Token) -> None:
        """The workflow has told it already."""

    def _on_cancel(self, my_task: Token) -> None:
        """The workflow withdraws what the token waited for."""

    # --- what the kinds of nodes say ----------------------------------------------------------------

    def arrive(self, token: Token) -> bool:
        """A token came in; true if it can go on at once, false if it has to wait."""
        return True

    def work(self, token: Token) -> None:
        """What is done between coming and leaving."""

    def choose(self, token: Token) -> tuple[Exit, ...]:
        """The ways out that are taken: all free ones, those whose condition holds, else the default."""
        if not self.exits:
            return ()
        if len(self.exits) == 1 and self.exits[0].condition is None:
            return self.exits
        return self.chosen(token)

    def chosen(self, token: Token) -> tuple[Exit, ...]:
        """The conditional choice. Raises Mishap if no way out is open."""
        taken = tuple(e for e in self.exits if e.flow != self.default and self.holds(token, e))
        return taken or self.fallback()

    def fallback(self) -> tuple[Exit, ...]:
        """The default flow. Raises Mishap if there is none."""
        for way in self.exits:
            if way.flow == self.default:
                return (way,)
        raise Mishap("NO_WAY_OUT", f"no condition after {self.element} is true and there is no default flow")

    def holds(self, token: Token, way: Exit) -> bool:
        """Whether the flow's condition is true. Raises Mishap unless it is true or false."""
        if way.condition is None:
            return True
        value = token.workflow.ask(way.condition, token)
        if not isinstance(value, bool):
            why = token.workflow.warnings() or f"it is {value!r:.60}"
            raise Mishap("CONDITION", f"the condition of {way.flow} is neither true nor false: {why}")
        return value

    # --- shared by tasks and events -----------------------------------------------------------------

    def read_inputs(self, token: Token) -> None:
        """Evaluate the input mappings, each seeing those before it."""
        for item in self.shape.inputs:
            value = token.workflow.ask(item.source, token)
            token.local = put(token.local, item.target, stored(value))

    def keep(self, token: Token, values: Mapping[str, Value], result: str | None) -> None:
        """Take over what came, as `stored` gives it: by the outputs if there are any, else under `result`,
        else entry by entry."""
        brought = {result: dict(values)} if result else values
        if not self.shape.outputs:
            token.write(brought)
            return
        seen = {**token.visible(), **values, **brought}
        changes: dict[str, Value] = {}
        for item in self.shape.outputs:
            value = stored(token.workflow.ask(item.source, token, seen))
            changes = put(changes, item.target, value, token.data)
            seen = {**seen, **changes}
        token.write(changes)


def stored(value: Value, depth: int = MAX_DEPTH) -> Value:
    """A copy that a case may keep, sharing no list and no context with the original.

    Raises InvalidInput for what only lives while an expression runs, as ranges and functions do.
    """
    if type(value) in PLAIN:
        return value
    if depth and isinstance(value, dict):
        left = depth - 1  # most items are plain: asking here saves a call for each of them
        return {str(k): v if type(v) in PLAIN else stored(v, left) for k, v in value.items()}
    if depth and isinstance(value, list | tuple):
        left = depth - 1
        return [item if type(item) in PLAIN else stored(item, left) for item in value]
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, tuple(PLAIN)):
        return value
    what = "nested too deeply" if isinstance(value, list | tuple | dict) else f"a {type(value).__name__}"
    raise InvalidInput(f"a value cannot be kept: it is {what}")


def put(
    values: dict[str, Value], target: str, value: Value, below: Mapping[str, Value] | None = None
) -> dict[str, Value]:
    """A copy of `values` with `value` at the dotted path `target`; `below` holds what is not copied yet."""
    name, _, rest = target.partition(".")
    if not rest:
        return {**values, name: value}
    inner = values.get(name, (below or {}).get(name))
    return {**values, name: put(inner if isinstance(inner, dict) else {}, rest, value)}
