"""XML of a process file → the facts of its drawing, tolerant: what is wrong is left for the checks."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from lxml import etree

from engine.definition.formulas import Formula, feel
from engine.definition.shapes import (
    ACTIVITIES,
    EMBEDDED,
    EVENTS,
    GATEWAYS,
    Drawing,
    Flow,
    Level,
    Shape,
)
from engine.definition.vocabulary import (
    BPMN,
    GLOBAL_TASKS,
    children,
    is_true,
    local_name,
    properties_of,
    read_ad_hoc,
    read_assignment,
    read_call,
    read_loops,
    read_mappings,
    read_task,
    read_triggers,
    read_work,
    text_of,
)

KINDS = ACTIVITIES | GATEWAYS | EVENTS
CALLABLE = GLOBAL_TASKS.keys() | {"process"}


def read_drawing(root: etree._Element, process_id: str) -> Drawing | None:
    """The drawing of process or global task `process_id` in a parsed file; None if it is not there."""
    for element in callable_in(root):
        if element.get("id") == process_id:
            return _Reader(root, element).drawing()
    return None


def processes_in(root: etree._Element) -> tuple[str, ...]:
    """The ids of all processes and global tasks of a parsed file, in file order."""
    return tuple(element.get("id") or "" for element in callable_in(root))


def callable_in(root: etree._Element) -> Iterator[etree._Element]:
    """The processes and the global tasks of a parsed file, in file order."""
    return (e for e in root if isinstance(e.tag, str) and local_name(e) in CALLABLE and is_bpmn(e))


def is_bpmn(node: etree._Element) -> bool:
    """Whether this is an element of BPMN itself."""
    return isinstance(node.tag, str) and node.tag.startswith(BPMN)


class _Reader:
    """Walks one process element from the outside in."""

    def __init__(self, root: etree._Element, process: etree._Element) -> None:
        self.root = root
        self.process = process
        self.process_id = process.get("id") or ""
        self.definitions = {e.get("id") or "": e for e in root if e.get("id")}
        self.order = count()
        self.lanes = _lanes(process)

    def drawing(self) -> Drawing:
        alone = local_name(self.process) in GLOBAL_TASKS
        levels = (self.task_alone(),) if alone else tuple(self.levels(self.process, None))
        return Drawing(
            process=self.process_id,
            name=self.process.get("name") or "",
            executable=is_true(self.process, "isExecutable", "true"),
            documentation=text_of(self.process, "documentation"),
            properties=properties_of(self.process),
            levels=levels,
            duplicates=_duplicates(self.root),
        )

    def task_alone(self) -> Level:
        """A global task is a process of one element, which bears its id."""
        own = self.process_id
        return Level(id=own, process=own, parent=None, shapes=(self.shape(self.process, own),), flows=())

    def levels(self, node: etree._Element, parent: str | None) -> Iterator[Level]:
        level_id = node.get("id") or ""
        nodes = [child for child in node if is_bpmn(child)]
        yield Level(
            id=level_id,
            process=self.process_id,
            parent=parent,
            shapes=tuple(self.shape(n, level_id) for n in nodes if local_name(n) in KINDS),
            flows=tuple(self.flow(n) for n in nodes if local_name(n) == "sequenceFlow"),
            associations=tuple(
                (n.get("id") or "", n.get("sourceRef") or "", n.get("targetRef") or "")
                for n in nodes
                if local_name(n) == "association"
            ),
        )
        for child in nodes:
            if local_name(child) in EMBEDDED:
                yield from self.levels(child, level_id)

    def shape(self, node: etree._Element, level: str) -> Shape:
        kind = GLOBAL_TASKS.get(local_name(node), local_name(node))
        task = read_task(node) if kind == "userTask" else None
        return Shape(
            id=node.get("id") or "",
            kind=kind,
            level=level,
            order=next(self.order),
            name=node.get("name") or "",
            documentation=text_of(node, "documentation"),
            lane=self.lanes.get(node.get("id") or "") or self.lanes.get(level),
            properties=properties_of(node),
            attached_to=node.get("attachedToRef"),
            interrupting=_interrupting(node),
            by_event=is_true(node, "triggeredByEvent"),
            parallel=is_true(node, "parallelMultiple"),
            default=node.get("default"),
            triggers=read_triggers(node, self.definitions),
            task=task,
            assignment=read_assignment(node),
            work=read_work(node),
            call=read_call(node) if kind == "callActivity" else None,
            inputs=read_mappings(node, "input"),
            outputs=read_mappings(node, "output"),
            loops=read_loops(node, self.definitions),
            ad_hoc=read_ad_hoc(node) if kind == "adHocSubProcess" else None,
            activation=_formula(node, "activationCondition"),
            start_quantity=_quantity(node, "startQuantity"),
            completion_quantity=_quantity(node, "completionQuantity"),
            for_compensation=is_true(node, "isForCompensation"),
            attributes={str(key): str(value) for key, value in node.attrib.items()},
        )

    def flow(self, node: etree._Element) -> Flow:
        return Flow(
            id=node.get("id") or "",
            source=node.get("sourceRef") or "",
            target=node.get("targetRef") or "",
            order=next(self.order),
            name=node.get("name") or "",
            condition=_condition(node),
            properties=properties_of(node),
        )


def _quantity(node: etree._Element, name: str) -> int:
    text = node.get(name, "1")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _condition(node: etree._Element) -> Formula | None:
    return _formula(node, "conditionExpression")


def _formula(node: etree._Element, name: str) -> Formula | None:
    for child in children(node, name):
        text = (child.text or "").strip()
        return feel(text) if text else Formula(text="", error="the condition is empty")
    return None


def _interrupting(node: etree._Element) -> bool:
    return is_true(node, "cancelActivity" if "cancelActivity" in node.attrib else "isInterrupting", "true")


def _lanes(process: etree._Element) -> dict[str, str]:
    """Element id → name of its innermost lane."""
    lanes: dict[str, str] = {}
    for lane in process.iter(f"{BPMN}lane"):
        for ref in children(lane, "flowNodeRef"):
            lanes[(ref.text or "").strip()] = lane.get("name") or lane.get("id") or ""
    return lanes


def _duplicates(root: etree._Element) -> tuple[str, ...]:
    seen: set[str] = set()
    twice: dict[str, None] = {}
    for element in root.iter():
        own = element.get("id")
        if own is None or not isinstance(element.tag, str) or not element.tag.startswith(BPMN):
            continue
        if own in seen:
            twice[own] = None
        seen.add(own)
    return tuple(twice)
