"""Activities that hold others: sub-processes, called processes, and the many instances of one."""

# mypy: disallow-subclassing-any=False

from __future__ import annotations

from decimal import Decimal
from typing import Any

from SpiffWorkflow.bpmn.specs import defaults as spiff

from engine.definition.formulas import Formula
from engine.definition.nodes.base import Mishap, Node, Token, stored
from engine.definition.nodes.tasks import whole
from engine.definition.shapes import Loop, Shape
from engine.values import Value

MOST_INSTANCES = 1000


class SubProcess(Node, spiff.SubWorkflowTask):
    """An embedded or event sub-process: its level sees all variables, and what it writes stays."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, subworkflow_spec=kwargs["shape"].id, **kwargs)

    def arrive(self, token: Token) -> bool:
        self.read_inputs(token)
        token.workflow.open_level(token, self.spec, token.visible())
        token.workflow.listen(token)
        return False

    def work(self, token: Token) -> None:
        if self.shape.outputs:
            self.keep(token, token.brought or {}, None)
        else:
            token.replace(token.brought or {})


class EventSubProcess(SubProcess):
    """Begins when its start event happens; until then a listener without a level of its own stands here."""

    def __init__(self, *args: Any, start: Shape, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.start = start

    def arrive(self, token: Token) -> bool:
        if token.host is None:
            return super().arrive(token)
        token.workflow.event_awaited(token, self.start)
        return False


class CallActivity(Node, spiff.CallActivity):
    """Another process as one step. Its variables start as a copy of the caller's."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, subworkflow_spec=kwargs["shape"].call.process, **kwargs)

    def arrive(self, token: Token) -> bool:
        self.read_inputs(token)
        call = self.shape.call
        all_in = call is None or call.all_in
        token.workflow.open_level(token, self.spec, token.visible() if all_in else dict(token.local))
        token.workflow.listen(token)
        return False

    def work(self, token: Token) -> None:
        call, brought = self.shape.call, token.brought or {}
        if self.shape.outputs:
            self.keep(token, brought, None)
        elif call is None or call.all_out:
            token.write({k: v for k, v in brought.items() if k not in token.local})


