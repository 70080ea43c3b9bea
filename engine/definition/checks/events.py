"""Rules of events: which trigger may stand where, and what it must name."""

from __future__ import annotations

from collections.abc import Iterator

from engine.definition.checks.finding import error
from engine.definition.shapes import ACTIVITIES, EMBEDDED, Drawing, Level, Shape
from engine.errors import Problem

ALLOWED = {
    "startEvent": frozenset({"none", "message", "timer", "signal"}),
    "endEvent": frozenset(
        {"none", "message", "error", "escalation", "terminate", "signal", "compensation", "cancel"}
    ),
    "intermediateCatchEvent": frozenset({"message", "timer", "signal", "link", "conditional"}),
    "intermediateThrowEvent": frozenset({"none", "message", "escalation", "signal", "link", "compensation"}),
    "boundaryEvent": frozenset(
        {"message", "timer", "error", "escalation", "signal", "conditional", "compensation", "cancel"}
    ),
}
AT_EVENT_LEVEL = frozenset(
    {"message", "timer", "error", "escalation", "signal", "conditional", "compensation"}
)


def check_events(drawing: Drawing) -> Iterator[Problem]:
    """All rules about triggers."""
    event_levels = {shape.id for shape in drawing.shapes if shape.by_event}
    for level in drawing.levels:
        for shape in level.shapes:
            yield from _trigger(shape, level, level.id in event_levels)
            yield from _boundary(shape, level)
            yield from _link(shape, level)
            yield from _undoing(shape, level, drawing)
            if shape.by_event:
                yield from _event_level(shape, drawing)


def _trigger(shape: Shape, level: Level, at_event_level: bool) -> Iterator[Problem]:
    allowed = ALLOWED.get(shape.kind)
    if allowed is None:
        return
    if len(shape.triggers) > 1:
        yield error(shape.id, "event.several", f"{shape.id} has several triggers", f"{shape.id} 有多个触发器")
    kind = shape.trigger.kind
    if shape.kind == "startEvent" and at_event_level:
        allowed = AT_EVENT_LEVEL
    elif shape.kind == "startEvent" and level.parent is not None:
        allowed = frozenset({"none"})
    if kind not in allowed:
        yield error(
            shape.id,
            f"event.{kind}",
            f"a {kind} trigger at {shape.kind} {shape.id} is not supported",
            f"{shape.id} 不支持 {kind} 类型的触发器",
        )
    yield from _named(shape)


def _named(shape: Shape) -> Iterator[Problem]:
    trigger = shape.trigger
    if trigger.kind in ("message", "signal", "link") and not trigger.name:
        yield error(
            shape.id, f"{trigger.kind}.name", f"{shape.id} names no {trigger.kind}", f"{shape.id} 未指定名称"
        )
    throws = shape.kind in ("endEvent", "intermediateThrowEvent")
    if throws and trigger.kind in ("error", "escalation") and not trigger.code:
        yield error(
            shape.id,
            f"{trigger.kind}.code",
            f"{shape.id} must throw an {trigger.kind} that has a code",
            f"{shape.id} 抛出的事件必须有代码",
        )
    if throws and trigger.kind == "message" and shape.work.job is None:
        yield error(
            shape.id,
            "message.job",
            f"{shape.id} sends a message but has no job type that says how",
            f"{shape.id} 发送消息但没有任务类型",
        )
    if trigger.kind == "conditional" and trigger.when is None:
        yield error(
            shape.id,
            "conditional.missing",
            f"{shape.id} needs a formal condition",
            f"条件事件 {shape.id} 缺少形式化条件",
        )
    if trigger.kind == "timer" and trigger.when is None:
        yield error(
            shape.id,
            "timer.missing",
            f"the timer of {shape.id} must say one time",
            f"{shape.id} 的定时器必须恰有一个时间",
        )


def _boundary(shape: Shape, level: Level) -> Iterator[Problem]:
    if shape.kind != "boundaryEvent":
        return
    host = next((s for s in level.shapes if s.id == shape.attached_to), None)
    if host is None or host.kind not in ACTIVITIES or host.by_event:
        yield error(
            shape.id,
            "boundary.host",
            f"{shape.id} must be attached to an activity on its level, found {shape.attached_to}",
            f"边界事件 {shape.id} 必须附着在同层级的活动上",
        )
    elif host.kind not in EMBEDDED | {"callActivity"} and shape.trigger.kind == "escalation":
        yield error(
            shape.id,
            "boundary.escalation",
            f"{host.id} cannot throw an escalation",
            f"{host.id} 不会抛出升级事件",
        )
    elif host.kind in ("task", "manualTask") and shape.trigger.kind != "compensation":
        yield error(
            shape.id,
            "boundary.never",
            f"{host.id} never waits, {shape.id} cannot happen",
            f"{host.id} 不会等待",
        )
    if shape.trigger.kind in ("error", "compensation") and not shape.interrupting:
        kind = shape.trigger.kind
        yield error(
            shape.id,
            f"boundary.{kind}",
            f"{kind} boundary {shape.id} always interrupts",
            f"边界事件 {shape.id} 必须是中断型",
        )


