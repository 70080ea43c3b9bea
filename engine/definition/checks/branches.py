"""Rules of data in parallel branches: who writes the same variable at the same time, and who wins."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import combinations

from engine.definition.checks.finding import warning
from engine.definition.checks.usage import Usage
from engine.definition.shapes import Drawing, Level, Shape
from engine.errors import Problem

Ways = Mapping[str, list[str]]


def check_branches(usage: Usage, process: str) -> Iterator[Problem]:
    """A warning for each variable that two parallel branches of a process can both write."""
    for level in usage.drawings[process].levels:
        told: set[tuple[str, str, str]] = set()
        for one, other in _pairs(level, usage.drawings[process]):
            for name in sorted(usage.writes(one).names & usage.writes(other).names):
                first, second = sorted((one, other), key=lambda shape: shape.order)
                if (first.id, second.id, name) not in told:
                    told.add((first.id, second.id, name))
                    yield _conflict(level, first, second, name)


def _conflict(level: Level, first: Shape, second: Shape, name: str) -> Problem:
    where, where_zh = _decided(level, first, second)
    return warning(
        second.id,
        "data.conflict",
        f"{first.id} and {second.id} can both write {name} in parallel branches; {where}",
        f"并行分支中的 {first.id} 与 {second.id} 都会写入变量 {name}；{where_zh}",
    )


def _decided(level: Level, first: Shape, second: Shape) -> tuple[str, str]:
    """Whose value stays: the branch whose flow into the join stands later in the file."""
    nexts = ways_of(level)
    ahead = [closure_of([shape.id], nexts, ()) for shape in (first, second)]
    for shape in level.shapes:
        if shape.kind not in ("parallelGateway", "inclusiveGateway"):
            continue
        flows = [flow for flow in level.flows if flow.target == shape.id]
        sides = [
            [f for f in flows if f.source in one and f.source not in two] for one, two in (ahead, ahead[::-1])
        ]
        if sides[0] and sides[1]:
            wins = first if sides[0][-1].order > sides[1][-1].order else second
            return (
                f"at {shape.id} the value of {wins.id} stays, whose flow stands later in the file",
                f"在 {shape.id} 汇合时保留 {wins.id} 的值，因其流入的顺序流在文件中靠后",
            )
    return (
        "the branch whose flow or end event stands later in the file wins",
        "流入的顺序流或结束事件在文件中靠后的分支优先",
    )


def _pairs(level: Level, drawing: Drawing) -> Iterator[tuple[Shape, Shape]]:
    """Elements that can be busy at the same time."""
    nexts = ways_of(level)
    shapes = {shape.id: shape for shape in level.shapes}
    for shape in level.shapes:
        for one, other in combinations(_branches(level, shape), 2):
            left, right = (closure_of(side, nexts, {shape.id}) for side in (one, other))
            yield from ((shapes[a], shapes[b]) for a in left - right for b in right - left)
    for shape in level.shapes:
        start = next((s for s in drawing.shapes if s.level == shape.id and s.kind == "startEvent"), None)
        if shape.by_event and start is not None and not start.interrupting:
            yield from ((shape, other) for other in level.shapes if other is not shape)


def _branches(level: Level, shape: Shape) -> list[list[str]]:
    """The first elements of each branch that can begin at an element beside the others."""
    flows = [flow for flow in level.flows if flow.source == shape.id]
    alone = shape.kind in ("exclusiveGateway", "eventBasedGateway")
    onward = [flow.target for flow in flows]
    beside = [s.id for s in level.shapes if s.attached_to == shape.id and not s.interrupting]
    if beside:
        return [[shape.id, *onward], *([own] for own in beside)]
    return [] if alone or len(flows) < 2 else [[target] for target in onward]


def ways_of(level: Level) -> dict[str, list[str]]:
    """Where a token can come to from each element in one step: flows, boundary events and links."""
    nexts: dict[str, list[str]] = {shape.id: [] for shape in level.shapes}
    for flow in level.flows:
        nexts[flow.source].append(flow.target)
    for shape in level.shapes:
        if shape.attached_to:
            nexts[shape.attached_to].append(shape.id)
        if shape.trigger.kind == "link" and shape.kind == "intermediateThrowEvent":
            nexts[shape.id] += [
                other.id
                for other in level.shapes
                if other.kind == "intermediateCatchEvent" and other.trigger == shape.trigger
            ]
    return nexts


def closure_of(start: Collection[str], nexts: Ways, walls: Collection[str]) -> set[str]:
    """These elements and all that a token can come to from them without entering a wall."""
    seen = set(start)
    todo = [own for own in start if own not in walls]
    while todo:
        for other in nexts[todo.pop()]:
            if other not in seen and other not in walls:
                seen.add(other)
                todo.append(other)
    return seen
