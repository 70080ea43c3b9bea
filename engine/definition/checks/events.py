"""Rules of events: which trigger may stand where, and what it must name."""

from __future__ import annotations

from collections.abc import Iterator

from engine.definition.checks.finding import error
from engine.definition.shapes import ACTIVITIES, CAUGHT, THROWS, Drawing, Level, Shape, Trigger
from engine.errors import Problem

ALLOWED = {
    "startEvent": frozenset({"none", "message", "timer", "signal", "conditional"}),
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
HOLDS = frozenset({"subProcess", "transaction", "callActivity"})


def check_events(drawing: Drawing) -> Iterator[Problem]:
    """All rules about triggers."""
    event_levels = {shape.id for shape in drawing.shapes if shape.by_event}
    for level in drawing.levels:
        for shape in level.shapes:
            yield from _trigger(shape, level, level.id in event_levels)
            yield from _loop(shape, level)
            yield from _boundary(shape, level)
            yield from _link(shape, level)
            yield from _undoing(shape, level, drawing)
            if shape.by_event:
                yield from _event_level(shape, drawing)


def _trigger(shape: Shape, level: Level, at_event_level: bool) -> Iterator[Problem]:
    allowed = ALLOWED.get(shape.kind)
    if allowed is None:
        return
    if shape.kind == "startEvent" and at_event_level:
        allowed = AT_EVENT_LEVEL
    elif shape.kind == "startEvent" and level.parent is not None:
        allowed = frozenset({"none"})
    for kind in sorted((shape.kinds() or {"none"}) - allowed):
        yield error(
            shape.id,
            f"event.{kind}",
            f"a {kind} trigger at {shape.kind} {shape.id} is not supported",
            f"{shape.id} 不支持 {kind} 类型的触发器",
        )
    if len(shape.triggers) > 1:
        yield from _several(shape)
    for trigger in shape.triggers:
        yield from _named(shape, trigger)


def _several(shape: Shape) -> Iterator[Problem]:
    kinds = [trigger.kind for trigger in shape.triggers]
    alone = sorted({"compensation", "link"} & set(kinds))
    if shape.kind in THROWS and "cancel" in kinds:
        alone.append("cancel")
    if alone:
        yield error(
            shape.id,
            "event.several",
            f"the {alone[0]} trigger of {shape.id} must stand alone; draw another event for the others",
            f"{shape.id} 的 {alone[0]} 触发器须单独使用",
        )
    if shape.kind in THROWS and shape.work.job is not None and kinds.count("message") != 1:
        yield error(
            shape.id,
            "message.job",
            f"{shape.id} has a job type that sends one message, found {kinds.count('message')}",
            f"{shape.id} 的任务类型只能发送一条消息",
        )
    if shape.needs_all and shape.kind not in THROWS:
        yield from _together(shape)


def _together(shape: Shape) -> Iterator[Problem]:
    for kind in sorted(shape.kinds() & CAUGHT):
        yield error(
            shape.id,
            "event.parallel",
            f"{shape.id} cannot wait for an {kind} and for other triggers: what it ends does not go on",
            f"{shape.id} 不能把 {kind} 与其他触发器合并等待",
        )
    if "timer" in shape.kinds() and not shape.interrupting:
        yield error(
            shape.id,
            "event.parallel_timer",
            f"{shape.id} could happen again, but a time that has come does not come again; let it interrupt",
            f"{shape.id} 可重复发生，但定时器时间不会再次到来；请改为中断型",
        )


def _named(shape: Shape, trigger: Trigger) -> Iterator[Problem]:
    if trigger.kind in ("message", "signal", "link") and not trigger.name:
        yield error(
            shape.id, f"{trigger.kind}.name", f"{shape.id} names no {trigger.kind}", f"{shape.id} 未指定名称"
        )
    if shape.kind in THROWS and trigger.kind in ("error", "escalation") and not trigger.code:
        yield error(
            shape.id,
            f"{trigger.kind}.code",
            f"{shape.id} must throw an {trigger.kind} that has a code",
            f"{shape.id} 抛出的事件必须有代码",
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


def _loop(shape: Shape, level: Level) -> Iterator[Problem]:
    """What the instances of an activity throw when they are done."""
    for loop in shape.loops[:1]:
        if loop.behavior in ("None", "One", "Complex") and not loop.thrown:
            yield error(
                shape.id,
                "loop.event",
                f"behavior {loop.behavior} of {shape.id} names no event to throw",
                f"{shape.id} 的多实例行为 {loop.behavior} 未指定事件",
            )
        for thrown in loop.thrown:
            yield from _thrown(shape, thrown.trigger, level)


def _thrown(shape: Shape, trigger: Trigger, level: Level) -> Iterator[Problem]:
    given = trigger.name if trigger.kind == "signal" else trigger.code
    if trigger.kind not in ("signal", "escalation") or not given:
        yield error(
            shape.id,
            "loop.event",
            f"an instance of {shape.id} can throw a named signal or an escalation that has a code, "
            f"found {trigger.kind}",
            f"{shape.id} 的实例只能抛出有名称的信号或有代码的升级，实际为 {trigger.kind}",
        )
    for other in level.shapes:
        if other.attached_to != shape.id or not other.interrupting:
            continue
        if any(_catches(one, trigger) for one in other.triggers):
            yield error(
                other.id,
                "loop.event_interrupts",
                f"{other.id} would end {shape.id} when one of its instances is done, and what then becomes "
                "of the others is read in two ways; let it not interrupt",
                f"边界事件 {other.id} 会在 {shape.id} 的一个实例完成时中断其余实例，语义有争议，请勿中断",
            )


def _catches(trigger: Trigger, thrown: Trigger) -> bool:
    if trigger.kind != thrown.kind:
        return False
    same_code = trigger.code is None or trigger.code == thrown.code
    return trigger.name == thrown.name if trigger.kind == "signal" else same_code


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
    elif host.kind not in HOLDS and not _throws(host) and "escalation" in shape.kinds():
        yield error(
            shape.id,
            "boundary.escalation",
            f"{host.id} cannot throw an escalation",
            f"{host.id} 不会抛出升级事件",
        )
    elif host.kind in ("task", "manualTask") and not _throws(host) and shape.trigger.kind != "compensation":
        yield error(
            shape.id,
            "boundary.never",
            f"{host.id} never waits, {shape.id} cannot happen",
            f"{host.id} 不会等待",
        )
    for kind in sorted({"error", "compensation"} & shape.kinds()) if not shape.interrupting else ():
        yield error(
            shape.id,
            f"boundary.{kind}",
            f"{kind} boundary {shape.id} always interrupts",
            f"边界事件 {shape.id} 必须是中断型",
        )


def _throws(host: Shape) -> bool:
    return any(loop.thrown for loop in host.loops)


def _undoing(shape: Shape, level: Level, drawing: Drawing) -> Iterator[Problem]:
    kind = shape.trigger.kind
    if kind == "compensation" and shape.kind == "boundaryEvent" and level.handler_of(shape.id) is None:
        yield error(
            shape.id,
            "compensation.handler",
            f"{shape.id} must be associated with an activity that is for compensation",
            f"补偿边界事件 {shape.id} 必须关联补偿活动",
        )
    if shape.for_compensation and shape.kind in ("subProcess", "transaction") and shape.by_event:
        yield error(
            shape.id, "compensation.handler", f"{shape.id} cannot compensate", f"{shape.id} 不能作为补偿活动"
        )
    named = shape.trigger.name if kind == "compensation" else ""
    if named and named not in {other.id for other in drawing.shapes}:
        yield error(
            shape.id,
            "compensation.activity",
            f"{shape.id} undoes {named}, which does not exist",
            f"{shape.id} 补偿的活动 {named} 不存在",
        )
    if "cancel" not in shape.kinds():
        return
    transactions = {s.id for s in drawing.shapes if s.kind == "transaction"}
    caught = {s.attached_to for s in drawing.shapes if s.kind == "boundaryEvent" and "cancel" in s.kinds()}
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
    for kind in sorted({"error", "compensation"} & starts[0].kinds()) if len(starts) == 1 else ():
        if not starts[0].interrupting:
            yield error(
                starts[0].id,
                f"boundary.{kind}",
                f"{kind} start {starts[0].id} always interrupts",
                f"开始事件 {starts[0].id} 必须是中断型",
            )
    if any(s.trigger.kind == "compensation" for s in starts):
        yield from _undoer(shape, drawing)
    if shape.loops:
        yield error(
            shape.id,
            "loop.place",
            f"event sub-process {shape.id} cannot loop",
            f"事件子流程 {shape.id} 不能循环",
        )


def _undoer(shape: Shape, drawing: Drawing) -> Iterator[Problem]:
    """An event sub-process that undoes the sub-process it stands in."""
    around = next((other for other in drawing.shapes if other.id == shape.level), None)
    starts = {s.level: s.trigger.kind for s in drawing.shapes if s.kind == "startEvent"}
    twins = [
        other
        for other in drawing.shapes
        if other.by_event and other.level == shape.level and starts.get(other.id) == "compensation"
    ]
    if around is None or around.by_event or len(twins) > 1:
        yield error(
            shape.id,
            "compensation.place",
            f"{shape.id} undoes the sub-process it stands in, which must be embedded and have no other such",
            f"补偿事件子流程 {shape.id} 必须是嵌入式子流程中唯一的一个",
        )
