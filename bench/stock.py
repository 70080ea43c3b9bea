"""SpiffWorkflow as it comes, taught to read our shipped packages, to compare with and to measure against.

It keeps its own parser, task tree, predictions, joins, events and timers. An adapter gives it what it has
no words for: FEEL and decisions are asked of our rooms, a job waits like a person's task, the variables
that go into a call and come back are mapped, a list to be done item by item becomes a map.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from lxml import etree
from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine
from SpiffWorkflow.bpmn.script_engine.python_environment import BasePythonScriptEngineEnvironment
from SpiffWorkflow.bpmn.specs.defaults import EventBasedGateway
from SpiffWorkflow.bpmn.specs.event_definitions import ErrorEventDefinition
from SpiffWorkflow.bpmn.specs.event_definitions import timer as timer_module
from SpiffWorkflow.bpmn.specs.mixins.multiinstance_task import LoopTask
from SpiffWorkflow.bpmn.util import BpmnEvent
from SpiffWorkflow.spiff.parser import SpiffBpmnParser
from SpiffWorkflow.util.task import TaskState

from engine.definition.formulas import Formula, feel
from engine.definition.loading import load
from engine.definition.model import Definition
from engine.definition.nodes.base import put, stored
from engine.definition.shapes import Shape
from engine.definition.vocabulary import BPMN
from engine.execution.asking import Asker, WorkingDays

SPIFF = "{http://spiffworkflow.org/bpmn/schema/1.0/core}"
PEOPLE = frozenset({"userTask", "serviceTask", "sendTask"})
MACHINES = frozenset({"scriptTask", "businessRuleTask"})
MESSAGE = "MessageEventDefinition"
RESULT = "__result"
CALLERS = "__callers"
Path = tuple[tuple[str, Any], ...]


class HandClock(datetime):
    """Stands for `datetime` in SpiffWorkflow's timers."""

    moment = datetime(2026, 3, 2, 1, tzinfo=UTC)

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        return cls.moment


def hand_clock() -> None:
    """From now on SpiffWorkflow's timers ask our clock."""
    timer_module.datetime = HandClock


class Reading:
    """A package as SpiffWorkflow reads it once, to be shared by its cases."""

    def __init__(self, definition: Definition) -> None:
        sources = definition.sources
        self.shapes = {s.id: s for drawing in definition.drawings.values() for s in drawing.shapes}
        self.decisions = load(sources).decisions
        parser = SpiffBpmnParser()
        for name, data in sources.bpmn.items():
            parser.add_bpmn_xml(self.translated(etree.fromstring(data)), filename=name)
        self.spec = parser.get_spec(definition.process_id)
        self.specs = parser.get_subprocess_specs(definition.process_id)
        self.messages = {one.name: one for one in self._definitions() if type(one).__name__ == MESSAGE}

    def _definitions(self) -> Iterator[Any]:
        """Every event definition; an event-based gateway holds those of the events behind it."""
        for level in (self.spec, *self.specs.values()):
            for task in level.task_specs.values():
                definition = getattr(task, "event_definition", None)
                yield from getattr(definition, "event_definitions", (definition,))

    def translated(self, root: etree._Element) -> etree._Element:
        """The file in the words that SpiffWorkflow's parser knows."""
        for element in list(root.iter()):
            shape = self.shapes.get(element.get("id") or "")
            if shape is None or not isinstance(element.tag, str) or not element.tag.startswith(BPMN):
                continue
            if shape.kind in PEOPLE:
                element.tag = f"{BPMN}manualTask"
            elif shape.kind in MACHINES:
                element.tag = f"{BPMN}scriptTask"
                etree.SubElement(element, f"{BPMN}script").text = f"work {shape.id}"
            elif shape.kind == "callActivity":
                self._call(element, shape)
            if shape.loop is not None:
                _several(element, shape)
        return root

    def _call(self, element: etree._Element, shape: Shape) -> None:
        assert shape.call is not None
        element.set("calledElement", shape.call.process)
        holder = element.find(f"{BPMN}extensionElements")
        if holder is None:
            holder = etree.SubElement(element, f"{BPMN}extensionElements")
        etree.SubElement(holder, f"{SPIFF}preScript").text = f"call {shape.id}"
        etree.SubElement(holder, f"{SPIFF}postScript").text = f"come_back {shape.id}"


def _several(element: etree._Element, shape: Shape) -> None:
    """An activity for each item: a script before makes a map of the items, one after it collects."""
    loop = element.find(f"{BPMN}multiInstanceLoopCharacteristics")
    assert loop is not None
    loop.set(f"{SPIFF}scriptsOnInstances", "true")
    etree.SubElement(loop, f"{BPMN}loopDataInputRef").text = f"__items_{shape.id}"
    etree.SubElement(loop, f"{BPMN}loopDataOutputRef").text = f"__results_{shape.id}"
    drawn = shape.loops[0]
    etree.SubElement(loop, f"{BPMN}inputDataItem", id=f"{shape.id}_item", name=drawn.item or "")
    etree.SubElement(loop, f"{BPMN}outputDataItem", id=f"{shape.id}_out", name=RESULT)
    for child in loop:
        if child.get("name"):
            child.set("id", child.get("name") or "")
    _insert(element, shape.id, "items")
    _insert(element, shape.id, "collect")


