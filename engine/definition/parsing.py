"""SpiffWorkflow's parser, taught our vocabulary: a checked drawing → task specifications."""

# mypy: disallow-subclassing-any=False

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lxml import etree
from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser
from SpiffWorkflow.bpmn.parser.ProcessParser import ProcessParser
from SpiffWorkflow.bpmn.parser.TaskParser import TaskParser
from SpiffWorkflow.bpmn.parser.util import full_tag
from SpiffWorkflow.specs.base import TaskSpec

from engine.definition.nodes import activities, events, gateways, tasks
from engine.definition.nodes.base import Exit, Node
from engine.definition.reading import callable_in
from engine.definition.shapes import AWAITED, CAUGHT, EMBEDDED, Drawing, Level, Shape
from engine.definition.vocabulary import GLOBAL_TASKS

Specs = Mapping[str, Any]


KINDS: dict[str, Any] = {
    "startEvent": events.StartEvent,
    "endEvent": events.EndEvent,
    "intermediateCatchEvent": events.CatchEvent,
    "intermediateThrowEvent": events.ThrowEvent,
    "boundaryEvent": events.BoundaryEvent,
    "task": tasks.PassingTask,
    "manualTask": tasks.PassingTask,
    "userTask": tasks.UserTask,
    "scriptTask": tasks.ScriptTask,
    "businessRuleTask": tasks.BusinessRuleTask,
    "serviceTask": tasks.JobTask,
    "sendTask": tasks.JobTask,
    "receiveTask": events.ReceiveTask,
    "subProcess": activities.SubProcess,
    "transaction": activities.SubProcess,
    "adHocSubProcess": activities.SubProcess,
    "complexGateway": gateways.ComplexGateway,
    "callActivity": activities.CallActivity,
    "exclusiveGateway": gateways.ExclusiveGateway,
    "parallelGateway": gateways.ParallelGateway,
    "inclusiveGateway": gateways.InclusiveGateway,
    "eventBasedGateway": gateways.EventBasedGateway,
}
KINDS |= {tag: KINDS[kind] for tag, kind in GLOBAL_TASKS.items()}


class ShapeParser(TaskParser):
    """One element of the drawing → one task specification, two if the activity has a loop.

    SpiffWorkflow's own parser walks from node to node and wraps activities with boundary events; here
    the level is connected afterwards, so that long drawings need no deep recursion.
    """

    def parse_node(self) -> Node:
        shape: Shape = self.process_parser.shapes[self.bpmn_id]
        if shape.kind in EMBEDDED:
            self.process_parser.parser.create_parser(self.node, lane=shape.lane)
        kind = self.kind_of(shape)
        if shape.loop is None:
            return self.make(kind, shape.id, shape)
        inner = self.make(kind, f"{shape.id} [instance]", shape)
        outer: Node = activities.Instances(self.spec, shape.id, shape=shape, inner=inner.name)
        return outer

    def make(self, kind: Any, name: str, shape: Shape) -> Node:
        """The specification of one shape."""
        more: dict[str, Any] = {}
        if kind is tasks.BusinessRuleTask:
            more["decisions"] = self.process_parser.parser.decisions
        if kind is activities.EventSubProcess:
            more["start"] = self.process_parser.parser.start_of(shape.id)
        node: Node = kind(self.spec, name, shape=shape, **more)
        return node

    def kind_of(self, shape: Shape) -> Any:
        """The class that runs this shape."""
        if shape.trigger.kind == "message" and shape.kind == "endEvent":
            return events.EndJob
        if shape.trigger.kind == "message" and shape.kind == "intermediateThrowEvent":
            return events.ThrowJob
        return activities.EventSubProcess if shape.by_event else self.spec_class


