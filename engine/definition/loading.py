"""The pinned files of a process and all it calls, read as far as they can be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lxml import etree

from engine.decisions.model import Model
from engine.decisions.reader import parse_decisions
from engine.definition.reading import processes_in, read_drawing
from engine.definition.shapes import Drawing
from engine.errors import BadDefinition, Problem
from engine.xml import parse_xml


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Everything a case needs, pinned: BPMN by process id, DMN by decision id."""

    process_id: str
    bpmn: Mapping[str, bytes]
    dmn: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What could be read, and what could not."""

    roots: Mapping[str, etree._Element]
    drawings: Mapping[str, Drawing]
    decisions: Mapping[str, Model]
    problems: tuple[Problem, ...]
    processes: Mapping[str, tuple[str, ...]]


def load(sources: Sources) -> Loaded:
    """Read all files; what cannot be read becomes a problem."""
    problems: list[Problem] = []
    roots: dict[str, etree._Element] = {}
    drawings: dict[str, Drawing] = {}
    decisions: dict[str, Model] = {}
    processes: dict[str, tuple[str, ...]] = {}
    for process_id, data in sources.bpmn.items():
        try:
            root = parse_xml(data, what=f"{process_id}.bpmn")
        except BadDefinition as error:
            problems.extend(error.problems)
            continue
        processes[process_id] = processes_in(root)
        drawing = read_drawing(root, process_id)
        if drawing is not None:
            roots[process_id], drawings[process_id] = root, drawing
    for decision_id, data in sources.dmn.items():
        try:
            decisions[decision_id] = parse_decisions(data)
        except BadDefinition as error:
            problems.extend(error.problems)
    return Loaded(
        roots=roots,
        drawings=drawings,
        decisions=decisions,
        problems=tuple(problems),
        processes=processes,
    )