def _insert(element: etree._Element, own: str, act: str) -> None:
    """A script task on the flows into the element (`items`) or out of it (`collect`)."""
    level, node = element.getparent(), f"{own}.{act}"
    assert level is not None
    task = etree.SubElement(level, f"{BPMN}scriptTask", id=node)
    etree.SubElement(task, f"{BPMN}script").text = f"{act} {own}"
    end, other = ("targetRef", "sourceRef") if act == "items" else ("sourceRef", "targetRef")
    for flow in level.findall(f"{BPMN}sequenceFlow"):
        if flow.get(end) == own:
            flow.set(end, node)
    more = {end: own, other: node}
    etree.SubElement(level, f"{BPMN}sequenceFlow", id=f"{node}.flow", **more)


class Answers(BasePythonScriptEngineEnvironment):
    """What SpiffWorkflow asks its script engine, answered by our FEEL and our decisions."""

    def __init__(self, reading: Reading, calendar: WorkingDays) -> None:
        super().__init__()
        self.reading = reading
        self.asker = Asker(calendar, HandClock.moment)

    def ask(self, formula: Formula, context: Mapping[str, Any]) -> Any:
        self.asker.at(HandClock.moment)
        return self.asker.ask(formula, context)

    def evaluate(self, expression: str, context: dict[str, Any], external_context: Any = None) -> Any:
        value = self.ask(formula(expression), context)
        return value.isoformat() if isinstance(value, datetime) else value

    def execute(self, script: str, context: dict[str, Any], external_context: Any = None) -> bool:
        act, own = script.split()
        getattr(self, act)(self.reading.shapes[own], context)
        return True

    # --- what the scripts of the translation do ---------------------------------------------------------

    def work(self, shape: Shape, data: dict[str, Any]) -> None:
        seen = {**data, **self.inputs(shape, data)}
        if shape.work.decision is None:
            assert shape.work.script is not None
            value = self.ask(shape.work.script, seen)
        else:
            self.asker.at(HandClock.moment)
            model, now = self.reading.decisions[shape.work.decision], self.asker.now
            value = model.evaluate(shape.work.decision, seen, functions=self.asker.functions, now=now).value
        self.keep(shape, data, {shape.work.result: value} if shape.work.result else {}, None)

    def call(self, shape: Shape, data: dict[str, Any]) -> None:
        own = self.inputs(shape, data)
        data[CALLERS] = [*data.get(CALLERS, []), [{k: v for k, v in data.items() if k != CALLERS}, own]]
        data.update(own)

    def come_back(self, shape: Shape, data: dict[str, Any]) -> None:
        *outer, (before, own) = data.pop(CALLERS)
        brought = {k: v for k, v in data.items() if not k.startswith("__")}
        data.clear()
        data.update(before)
        if outer:
            data[CALLERS] = outer
        if shape.outputs:
            self.keep(shape, data, brought, None, own)
        elif shape.call is None or shape.call.all_out:
            data.update({k: v for k, v in brought.items() if k not in own})
            self.result(shape, data)
        else:
            self.result(shape, data)

    def items(self, shape: Shape, data: dict[str, Any]) -> None:
        drawn = shape.loops[0].items
        assert drawn is not None
        data[f"__items_{shape.id}"] = dict(enumerate(self.ask(drawn, data)))
        data[f"__results_{shape.id}"] = {}

    def collect(self, shape: Shape, data: dict[str, Any]) -> None:
        results = data.pop(f"__results_{shape.id}")
        data.pop(f"__items_{shape.id}")
        if name := shape.loops[0].results:
            data[name] = [results[index] for index in sorted(results)]

    # --- variables --------------------------------------------------------------------------------------

    def inputs(self, shape: Shape, data: Mapping[str, Any]) -> dict[str, Any]:
        local: dict[str, Any] = {}
        for item in shape.inputs:
            local = put(local, item.target, stored(self.ask(item.source, {**data, **local})))
        return local

    def keep(
        self,
        shape: Shape,
        data: dict[str, Any],
        values: Mapping[str, Any],
        result: str | None,
        local: Mapping[str, Any] | None = None,
    ) -> None:
        """Take over what came: by the outputs if there are any, else under `result`, else one by one."""
        brought = {result: dict(values)} if result else dict(values)
        if shape.outputs:
            seen = {**data, **(local or {}), **values, **brought}
            brought = {}
            for item in shape.outputs:
                brought = put(brought, item.target, stored(self.ask(item.source, seen)), data)
                seen = {**seen, **brought}
        data.update(brought)
        self.result(shape, data)

    def result(self, shape: Shape, data: dict[str, Any]) -> None:
        """What an instance of several leaves behind."""
        if shape.loop is not None and shape.loop.result is not None:
            data[RESULT] = stored(self.ask(shape.loop.result, data))


