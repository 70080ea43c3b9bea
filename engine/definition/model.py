"""A definition: everything a case needs from its drawing, read once and shared by all its cases."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from engine.definition.beginnings import Beginning, beginnings, begins_plainly
from engine.definition.checks.sources import check_sources
from engine.definition.loading import Loaded, Sources, load
from engine.definition.parsing import parse_specs
from engine.definition.shapes import Drawing, Flow, Outcome, Shape, TaskRules
from engine.errors import BadDefinition, Problem, WrongState

__all__ = [
    "Definition",
    "Element",
    "Outcome",
    "Sources",
    "TaskRules",
    "check_definition",
    "deployed_definition",
    "read_definition",
]


@dataclass(frozen=True, kw_only=True)
class Element:
    """One drawn element, a sequence flow included, as the rooms above see it.

    `process_id` is the process whose package it stands in: that of the file, for a global task.
    """

    id: str
    process_id: str
    kind: str
    name: str = ""
    name_en: str = ""
    documentation: str = ""
    lane: str | None = None
    step: str | None = None
    clause: str | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    attached_to: str | None = None
    incoming: tuple[str, ...] = ()
    outgoing: tuple[str, ...] = ()
    task: TaskRules | None = None


class Definition:
    """A process with everything it calls. Nothing in it changes while cases run, so threads may share it.

    `elements` holds the elements of the whole closure by id, `specs` SpiffWorkflow's specifications by
    level, `digest` is the SHA-256 of all sources.
    """

    def __init__(self, sources: Sources, loaded: Loaded) -> None:
        self.sources = sources
        self.process_id = sources.process_id
        self.digest = digest_of(sources)
        self.drawings: Mapping[str, Drawing] = loaded.drawings
        self.specs: Mapping[str, Any] = parse_specs(loaded.roots, loaded.drawings, loaded.decisions)

    @cached_property
    def elements(self) -> Mapping[str, Element]:
        """Every element of every process of the closure by its id."""
        return {
            element.id: element for drawing in self.drawings.values() for element in _elements_of(drawing)
        }

    @cached_property
    def beginnings(self) -> Mapping[str, Beginning]:
        """Every element of the process where something that happens begins a case."""
        return {one.element: one for one in beginnings(self.drawing)}

    def beginning(self, element: str | None) -> Beginning | None:
        """How a case begins at `element`; None: at the start event without a trigger.

        Raises WrongState if it cannot.
        """
        if element is not None and element in self.beginnings:
            return self.beginnings[element]
        if element is not None:
            raise WrongState(f"no case of {self.process_id} begins at {element}", code="NO_BEGINNING")
        if not begins_plainly(self.drawing):
            awaited = sorted({t.name for one in self.beginnings.values() for t in one.triggers if t.name})
            raise WrongState(
                f"a case of {self.process_id} begins only by {', '.join(awaited) or 'an event'}",
                code="NO_PLAIN_START",
                awaited=awaited,
            )
        return None

    @property
    def drawing(self) -> Drawing:
        """The drawing of the process itself, without those it calls."""
        return self.drawings[self.process_id]


def read_definition(sources: Sources) -> Definition:
    """The definition of `sources`. Raises BadDefinition with every error that the check finds."""
    loaded = load(sources)
    errors = tuple(p for p in check_sources(sources, loaded) if p.severity == "error")
    if errors:
        raise BadDefinition(errors)
    return Definition(sources, loaded)


def deployed_definition(sources: Sources) -> Definition:
    """The definition of `sources` that were checked when they were deployed.

    Rules that have come since do not count: a case goes on with what it was started with. Raises
    BadDefinition for what cannot be read.
    """
    loaded = load(sources)
    if loaded.problems:
        raise BadDefinition(loaded.problems)
    return Definition(sources, loaded)


def check_definition(sources: Sources) -> tuple[Problem, ...]:
    """Everything that is wrong or doubtful with `sources`; never raises for a bad model."""
    return check_sources(sources, load(sources))


def digest_of(sources: Sources) -> str:
    """SHA-256 over the process id and all files, whatever their order."""
    digest = hashlib.sha256(sources.process_id.encode())
    for kind, files in (("bpmn", sources.bpmn), ("dmn", sources.dmn)):
        for name, data in sorted(files.items()):
            for part in (kind.encode(), name.encode(), data):
                digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def _elements_of(drawing: Drawing) -> list[Element]:
    shapes = [_element(shape, drawing) for shape in drawing.shapes]
    return shapes + [_flow_element(flow, drawing) for flow in drawing.flows]


def _element(shape: Shape, drawing: Drawing) -> Element:
    return Element(
        id=shape.id,
        process_id=drawing.file or drawing.process,
        kind=shape.kind,
        name=shape.name,
        documentation=shape.documentation,
        lane=shape.lane,
        attached_to=shape.attached_to,
        incoming=tuple(flow.id for flow in drawing.flows if flow.target == shape.id),
        outgoing=tuple(flow.id for flow in drawing.flows if flow.source == shape.id),
        task=shape.task,
        **_told(shape.properties),
    )


def _flow_element(flow: Flow, drawing: Drawing) -> Element:
    return Element(
        id=flow.id,
        process_id=drawing.file or drawing.process,
        kind="sequenceFlow",
        name=flow.name,
        incoming=(flow.source,),
        outgoing=(flow.target,),
        **_told(flow.properties),
    )


def _told(properties: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name_en": properties.get("name:en", ""),
        "step": properties.get("step"),
        "clause": properties.get("clause"),
        "properties": properties,
    }