class LevelParser(ProcessParser):
    """All elements of one process or sub-process, in file order, then the flows between them."""

    def __init__(self, p: Any, node: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(p, node, *args, **kwargs)
        self.level: Level = p.levels[node.get("id")]
        self.shapes: dict[str, Shape] = {shape.id: shape for shape in self.level.shapes}

    def add_tasks(self) -> None:
        nodes = {node.get("id"): node for node in (self.node, *self.node) if isinstance(node.tag, str)}
        for shape in self.level.shapes:
            self.parse_node(nodes[shape.id])
        specs = self.spec.task_specs
        for flow in self.level.flows:
            source, target = specs[flow.source], specs[flow.target]
            source.exits += (Exit(flow.id, flow.target, flow.condition),)
            TaskSpec.connect(source, target)
        for shape in self.level.shapes:
            self.attach(shape, specs)
        self.describe(specs)

    def attach(self, shape: Shape, specs: Specs) -> None:
        """What an element has beside its flows: boundary events, link targets, what a join waits for."""
        node = specs[shape.id]
        if shape.attached_to is not None:
            host = specs[shape.attached_to]
            if shape.trigger.kind == "compensation":
                host.compensator = self.level.handler_of(shape.id)
            if shape.kinds() & CAUGHT:
                host.catchers += (shape.id,)
            if shape.kinds() & AWAITED:
                host.listeners += (shape.id,)
        if shape.kind == "intermediateThrowEvent" and shape.trigger.kind == "link":
            node.exits = (Exit("", self.link_target(shape)),)
        if isinstance(node, gateways.Join):
            node.entries = tuple(flow.id for flow in self.level.flows if flow.target == shape.id)
        if isinstance(node, gateways.InclusiveGateway | gateways.ComplexGateway):
            node.reaches = reaches(self.level, shape.id)

    def link_target(self, shape: Shape) -> str:
        """The catching link event of the same name."""
        for other in self.level.shapes:
            same = other.trigger.kind == "link" and other.trigger.name == shape.trigger.name
            if same and other.kind == "intermediateCatchEvent":
                return other.id
        raise KeyError(shape.trigger.name)

    def describe(self, specs: Specs) -> None:
        """Where the level begins, and which event sub-processes listen in it or undo it."""
        levels = [s.id for s in self.level.shapes if s.by_event]
        kinds = {name: specs[name].start.kinds() for name in levels}
        self.spec.firsts = tuple(shape.id for shape in self.level.firsts)
        self.spec.event_levels = tuple(name for name in levels if kinds[name] & AWAITED)
        undoers = [name for name in levels if "compensation" in kinds[name]]
        self.spec.undoer = undoers[0] if undoers else None
        self.spec.event_catchers = tuple(name for name in levels if kinds[name] & CAUGHT)


class DrawingParser(BpmnParser):
    """SpiffWorkflow's parser with our classes for every element."""

    PROCESS_PARSER_CLASS = LevelParser
    OVERRIDE_PARSER_CLASSES = {full_tag(tag): (ShapeParser, kind) for tag, kind in KINDS.items()}

    def __init__(self, drawings: Mapping[str, Drawing], decisions: Mapping[str, Any]) -> None:
        super().__init__()
        self.decisions = decisions
        self.levels = {level.id: level for drawing in drawings.values() for level in drawing.levels}

    def start_of(self, level_id: str) -> Shape:
        """The start event of an event sub-process."""
        return next(shape for shape in self.levels[level_id].shapes if shape.kind == "startEvent")

    def add_process(self, root: etree._Element, process_id: str) -> None:
        """One process or global task of a parsed file; what else is in the file is not looked at."""
        self._add_diagram_indexes(root)
        for element in callable_in(root):
            if element.get("id") == process_id:
                self.create_parser(element)


def parse_specs(
    roots: Mapping[str, etree._Element], drawings: Mapping[str, Drawing], decisions: Mapping[str, Any]
) -> dict[str, Any]:
    """The task specifications of every level of every process, by level id."""
    parser = DrawingParser(drawings, decisions)
    for process_id, root in roots.items():
        parser.add_process(root, process_id)
    return {level: parser.get_spec(level) for level in parser.levels}


def reaches(level: Level, gateway: str) -> dict[str, frozenset[str]]:
    """For every element of the level: which incoming flows of `gateway` a token there can still take
    without passing the gateway."""
    entries: dict[str, set[str]] = {}
    before: dict[str, list[str]] = {}
    for flow in level.flows:
        if flow.target == gateway:
            entries.setdefault(flow.source, set()).add(flow.id)
        else:
            before.setdefault(flow.target, []).append(flow.source)
    for source, target in _jumps(level):
        before.setdefault(target, []).append(source)
    found: dict[str, set[str]] = {}
    for source, flows in entries.items():
        for node in _upstream(source, before, gateway):
            found.setdefault(node, set()).update(flows)
    return {node: frozenset(flows) for node, flows in found.items()}


def _jumps(level: Level) -> list[tuple[str, str]]:
    """Ways of a token without a sequence flow: to a boundary event and to a link."""
    jumps = [(shape.attached_to, shape.id) for shape in level.shapes if shape.attached_to]
    throws = [s for s in level.shapes if s.trigger.kind == "link" and s.kind == "intermediateThrowEvent"]
    catches = [s for s in level.shapes if s.trigger.kind == "link" and s.kind == "intermediateCatchEvent"]
    return jumps + [(t.id, c.id) for t in throws for c in catches if t.trigger.name == c.trigger.name]


def _upstream(start: str, before: Mapping[str, list[str]], gateway: str) -> set[str]:
    seen, todo = {start}, [start]
    while todo:
        for node in before.get(todo.pop(), ()):
            if node not in seen and node != gateway:
                seen.add(node)
                todo.append(node)
    return seen
