"""A drawing told as text and as marks: where a case's tokens are, for the diagram and its outline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from web import words
from web.context import rooms
from workflows.reading.history import State
from workflows.reading.moments import Standing

KINDS = {
    "userTask": "人工任务",
    "serviceTask": "自动任务",
    "sendTask": "发送任务",
    "scriptTask": "计算",
    "businessRuleTask": "决策",
    "manualTask": "手工任务",
    "callActivity": "调用流程",
    "subProcess": "子流程",
    "adHocSubProcess": "即席子流程",
    "exclusiveGateway": "排他网关",
    "parallelGateway": "并行网关",
    "inclusiveGateway": "包容网关",
    "eventBasedGateway": "事件网关",
    "startEvent": "开始事件",
    "endEvent": "结束事件",
    "boundaryEvent": "边界事件",
    "intermediateCatchEvent": "等待事件",
    "intermediateThrowEvent": "抛出事件",
}


def marks(standing: Standing) -> dict[str, Any]:
    """What the diagram paints: element ids that are done, active, and the flows taken."""
    active = standing.active
    return {
        "done": [element for element in standing.done if element not in active],
        "active": list(active),
        "cancelled": [],
        "intervened": [element for element, _ in standing.incidents.values()],
        "flows": list(standing.flows),
        "counts": standing.done,
    }


def shown(row: Mapping[str, Any], state: State, *, process: str = "", focus: str = "") -> dict[str, Any]:
    """What the page of a drawing needs: which drawing, whose marks, and the outline."""
    return {
        "case_id": row["case_id"],
        "definition_id": row["pins"].get(process or row["process_id"], row["definition_id"]),
        "focus": focus,
        "outline": outline(row, state),
    }


def outline(row: Mapping[str, Any], state: State) -> list[dict[str, Any]]:
    """The processes of a case as a tree of their elements, each with its state in words."""
    definition = rooms().catalog.definition(row["pins"], row["process_id"])
    painted = marks(state.standing)
    found: dict[str, list[dict[str, Any]]] = {}
    for element in definition.elements.values():
        if element.kind in KINDS:
            found.setdefault(element.process_id, []).append(_node(element, painted))
    return [_process(key, row["pins"].get(key, ""), nodes, state) for key, nodes in found.items()]


def _node(element: Any, painted: Mapping[str, Any]) -> dict[str, Any]:
    state = "active" if element.id in painted["active"] else "done" if element.id in painted["done"] else ""
    return {
        "id": element.id,
        "name": words.pick(element.name, element.name_en),
        "kind": words.say(KINDS[element.kind]),
        "state": state,
        "count": painted["counts"].get(element.id, 0),
        "children": [],
    }


def _process(key: str, pin: str, nodes: list[dict[str, Any]], state: State) -> dict[str, Any]:
    version = rooms().catalog.package(pin) if pin else None
    name = words.pick(version.name, version.name_en) if version else key
    states = {node["state"] for node in nodes}
    whole = "active" if "active" in states else "done" if "done" in states else ""
    return {"id": key, "name": name, "kind": pin, "state": whole, "count": 0, "children": nodes}