@lru_cache(maxsize=4096)
def formula(text: str) -> Formula:
    """SpiffWorkflow hands over the text each time; our engine reads it once, so the adapter does too."""
    return feel(text)


class StockCase:
    """One case by SpiffWorkflow as it comes."""

    def __init__(
        self, reading: Reading, values: Mapping[str, Any], calendar: WorkingDays, now: datetime
    ) -> None:
        HandClock.moment = now
        self.reading = reading
        self.answers = Answers(reading, calendar)
        self.workflow = BpmnWorkflow(reading.spec, reading.specs, PythonScriptEngine(self.answers))
        self.workflow.task_tree.data.update(copy.deepcopy(dict(values)))
        self.workflow.do_engine_steps()

    def open(self) -> dict[Path, Any]:
        """Tasks and jobs that wait, the first of each place."""
        found: dict[Path, Any] = {}
        for task in self.workflow.get_tasks(state=TaskState.READY, manual=True):
            found.setdefault(self.place(task), task)
        return found

    def waiting(self) -> Counter[Path]:
        """How many tasks and jobs wait at each place."""
        ready = self.workflow.get_tasks(state=TaskState.READY, manual=True)
        return Counter(self.place(task) for task in ready)

    def place(self, task: Any) -> Path:
        """Where a task stands: elements and item numbers from the outside in."""
        here = (task.task_spec.bpmn_id, task.internal_data.get("key_or_index"))
        outer = task.workflow.parent_task_id
        return (*(() if outer is None else self.place(self.workflow.get_task_from_id(outer))), here)

    def listening(self) -> Counter[str]:
        """The events that something waits for. Errors come from within: ours keeps no token for one."""
        waiting = [t for t in self.workflow.event_manager.tasks.values() if t.state == TaskState.WAITING]
        specs = [t.task_spec for t in waiting]
        racing = [way for spec in specs if isinstance(spec, EventBasedGateway) for way in spec.outputs]
        alone = [spec for spec in specs if not isinstance(spec, EventBasedGateway)]
        alone = [
            s for s in alone if not isinstance(getattr(s, "event_definition", None), ErrorEventDefinition)
        ]
        return Counter(spec.bpmn_id for spec in [*alone, *racing])

    def complete(self, place: Path, values: Mapping[str, Any], now: datetime) -> None:
        """Somebody has done a task, or a worker a job."""
        HandClock.moment = now
        task = self.open()[place]
        shape = self.reading.shapes[place[-1][0]]
        result = shape.task.result if shape.task else shape.work.result
        local = self.answers.inputs(shape, task.data)
        self.answers.keep(shape, task.data, copy.deepcopy(dict(values)), result, local)
        task.run()
        self.workflow.do_engine_steps()

    def receive(self, message: str, element: str, values: Mapping[str, Any], now: datetime) -> None:
        """The message that `element` waits for has come."""
        HandClock.moment = now
        self.workflow.send_event(BpmnEvent(self.reading.messages[message], payload={}))

        def bring(task: Any) -> None:
            if task.task_spec.bpmn_id == element:
                self.answers.keep(self.reading.shapes[element], task.data, copy.deepcopy(dict(values)), None)

        self.workflow.do_engine_steps(will_complete_task=bring)

    def pass_time(self, now: datetime) -> None:
        """It is later."""
        HandClock.moment = now
        self.workflow.refresh_timers()
        self.workflow.do_engine_steps()

    def completed(self) -> Counter[str]:
        """How often each element was gone through."""
        levels = [self.workflow, *self.workflow.subprocesses.values()]
        tasks = [task for level in levels for task in level.tasks.values()]
        done = [t for t in tasks if t.state == TaskState.COMPLETED and not isinstance(t.task_spec, LoopTask)]
        names = [getattr(task.task_spec, "bpmn_id", None) for task in done]
        return Counter(name for name in names if name in self.reading.shapes)

    @property
    def is_done(self) -> bool:
        return bool(self.workflow.is_completed())

    def seen_at(self, place: Path) -> dict[str, Any]:
        """The variables as the task there sees them."""
        return shown(self.open()[place].data)

    @property
    def data(self) -> dict[str, Any]:
        return shown(self.workflow.last_task.data)


def shown(data: Mapping[str, Any]) -> dict[str, Any]:
    """Without what the adapter keeps there."""
    return {k: v for k, v in data.items() if not k.startswith("__") and k != "data_objects"}
