"""Which variables an element of a drawing reads, and which it can write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from engine.definition.formulas import Formula
from engine.definition.shapes import JOBS, Drawing, Level, Shape

Filled = Mapping[str, frozenset[str]]
"""The fields that people can fill at each user task, where that is known."""


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
    """One expression at an element; `is_strict` if null in its place stops the case."""

    formula: Formula
    is_strict: bool = False
    local: frozenset[str] = frozenset()


@dataclass
class Usage:
    """All drawings of a case, and the fields of its forms as far as they are known."""

    drawings: Mapping[str, Drawing]
    filled: Filled = field(default_factory=dict)
    _known: dict[str, Writes] = field(default_factory=dict)

    @cached_property
    def levels(self) -> Mapping[str, Level]:
        """Every level of every drawing by its id."""
        return {level.id: level for drawing in self.drawings.values() for level in drawing.levels}

    def writes(self, shape: Shape) -> Writes:
        """What an element leaves behind when it is done, with all its instances and inner levels."""
        loop = shape.loop
        if loop is not None and loop.results:
            return Writes(frozenset({loop.results}))
        if shape.outputs:
            return Writes(frozenset(item.target.partition(".")[0] for item in shape.outputs))
        if shape.kind in ("subProcess", "transaction"):
            return self._inside(shape.id)
        if shape.call is not None:
            return self._called_writes(shape)
        return self._own_writes(shape)

    def _own_writes(self, shape: Shape) -> Writes:
        result = (shape.task.result if shape.task else None) or shape.work.result
        if result:
            return Writes(frozenset({result}))
        if shape.kind == "userTask":
            return Writes(self.filled[shape.id]) if shape.id in self.filled else ANYTHING
        catches = shape.trigger.kind == "message" and shape.kind not in ("endEvent", "intermediateThrowEvent")
        sends = shape.work.job is not None
        return ANYTHING if shape.kind in JOBS or catches or sends else Writes()

    def _called_writes(self, shape: Shape) -> Writes:
        call = shape.call
        if call is None or not call.all_out:
            return Writes()
        local = frozenset(item.target.partition(".")[0] for item in shape.inputs)
        found = self._inside(call.process)
        return Writes(found.names - local, found.is_open)

    def _inside(self, own: str) -> Writes:
        """What a whole level writes; anything, if it is unknown or called from inside itself."""
        if own not in self._known:
            self._known[own] = ANYTHING
            found = Writes() if own in self.levels else ANYTHING
            for shape in self.levels[own].shapes if own in self.levels else ():
                found |= self.writes(shape)
            self._known[own] = found
        return self._known[own]


def readings(shape: Shape) -> Iterator[Reading]:
    """What is evaluated when a token comes to an element, each with the names that only live here."""
    loop, who, work = shape.loop, shape.assignment, shape.work
    own: frozenset[str] = frozenset()
    if loop is not None:
        yield from _strict(loop.items, loop.cardinality)
        own = frozenset({"loopCounter", *LOOP_NAMES, *filter(None, (loop.item, loop.results))})
    for item in shape.inputs:
        yield Reading(item.source, local=own)
        own |= {item.target.partition(".")[0]}
    for formula in (who.groups, who.users, who.priority, who.deadline, work.job, work.retries):
        yield from _strict(formula, local=own)
    if who.assignee is not None:
        yield Reading(who.assignee, local=own)
    if work.script is not None:
        yield Reading(work.script, local=own)
    for trigger in shape.triggers:
        strict = trigger.kind in ("timer", "message")
        for formula in filter(None, (trigger.correlation, trigger.when)):
            yield Reading(formula, is_strict=strict, local=own)


LOOP_NAMES = (
    "numberOfInstances",
    "numberOfCompletedInstances",
    "numberOfActiveInstances",
    "numberOfTerminatedInstances",
)


def _strict(*formulas: Formula | None, local: frozenset[str] = frozenset()) -> Iterator[Reading]:
    return (Reading(formula, is_strict=True, local=local) for formula in formulas if formula is not None)
