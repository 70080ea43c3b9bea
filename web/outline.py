"""What a page shows of a drawing: the outline to read and where its tokens are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from web.words import pick, say

KINDS = {
    "startEvent": "开始",
    "endEvent": "结束",
    "userTask": "人工办理",
    "manualTask": "线下办理",
    "serviceTask": "系统服务",
    "sendTask": "发送",
    "receiveTask": "等待消息",
    "scriptTask": "计算",
    "businessRuleTask": "决策",
    "callActivity": "调用流程",
    "subProcess": "子流程",
    "adHocSubProcess": "即席子流程",
    "exclusiveGateway": "选择",
    "parallelGateway": "并行",
    "inclusiveGateway": "多选",
    "eventBasedGateway": "等待事件",
    "boundaryEvent": "边界事件",
    "intermediateCatchEvent": "等待",
    "intermediateThrowEvent": "触发",
    "task": "任务",
}


def marks(standing: Any) -> dict[str, Any]:
    """Marks for the diagram viewer, of a `Standing` of the history."""
    return {
        "active": list(standing.active),
        "done": [element for element in standing.done if element not in standing.active],
        "cancelled": [],
        "intervened": [element for element, _ in standing.incidents.values()],
        "flows": list(standing.flows),
        "counts": {element: count for element, count in standing.done.items() if count > 1},
    }


def tree(definition: Any, standing: Any = None) -> list[dict[str, Any]]:
    """The drawing as a tree, each level in the order it is walked; called processes follow their caller.

    Of the called ones, with a `standing`, only those are shown that the case has reached.
    """
    drawings = definition.drawings
    reached = _reached(definition, standing)
    keys = [key for key in _in_call_order(definition) if key == definition.process_id or key in reached]
    return [_process(drawings[key], standing) for key in keys]


def name_of(definition: Any, element: str) -> str:
    """What people call an element, in the reader's language."""
    drawn = definition.elements.get(element)
    return (pick(drawn.name, drawn.name_en) or element) if drawn else element


def _reached(definition: Any, standing: Any) -> set[str]:
    if standing is None:
        return set(definition.drawings)
    touched = {*standing.done, *standing.active}
    return {
        key for key, drawing in definition.drawings.items() if any(s.id in touched for s in drawing.shapes)
    }


def _in_call_order(definition: Any) -> list[str]:
    found: dict[str, None] = {}
    waiting = [definition.process_id]
    while waiting:
        key = waiting.pop(0)
        if key in found or key not in definition.drawings:
            continue
        found[key] = None
        waiting += [shape.call.process for shape in definition.drawings[key].shapes if shape.call]
    return list(found)


def _process(drawing: Any, standing: Any) -> dict[str, Any]:
    levels = {level.id: level for level in drawing.levels}
    name = pick(drawing.name, drawing.properties.get("name:en")) or drawing.process
    return {
        "id": drawing.process,
        "name": name,
        "kind": say("流程"),
        "children": _level(drawing.levels[0], levels, standing),
    }


def _level(level: Any, levels: Mapping[str, Any], standing: Any) -> list[dict[str, Any]]:
    return [_node(shape, levels, standing) for shape in _walked(level)]


def _node(shape: Any, levels: Mapping[str, Any], standing: Any) -> dict[str, Any]:
    inner = levels.get(shape.id) if shape.level != shape.id else None  # a global task is its own level
    return {
        "id": shape.id,
        "name": pick(shape.name, shape.properties.get("name:en")) or shape.id,
        "kind": say(KINDS.get(shape.kind, shape.kind)),
        "state": _state_of(shape.id, standing),
        "count": standing.done.get(shape.id, 0) if standing else 0,
        "children": _level(inner, levels, standing) if inner else [],
    }


def _state_of(element: str, standing: Any) -> str:
    if standing is None:
        return ""
    if element in standing.active:
        return "active"
    return "done" if element in standing.done else ""


def _walked(level: Any) -> Iterable[Any]:
    """The shapes of a level as its flows go, from the starts; boundary events follow their host."""
    left = {shape.id: shape for shape in level.shapes}
    following: dict[str, list[str]] = {}
    for flow in level.flows:
        following.setdefault(flow.source, []).append(flow.target)
    attached: dict[str, list[str]] = {}
    for shape in level.shapes:
        if shape.attached_to:
            attached.setdefault(shape.attached_to, []).append(shape.id)
    starts = [s.id for s in level.shapes if s.kind == "startEvent"]
    waiting = starts + [s.id for s in level.shapes if s.id not in starts and not s.attached_to]
    while waiting and left:
        yield from _walk_from(waiting.pop(0), left, following, attached)
    yield from left.values()


def _walk_from(
    start: str, left: dict[str, Any], following: Mapping[str, list[str]], attached: Mapping[str, list[str]]
) -> Iterable[Any]:
    waiting = [start]
    while waiting:
        element = waiting.pop(0)
        if element in left:
            yield left.pop(element)
            waiting = [*attached.get(element, ()), *waiting, *following.get(element, ())]
