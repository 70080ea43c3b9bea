"""What the exploration of a drawing finds: dead ends, endless loops, doubled work, dead elements."""

from __future__ import annotations

from collections.abc import Iterator

from engine.definition.checks.exploring.net import (
    EMBEDDED,
    FROM_OUTSIDE,
    Net,
    Outcome,
    parent_of,
    start_of,
)
from engine.definition.checks.exploring.walking import Bound, Walk, Walked, closure, turned
from engine.definition.checks.finding import error, info, warning
from engine.definition.shapes import JOBS, Drawing, Level
from engine.errors import Problem

MOST_FINDINGS = 5
MOST_STEPS_TOLD = 12
MOST_FEEDS = 400_000


def check_exploration(drawing: Drawing) -> Iterator[Problem]:
    """Everything that exploring the token states of a drawing finds; the drawing must be sound otherwise.

    Data are not looked at: a choice may go any way. A dead end that every case runs into is an error,
    one that depends on choices a warning. The search is bounded; `explore.bound` says where it stopped.
    """
    outcomes: dict[str, Outcome] = {}
    bound = Bound()
    for level in reversed(drawing.levels):
        if not any(shape.kind == "startEvent" for shape in level.shapes):
            outcomes[level.id] = Outcome()
        elif _joins(level) * len(level.shapes) > MOST_FEEDS:
            outcomes[level.id] = Outcome()
            yield _bound(level)
        else:
            net = Net(drawing, level, outcomes)
            walked = Walk(net, bound).run()
            outcomes[level.id] = _outcome(net, walked)
            yield from _findings(net, walked)
            if walked.exhausted or walked.capped:
                yield _bound(level)


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


def _outcome(net: Net, walked: Walked) -> Outcome:
    """What the level can become for the one around it."""
    inner = [net.inner[s.id] for s in net.shapes if s.kind in EMBEDDED and s.id in net.inner]
    thrown = walked.thrown | {t for one in inner for t in one.thrown if t[0] == "escalation"}
    thrown |= {t for shape, _ in net.listeners() for t in net.inner[shape.id].thrown}
    caught = [start.trigger for _, start in net.listeners()]
    loose = {t for t in thrown if not any(c.kind == t[0] and c.code in (None, t[1]) for c in caught)}
    return Outcome(
        completes=walked.completes or walked.exhausted or walked.capped or _ends_otherwise(net),
        waits=any(net.waits),
        fails=any(s.kind in (*JOBS, "callActivity") for s in net.shapes) or any(o.fails for o in inner),
        thrown=frozenset(loose),
    )


def _ends_otherwise(net: Net) -> bool:
    """Whether an event sub-process can take over the level and end it."""
    return any(start.interrupting and net.inner[shape.id].completes for shape, start in net.listeners())


def _findings(net: Net, walked: Walked) -> Iterator[Problem]:
    dead = list(_deadlocks(net, walked))[:MOST_FINDINGS]
    yield from dead
    yield from _livelock(net, walked)
    yield from _multiplied(net, walked)
    is_all = not walked.exhausted and not walked.capped
    if is_all and not any(problem.severity == "error" for problem in dead):
        yield from _unreachable(net, walked)


# --- dead ends ----------------------------------------------------------------------------------------


def _deadlocks(net: Net, walked: Walked) -> Iterator[Problem]:
    if _is_rescued(net, net.level):
        return
    ends = walked.completes or walked.leaves or _ends_otherwise(net)
    tell = warning if ends or walked.capped or walked.exhausted else error
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


def _is_rescued(net: Net, level: Level) -> bool:
    """Whether something from outside can still take over the level, or one around it."""
    around = parent_of(net.drawing, level)
    events = [
        start for shape in level.shapes if shape.by_event and (start := start_of(net.drawing, shape.id))
    ]
    events += [s for s in around.shapes if s.attached_to == level.id] if around else []
    if any(event.interrupting and event.trigger.kind in FROM_OUTSIDE for event in events):
        return True
    return around is not None and _is_rescued(net, around)


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
