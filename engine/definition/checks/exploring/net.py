"""One level of a drawing as a net: where a token can stand, and where it can go from there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from engine.definition.beginnings import beginnings, begins_plainly
from engine.definition.checks.exploring.around import FROM_OUTSIDE, Around, Thrown, catches
from engine.definition.checks.exploring.choosing import subsets
from engine.definition.parsing import reaches
from engine.definition.shapes import ACTIVITIES, CAUGHT, EMBEDDED, JOBS, THROWS, Level, Shape, Trigger

SYNCHRONISING = frozenset({"parallelGateway", "inclusiveGateway", "complexGateway"})
PATIENT = frozenset({"userTask", "receiveTask", "eventBasedGateway", "callActivity", *JOBS})
DELAYING = frozenset({"message", "compensation", "cancel"})
"""What a throwing event waits for until it is delivered or undone."""

LAST = ("escalation", "error", "cancel")
"""What may take a token away is thrown after everything else, as the engine does."""

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
    thrown: frozenset[Thrown] = frozenset()


@dataclass(frozen=True)
class Outcome:
    """What can become of a whole level."""

    completes: bool = True
    waits: bool = True
    fails: bool = True
    thrown: frozenset[Thrown] = frozenset()


class Net:
    """The elements of a level and the moves between them; `inner` tells the outcome of each sub-process."""

    def __init__(self, around: Around, level: Level, inner: Mapping[str, Outcome]) -> None:
        self.around = around
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
        return shape.kind in THROWS and bool(shape.kinds() & DELAYING)

    def beginnings(self) -> Iterator[tuple[Token, ...]]:
        """The tokens the level can begin with: all its firsts together, or what a trigger puts there."""
        drawing = self.around.drawing
        if self.level.parent is not None or begins_plainly(drawing):
            yield self._entered(shape.id for shape in self.level.firsts)
        for one in beginnings(drawing) if self.level.parent is None else ():
            yield self._entered(one.together or (one.element,))

    def _entered(self, elements: Iterable[str]) -> tuple[Token, ...]:
        return tuple(sorted(self._at(self.place[own]) for own in elements))

    def _at(self, node: int) -> Token:
        return Token(node, WAITING if self.shapes[node].start_quantity > 1 else ON)

    def may_close(self, node: int) -> bool:
        """Whether the level can be over as soon as this element is done: enough of an ad-hoc
        sub-process is."""
        around = self.around.shapes.get(self.level.id)
        rules = around.ad_hoc if around else None
        return rules is not None and rules.done is not None and self._kind(node) in ACTIVITIES

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
        return self._at(node)

    def moves(self, token: Token) -> tuple[Move, ...]:
        """Everything that can happen to a token that is on its element."""
        found = self._moves.get(token)
        if found is None:
            found = self._moves[token] = tuple(self._leaving(token))
        return found

    def _leaving(self, token: Token) -> Iterator[Move]:
        shape = self.shapes[token.node]
        escalated = frozenset(_thrown(t) for t in shape.triggers if t.kind == "escalation")
        taken_away = any(self._interrupts(code) for _, code in escalated)
        if shape.kind == "endEvent" or (shape.kind == "intermediateThrowEvent" and taken_away):
            yield self._ending(shape)
            return
        if shape.kind == "intermediateThrowEvent" and shape.trigger.kind == "link":
            yield Move(tuple(Token(self.place[t]) for t in link_targets(self.level, shape)))
            return
        outcome = self._outcome(shape)
        told = escalated if shape.kind == "intermediateThrowEvent" else self._untold(token.node, outcome)
        if outcome.completes:
            for flows in self.choices(token.node):
                landed = tuple(self.land(flow) for flow in flows)
                yield Move(landed * max(shape.completion_quantity, 1), thrown=told)
        yield from (replace(move, thrown=move.thrown | told) for move in self._happening(token, outcome))

    def _ending(self, shape: Shape) -> Move:
        """A token throws everything its event throws, until something takes it away."""
        thrown: set[Thrown] = set()
        for trigger in sorted(shape.triggers, key=lambda t: LAST.index(t.kind) if t.kind in LAST else -1):
            if trigger.kind in CAUGHT:
                thrown.add(_thrown(trigger))
            escalates = trigger.kind == "escalation"
            if trigger.kind in ("error", "cancel") or (escalates and self._interrupts(trigger.code)):
                return Move(over=True, thrown=frozenset(thrown))
        stops = "terminate" in shape.kinds()
        return Move(over=stops, completes=stops, thrown=frozenset(thrown))

    def _interrupts(self, code: str | None) -> bool:
        return self.around.interrupts(self.level, code)

    def _outcome(self, shape: Shape) -> Outcome:
        called = shape.kind in (*JOBS, "callActivity")
        found = Outcome(waits=self.waits[self.place[shape.id]], fails=called)
        if shape.kind in EMBEDDED:
            found = self.inner.get(shape.id, Outcome())
        thrown = frozenset(_thrown(t) for t in thrown_by_instances(shape) if t.kind == "escalation")
        return replace(found, thrown=found.thrown | thrown) if thrown else found

    def _untold(self, node: int, outcome: Outcome) -> frozenset[Thrown]:
        """The escalations of an activity that no event at its border catches."""
        events = [self.shapes[index] for index in self.boundaries.get(node, ())]
        loose = (t for t in outcome.thrown if not any(catches(event, t) for event in events))
        return frozenset(t for t in loose if t[0] == "escalation")

    def _happening(self, token: Token, outcome: Outcome) -> Iterator[Move]:
        """The boundary events that can happen, and what none of them catches and takes the level away."""
        caught: set[Thrown] = set()
        for bit, index in enumerate(self.boundaries.get(token.node, ())):
            event = self.shapes[index]
            matched = {t for t in outcome.thrown if catches(event, t)}
            caught |= matched
            if not (matched or self._from_outside(event, outcome)):
                continue
            if event.interrupting:
                yield Move((Token(index),))
            elif not token.happened >> bit & 1:
                stays = token._replace(happened=token.happened | 1 << bit)
                yield Move((stays, Token(index)), beside=True)
        loose = outcome.thrown - caught
        loose = frozenset(t for t in loose if t[0] != "escalation" or self._interrupts(t[1]))
        if loose:
            yield Move(over=True, thrown=loose)

    def _from_outside(self, event: Shape, outcome: Outcome) -> bool:
        can = (self._can_happen(event, trigger, outcome) for trigger in event.triggers)
        return all(can) if event.needs_all else any(can)

    def _can_happen(self, event: Shape, trigger: Trigger, outcome: Outcome) -> bool:
        """Whether a boundary event can happen by this trigger, if nothing it catches is thrown inside."""
        host = self.shapes[self.place[event.attached_to or ""]]
        if trigger.kind in FROM_OUTSIDE:
            told = any(t.kind == "signal" and t.name == trigger.name for t in thrown_by_instances(host))
            inside = trigger.kind == "signal" and (host.kind in EMBEDDED or told)
            return outcome.waits or inside
        return outcome.fails if trigger.kind == "error" else host.kind == "callActivity"

    def choices(self, node: int) -> list[tuple[int, ...]]:
        """The sets of flows that a token can take when it leaves an element."""
        shape, ways = self.shapes[node], self.outgoing[node]
        if shape.kind == "parallelGateway" or (len(ways) == 1 and self.flows[ways[0]].condition is None):
            return [tuple(ways)]
        if not ways:
            return [()]
        if shape.kind in ("exclusiveGateway", "eventBasedGateway"):
            return [(way,) for way in ways]
        free = tuple(w for w in ways if self.flows[w].condition is None and self.flows[w].id != shape.default)
        asked = [w for w in ways if self.flows[w].condition is not None and self.flows[w].id != shape.default]
        default = [(w,) for w in ways if self.flows[w].id == shape.default]
        chosen = [tuple(sorted(free + some)) for some in subsets([self.flows[w] for w in asked], asked)]
        return [some for some in chosen if some] + ([] if free else default)


def link_targets(level: Level, throw: Shape) -> list[str]:
    """The catching link events a throwing one jumps to."""
    return [
        shape.id
        for shape in level.shapes
        if shape.kind == "intermediateCatchEvent"
        and shape.trigger.kind == "link"
        and shape.trigger.name == throw.trigger.name
    ]


def thrown_by_instances(shape: Shape) -> list[Trigger]:
    """What an activity throws when one of its instances is done."""
    return [thrown.trigger for loop in shape.loops for thrown in loop.thrown]


def thrown_in(level: Level, inner: Mapping[str, Outcome]) -> frozenset[Thrown]:
    """Everything that elements of the level throw, whether a token can come to them or not."""
    found: set[Thrown] = set()
    for shape in level.shapes:
        triggers = [*thrown_by_instances(shape), *(shape.triggers if shape.kind in THROWS else ())]
        found |= {_thrown(trigger) for trigger in triggers if trigger.kind in CAUGHT}
        found |= inner[shape.id].thrown if shape.id in inner else frozenset()
    return frozenset(found)


def _thrown(trigger: Trigger) -> Thrown:
    return trigger.kind, trigger.code
