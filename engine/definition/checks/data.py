"""Rules of BPMN's own data elements: they are documentation here, but they must fit together."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from engine.definition.checks.finding import error
from engine.definition.checks.references import Names, bpmn_elements, owner_of
from engine.definition.vocabulary import children, local_name
from engine.errors import Problem

HOLDERS = frozenset({"dataInput", "dataOutput", "dataObject", "dataStore", "property"})
TRIGGER_REFS = {
    "messageEventDefinition": ("messageRef", "itemRef"),
    "signalEventDefinition": ("signalRef", "structureRef"),
    "errorEventDefinition": ("errorRef", "structureRef"),
    "escalationEventDefinition": ("escalationRef", "structureRef"),
}


def check_data(names: Names) -> Iterator[Problem]:
    """Every rule about data elements of the whole file."""
    for element in bpmn_elements(names.root):
        tag = local_name(element)
        if tag in HOLDERS:
            yield from _collection(names, element)
        if tag == "dataObjectReference":
            yield from _reference_name(names, element)
        if tag == "ioSpecification":
            yield from _sets(element)
            yield from _few(element)
            yield from _job_items(names, element)
        if tag == "callActivity":
            yield from _call(names, element)
        if tag == "process":
            yield from _callee(element)
        if tag == "multiInstanceLoopCharacteristics":
            yield from _loop(names, element)
        if tag in ("dataInputAssociation", "dataOutputAssociation"):
            yield from _association(names, element)
        if tag.endswith("Event"):
            yield from _event(names, element)


def _wrong(element: etree._Element, rule: str, message: str, message_zh: str) -> Problem:
    return error(owner_of(element), rule, message, message_zh)


def item_of(names: Names, element: etree._Element | None) -> etree._Element | None:
    """The item definition of a data element, through a data object reference if need be."""
    if element is None:
        return None
    if local_name(element) == "dataObjectReference":
        element = names.find(element.get("dataObjectRef"))
    return None if element is None else names.find(element.get("itemSubjectRef"))


def structure_of(item: etree._Element | None) -> str | None:
    """What an item is made of."""
    return None if item is None else item.get("structureRef")


def _differ(one: etree._Element | None, other: etree._Element | None) -> bool:
    return (
        one is not None
        and other is not None
        and one is not other
        and structure_of(one) != structure_of(other)
    )


def _collection(names: Names, element: etree._Element) -> Iterator[Problem]:
    item = names.find(element.get("itemSubjectRef"))
    if item is not None and element.get("isCollection", "false") != item.get("isCollection", "false"):
        own = owner_of(element)
        yield _wrong(
            element,
            "data.collection",
            f"{own} is a collection exactly when its item definition is",
            f"{own} 与其数据项定义的集合属性不一致",
        )


def _reference_name(names: Names, element: etree._Element) -> Iterator[Problem]:
    target, written = names.find(element.get("dataObjectRef")), element.get("name")
    if target is None or not written or not target.get("name"):
        return
    state = next((child.get("name") for child in children(element, "dataState")), None)
    expected = f"{target.get('name')} [{state}]" if state else target.get("name")
    if written != expected:
        yield _wrong(
            element,
            "data.reference_name",
            f"{owner_of(element)} must be called {expected!r}, found {written!r}",
            f"数据对象引用应命名为 {expected!r}，实际为 {written!r}",
        )


def _texts(element: etree._Element, tag: str) -> set[str]:
    return {(child.text or "").strip() for child in children(element, tag)}


def _sets(io: etree._Element) -> Iterator[Problem]:
    for kind, main in (("inputSet", "dataInputRefs"), ("outputSet", "dataOutputRefs")):
        side = kind.removesuffix("Set").capitalize()
        for one in children(io, kind):
            for extra in (f"optional{side}Refs", f"whileExecuting{side}Refs"):
                for name in sorted(_texts(one, extra) - _texts(one, main)):
                    yield error(
                        name,
                        "data.set_member",
                        f"{extra} names {name}, which is not in the same set",
                        f"{extra} 中的 {name} 不属于同一集合",
                    )
    yield from _mutual(io)


def _mutual(io: etree._Element) -> Iterator[Problem]:
    inward = {(s.get("id") or "", o) for s in children(io, "inputSet") for o in _texts(s, "outputSetRefs")}
    outward = {(i, s.get("id") or "") for s in children(io, "outputSet") for i in _texts(s, "inputSetRefs")}
    for pair in sorted(inward ^ outward):
        yield error(
            pair[0],
            "data.set_pair",
            f"input set {pair[0]} and output set {pair[1]} must name each other",
            f"输入集 {pair[0]} 与输出集 {pair[1]} 必须相互引用",
        )


def _few(io: etree._Element) -> Iterator[Problem]:
    holder = io.getparent()
    if holder is None:
        return
    limits = {"sendTask": ("inputSet", "dataInput"), "receiveTask": ("outputSet", "dataOutput")}
    for tag in limits.get(local_name(holder), ()):
        if sum(1 for _ in children(io, tag)) > 1:
            yield _wrong(
                io,
                "data.single",
                f"{local_name(holder)} {owner_of(holder)} has at most one {tag}",
                f"{owner_of(holder)} 最多只能有一个 {tag}",
            )


def _job_items(names: Names, io: etree._Element) -> Iterator[Problem]:
    """The data of service, send and receive tasks are the items of their messages."""
    task = io.getparent()
    if task is None:
        return
    operation = names.find(task.get("operationRef"))
    sent, received = _message(names, operation, "inMessageRef"), _message(names, operation, "outMessageRef")
    wanted = {"serviceTask": (sent, received), "sendTask": (sent, None), "receiveTask": (None, sent)}
    given, taken = wanted.get(local_name(task), (None, None))
    own = names.find(task.get("messageRef"))
    if own is not None:
        given, taken = (own, None) if local_name(task) == "sendTask" else (None, own)
    for tag, message in (("dataInput", given), ("dataOutput", taken)):
        item = None if message is None else names.find(message.get("itemRef"))
        for data in children(io, tag):
            if _differ(item_of(names, data), item):
                yield _wrong(
                    task,
                    "data.message_item",
                    f"{tag} of {owner_of(task)} must be the item of its message",
                    f"{owner_of(task)} 的 {tag} 与消息的数据项不一致",
                )


def _message(names: Names, operation: etree._Element | None, tag: str) -> etree._Element | None:
    if operation is None:
        return None
    return next((names.find(child.text) for child in children(operation, tag)), None)


def _call(names: Names, call: etree._Element) -> Iterator[Problem]:
    callee = names.find(call.get("calledElement"))
    if callee is None or next(children(callee, "ioSpecification"), None) is None:
        return
    for tag in ("dataInput", "dataOutput"):
        declared, passed = _items(names, callee, tag), _items(names, call, tag)
        if len(declared) != len(passed) or any(map(_differ, declared, passed)):
            yield _wrong(
                call,
                "call.data",
                f"call activity {owner_of(call)} must pass the {tag}s that its callee declares",
                f"调用活动 {owner_of(call)} 的 {tag} 与被调用流程的声明不一致",
            )


def _items(names: Names, holder: etree._Element, tag: str) -> list[etree._Element | None]:
    io = next(children(holder, "ioSpecification"), None)
    return [] if io is None else [item_of(names, data) for data in children(io, tag)]


def _callee(process: etree._Element) -> Iterator[Problem]:
    offers = next(children(process, "supportedInterfaceRef"), None) is not None
    declares = next(children(process, "ioSpecification"), None) is not None
    if offers and declares and next(children(process, "ioBinding"), None) is None:
        yield _wrong(
            process,
            "process.binding",
            f"process {owner_of(process)} offers an interface and must bind its data to the operations",
            f"流程 {owner_of(process)} 提供接口，必须声明数据绑定",
        )


def _loop(names: Names, loop: etree._Element) -> Iterator[Problem]:
    activity = loop.getparent()
    for tag, kind, one in (
        ("loopDataInputRef", "dataInput", "inputDataItem"),
        ("loopDataOutputRef", "dataOutput", "outputDataItem"),
    ):
        for reference in children(loop, tag):
            target = names.find(reference.text)
            around = [] if target is None else list(target.iterancestors())
            if names.kind(reference.text) != kind or activity not in around:
                yield _wrong(
                    loop,
                    "loop.data",
                    f"{tag} of {owner_of(loop)} must be one of its own {kind}s",
                    f"{owner_of(loop)} 的 {tag} 必须是其自身的 {kind}",
                )
                continue
            for item in children(loop, one):
                if _differ(item_of(names, item), item_of(names, target)):
                    yield _wrong(
                        loop,
                        "loop.item",
                        f"{one} of {owner_of(loop)} must be of its collection's type",
                        f"{owner_of(loop)} 的 {one} 与集合的类型不一致",
                    )


def _association(names: Names, association: etree._Element) -> Iterator[Problem]:
    source, target = (_end(names, association, tag) for tag in ("sourceRef", "targetRef"))
    transformed = next(children(association, "transformation"), None) is not None
    assigned = next(children(association, "assignment"), None) is not None
    if not transformed and not assigned and _differ(item_of(names, source), item_of(names, target)):
        yield _wrong(
            association,
            "data.types",
            f"both ends of {owner_of(association)} must have the same type",
            f"数据关联 {owner_of(association)} 两端类型不一致",
        )


def _end(names: Names, association: etree._Element, tag: str) -> etree._Element | None:
    return next((names.find(child.text) for child in children(association, tag)), None)


def _event(names: Names, event: etree._Element) -> Iterator[Problem]:
    definitions = [child for child in event if local_name(child) in TRIGGER_REFS]
    if len(definitions) > 1:
        yield from _several_items(names, event, definitions)
    if len(definitions) != 1:
        return
    item = _carried(names, definitions[0])
    for tag in ("dataInput", "dataOutput"):
        for data in children(event, tag):
            if _differ(item_of(names, data), item):
                yield _wrong(
                    event,
                    "data.event_item",
                    f"the data of event {owner_of(event)} must be the item of its trigger",
                    f"事件 {owner_of(event)} 的数据与触发器的数据项不一致",
                )


def _carried(names: Names, definition: etree._Element) -> etree._Element | None:
    """The item that comes with a message, a signal, an error or an escalation."""
    reference, item_name = TRIGGER_REFS[local_name(definition)]
    target = names.find(definition.get(reference))
    return None if target is None else names.find(target.get(item_name))


def _several_items(
    names: Names, event: etree._Element, definitions: list[etree._Element]
) -> Iterator[Problem]:
    """Where data of an event with several triggers are drawn, each trigger that carries some has its own."""
    data = [child for child in event if local_name(child) in ("dataInput", "dataOutput")]
    items = [item for one in definitions if (item := _carried(names, one)) is not None]
    fits = len(data) == len(items) and not any(map(_differ, (item_of(names, one) for one in data), items))
    if data and not fits:
        yield _wrong(
            event,
            "data.event_items",
            f"event {owner_of(event)} needs one data element for each trigger that carries data, in order",
            f"事件 {owner_of(event)} 的每个带数据的触发器须有一个对应的数据元素",
        )
