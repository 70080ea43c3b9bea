"""Rules of data along the flow: nothing is read that nobody can have written before."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lark import Token, Tree

from engine.definition.checks.branches import ways_of
from engine.definition.checks.finding import error, warning
from engine.definition.checks.usage import Reading, Usage
from engine.definition.formulas import Formula
from engine.definition.shapes import EMBEDDED, THROWS, Level, Shape
from engine.errors import Problem

MOST_LEVELS = 200
"""Levels that are gone through, counted anew for each set of variables they begin with."""
MOST_VISITS = 20
"""How often the average element of a level is looked at before the search gives up."""


@dataclass(frozen=True)
class Known:
    """What can have been written when a token is here, and what certainly has; `is_open` if anything can."""

    may: frozenset[str] = frozenset()
    must: frozenset[str] = frozenset()
    is_open: bool = False

    def wrote(self, may: frozenset[str], must: frozenset[str], is_open: bool = False) -> Known:
        """The same after an element."""
        return Known(self.may | may, self.must | must, self.is_open or is_open)

    def or_else(self, other: Known) -> Known:
        """A token comes this way or that way."""
        return Known(self.may | other.may, self.must & other.must, self.is_open or other.is_open)

    def and_also(self, other: Known) -> Known:
        """Tokens of both ways are united."""
        return Known(self.may | other.may, self.must | other.must, self.is_open or other.is_open)


def check_unwritten(usage: Usage, process: str, given: frozenset[str] | None) -> Iterator[Problem]:
    """What a process and those it calls read although nothing before can have written it.

    `given` are the variables a case starts with. None if they are not known: then only what the process
    itself writes, but later, is told, as a warning.
    """
    entry = Known(given or frozenset(), given or frozenset(), is_open=given is None)
    search = _Search(usage)
    search.level(process, entry)
    if given is None:
        yield from search.late(process)
    else:
        yield from dict.fromkeys(search.problems)


@dataclass
class _Search:
    """Walks through the levels in the order in which they call each other."""

    usage: Usage
    problems: list[Problem] = field(default_factory=list)
    visited: set[tuple[str, Known]] = field(default_factory=set)
    arrived: dict[str, Known] = field(default_factory=dict)

    def level(self, own: str, entry: Known) -> None:
        """Go through a level, and through those inside and below it; each once for what it begins with."""
        level = self.usage.levels.get(own)
        if level is None or (own, entry) in self.visited or len(self.visited) > MOST_LEVELS:
            return
        self.visited.add((own, entry))
        before = self.settle(level, entry)
        for shape in level.shapes:
            if shape.id in before:
                self.arrived[shape.id] = before[shape.id]
                self.look(level, shape, before[shape.id])

    def settle(self, level: Level, entry: Known) -> dict[str, Known]:
        """What is known when a token comes to each element, once nothing changes any more; nothing if
        that takes too long."""
        nexts = ways_of(level)
        shapes = {shape.id: shape for shape in level.shapes}
        incoming: dict[str, dict[str, Known]] = {s.id: {} for s in level.shapes}
        firsts = {shape.id for shape in level.firsts}
        known = self.beside(level, None, entry) if level.id in self.usage.ad_hoc else entry
        for shape in level.shapes:
            if shape.by_event or shape.for_compensation:
                incoming[shape.id][""] = self.beside(level, shape, entry)
            elif shape.id in firsts or shape.kind == "startEvent" or shape.instantiates:
                incoming[shape.id][""] = known
        todo = {own: None for own in shapes if incoming[own]}
        for _ in range(MOST_VISITS * len(shapes)):
            if not todo:
                break
            own = next(iter(todo))
            del todo[own]
            here = _met(shapes[own], incoming[own])
            after = self.after(shapes[own], here)
            for target in nexts[own]:
                known = self.at_border(shapes[own], here) if shapes[target].attached_to == own else after
                if incoming[target].get(own) != known:
                    incoming[target][own] = known
                    todo[target] = None
        return {} if todo else {own: _met(shapes[own], known) for own, known in incoming.items() if known}

    def beside(self, level: Level, own: Shape | None, entry: Known) -> Known:
        """What is known at an element that can come after any other of its level."""
        every = [self.usage.writes(other) for other in level.shapes if other is not own]
        names = frozenset().union(*(writes.names for writes in every))
        return entry.wrote(names, frozenset(), any(writes.is_open for writes in every))

    def at_border(self, shape: Shape, here: Known) -> Known:
        """What is known at a boundary event: the activity may have written already, or not."""
        writes = self.usage.writes(shape)
        return here.wrote(writes.names, frozenset(), writes.is_open)

    def after(self, shape: Shape, here: Known) -> Known:
        """What is known when an element is done."""
        writes = self.usage.writes(shape)
        inner = shape.kind in EMBEDDED | THROWS | {"callActivity"}
        perhaps = inner and not shape.outputs and not (shape.loop and shape.loop.results)
        return here.wrote(writes.names, frozenset() if perhaps else writes.names, writes.is_open)

    # --- looking --------------------------------------------------------------------------------------

    def look(self, level: Level, shape: Shape, here: Known) -> None:
        """Look at everything that is read at an element, in it, and on the flows behind it."""
        for reading in self.usage.readings(shape):
            self.judge(shape.id, reading, here)
        after = self.after(shape, here)
        for flow in level.flows:
            if flow.source == shape.id and flow.condition is not None:
                self.judge(flow.id, Reading(flow.condition, is_strict=True), after)
        local = frozenset(item.target.partition(".")[0] for item in shape.inputs)
        if shape.loop is not None:
            local |= frozenset(filter(None, ("loopCounter", shape.loop.item, shape.loop.results)))
        if shape.kind in EMBEDDED:
            self.level(shape.id, here.wrote(local, local))
        elif shape.call is not None and shape.call.process in self.usage.drawings:
            outer = here if shape.call.all_in else Known()
            self.level(shape.call.process, outer.wrote(local, local))

    def judge(self, element: str, reading: Reading, here: Known) -> None:
        """Whether every name that is read can have been written."""
        if here.is_open or reading.formula.expression is None:
            return
        for name in sorted(reading.formula.expression.names - reading.local - here.must):
            if is_guarded(reading.formula, name):
                continue
            if name not in here.may and reading.is_shown:
                self.problems.append(_never_shown(element, name))
            elif name not in here.may:
                self.problems.append(_never(element, name))
            elif reading.is_strict and name in needed(reading.formula):
                self.problems.append(_perhaps(element, name))

    def late(self, process: str) -> Iterator[Problem]:
        """What is read before the process itself writes it, when it is not known what a case starts with."""
        for level in self.usage.drawings[process].levels:
            names = frozenset().union(*(self.usage.writes(shape).names for shape in level.shapes))
            for shape in level.shapes:
                here = self.arrived.get(shape.id)
                for reading in self.usage.readings(shape) if here else ():
                    read = reading.formula.expression.names if reading.formula.expression else frozenset()
                    for name in sorted((read & names) - reading.local - (here.may if here else frozenset())):
                        if not is_guarded(reading.formula, name):
                            yield _late(shape.id, name)


def is_guarded(formula: Formula, name: str) -> bool:
    """Whether the expression itself asks if the variable is null."""
    own = re.escape(name)
    return re.search(rf"\b{own}\s*!?=\s*null\b|\bnull\s*!?=\s*{own}\b", formula.text) is not None


def needed(formula: Formula) -> frozenset[str]:
    """The names whose being null makes the whole expression null: `=` and `!=` have an answer for null."""
    found: set[str] = set()
    if formula.expression is not None:
        _needed(formula.expression.tree, found)
    return frozenset(found)


def _needed(node: Any, found: set[str]) -> None:
    if not isinstance(node, Tree) or node.data == "in_":
        return
    if node.data == "compare" and any(
        isinstance(part, Token) and part in ("=", "!=") for part in node.children
    ):
        return
    if node.data == "name":
        found.add(str(node.children[0]))
    for child in node.children:
        _needed(child, found)


def _met(shape: Shape, incoming: dict[str, Known]) -> Known:
    """What is known where ways meet: a parallel gateway unites them, everything else takes one."""
    known = list(incoming.values())
    if shape.kind != "parallelGateway":
        return _either(known) or Known()
    met = known[0]
    for other in known[1:]:
        met = met.and_also(other)
    return met


def _either(known: list[Known]) -> Known | None:
    met = known[0] if known else None
    for other in known[1:]:
        met = met.or_else(other) if met else other
    return met


def _never(element: str, name: str) -> Problem:
    return error(
        element,
        "data.unwritten",
        f"{element} reads {name}, which nothing before it can have written",
        f"{element} 读取变量 {name}，但此前没有任何步骤会写入它",
    )


def _never_shown(element: str, name: str) -> Problem:
    return warning(
        element,
        "data.unwritten",
        f"the form of {element} reads {name}, which nothing before it can have written",
        f"{element} 的表单读取变量 {name}，但此前没有任何步骤会写入它",
    )


def _perhaps(element: str, name: str) -> Problem:
    return warning(
        element,
        "data.unwritten",
        f"{element} needs {name}, which is not written on every way that leads here",
        f"{element} 需要变量 {name}，但并非每条到达路径都会写入它",
    )


def _late(element: str, name: str) -> Problem:
    return warning(
        element,
        "data.unwritten",
        f"{element} reads {name} before the process writes it; a case must be started with it",
        f"{element} 在流程写入变量 {name} 之前读取它；启动时必须给出该变量",
    )
