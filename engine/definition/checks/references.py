"""Rules of references: what a file's elements point at must exist and be of the right kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lxml import etree

from engine.definition.checks.finding import error
from engine.definition.shapes import ACTIVITIES, EVENTS, GATEWAYS
from engine.definition.vocabulary import BPMN, TRIGGERS, local_name
from engine.errors import Problem

FLOW_NODES = ACTIVITIES | EVENTS | GATEWAYS | {"adHocSubProcess", "choreographyTask", "subChoreography"}
ARTIFACTS = frozenset({"textAnnotation", "group", "association"})
EVENT_DEFINITIONS = frozenset(TRIGGERS)
ITEM = frozenset({"itemDefinition"})
KINDS: Mapping[str, frozenset[str]] = {
    "attachedToRef": ACTIVITIES,
    "categoryValueRef": frozenset({"categoryValue"}),
    "correlationPropertyRef": frozenset({"correlationProperty"}),
    "dataInputRefs": frozenset({"dataInput"}),
    "dataObjectRef": frozenset({"dataObject"}),
    "dataOutputRefs": frozenset({"dataOutput"}),
    "dataStoreRef": frozenset({"dataStore"}),
    "default": frozenset({"sequenceFlow"}),
    "definitionalCollaborationRef": frozenset({"collaboration", "choreography", "globalConversation"}),
    "errorRef": frozenset({"error"}),
    "escalationRef": frozenset({"escalation"}),
    "eventDefinitionRef": EVENT_DEFINITIONS,
    "flowNodeRef": FLOW_NODES,
    "inMessageRef": frozenset({"message"}),
    "incoming": frozenset({"sequenceFlow"}),
    "inputSetRefs": frozenset({"inputSet"}),
    "interfaceRef": frozenset({"interface"}),
    "itemRef": ITEM,
    "itemSubjectRef": ITEM,
    "messageRef": frozenset({"message"}),
    "noneBehaviorEventRef": EVENT_DEFINITIONS,
    "oneBehaviorEventRef": EVENT_DEFINITIONS,
    "operationRef": frozenset({"operation"}),
    "optionalInputRefs": frozenset({"dataInput"}),
    "optionalOutputRefs": frozenset({"dataOutput"}),
    "outMessageRef": frozenset({"message"}),
    "outgoing": frozenset({"sequenceFlow"}),
    "outputSetRefs": frozenset({"outputSet"}),
    "partnerEntityRef": frozenset({"partnerEntity"}),
    "partnerRoleRef": frozenset({"partnerRole"}),
    "processRef": frozenset({"process"}),
    "signalRef": frozenset({"signal"}),
    "supportedInterfaceRef": frozenset({"interface"}),
    "whileExecutingInputRefs": frozenset({"dataInput"}),
    "whileExecutingOutputRefs": frozenset({"dataOutput"}),
}
SENDS = frozenset({"intermediateThrowEvent", "endEvent", "sendTask"})
RECEIVES = frozenset({"startEvent", "intermediateCatchEvent", "boundaryEvent", "receiveTask"})
INTERACTION = FLOW_NODES | {"participant", "conversation", "subConversation", "callConversation"}


class Names:
    """The elements of a file by id; a prefix in front of a name is not looked at."""

    def __init__(self, root: etree._Element) -> None:
        self.root = root
        self.by_id = {
            element.get("id") or "": element for element in bpmn_elements(root) if element.get("id")
        }

    def find(self, name: str | None) -> etree._Element | None:
        """The element a name points at."""
        text = (name or "").strip()
        found = self.by_id.get(text)
        return found if found is not None else self.by_id.get(text.rpartition(":")[2])

    def kind(self, name: str | None) -> str:
        """The kind of that element; empty if there is none."""
        found = self.find(name)
        return "" if found is None else local_name(found)


def bpmn_elements(root: etree._Element) -> Iterator[etree._Element]:
    """Every BPMN element of a file, in file order."""
    return (e for e in root.iter() if isinstance(e.tag, str) and e.tag.startswith(BPMN))


def owner_of(element: etree._Element) -> str:
    """The id of the element itself or of the nearest one around it."""
    around: etree._Element | None = element
    while around is not None:
        if around.get("id"):
            return around.get("id") or ""
        around = around.getparent()
    return ""


def check_references(names: Names) -> Iterator[Problem]:
    """Every reference of a file."""
    for element in bpmn_elements(names.root):
        tag = local_name(element)
        if tag in KINDS and len(element) == 0:
            yield from _points(names, element, tag, (element.text or "").strip(), KINDS[tag])
        for attribute, kinds in KINDS.items():
            target = element.get(attribute)
            if target is not None:
                yield from _points(names, element, attribute, target, kinds)
        if tag == "messageFlow":
            yield from _message_flow(names, element)


def _points(
    names: Names, element: etree._Element, what: str, target: str, kinds: frozenset[str]
) -> Iterator[Problem]:
    if not target or (what == "operationRef" and not names.kind(target)):
        return
    found = names.kind(target)
    if found not in kinds:
        wanted = " or ".join(sorted(kinds)[:3])
        yield error(
            owner_of(element),
            "reference.kind",
            f"{what} must name a {wanted}, found {target} ({found or 'nothing'})",
            f"{what} 指向的 {target} 类型不符（{found or '不存在'}）",
        )


def _message_flow(names: Names, flow: etree._Element) -> Iterator[Problem]:
    own = flow.get("id") or ""
    ends = [flow.get("sourceRef"), flow.get("targetRef")]
    for end in ends:
        if names.kind(end) not in INTERACTION:
            yield error(
                own,
                "message_flow.end",
                f"message flow {own} touches {end}, which is no pool and no node",
                f"消息流 {own} 连接的 {end} 既非泳池也非节点",
            )
    for end, wrong, what, what_zh in (
        (ends[0], RECEIVES, "leaves", "发出"),
        (ends[1], SENDS, "enters", "进入"),
    ):
        if names.kind(end) in wrong:
            yield error(
                own,
                "message_flow.direction",
                f"message flow {own} {what} {end}, a {names.kind(end)}",
                f"消息流 {own} 不能{what_zh} {names.kind(end)} {end}",
            )
    pools = [_pool(names, end) for end in ends]
    if pools[0] == pools[1]:
        yield error(
            own,
            "message_flow.pools",
            f"message flow {own} must connect two different pools",
            f"消息流 {own} 必须连接两个不同的泳池",
        )
    source = names.find(ends[0])
    if source is not None and local_name(source) == "endEvent":
        inside = {local_name(child) for child in source}
        referred = {names.kind(child.text) for child in source if local_name(child) == "eventDefinitionRef"}
        if "messageEventDefinition" not in inside | referred:
            yield error(
                own,
                "message_flow.trigger",
                f"message flow {own} leaves end event {ends[0]}, which has no message trigger",
                f"消息流 {own} 的起点 {ends[0]} 没有消息触发器",
            )


def _pool(names: Names, end: str | None) -> str:
    """The process that a pool or a node belongs to; a pool without a process stands for itself."""
    element = names.find(end)
    if element is None:
        return ""
    if local_name(element) == "participant":
        return element.get("processRef") or element.get("id") or ""
    for around in element.iterancestors(f"{BPMN}process"):
        return around.get("id") or ""
    return element.get("id") or ""
