"""A family of drawings that together use every kind of wait, and a random walk through any of them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from engine.definition.model import Definition
from engine.execution.execution import Execution
from tests.engine.drawing import (
    FORMAL,
    NOW,
    SIGNAL,
    WeekDays,
    condition,
    for_each,
    inputs,
    message,
    process,
    timer,
)

ERROR_EVENT = '<bpmn:errorEventDefinition errorRef="er"/>'
ROOTS = (
    '<bpmn:error id="er" errorCode="E1"/>',
    '<bpmn:message id="m" name="answer"/>',
    '<bpmn:escalation id="es" escalationCode="LATE"/>',
)


def _drawing(own: str) -> Any:
    drawing = process(own)
    for root in ROOTS:
        drawing.define(root)
    return drawing


def rework() -> Definition:
    """Submit, review, correct; reminders, a final deadline, withdrawal by message."""
    handler = (
        process("withdrawal").start("ws", message("m")).script("wx", '="withdrawn"', "outcome").end("we")
    )
    drawing = (
        _drawing("rework").start().user("submit", result="form", extra=inputs(hint="=loop")).user("review")
    )
    drawing.gateway("exclusive", "g", default="g__submit").at("g", "=yes").script(
        "x", "=[form, yes]", "kept"
    ).end()
    drawing.at("g").to("submit").event_sub("withdrawal", handler)
    drawing.boundary("remind", "review", timer("R3/P1D", "Cycle"), interrupting=False).user("call").end(
        "called"
    )
    drawing.boundary("stop", "review", timer("=add working days(now(), 9)", "Date")).end("stopped")
    return drawing.read()


def consult() -> Definition:
    """A fork with jobs, silent consent and inclusive ways, then votes."""
    loop = for_each("=people", "p", results="votes", result="=yes", done="=numberOfCompletedInstances > 2")
    drawing = _drawing("consult").start().gateway("parallel", "f").user("a").gateway("parallel", "j")
    drawing.gateway("inclusive", "o", default="o__q").at("o", "=yes").user("b").gateway("inclusive", "q")
    drawing.at("o", "=n > 2").job("draw", "experts.draw", inputs(count="=n")).to("q").at("o").to("q")
    drawing.at("q").user("vote", '=["expert@" + p]', inside=loop).user("last").end()
    drawing.at("f").user("c").add("task", "merge").to("j")
    drawing.boundary("silent", "c", timer("P14D")).script("consent", "=true", "silent").to("merge")
    drawing.at("f").job("notify", "notice.send").add("task", "told").to("j")
    drawing.boundary("bad", "notify", ERROR_EVENT).to("told")
    return drawing.read()


def nested() -> Definition:
    """Calls and sub-processes with errors, escalations, events that race."""
    called = _drawing("called").start("cs").user("ask", result="answer").end("ce")
    loop = for_each("=people", "p", sequential=True)
    inner = process("inner").start("is").throw("up", '<bpmn:escalationEventDefinition escalationRef="es"/>')
    inner.call("call", "called", inside=loop).gateway("exclusive", "ig", default="ig__ie")
    inner.at("ig", "=n > 2").end("wrong", ERROR_EVENT).at("ig").end("ie")
    drawing = _drawing("nested").start().sub("inner", inner).gateway("eventBased", "race")
    drawing.catch("soon", timer("PT1H")).end("e1").at("race").catch("come", message("m")).user("done").end(
        "e2"
    )
    drawing.boundary(
        "told", "inner", '<bpmn:escalationEventDefinition escalationRef="es"/>', interrupting=False
    )
    drawing.user("note").end("e3").boundary("caught", "inner", ERROR_EVENT).add("task", "mend")
    drawing.at("mend", "=people[1] = nobody").end("e4")
    return drawing.read(called)


def rare() -> Definition:
    """What is seldom drawn: undoing, conditions that become true, quantities, discriminators."""
    inner = process("deal").start("ds").user("book").end("de")
    undo = "<bpmn:compensateEventDefinition/>"
    inner.boundary("undo_book", "book", undo).add(
        "userTask", "unbook", connect=False, isForCompensation="true"
    )
    inner.associate("undo_book", "unbook")
    drawing = _drawing("rare").start().gateway("parallel", "f").user("a").throw("send", "")
    drawing.add("complexGateway", "c", ACTIVATION).sub("deal", inner).throw("regret", undo).user(
        "twice"
    ).end()
    drawing.at("f").user("b").to("c")
    drawing.at("f").catch("when", condition("=n > 3")).user("seen").end("e2")
    drawing.at("f").add("task", "two", completionQuantity="2").add("task", "one", startQuantity="2").end("e3")
    drawing.boundary("often", "twice", condition("=n = 1"), interrupting=False).user("once").end("e4")
    return drawing.read()


def loose() -> Definition:
    """Ad-hoc work side by side and one by one, shared tasks, and instances undone in their own way."""
    enough = f"<bpmn:completionCondition {FORMAL}>=n > 2</bpmn:completionCondition>"
    some = process("some").user("a").user("b")
    some.boundary("slow", "a", timer("P1D"), interrupting=False).user("push")
    some.last = None
    some.call("c", "shared")
    one = process("one").user("x")
    one.last = None
    one.user("y", inside=for_each("=people", "p"))
    regret = process("regret").start("rs", "<bpmn:compensateEventDefinition/>").user("sorry").end("re")
    deal = process("deal").user("book").event_sub("regret", regret)
    drawing = _drawing("loose").start()
    drawing.add("adHocSubProcess", "some", some.content + enough, cancelRemainingInstances="false")
    drawing.add("adHocSubProcess", "one", one.content, ordering="Sequential")
    drawing.sub("deal", deal, for_each("=people", "p", sequential=True))
    drawing.throw("undo", "<bpmn:compensateEventDefinition/>").end()
    drawing.boundary("over", "one", timer("P9D")).end("too_late")
    return drawing.define('<bpmn:globalUserTask id="shared"/>').read()


def several() -> Definition:
    """Events with several triggers, all or any, caught and thrown; signals on their way to other cases."""
    signal, more = '<bpmn:signalEventDefinition signalRef="si"/>', '<bpmn:message id="m2" name="more"/>'
    loop = for_each("=people", "p").replace(" isSeq", ' behavior="None" noneBehaviorEventRef="top" isSeq')
    handler = process("more").start("ms", message("m2") + condition("=n = 4"), isInterrupting="false")
    handler.script("mx", "=n", "seen").end("me")
    drawing = _drawing("several").define(SIGNAL).define(more).define(signal.replace(" sig", ' id="top" sig'))
    drawing.start().gateway("parallel", "f").user("a", inside=loop).throw("t", signal + message("m")).end()
    drawing.boundary("done", "a", signal, interrupting=False).script("count", "=n", "counted").end("e1")
    drawing.at("f").add(
        "intermediateCatchEvent", "all", message("m") + timer("P1D") + signal, parallelMultiple="true"
    ).user("b").end("e2", signal + "<bpmn:terminateEventDefinition/>")
    drawing.boundary("any", "b", message("m") + timer("R3/P1D", "Cycle") + ERROR_EVENT).end("e3")
    return drawing.event_sub("more", handler).read()


ACTIVATION = f"<bpmn:activationCondition {FORMAL}>=activationCount >= 1</bpmn:activationCondition>"
FAMILY = (rework, consult, nested, rare, several, loose)


PASSIVE = ("level", "instances", "race", "several", "join", "turn", "undoing", "conditional")


@dataclass
class Walk:
    """A hand that does something possible, chosen by chance alone from `seed`."""

    seed: int

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.now: datetime = NOW

    def start(self, definition: Definition) -> Execution:
        values = {"n": Decimal(2), "yes": True, "people": ["x", "y", "z", "w"], "loop": [Decimal(1)]}
        return Execution.start(definition, values, calendar=WeekDays(), now=self.now)

    def choose(self, execution: Execution) -> Any:
        """One command as (name, arguments, keywords); None if nothing can be done."""
        self.now += timedelta(minutes=self.chance.randrange(1, 600))
        tokens = sorted(execution._workflow.numbers.values(), key=lambda token: token.id)
        possible = [token for token in tokens if token.awaits or token.state == 128]
        possible = [t for t in possible if t.awaits not in PASSIVE]
        if not possible and not execution._workflow.sending:
            return None
        token = self.chance.choice([*possible, *sorted(execution._workflow.sending)])
        if isinstance(token, int):
            return "finish", (token, {}), {}
        values = {
            "n": Decimal(self.chance.randrange(5)),
            "yes": self.chance.random() < 0.7,
            self.chance.choice("abc"): Decimal(self.chance.randrange(3)),
        }
        return self._command(token, values)

    def _command(self, token: Any, values: dict[str, Any]) -> Any:
        if token.state == 128:
            return "retry", (token.id,), {"values": {"nobody": "x" if self.chance.random() < 0.5 else "y"}}
        if token.awaits == "person":
            return "complete", (token.id, values), {}
        if token.awaits == "timer":
            self.now = max(self.now, token.due_at)
            return "fire", (token.id,), {}
        if token.awaits == "job" and self.chance.random() < 0.3:
            return "fail", (token.id, self.chance.choice(("E1", "E2")), "it broke"), {}
        if token.awaits == "job":
            return "finish", (token.id, values), {}
        if token.awaits == "signal":
            return "hear", (token.message, values), {}
        return "receive", (token.message, values), {"correlation": token.correlation}

    def do(self, execution: Execution, command: Any) -> list[Any]:
        name, arguments, keywords = command
        getattr(execution, name)(*arguments, **keywords, now=self.now)
        return execution.drain()
