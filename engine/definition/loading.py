"""The pinned files of a process and all it calls, read as far as they can be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from lxml import etree

from engine.decisions.model import Model
from engine.decisions.reader import parse_decisions
from engine.definition.reading import processes_in, read_drawing
from engine.definition.shapes import Drawing
from engine.definition.spelling import spell
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
        spell(root)
        processes[process_id] = processes_in(root)
        for own in _needed(root, process_id, sources):
            drawing = read_drawing(root, own)
            if own in drawings:
                problems.append(_twice(own, drawings[own].file, process_id))
            elif drawing is not None:
                roots[own], drawings[own] = root, replace(drawing, file=process_id)
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


def _twice(own: str, one: str, other: str) -> Problem:
    return Problem(
        element=own,
        rule="id.unique",
        severity="error",
        message=f"{own} stands in the file of process {one} and in that of process {other}",
        message_zh=f"编号 {own} 同时出现在流程 {one} 和 {other} 的文件中",
    )


def _needed(root: etree._Element, process_id: str, sources: Sources) -> tuple[str, ...]:
    """The process itself, and those of the same file that it calls and that have no file of their own."""
    here = set(processes_in(root)) - sources.bpmn.keys()
    needed = [process_id]
    for own in needed:
        drawing = read_drawing(root, own)
        calls = [shape.call.process for shape in drawing.shapes if shape.call] if drawing else []
        needed += [own for own in dict.fromkeys(calls) if own in here and own not in needed]
    return tuple(needed)