def _undoing(shape: Shape, level: Level, drawing: Drawing) -> Iterator[Problem]:
    kind = shape.trigger.kind
    if kind == "compensation" and shape.kind == "boundaryEvent" and level.handler_of(shape.id) is None:
        yield error(
            shape.id,
            "compensation.handler",
            f"{shape.id} must be associated with an activity that is for compensation",
            f"补偿边界事件 {shape.id} 必须关联补偿活动",
        )
    if shape.for_compensation and shape.kind in EMBEDDED and shape.by_event:
        yield error(
            shape.id, "compensation.handler", f"{shape.id} cannot compensate", f"{shape.id} 不能作为补偿活动"
        )
    named = shape.trigger.name if kind == "compensation" else ""
    if named and named not in _undoable(level, drawing):
        yield error(
            shape.id,
            "compensation.activity",
            f"{shape.id} undoes {named}, which is no activity of its level",
            f"{shape.id} 补偿的 {named} 不是同层级的活动",
        )
    if kind != "cancel":
        return
    transactions = {s.id for s in drawing.shapes if s.kind == "transaction"}
    caught = {
        s.attached_to for s in drawing.shapes if s.kind == "boundaryEvent" and s.trigger.kind == "cancel"
    }
    if shape.kind == "endEvent" and (level.id not in transactions or level.id not in caught):
        yield error(
            shape.id,
            "cancel.place",
            f"{shape.id} needs a transaction around it with a cancel boundary event",
            f"取消结束事件 {shape.id} 必须位于带取消边界事件的事务中",
        )
    if shape.kind == "boundaryEvent" and (shape.attached_to not in transactions or not shape.interrupting):
        yield error(
            shape.id,
            "cancel.place",
            f"{shape.id} must be attached to a transaction and interrupt it",
            f"取消边界事件 {shape.id} 只能附着在事务上且必须中断",
        )


def _undoer(shape: Shape, drawing: Drawing) -> Iterator[Problem]:
    """A compensation event sub-process undoes the completed sub-process around it, and alone does so."""
    around = next((other for other in drawing.shapes if other.id == shape.level), None)
    starts = {s.level: s.trigger.kind for s in drawing.shapes if s.kind == "startEvent"}
    rivals = [s.id for s in drawing.shapes if s.by_event and s.level == shape.level]
    undoers = [own for own in rivals if starts.get(own) == "compensation"]
    hosts = {s.attached_to for s in drawing.shapes if s.trigger.kind == "compensation" and s.attached_to}
    if around is None or around.by_event or len(undoers) > 1 or around.id in hosts:
        yield error(
            shape.id,
            "compensation.place",
            f"{shape.id} undoes the sub-process it stands in, which must be embedded and have no other way",
            f"补偿事件子流程 {shape.id} 必须位于嵌入式子流程中，且是其唯一的补偿方式",
        )


def _undoable(level: Level, drawing: Drawing) -> set[str]:
    """The activities that can be undone by name from this level: its own; in an event sub-process those
    of the level around it."""
    around = next((s.level for s in drawing.shapes if s.by_event and s.id == level.id), level.id)
    return {s.id for s in drawing.shapes if s.level == around and s.kind in ACTIVITIES}


def _link(shape: Shape, level: Level) -> Iterator[Problem]:
    if shape.trigger.kind != "link":
        return
    same = [s for s in level.shapes if s.trigger.kind == "link" and s.trigger.name == shape.trigger.name]
    catches = [s for s in same if s.kind == "intermediateCatchEvent"]
    if len(catches) != 1 or len(catches) == len(same):
        yield error(
            shape.id,
            "link.pair",
            f"link {shape.trigger.name} needs exactly one catching and at least one throwing event here",
            f"链接 {shape.trigger.name} 需要同层级的一个捕获事件和至少一个抛出事件",
        )
    if shape.kind == "intermediateCatchEvent" and any(f.target == shape.id for f in level.flows):
        yield error(
            shape.id,
            "link.incoming",
            f"no flow may lead to link {shape.id}",
            f"不能有顺序流指向链接 {shape.id}",
        )


def _event_level(shape: Shape, drawing: Drawing) -> Iterator[Problem]:
    inner = next(level for level in drawing.levels if level.id == shape.id)
    starts = [s for s in inner.shapes if s.kind == "startEvent"]
    if len(starts) != 1:
        yield error(
            shape.id,
            "event_subprocess.start",
            f"event sub-process {shape.id} needs exactly one start event",
            f"事件子流程 {shape.id} 必须恰有一个开始事件",
        )
    for kind in sorted({"error", "compensation"} & {start.trigger.kind for start in starts}):
        if not starts[0].interrupting:
            yield error(
                starts[0].id,
                f"boundary.{kind}",
                f"{kind} start {starts[0].id} always interrupts",
                f"开始事件 {starts[0].id} 必须是中断型",
            )
    if any(start.trigger.kind == "compensation" for start in starts):
        yield from _undoer(shape, drawing)
    if shape.loops:
        yield error(
            shape.id,
            "loop.place",
            f"event sub-process {shape.id} cannot loop",
            f"事件子流程 {shape.id} 不能循环",
        )
