"""What is drawn in `bpmn/`: its packages, diagrams and examples, for the tests of this folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree

from engine.definition.model import Sources
from workflows.library.catalog import sources
from workflows.library.packages import Package, read_folder
from workflows.workshop.checking import read_closure

ROOT = Path(__file__).parents[2] / "bpmn"
BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
BPMNDI = "{http://www.omg.org/spec/BPMN/20100524/DI}"
DC = "{http://www.omg.org/spec/DD/20100524/DC}"
DMN = "{https://www.omg.org/spec/DMN/20191111/MODEL/}"
NODES = ("Event", "Task", "Gateway", "callActivity", "subProcess")
Box = tuple[float, float, float, float]


@cache
def packages() -> dict[str, Package]:
    """Process id → package, of every folder with a drawing."""
    return {path.parent.name: read_folder(path.parent) for path in sorted(ROOT.glob("*/process.bpmn"))}


@cache
def sources_of(process: str) -> Sources:
    """The process with everything it calls."""
    return sources(process, read_closure(ROOT / process))


def examples() -> dict[str, dict[str, Any]]:
    """`process/name` → example, of every package."""
    return {
        f"{path.parents[1].name}/{path.stem}": json.loads(path.read_bytes())
        for path in sorted(ROOT.glob("*/examples/*.json"))
    }


@cache
def diagram(process: str) -> etree._Element:
    """The drawing as XML."""
    return etree.fromstring(packages()[process].files["process.bpmn"])


def nodes(process: str) -> Iterator[etree._Element]:
    """Every event, activity and gateway."""
    for element in diagram(process).iter(f"{BPMN}*"):
        if etree.QName(element).localname.endswith(NODES):
            yield element


def tasks(process: str) -> Iterator[etree._Element]:
    """Every task of a person."""
    yield from diagram(process).iter(f"{BPMN}userTask")


def flows(process: str) -> list[str]:
    """The ids of all sequence flows."""
    return [str(flow.get("id")) for flow in diagram(process).iter(f"{BPMN}sequenceFlow")]


def rules() -> dict[str, list[str]]:
    """Decision id → ids of its rules, over all packages."""
    found = {}
    for package in packages().values():
        for decision, text in package.decisions.items():
            found[decision] = [str(rule.get("id")) for rule in etree.fromstring(text).iter(f"{DMN}rule")]
    return found


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A shape or a label on the page: of which element, where."""

    element: str
    box: Box


def shapes(process: str) -> list[Seen]:
    """The boxes of all shapes."""
    return [
        Seen(element=str(shape.get("bpmnElement")), box=_box(shape.find(f"{DC}Bounds")))
        for shape in diagram(process).iter(f"{BPMNDI}BPMNShape")
    ]


def labels(process: str) -> list[Seen]:
    """The boxes of all labels beside shapes and flows."""
    return [
        Seen(element=str(label.getparent().get("bpmnElement")), box=_box(label.find(f"{DC}Bounds")))
        for label in diagram(process).iter(f"{BPMNDI}BPMNLabel")
    ]


def overlap(one: Box, other: Box) -> bool:
    """Whether two boxes share more than an edge."""
    return (
        one[0] < other[0] + other[2] - 1
        and other[0] < one[0] + one[2] - 1
        and one[1] < other[1] + other[3] - 1
        and other[1] < one[1] + one[3] - 1
    )


def _box(bounds: etree._Element | None) -> Box:
    assert bounds is not None
    x, y, width, height = (float(bounds.get(name)) for name in ("x", "y", "width", "height"))
    return x, y, width, height
