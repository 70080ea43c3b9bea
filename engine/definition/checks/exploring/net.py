"""One level of a drawing as a net: where a token can stand, and where it can go from there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from engine.definition.parsing import reaches
from engine.definition.shapes import JOBS, Drawing, Flow, Level, Shape

EMBEDDED = frozenset({"subProcess", "transaction"})
SYNCHRONISING = frozenset({"parallelGateway", "inclusiveGateway", "complexGateway"})
PATIENT = frozenset({"userTask", "receiveTask", "eventBasedGateway", "callActivity", *JOBS})
FROM_OUTSIDE = frozenset({"timer", "message", "signal", "conditional"})
THROWN = frozenset({"error", "escalation", "cancel"})
MOST_SUBSETS = 6
"""Conditional flows of which every subset is tried; of more, each alone, all but one, and all."""

ON, WAITING = 0, 1


class Token(NamedTuple):
    """A token: the place of its element in the level, whether it waits there for others, the incoming
    flow if that matters, and which non-interrupting boundary events have happened (bits)."""

    node: int
    stage: int = ON
    flow: int = -1
    happened: int = 0


@dataclass(frozen=True)
class Move:
    """One thing that can happen to a token: what stands in its place, or how the level is left."""

    tokens: tuple[Token, ...] = ()
    over: bool = False
    completes: bool = False
    beside: bool = False
    thrown: frozenset[tuple[str, str | None]] = frozenset()


@dataclass(frozen=True)
class Outcome:
    """What can become of a whole level."""

    completes: bool = True
    waits: bool = True
    fails: bool = True
    thrown: frozenset[tuple[str, str | None]] = frozenset()


class Net:
    """The elements of a level and the moves between them; `inner` tells the outcome of each sub-process."""

    def __init__(self, drawing: Drawing, level: Level, inner: Mapping[str, Outcome]) -> None:
        self.drawing = drawing
        self.level = level
        self.inner = inner
        self.shapes = level.shapes
        self.place = {shape.id: index for index, shape in enumerate(self.shapes)}
        self.flows = level.flows
        self.outgoing: list[list[int]] = [[] for _ in self.shapes]
        self.incoming: list[list[int]] = [[] for _ in self.shapes]
        for number, flow in enumerate(self.flows):
            self.outgoing[self.place[flow.source]].append(number)
            self.incoming[self.place[flow.target]].append(number)
        self.boundaries: dict[int, list[int]] = {}
        for index, shape in enumerate(self.shapes):
            if shape.attached_to in self.place and shape.trigger.kind != "compensation":
                self.boundaries.setdefault(self.place[shape.attached_to or ""], []).append(index)
        self.joins = frozenset(i for i in range(len(self.shapes)) if self._joins(i))
        self.waits = tuple(self._waits(shape) for shape in self.shapes)
        self.feeds = {i: self._feeds(i) for i in self.joins if self._kind(i) != "parallelGateway"}
        self._moves: dict[Token, tuple[Move, ...]] = {}

    # --- what the elements are ------------------------------------------------------------------------

    def _kind(self, node: int) -> str:
        return self.shapes[node].kind

    def _joins(self, node: int) -> bool:
        return self._kind(node) in SYNCHRONISING and len(self.incoming[node]) > 1

    def _feeds(self, node: int) -> dict[int, frozenset[int]]:
        """For each element, the incoming flows of the join that a token there can still take."""
        number = {flow.id: index for index, flow in enumerate(self.flows)}
        found = reaches(self.level, self.shapes[node].id)
        return {self.place[own]: frozenset(number[f] for f in flows) for own, flows in found.items()}

    def _waits(self, shape: Shape) -> bool:
        """Whether a token that comes here has to wait for somebody or something outside."""
        if shape.kind in PATIENT:
            return True
        if shape.kind in EMBEDDED:
            return self.inner.get(shape.id, Outcome()).waits
        if shape.kind == "intermediateCatchEvent":
            return shape.trigger.kind != "link"
        throws = shape.kind in ("endEvent", "intermediateThrowEvent")
        return throws and shape.trigger.kind in ("message", "compensation", "cancel")

    def starts(self) -> tuple[int, ...]:
        """Where the level can begin."""
        return tuple(i for i, shape in enumerate(self.shapes) if shape.kind == "startEvent")

    def listeners(self) -> Iterator[tuple[Shape, Shape]]:
        """The event sub-processes of the level, each with its start event."""
        for shape in self.shapes:
            start = start_of(self.drawing, shape.id) if shape.by_event else None
            if start is not None:
                yield shape, start

    def nexts(self) -> list[list[int]]:
        """The elements a token can come to from each element in one step."""
        found = [[self.place[self.flows[f].target] for f in flows] for flows in self.outgoing]
        for index, shape in enumerate(self.shapes):
            found[index] += self.boundaries.get(index, [])
            if shape.kind == "intermediateThrowEvent" and shape.trigger.kind == "link":
                found[index] += [self.place[t] for t in link_targets(self.level, shape)]
        return found

    # --- where a token can go -------------------------------------------------------------------------

    def land(self, flow: int) -> Token:
        """A token that comes along a flow."""
        node = self.place[self.flows[flow].target]
        if node in self.joins:
            return Token(node, ON if self._kind(node) == "complexGateway" else WAITING, flow)
        return Token(node, WAITING if self.shapes[node].start_quantity > 1 else ON)

    def moves(self, token: Token) -> tuple[Move, ...]:
        """Everything that can happen to a token that is on its element."""
        found = self._moves.get(token)
        if found is None:
            found = self._moves[token] = tuple(self._leaving(token))
        return found

    def _leaving(self, token: Token) -> Iterator[Move]:
        shape = self.shapes[token.node]
        if shape.kind == "endEvent" or (shape.kind == "intermediateThrowEvent" and self._taken_away(shape)):
            yield self._ending(shape)
            return
        if shape.kind == "intermediateThrowEvent" and shape.trigger.kind == "link":
            yield Move(tuple(Token(self.place[t]) for t in link_targets(self.level, shape)))
            return
        outcome = self._outcome(shape)
        thrown = shape.kind == "intermediateThrowEvent" and shape.trigger.kind == "escalation"
        told = frozenset({("escalation", shape.trigger.code)}) if thrown else frozenset()
        if outcome.completes:
            for flows in self.choices(token.node):
                landed = tuple(self.land(flow) for flow in flows)
                yield Move(landed * max(shape.completion_quantity, 1), thrown=told)
        yield from self._happening(token, outcome)

    def _taken_away(self, shape: Shape) -> bool:
        return shape.trigger.kind == "escalation" and self._interrupts(shape.trigger.code)

    def _ending(self, shape: Shape) -> Move:
        kind, code = shape.trigger.kind, shape.trigger.code
        if kind == "terminate":
            return Move(over=True, completes=True)
        if kind in ("error", "cancel") or (kind == "escalation" and self._interrupts(code)):
            return Move(over=True, thrown=frozenset({(kind, code)}))
        return Move(thrown=frozenset({(kind, code)}) if kind in THROWN else frozenset())

    def _interrupts(self, code: str | None) -> bool:
        """Whether an escalation thrown on this level takes its token away."""
        level: Level | None = self.level
        while level is not None:
            for catcher, interrupting in _catchers(self.drawing, level):
                if catcher.trigger.kind == "escalation" and catcher.trigger.code in (None, code):
                    return interrupting
            level = parent_of(self.drawing, level)
        return False

    def _outcome(self, shape: Shape) -> Outcome:
        if shape.kind in EMBEDDED:
            return self.inner.get(shape.id, Outcome())
        return Outcome(waits=self.waits[self.place[shape.id]], fails=shape.kind in (*JOBS, "callActivity"))

    def _happening(self, token: Token, outcome: Outcome) -> Iterator[Move]:
        """The boundary events that can happen, and the errors that none of them catches."""
        caught: set[tuple[str, str | None]] = set()
        for bit, index in enumerate(self.boundaries.get(token.node, ())):
            event = self.shapes[index]
            matched = {t for t in outcome.thrown if _matches(event, t)}
            caught |= matched
            if not (matched or self._from_outside(event, outcome)):
                continue
            if event.interrupting:
                yield Move((Token(index),))
            elif not token.happened >> bit & 1:
                stays = token._replace(happened=token.happened | 1 << bit)
                yield Move((stays, Token(index)), beside=True)
        loose = frozenset(t for t in outcome.thrown - caught if t[0] != "escalation")
        if loose:
            yield Move(over=True, thrown=loose)

    def _from_outside(self, event: Shape, outcome: Outcome) -> bool:
        kind = event.trigger.kind
        host = self.shapes[self.place[event.attached_to or ""]].kind
        if kind in FROM_OUTSIDE:
            return outcome.waits or (kind == "signal" and host in EMBEDDED)
        return outcome.fails if kind == "error" else host == "callActivity"

    def choices(self, node: int) -> list[tuple[int, ...]]:
        """The sets of flows that a token can take when it leaves an element."""
        shape, ways = self.shapes[node], self.outgoing[node]
        if shape.kind == "parallelGateway" or (len(ways) == 1 and self.flows[ways[0]].condition is None):
            return [tuple(ways)]
        if shape.kind in ("exclusiveGateway", "eventBasedGateway"):
            return [(way,) for way in ways]
        if not ways:
            return [()]
        free = tuple(w for w in ways if self.flows[w].condition is None and self.flows[w].id != shape.default)
        asked = [w for w in ways if self.flows[w].condition is not None and self.flows[w].id != shape.default]
        default = [(w,) for w in ways if self.flows[w].id == shape.default]
        chosen = [tuple(sorted(free + some)) for some in subsets([self.flows[w] for w in asked], asked)]
        return [some for some in chosen if some] + ([] if free else default)


def subsets(flows: list[Flow], numbers: list[int]) -> list[tuple[int, ...]]:
    """The sets of conditional flows that can be true together; equal conditions are true together."""
    alike: dict[str, list[int]] = {}
    for flow, number in zip(flows, numbers, strict=True):
        alike.setdefault(flow.condition.text if flow.condition else "", []).append(number)
    parts = [tuple(group) for group in alike.values()]
    many = range(len(parts) + 1)
    sizes = many if len(parts) <= MOST_SUBSETS else sorted({0, 1, len(parts) - 1, len(parts)})
    return [sum(some, ()) for size in sizes for some in combinations(parts, size)]


def link_targets(level: Level, throw: Shape) -> list[str]:
    """The catching link events a throwing one jumps to."""
    return [
        shape.id
        for shape in level.shapes
        if shape.kind == "intermediateCatchEvent"
        and shape.trigger.kind == "link"
        and shape.trigger.name == throw.trigger.name
    ]


def start_of(drawing: Drawing, level_id: str) -> Shape | None:
    """The start event of an inner level."""
    return next((s for s in drawing.shapes if s.level == level_id and s.kind == "startEvent"), None)


def parent_of(drawing: Drawing, level: Level) -> Level | None:
    """The level around a level; none around a process."""
    return next((other for other in drawing.levels if other.id == level.parent), None)


def _catchers(drawing: Drawing, level: Level) -> Iterator[tuple[Shape, bool]]:
    """What catches on a level and at the border of it, and whether it interrupts."""
    for shape in level.shapes:
        if shape.by_event:
            start = start_of(drawing, shape.id)
            if start is not None:
                yield start, start.interrupting
    around = parent_of(drawing, level)
    for shape in around.shapes if around is not None else ():
        if shape.attached_to == level.id:
            yield shape, shape.interrupting


def _matches(event: Shape, thrown: tuple[str, str | None]) -> bool:
    return event.trigger.kind == thrown[0] and event.trigger.code in (None, thrown[1])
