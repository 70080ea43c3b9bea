"""Rules of shape: ids, levels, flows, gateways, what must and must not be connected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from engine.definition.checks.finding import error, warning
from engine.definition.shapes import ACTIVITIES, AWAITED, GATEWAYS, Drawing, Flow, Level, Shape
from engine.errors import Problem

MOST_SHAPES = 2000
MOST_FLOWS = 5000
MOST_WAYS = 1000


def check_structure(drawing: Drawing, processes: Sequence[str] = ()) -> Iterator[Problem]:
    """All rules about how the elements of a drawing hang together; `processes` are others in the file."""
    yield from _file(drawing, processes)
    if is_too_large(drawing):
        return
    loose = {shape.id for shape in drawing.shapes if shape.ad_hoc is not None}
    for level in drawing.levels:
        if level.id not in loose:
            yield from _level(level)
        yield from _flows(level, drawing)
        for shape in level.shapes:
            yield from _connections(shape, level)
            yield from _gateway(shape, level)
        yield from _unreachable(level)


def is_too_large(drawing: Drawing) -> bool:
    """Whether nothing more is checked: many rules compare every element with every flow."""
    return len(drawing.shapes) > MOST_SHAPES or len(drawing.flows) > MOST_FLOWS


def _file(drawing: Drawing, processes: Sequence[str]) -> Iterator[Problem]:
    process = drawing.process
    if not drawing.executable:
        yield error(
            process,
            "process.executable",
            f"process {process} is not marked as executable; its properties, or those of its pool, can do it",
            f"流程 {process} 未标记为可执行，请在流程或其泳池的属性中勾选“可执行”",
        )
    for own in drawing.duplicates:
        yield error(own, "id.unique", f"id {own} is used twice", f"编号 {own} 重复")
    if is_too_large(drawing):
        yield error(
            process,
            "process.size",
            f"more than {MOST_SHAPES} elements or {MOST_FLOWS} sequence flows",
            f"流程元素超过 {MOST_SHAPES} 个或顺序流超过 {MOST_FLOWS} 条",
        )
    for own in [shape.id for shape in drawing.shapes] + [flow.id for flow in drawing.flows]:
        if not own:
            yield error(process, "id.missing", "an element has no id", "有元素缺少编号")
    for other in processes:
        yield warning(
            other,
            "process.other",
            f"process {other} stands in the same file and is not run",
            f"同一文件中的流程 {other} 不会执行",
        )


def _level(level: Level) -> Iterator[Problem]:
    """Start and end events stand together or not at all; without them a token must find a beginning."""
    starts = [s.id for s in level.shapes if s.kind == "startEvent"]
    ends = [s.id for s in level.shapes if s.kind == "endEvent"]
    if not level.firsts or (ends and not starts and not any(s.instantiates for s in level.shapes)):
        yield error(
            (*ends, level.id)[0],
            "start.missing",
            f"{level.id} has no start event",
            f"{level.id} 缺少开始事件",
        )
    if starts and not ends:
        yield error(starts[0], "end.missing", f"{level.id} has no end event", f"{level.id} 缺少结束事件")


def _flows(level: Level, drawing: Drawing) -> Iterator[Problem]:
    here = {shape.id: shape for shape in level.shapes}
    everywhere = {shape.id for shape in drawing.shapes}
    for flow in level.flows:
        for end in (flow.source, flow.target):
            if end in here:
                continue
            rule = "flow.level" if end in everywhere else "flow.dangling"
            yield error(
                flow.id,
                rule,
                f"sequence flow {flow.id} touches {end or 'nothing'}, which is not on its level",
                f"顺序流 {flow.id} 连接的 {end or '空'} 不在同一层级",
            )
    twice = Counter((flow.source, flow.target, _text(flow)) for flow in level.flows)
    for flow in level.flows:
        if twice.pop((flow.source, flow.target, _text(flow)), 0) > 1:
            yield warning(flow.id, "flow.double", f"{flow.id} is drawn twice", f"顺序流 {flow.id} 重复")


def _text(flow: Flow) -> str:
    return flow.condition.text if flow.condition else ""


def _connections(shape: Shape, level: Level) -> Iterator[Problem]:
    incoming = [flow for flow in level.flows if flow.target == shape.id]
    outgoing = [flow for flow in level.flows if flow.source == shape.id]
    ends = shape.kind == "endEvent" or (
        shape.kind == "intermediateThrowEvent" and shape.trigger.kind == "link"
    )
    if ends and outgoing:
        yield error(
            shape.id,
            "flow.after_end",
            f"{shape.id} ends, no flow may leave it",
            f"{shape.id} 之后不能再有顺序流",
        )
    undoes = shape.for_compensation or shape.trigger.kind == "compensation"
    flows = shape.kind in ("intermediateThrowEvent", "startEvent") or ends
    if undoes and not flows and (incoming or outgoing):
        yield error(
            shape.id,
            "compensation.flows",
            f"{shape.id} belongs to a compensation and has no sequence flows",
            f"补偿元素 {shape.id} 不能有顺序流",
        )
    alone = shape.by_event or shape.for_compensation or (shape.kind == "boundaryEvent" and undoes)
    if not ends and not alone and not outgoing and not level.is_implicit:
        yield error(
            shape.id,
            "flow.dead_end",
            f"no sequence flow leaves {shape.id}; draw one to an end event",
            f"{shape.id} 没有流出的顺序流，请连接到结束事件",
        )
    for flow in (*incoming, *outgoing) if shape.by_event else ():
        yield error(
            flow.id,
            "event_subprocess.flows",
            f"{flow.id} connects {shape.id}, which an event starts and no flow",
            f"顺序流 {flow.id} 连接了事件子流程 {shape.id}，事件子流程不能有顺序流",
        )
    if shape.kind in ("startEvent", "boundaryEvent") and incoming:
        yield error(
            shape.id, "flow.into_start", f"no flow may lead to {shape.id}", f"不能有顺序流指向 {shape.id}"
        )
    if shape.default and shape.default not in [flow.id for flow in outgoing]:
        yield error(
            shape.id,
            "flow.default",
            f"default flow {shape.default} does not leave {shape.id}",
            f"默认流 {shape.default} 不是从 {shape.id} 流出的",
        )
    if shape.completion_quantity > 1 and shape.completion_quantity * len(outgoing) > MOST_WAYS:
        yield error(
            shape.id,
            "activity.quantity",
            f"{shape.id} sends more than {MOST_WAYS} tokens at once",
            f"{shape.id} 一次发出的令牌超过 {MOST_WAYS} 个",
        )
    if shape.kind not in ACTIVITIES and shape.loops:
        yield error(
            shape.id,
            "loop.place",
            f"{shape.id} is no activity and cannot loop",
            f"{shape.id} 不是活动，不能循环",
        )


def _direction(shape: Shape, ways_in: int, ways_out: int) -> Iterator[Problem]:
    if shape.kind not in GATEWAYS:
        return
    if ways_in < 2 and ways_out < 2:
        yield error(
            shape.id,
            "gateway.pointless",
            f"gateway {shape.id} neither splits nor joins",
            f"网关 {shape.id} 既不分支也不汇合",
        )
    drawn = shape.attributes.get("gatewayDirection", "Unspecified")
    wanted = {"Converging": (True, False), "Diverging": (False, True), "Mixed": (True, True)}.get(drawn)
    if wanted is not None and wanted != (ways_in > 1, ways_out > 1):
        yield error(
            shape.id,
            "gateway.direction",
            f"{shape.id} is marked {drawn} but has {ways_in} ways in and {ways_out} ways out",
            f"网关 {shape.id} 标记为 {drawn}，但有 {ways_in} 条流入、{ways_out} 条流出",
        )


def _gateway(shape: Shape, level: Level) -> Iterator[Problem]:
    outgoing = [flow for flow in level.flows if flow.source == shape.id]
    yield from _direction(shape, sum(flow.target == shape.id for flow in level.flows), len(outgoing))
    if shape.kind in ("exclusiveGateway", "inclusiveGateway", "complexGateway") and len(outgoing) > 1:
        for flow in outgoing:
            if flow.condition is None and flow.id != shape.default:
                yield error(
                    flow.id,
                    "flow.condition",
                    f"{flow.id} leaves {shape.id} without a condition and is not its default flow",
                    f"{shape.id} 的流出顺序流 {flow.id} 既无条件又非默认流",
                )
    if shape.kind in ("parallelGateway", "eventBasedGateway"):
        for flow in outgoing:
            if flow.condition is not None:
                yield error(
                    flow.id,
                    "flow.condition_here",
                    f"a condition after {shape.kind} {shape.id} has no meaning",
                    f"{shape.id} 之后的顺序流不能带条件",
                )
    joins = sum(flow.target == shape.id for flow in level.flows) > 1
    if shape.kind == "complexGateway" and shape.activation is None and joins:
        yield error(
            shape.id,
            "gateway.activation",
            f"complex gateway {shape.id} joins and needs an activation condition",
            f"复杂网关 {shape.id} 汇合时必须有激活条件",
        )
    if shape.kind == "eventBasedGateway":
        yield from _race(shape, level, outgoing)


def _race(shape: Shape, level: Level, outgoing: Sequence[Flow]) -> Iterator[Problem]:
    here = {other.id: other for other in level.shapes}
    if len(outgoing) < 2:
        yield error(
            shape.id, "race.single", f"{shape.id} needs at least two events", f"{shape.id} 至少需要两个事件"
        )
    kinds = {here[flow.target].kind for flow in outgoing if flow.target in here}
    targets = {flow.target for flow in outgoing}
    messages = [s for s in here.values() if "message" in s.kinds() and s.id in targets]
    if "receiveTask" in kinds and any(s.kind != "receiveTask" for s in messages):
        yield error(
            shape.id,
            "race.mixed",
            f"after {shape.id} stand message events and receive tasks; choose one kind",
            f"事件网关 {shape.id} 之后不能混用消息事件与接收任务",
        )
    for flow in outgoing:
        target = here.get(flow.target)
        if target is None or (
            target.kind != "receiveTask"
            and not (
                target.kind == "intermediateCatchEvent" and target.kinds() <= AWAITED and not target.needs_all
            )
        ):
            yield error(
                flow.target or shape.id,
                "race.target",
                f"after event-based gateway {shape.id} only catching events and receive tasks may stand",
                f"事件网关 {shape.id} 之后只能是捕获事件或接收任务",
            )
        elif sum(other.target == flow.target for other in level.flows) > 1:
            yield error(
                flow.target,
                "race.shared",
                f"{flow.target} may only be reached from {shape.id}",
                f"{flow.target} 只能由 {shape.id} 到达",
            )


def _unreachable(level: Level) -> Iterator[Problem]:
    nexts: dict[str, list[str]] = {}
    for flow in level.flows:
        nexts.setdefault(flow.source, []).append(flow.target)
    for shape in level.shapes:
        if shape.attached_to:
            nexts.setdefault(shape.attached_to, []).append(shape.id)
        if shape.trigger.kind == "link" and shape.kind == "intermediateThrowEvent":
            nexts.setdefault(shape.id, []).extend(
                s.id
                for s in level.shapes
                if s.trigger.kind == "link"
                and s.kind == "intermediateCatchEvent"
                and s.trigger.name == shape.trigger.name
            )
    for _, source, target in level.associations:
        nexts.setdefault(source, []).append(target)
    todo = [s.id for s in level.shapes if s.kind == "startEvent" or s.by_event or s.instantiates]
    todo += [s.id for s in level.firsts]
    seen = set(todo)
    while todo:
        for target in nexts.get(todo.pop(), ()):
            if target not in seen:
                seen.add(target)
                todo.append(target)
    for shape in level.shapes:
        if shape.id not in seen:
            yield error(
                shape.id, "flow.unreachable", f"no token can reach {shape.id}", f"流程无法到达 {shape.id}"
            )
