"""What the exploration of a drawing finds: dead ends, endless loops, doubled work, dead elements."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.definition.checks.exploring.around import Around, catches
from engine.definition.checks.exploring.net import Net, Outcome, thrown_in
from engine.definition.checks.exploring.walking import Bound, Walk, Walked, closure, turned
from engine.definition.checks.finding import error, info, warning
from engine.definition.shapes import AWAITED, EMBEDDED, JOBS, THROWS, Drawing, Level
from engine.errors import Problem

MOST_FINDINGS = 5
MOST_STEPS_TOLD = 12
MOST_FEEDS = 400_000


@dataclass(frozen=True)
class Explored:
    """A level that was walked through; neither net nor walk if it has too many joins."""

    level: Level
    net: Net | None = None
    walked: Walked | None = None

    @property
    def is_all(self) -> bool:
        """Whether every state was looked at."""
        return self.walked is not None and not self.walked.exhausted and not self.walked.capped

    @property
    def ends(self) -> bool:
        """Whether some way through the level comes to an end, as far as is known."""
        if self.net is None or self.walked is None or not self.is_all:
            return True
        return self.walked.completes or self.walked.leaves or _ends_otherwise(self.net, self.walked)


def check_exploration(drawing: Drawing, bound: Bound | None = None) -> Iterator[Problem]:
    """Everything that exploring the token states of a drawing finds; the drawing must be sound otherwise.

    Data are not looked at: a choice may go any way. A dead end that every case runs into is an error,
    one that depends on choices a warning. The search is bounded; `explore.bound` says where it stopped.
    """
    explored = _explored(drawing, bound or Bound())
    is_doomed = bool(explored) and not explored[-1].ends
    for one in explored:
        if one.net is not None and one.walked is not None:
            yield from _findings(one, one.net, one.walked, is_doomed)
        if not one.is_all:
            yield _bound(one.level)


def _explored(drawing: Drawing, bound: Bound) -> list[Explored]:
    """Every level that can begin, from the inside out."""
    around = Around(drawing)
    outcomes: dict[str, Outcome] = {}
    found = []
    for level in reversed(drawing.levels):
        if not level.firsts or _joins(level) * len(level.shapes) > MOST_FEEDS:
            outcomes[level.id] = Outcome(thrown=thrown_in(level, outcomes))
            found += [Explored(level)] if level.firsts else []
            continue
        net = Net(around, level, outcomes)
        walked = Walk(net, bound).run()
        found.append(Explored(level, net, walked))
        outcomes[level.id] = _outcome(found[-1], net, walked)
    return found


def _joins(level: Level) -> int:
    """How many gateways look around for tokens that can still come."""
    return sum(shape.kind in ("inclusiveGateway", "complexGateway") for shape in level.shapes)


def _bound(level: Level) -> Problem:
    return info(
        level.id,
        "explore.bound",
        f"{level.id} has too many states to look at all of them",
        f"{level.id} 的状态过多，未能全部检查",
    )


def _outcome(explored: Explored, net: Net, walked: Walked) -> Outcome:
    """What the level can become for the one around it."""
    thrown = walked.thrown if explored.is_all else thrown_in(net.level, net.inner)
    listeners = net.around.listeners(net.level)
    thrown = thrown | {t for shape, _ in listeners for t in net.inner[shape.id].thrown}
    loose = {t for t in thrown if not any(catches(start, t) for _, start in listeners)}
    return Outcome(
        completes=walked.completes or not explored.is_all or _ends_otherwise(net, walked),
        waits=any(net.waits),
        fails=_fails(net),
        thrown=frozenset(loose),
    )


def _fails(net: Net) -> bool:
    """Whether work on the level can throw an error that is not drawn."""
    inner = (net.inner[s.id] for s in net.shapes if s.kind in EMBEDDED)
    own = (
        s.kind in (*JOBS, "callActivity") or (s.kind in THROWS and "message" in s.kinds()) for s in net.shapes
    )
    return any(own) or any(one.fails for one in inner)


def _ends_otherwise(net: Net, walked: Walked) -> bool:
    """Whether an event sub-process can take over the level and end it."""
    return any(
        start.interrupting
        and net.inner[shape.id].completes
        and (start.kinds() & AWAITED or _fails(net) or any(catches(start, t) for t in walked.thrown))
        for shape, start in net.around.listeners(net.level)
    )


def _findings(explored: Explored, net: Net, walked: Walked, is_doomed: bool) -> Iterator[Problem]:
    if not net.around.is_rescued(net.level):
        yield from list(_deadlocks(net, walked, is_doomed and not explored.ends))[:MOST_FINDINGS]
    yield from _livelock(net, walked)
    yield from _multiplied(net, walked)
    if explored.is_all and (explored.ends or not (walked.stuck or walked.held)):
        yield from _unreachable(net, walked)


# --- dead ends ----------------------------------------------------------------------------------------


def _deadlocks(net: Net, walked: Walked, is_certain: bool) -> Iterator[Problem]:
    tell = error if is_certain else warning
    always, always_zh = ("", "") if tell is warning else (" in every case", "，任何案例都会如此")
    for node, state in sorted(walked.stuck.items()):
        own = net.shapes[node].id
        missing, missing_zh = _missing(net, walked, node, state)
        yield tell(
            own,
            "flow.deadlock",
            f"a token can wait for ever at {own}{always}: {missing}, after {_path(net, walked, state)}",
            f"令牌可能永远停在 {own}{always_zh}：{missing_zh}；经过 {_path(net, walked, state)}",
        )


def _missing(net: Net, walked: Walked, node: int, state: int) -> tuple[str, str]:
    """What a token waits for in vain."""
    here = {token.flow for token in walked.states[state][0] if token.node == node}
    flows = ", ".join(net.flows[f].id for f in net.incoming[node] if f not in here)
    if node not in net.joins:
        wanted = net.shapes[node].start_quantity
        return f"it wants {wanted} tokens at once", f"需要同时有 {wanted} 个令牌"
    if not flows:
        return "its activation condition need not become true", "激活条件未必成立"
    return f"nothing comes any more on {flows}", f"{flows} 上不会再有令牌"


def _path(net: Net, walked: Walked, state: int) -> str:
    names = [net.shapes[node].id for node in walked.path(state)]
    if len(names) > MOST_STEPS_TOLD:
        half = MOST_STEPS_TOLD // 2
        names = [*names[:half], "…", *names[-half:]]
    return " → ".join(names) or net.level.id


# --- endless loops ------------------------------------------------------------------------------------


def _livelock(net: Net, walked: Walked) -> Iterator[Problem]:
    free = closure(walked.resting, turned(walked.after))
    caught = next((number for number in range(len(walked.states)) if number not in free), None)
    if caught is None:
        return
    nodes = _round(walked, caught)
    names = ", ".join(net.shapes[node].id for node in nodes[:MOST_STEPS_TOLD])
    own = net.shapes[nodes[0]].id
    yield error(
        own,
        "flow.livelock",
        f"a token that comes to {own} goes round for ever without a wait: {names}",
        f"到达 {own} 的令牌将无等待地无限循环：{names}",
    )


def _round(walked: Walked, state: int) -> list[int]:
    """The elements that change while a loop without a way out is run through once."""
    order: list[int] = []
    while state not in order:
        order.append(state)
        state = walked.after[state][0]
    states = [set(walked.states[number][0]) for number in order[order.index(state) :]]
    changed = {
        token.node
        for one, other in zip(states, states[1:] + states[:1], strict=True)
        for token in one ^ other
    }
    return sorted(changed or {token.node for token in states[0]})


# --- doubled work, dead elements ----------------------------------------------------------------------


def _multiplied(net: Net, walked: Walked) -> Iterator[Problem]:
    for node in sorted(walked.doubled)[:MOST_FINDINGS]:
        own = net.shapes[node].id
        yield warning(
            own,
            "flow.multiplied",
            f"two tokens can come to {own}, and what follows is done twice; join the branches first",
            f"可能有两个令牌到达 {own}，其后的步骤会重复执行；请先用网关汇合分支",
        )


def _unreachable(net: Net, walked: Walked) -> Iterator[Problem]:
    nexts = net.nexts()
    reached = {other for node in walked.seen for other in nexts[node]}
    for node in sorted(reached - walked.seen):
        own = net.shapes[node].id
        if net.shapes[node].trigger.kind != "compensation":
            yield warning(
                own,
                "flow.unreachable",
                f"no case can come to {own}, whatever is chosen",
                f"无论如何选择，案例都无法到达 {own}",
            )
