"""Rules of data in parallel branches: who writes the same variable at the same time, and who wins."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import combinations

from engine.definition.checks.finding import warning
from engine.definition.checks.usage import Usage
from engine.definition.shapes import Drawing, Level, Shape
from engine.errors import Problem

Ways = Mapping[str, list[str]]
MOST_WRITERS = 12
"""Writers of one variable that are compared with each other."""


def check_branches(usage: Usage, process: str) -> Iterator[Problem]:
    """A warning for each variable that two parallel branches of a process can both write.

    Steps of an ad-hoc sub-process are branches too, unless they are done one by one.
    """
    drawing = usage.drawings[process]
    loose = {shape.id: shape.ad_hoc.ordering for shape in drawing.shapes if shape.ad_hoc is not None}
    for level in drawing.levels:
        writers: dict[str, list[Shape]] = {}
        for shape in level.shapes:
            for name in usage.writes(shape).names:
                writers.setdefault(name, []).append(shape)
        shared = {name: shapes for name, shapes in writers.items() if len(shapes) > 1}
        if shared and loose.get(level.id) != "Sequential":
            beside = _Beside(level, drawing)
            is_loose = level.id in loose
            for name, shapes in sorted(shared.items()):
                pairs = (pair for pair in combinations(shapes[:MOST_WRITERS], 2) if beside.are(*pair))
                yield from (_conflict(level, first, second, name, is_loose) for first, second in pairs)


def _conflict(level: Level, first: Shape, second: Shape, name: str, is_loose: bool) -> Problem:
    last = ("in ad-hoc work the value of what is done last stays", "即席子流程中保留最后完成者的值")
    where, where_zh = last if is_loose else _decided(level, first, second)
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


class _Beside:
    """Which elements of a level can be busy at the same time."""

    def __init__(self, level: Level, drawing: Drawing) -> None:
        nexts = ways_of(level)
        self.splits: list[dict[str, set[int]]] = []
        for shape in level.shapes:
            ways = _reached(_branches(level, shape), nexts, {shape.id})
            if ways:
                self.splits.append(ways)
        if not any(shape.kind == "startEvent" for shape in level.shapes) and len(level.firsts) > 1:
            self.splits.append(_reached([[shape.id] for shape in level.firsts], nexts, set()))
        starts = {s.level: s for s in drawing.shapes if s.kind == "startEvent"}
        listeners = [s.id for s in level.shapes if s.by_event and s.id in starts]
        self.listeners = {own for own in listeners if not starts[own].interrupting}

    def are(self, one: Shape, other: Shape) -> bool:
        """Whether each stands on a branch on which the other does not."""
        if one.id in self.listeners or other.id in self.listeners:
            return True
        ways = ((split.get(one.id, set()), split.get(other.id, set())) for split in self.splits)
        return any(mine - theirs and theirs - mine for mine, theirs in ways)


def _reached(branches: list[list[str]], nexts: Ways, walls: Collection[str]) -> dict[str, set[int]]:
    """For each element, the branches on which it stands."""
    ways: dict[str, set[int]] = {}
    for number, branch in enumerate(branches):
        for own in closure_of(branch, nexts, walls):
            ways.setdefault(own, set()).add(number)
    return ways


def _branches(level: Level, shape: Shape) -> list[list[str]]:
    """The first elements of each branch that can begin at an element beside the others."""
    flows = [flow for flow in level.flows if flow.source == shape.id]
    together = shape.attributes.get("eventGatewayType") == "Parallel"
    alone = shape.kind in ("exclusiveGateway", "eventBasedGateway") and not together
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