class Instances(Node, spiff.NoneTask):
    """The activity with a loop: opens its instances, collects their results in item order.

    With an output collection the instances' other writes are dropped; without one they are taken over
    in item order.
    """

    def __init__(self, *args: Any, inner: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.manual = False
        self.inner = inner

    @property
    def loop(self) -> Loop:
        """The drawn loop; an Instances node always has one."""
        return self.shape.loops[0]

    def arrive(self, token: Token) -> bool:
        loop = self.loop
        token.many = {"next": 0, "done": 0, "results": [], "writes": []}
        token.many["items"] = self.items(token)
        if loop.standard:
            return self.begin_while(token)
        token.many["results"] = [None] * len(token.many["items"])
        if not token.many["items"]:
            return True
        first = 1 if loop.sequential else len(token.many["items"])
        token.workflow.listen(token)
        for _ in range(first):
            self.open_next(token)
        return False

    def begin_while(self, token: Token) -> bool:
        """Open the first round of a standard loop, unless its condition is tested before and false, or
        no round is allowed at all."""
        never = self.loop.maximum == 0
        if never or (self.loop.test_before and not self.goes_on(token, 0, token.visible())):
            return True
        token.workflow.listen(token)
        self.open_next(token)
        return False

    def items(self, token: Token) -> list[Value]:
        """What there is to do. Raises Mishap if it is not a list or too much."""
        loop = self.loop
        if loop.standard:
            return []
        if loop.items is not None:
            value = token.workflow.ask(loop.items, token)
        elif loop.cardinality is not None:
            return self.numbered(whole(token, loop.cardinality, "loopCardinality"))
        else:
            value = None
        if not isinstance(value, list):
            why = token.workflow.warnings() or f"found {value!r:.60}"
            raise Mishap("COLLECTION", f"the input collection of {self.element} must be a list: {why}")
        self.bounded(len(value))
        return [stored(item) for item in value]

    def numbered(self, many: int) -> list[Value]:
        """The items of an activity that is done so many times: the numbers from 1."""
        self.bounded(many)
        return [Decimal(number) for number in range(1, many + 1)]

    def bounded(self, many: int) -> None:
        """Raises Mishap for more instances than one activity may have."""
        if many > MOST_INSTANCES:
            raise Mishap("COLLECTION", f"{many} instances of {self.element}; {MOST_INSTANCES} are allowed")

    def open_next(self, token: Token) -> None:
        """Open the next instance with its item and its loop counter."""
        index = token.many["next"]
        token.many["next"] = index + 1
        local: dict[str, Value] = {**token.local, "loopCounter": Decimal(index + 1)}
        if self.loop.item and not self.loop.standard:
            local[self.loop.item] = token.many["items"][index]
        token.workflow.open_instance(token, self.inner, index, local)

    def instance_done(self, token: Token, instance: Token) -> str:
        """Take over the result of one instance: `done` if the whole activity is, `next` or `wait` if not.

        Everything that can go wrong is asked before anything is changed.
        """
        many, loop = token.many, self.loop
        if loop.standard:
            return self.round_done(token, instance)
        results = list(many["results"])
        if loop.results and loop.result is not None:
            results[instance.index] = stored(token.workflow.ask(loop.result, instance))
        done = many["done"] + 1
        finished = done == len(many["items"]) or self.enough(token, instance, done, results)
        thrown = [which for which in range(len(loop.thrown)) if self.throws(token, instance, done, which)]
        many["results"], many["done"] = results, done
        if thrown:
            many["thrown"] = thrown
        if not loop.results:
            many["writes"].append([instance.index, instance.changes_since(token)])
        return "done" if finished else "next" if loop.sequential else "wait"

    def round_done(self, token: Token, instance: Token) -> str:
        """A round of a standard loop: what it wrote stays for the next one."""
        done = token.many["done"] + 1
        goes_on = self.goes_on(token, done, {**instance.visible()})
        token.write(instance.changes_since(token))
        token.many["done"] = done
        return "next" if goes_on else "done"

    def goes_on(self, token: Token, done: int, seen: dict[str, Value]) -> bool:
        """Whether a standard loop does another round."""
        loop = self.loop
        if loop.maximum is not None and done >= loop.maximum:
            return False
        return loop.again is None or self.truth(token, loop.again, {**seen, "loopCounter": Decimal(done)})

    def enough(self, token: Token, instance: Token, done: int, results: list[Value]) -> bool:
        """Whether the completion condition holds after this instance."""
        if self.loop.done is None:
            return False
        seen = self.counted(token, instance, done)
        if self.loop.results:
            seen[self.loop.results] = results
        return self.truth(instance, self.loop.done, seen)

    def throws(self, token: Token, instance: Token, done: int, which: int) -> bool:
        """Whether the activity throws its event number `which` after this instance."""
        if self.loop.behavior == "One":
            return done == 1
        when = self.loop.thrown[which].when
        return when is None or self.truth(instance, when, self.counted(token, instance, done))

    def counted(self, token: Token, instance: Token, done: int) -> dict[str, Value]:
        """What an instance sees, and how many there are."""
        many = token.many
        return {
            **instance.visible(),
            "numberOfInstances": Decimal(len(many["items"])),
            "numberOfCompletedInstances": Decimal(done),
            "numberOfActiveInstances": Decimal(many["next"] - done),
            "numberOfTerminatedInstances": Decimal(0),
        }

    def truth(self, token: Token, formula: Formula, seen: dict[str, Value]) -> bool:
        """A condition of the loop. Raises Mishap unless it is true or false."""
        value = token.workflow.ask(formula, token, seen)
        if not isinstance(value, bool):
            why = token.workflow.warnings() or f"it is {value!r:.60}"
            raise Mishap("CONDITION", f"a loop condition of {self.element} is neither true nor false: {why}")
        return value

    def work(self, token: Token) -> None:
        many = token.many
        for _, changes in sorted(many["writes"], key=lambda pair: pair[0]):
            token.write(changes)
        if self.loop.results:
            token.write({self.loop.results: list(many["results"])})
