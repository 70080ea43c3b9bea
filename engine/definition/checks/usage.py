"""Which variables an element of a drawing reads, and which it can write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from engine.definition.formulas import Formula
from engine.definition.shapes import EMBEDDED, JOBS, THROWS, Assign, Drawing, Level, Shape

Filled = Mapping[str, frozenset[str]]
"""The fields that people can fill at each user task, where that is known."""

UNDOING = "*"
"""Under which name is kept what the undoing of work writes; no element can have it."""


@dataclass(frozen=True)
class Writes:
    """The variables that can be written; `is_open` if others may come from outside."""

    names: frozenset[str] = frozenset()
    is_open: bool = False

    def __or__(self, other: Writes) -> Writes:
        return Writes(self.names | other.names, self.is_open or other.is_open)


ANYTHING = Writes(is_open=True)


@dataclass(frozen=True)
class Reading:
    """One expression at an element; `is_strict` if null in its place stops the case, `is_shown` if it only
    says what people see in a form."""

    formula: Formula
    is_strict: bool = False
    is_shown: bool = False
    local: frozenset[str] = frozenset()


@dataclass
class Usage:
    """All drawings of a case, and the fields and expressions of its forms as far as they are known."""

    drawings: Mapping[str, Drawing]
    filled: Filled = field(default_factory=dict)
    shown: Mapping[str, tuple[Reading, ...]] = field(default_factory=dict)
    _known: dict[str, Writes] = field(default_factory=dict)

    @cached_property
    def levels(self) -> Mapping[str, Level]:
        """Every level of every drawing by its id."""
        return {level.id: level for drawing in self.drawings.values() for level in drawing.levels}

    @cached_property
    def ad_hoc(self) -> frozenset[str]:
        """The levels of ad-hoc sub-processes, whose steps see what the others have written."""
        drawn = (shape for drawing in self.drawings.values() for shape in drawing.shapes)
        return frozenset(shape.id for shape in drawn if shape.ad_hoc is not None)

    def writes(self, shape: Shape) -> Writes:
        """What an element leaves behind when it is done, with all its instances and inner levels."""
        loop = shape.loop
        if loop is not None and loop.results:
            return Writes(frozenset({loop.results}))
        return self._once(shape)

    def _once(self, shape: Shape) -> Writes:
        """What one instance leaves behind."""
        if shape.outputs:
            return Writes(_targets(shape.outputs))
        if shape.call is not None and not shape.call.all_out:
            return Writes()
        return self._brought(shape)

    def _brought(self, shape: Shape) -> Writes:
        """What work at an element brings, before its outputs choose from it."""
        if shape.kind in EMBEDDED:
            return self._inside(shape.id)
        if shape.call is not None:
            found = self._inside(shape.call.process)
            return Writes(found.names - _targets(shape.inputs), found.is_open)
        result = (shape.task.result if shape.task else None) or shape.work.result
        if result:
            return Writes(frozenset({result}))
        catches = shape.kind not in THROWS and shape.kinds() & {"message", "signal"}
        undoes = shape.kind in THROWS and shape.kinds() & {"compensation", "cancel"}
        if catches or undoes:
            return ANYTHING if catches else self._undoing()
        return self._handed_in(shape)

    def _handed_in(self, shape: Shape) -> Writes:
        """The single values that people or workers hand in, also where they are kept under one name."""
        if shape.kind == "userTask":
            return Writes(self.filled[shape.id]) if shape.id in self.filled else ANYTHING
        return ANYTHING if shape.kind in JOBS or shape.work.job is not None else Writes()

    def _undoing(self) -> Writes:
        """What all that undoes work in this case can write."""
        if UNDOING not in self._known:
            self._known[UNDOING] = ANYTHING
            found = Writes()
            for level in self.levels.values():
                undoes = any(s.kind == "startEvent" and "compensation" in s.kinds() for s in level.shapes)
                for shape in level.shapes:
                    found |= self.writes(shape) if undoes or shape.for_compensation else Writes()
            self._known[UNDOING] = found
        return self._known[UNDOING]

    def _inside(self, own: str) -> Writes:
        """What a whole level writes; anything, if it is unknown or called from inside itself."""
        if own not in self._known:
            self._known[own] = ANYTHING
            found = Writes() if own in self.levels else ANYTHING
            for shape in self.levels[own].shapes if own in self.levels else ():
                found |= self.writes(shape)
            self._known[own] = found
        return self._known[own]

    def readings(self, shape: Shape) -> Iterator[Reading]:
        """What is evaluated at an element, from coming to leaving."""
        yield from _arriving(shape)
        own = _own_names(shape)
        for reading in self.shown.get(shape.id, ()):
            yield replace(reading, local=reading.local | own)
        yield from self._leaving(shape, own)

    def _leaving(self, shape: Shape, own: frozenset[str]) -> Iterator[Reading]:
        """What is evaluated when the work is done; nothing is said where that can have brought anything."""
        brought = self._brought(shape) | self._handed_in(shape)
        seen = own | brought.names
        for item in () if brought.is_open else shape.outputs:
            yield Reading(item.source, local=seen)
            seen |= _targets((item,))
        if not brought.is_open and shape.ad_hoc is not None:
            yield from _strict(shape.ad_hoc.done, local=seen)
        if self._once(shape).is_open:
            return
        seen = own | self._once(shape).names
        for loop in shape.loops:
            yield from (Reading(formula, local=seen) for formula in (loop.result,) if formula is not None)
            yield from _strict(loop.done, loop.again, *(one.when for one in loop.thrown), local=seen)


def _arriving(shape: Shape) -> Iterator[Reading]:
    """What is evaluated when a token comes to an element, each with the names that only live here."""
    loop, who, work = shape.loop, shape.assignment, shape.work
    own = _loop_names(shape)
    if loop is not None:
        yield from _strict(loop.items, loop.cardinality)
    for item in shape.inputs:
        yield Reading(item.source, local=own)
        own |= _targets((item,))
    for formula in (who.groups, who.users, who.priority, who.deadline, work.job, work.retries):
        yield from _strict(formula, local=own)
    if who.assignee is not None:
        yield Reading(who.assignee, local=own)
    if work.script is not None:
        yield Reading(work.script, local=own)
    yield from _strict(shape.activation, local=own | {"activationCount"})
    for trigger in shape.triggers:
        strict = trigger.kind in ("timer", "message")
        for formula in filter(None, (trigger.correlation, trigger.when)):
            yield Reading(formula, is_strict=strict, local=own)


def _own_names(shape: Shape) -> frozenset[str]:
    """The names that only live at this element."""
    return _loop_names(shape) | _targets(shape.inputs)


def _loop_names(shape: Shape) -> frozenset[str]:
    loop = shape.loop
    if loop is None:
        return frozenset()
    return frozenset({"loopCounter", *LOOP_NAMES, *filter(None, (loop.item, loop.results))})


def _targets(items: Iterable[Assign]) -> frozenset[str]:
    """The variables that mappings set, or set entries of."""
    return frozenset(item.target.partition(".")[0] for item in items)


LOOP_NAMES = (
    "numberOfInstances",
    "numberOfCompletedInstances",
    "numberOfActiveInstances",
    "numberOfTerminatedInstances",
)


def _strict(*formulas: Formula | None, local: frozenset[str] = frozenset()) -> Iterator[Reading]:
    return (Reading(formula, is_strict=True, local=local) for formula in formulas if formula is not None)
