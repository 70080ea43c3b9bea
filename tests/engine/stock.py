"""The same file run by SpiffWorkflow as it comes, to compare with; and random drawings both can read."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree
from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.specs.event_definitions import timer as timer_module
from SpiffWorkflow.util.task import TaskState

from bench.stock import HandClock
from engine.execution.execution import Execution
from engine.values import to_plain
from tests.engine.drawing import FORMAL, NOW, Drawing, WeekDays, extension, process, timer


class Stock:
    """SpiffWorkflow 3.2.0 without any of our classes."""

    def __init__(self, files: dict[str, bytes], own: str, values: dict[str, Any]) -> None:
        parser = BpmnParser()
        for xml in files.values():
            parser.add_bpmn_xml(etree.fromstring(xml))
        self.workflow = BpmnWorkflow(parser.get_spec(own), parser.get_subprocess_specs(own))
        self.workflow.task_tree.data.update(values)
        self.workflow.do_engine_steps()

    def ready(self) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {}
        for task in self.workflow.get_tasks(state=TaskState.READY, manual=True):
            inside = task.workflow.parent_task_id
            outer = "" if inside is None else self.workflow.get_task_from_id(inside).task_spec.name
            found.setdefault(f"{outer}/{task.task_spec.name}", []).append(task)
        return found

    def waiting(self) -> Counter[str]:
        return Counter({name: len(tasks) for name, tasks in self.ready().items()})

    def complete(self, element: str, values: dict[str, Any]) -> None:
        task = self.ready()[element][0]
        task.data.update(values)
        task.run()
        self.workflow.do_engine_steps()

    def pass_time(self, moment: datetime) -> None:
        HandClock.moment = moment.astimezone(UTC)
        self.workflow.refresh_timers()
        self.workflow.do_engine_steps()

    def seen_by(self, element: str) -> dict[str, Any]:
        return dict(self.ready()[element][0].data)

    def completed(self) -> Counter[str]:
        levels = [self.workflow, *self.workflow.subprocesses.values()]
        tasks = [task for level in levels for task in level.tasks.values()]
        done = [t for t in tasks if t.state == TaskState.COMPLETED and getattr(t.task_spec, "bpmn_id", None)]
        return Counter(task.task_spec.bpmn_id for task in done)

    @property
    def is_done(self) -> bool:
        return bool(self.workflow.is_completed())

    @property
    def data(self) -> dict[str, Any]:
        return dict(self.workflow.data)


class Ours:
    """The same, by our classes."""

    def __init__(self, drawing: Drawing, called: Drawing, values: dict[str, Any]) -> None:
        self.now = NOW
        self.passed: Counter[str] = Counter()
        self.execution = Execution.start(drawing.read(called), values, calendar=WeekDays(), now=NOW)
        self._count()

    def _count(self) -> None:
        self.passed.update(s.element for s in self.execution.drain() if type(s).__name__ == "Passed")

    def tokens(self, awaits: str) -> list[Any]:
        return [t for t in self.execution._workflow.numbers.values() if t.awaits == awaits]

    def waiting(self) -> Counter[str]:
        return Counter(place(token) for token in self.tokens("person"))

    def complete(self, element: str, values: dict[str, Any]) -> None:
        token = next(t for t in self.tokens("person") if place(t) == element)
        self.execution.complete(token.id, values, now=self.now)
        self._count()

    def pass_time(self, moment: datetime) -> None:
        self.now = moment
        while due := [t for t in self.tokens("timer") if t.due_at <= moment]:
            self.execution.fire(due[0].id, now=moment)
            self._count()

    def seen_by(self, element: str) -> dict[str, Any]:
        token = next(t for t in self.tokens("person") if place(t) == element)
        return {k: to_plain(v) for k, v in token.data.items()}

    @property
    def is_done(self) -> bool:
        return self.execution.status == "completed"

    @property
    def data(self) -> dict[str, Any]:
        return {k: to_plain(v) for k, v in self.execution.variables.items()}


def place(token: Any) -> str:
    """Where a token stands, with the activity around it: two calls of one process are two places."""
    level = token.workflow
    outer = "" if level.depth_here == 0 else level.parent_token.element
    return f"{outer}/{token.element}"


class Blocks:
    """A random drawing of nested blocks in the words that both engines read.

    Left out is where SpiffWorkflow itself is wrong: a branch that wrote nothing undoes the other's new value
    at a join, so branches write new names or the same value; sub-processes interrupted while they work.
    """

    simple: tuple[str, ...] = ("user", "user", "script")
    nested: tuple[str, ...] = ("sequence", "choice", "level", "timed", "call")
    alone: tuple[str, ...] = ("fork", "fork", "loop")  # not inside a loop

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.count = 0
        self.called = (
            process("called").start("c_start").user("c_ask").add("scriptTask", "c_x", script("y", "true_"))
        )
        self.called.end("c_end")
        self.drawing = self.outline(process("main").start()).end()

    def outline(self, drawing: Drawing) -> Drawing:
        """What stands between start and end."""
        return self.block(drawing, 3, in_loop=False)

    def name(self, kind: str) -> str:
        self.count += 1
        return f"{kind}{self.count}"

    def block(self, drawing: Drawing, depth: int, *, in_loop: bool) -> Drawing:
        kinds = self.simple + self.nested * (depth > 0) + self.alone * (depth > 0 and not in_loop)
        kind = self.chance.choice(kinds)
        result: Drawing = getattr(self, f"add_{kind}")(drawing, depth - 1, in_loop)
        return result

    def add_user(self, drawing: Drawing, depth: int, in_loop: bool) -> Drawing:
        return drawing.user(self.name("u"))

    def add_script(self, drawing: Drawing, depth: int, in_loop: bool) -> Drawing:
        own = self.name("s")
        return drawing.add("scriptTask", own, script(f"v_{own}", "x + 1"))

    def add_sequence(self, drawing: Drawing, depth: int, in_loop: bool) -> Drawing:
        return self.block(self.block(drawing, depth, in_loop=in_loop), depth, in_loop=in_loop)

    def add_choice(self, drawing: Drawing, depth: int, in_loop: bool) -> Drawing:
        split, join = self.name("x"), self.name("m")
        self.block(drawing.gateway("exclusive", split, default=""), depth, in_loop=in_loop)
        first = drawing.flows.index(next(f for f in drawing.flows if f'sourceRef="{split}"' in f))
        drawing.flows[first] = with_condition(drawing.flows[first], "x > 1")
        drawing.gateway("exclusive", join).at(split, "x < 2")
        return self.block(drawing, depth, in_loop=in_loop).to(join).at(join)

    def add_fork(self, drawing: Drawing, depth: int, in_loop: bool) -> Drawing:
        split, join = self.name("f"), self.name("j")
        self.block(drawing.gateway("parallel", split), depth, in_loop=in_loop).gateway("parallel", join)
        return self.block(drawing.at(split), depth, in_loop=in_loop).to(join).at(join)

    def add_loop(self, drawing: Drawing, depth: int, in_loop: bool) -> Drawing:
        top, ask, again = self.name("t"), self.name("u"), self.name("x")
        self.block(drawing.gateway("exclusive", top), depth, in_loop=True).user(ask)
        drawing.gateway("exclusive", again).at(again, "x > 1").to(top)
        return drawing.at(again, "x < 2").add("scriptTask", self.name("s"), script("z", "x"))

    def add_level(self, drawing: Drawing, depth: int, in_loop: bool) -> Drawing:
        own = self.name("l")
        inner = self.block(process(own).start(f"{own}_start"), depth, in_loop=in_loop).end(f"{own}_end")
        return drawing.sub(own, inner)

    def add_timed(self, drawing: Drawing, depth: int, in_loop: bool) -> Drawing:
        own, late, join = self.name("u"), self.name("b"), self.name("m")
        drawing.user(own).gateway("exclusive", join)
        drawing.boundary(late, own, timer('"P3D"')).add("scriptTask", self.name("s"), script("late", "true_"))
        return drawing.to(join).at(join)

    def add_call(self, drawing: Drawing, depth: int, in_loop: bool) -> Drawing:
        return drawing.add("callActivity", self.name("c"), calledElement="called")


def script(variable: str, expression: str) -> str:
    """One assignment, written for both engines."""
    ours = f'<zeebe:script expression="={expression}" resultVariable="{variable}"/>'
    return f"{extension(ours)}<bpmn:script>{variable} = {expression}</bpmn:script>"


def with_condition(flow: str, condition: str) -> str:
    """The same flow with a condition that both engines can read."""
    body = f"<bpmn:conditionExpression {FORMAL}>{escape(condition)}</bpmn:conditionExpression>"
    return flow.replace("></bpmn:sequenceFlow>", f">{body}</bpmn:sequenceFlow>")


def hand_clock(monkeypatch: Any) -> None:
    """Let SpiffWorkflow's timers ask our clock while a test runs."""
    HandClock.moment = NOW.astimezone(UTC)
    monkeypatch.setattr(timer_module, "datetime", HandClock)
