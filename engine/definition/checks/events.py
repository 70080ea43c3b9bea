"""Rules of events: which trigger may stand where, and what it must name."""

from __future__ import annotations

from collections.abc import Iterator

from engine.definition.checks.finding import error
from engine.definition.shapes import (
    ACTIVITIES,
    CAUGHT,
    EMBEDDED,
    EVENTS,
    THROWS,
    Drawing,
    Level,
    Shape,
    Trigger,
)
from engine.definition.support import event_refusal
from engine.errors import Problem

PLACES = {
    "start": ("the start of a process", "流程的开始事件"),
    "sub-process start": ("the start of a sub-process", "子流程的开始事件"),
    "event start": ("the start of an event sub-process", "事件子流程的开始事件"),
    "event start beside": (
        "the start of an event sub-process that does not interrupt",
        "非中断型事件子流程的开始事件",
    ),
    "catch": ("an intermediate catching event", "中间捕获事件"),
    "boundary": ("a boundary event", "边界事件"),
    "boundary beside": ("a boundary event that does not interrupt", "非中断型边界事件"),
    "throw": ("an intermediate throwing event", "中间抛出事件"),
    "end": ("an end event", "结束事件"),
}
HOLDS = EMBEDDED | {"callActivity"}


def check_events(drawing: Drawing) -> Iterator[Problem]:
    """All rules about triggers."""
    event_levels = {shape.id for shape in drawing.shapes if shape.by_event}
    for level in drawing.levels:
        for shape in level.shapes:
            if shape.kind in EVENTS:
                yield from _trigger(shape, _place(shape, level, level.id in event_levels))
            yield from _loop(shape, level)
            yield from _boundary(shape, level)
            yield from _link(shape, level)
            yield from _undoing(shape, level, drawing)
            if shape.by_event:
                yield from _event_level(shape, drawing)


def _place(shape: Shape, level: Level, at_event_level: bool) -> str:
    """The column of the table of events that an event belongs to."""
    beside = "" if shape.interrupting else " beside"
    match shape.kind:
        case "startEvent" if at_event_level:
            return f"event start{beside}"
        case "startEvent":
            return "start" if level.parent is None else "sub-process start"
        case "boundaryEvent":
            return f"boundary{beside}"
        case "intermediateCatchEvent":
            return "catch"
        case "intermediateThrowEvent":
            return "throw"
    return "end"


def _trigger(shape: Shape, place: str) -> Iterator[Problem]:
    kinds = [trigger.kind for trigger in shape.triggers] or ["none"]
    if len(kinds) > 1:
        kinds.append("parallel multiple" if shape.parallel else "multiple")
    for kind in dict.fromkeys(kinds):
        yield from _kind(shape, kind, place)
    if len(shape.triggers) > 1:
        yield from _several(shape)
    for trigger in shape.triggers:
        yield from _named(shape, trigger)


def _kind(shape: Shape, kind: str, place: str) -> Iterator[Problem]:
    if kind == "unknown":
        yield error(
            shape.id,
            "event.unknown",
            f"{shape.id} refers to an event definition that does not exist",
            f"{shape.id} 引用的事件定义不存在",
        )
        return
    rule = event_refusal(kind, place)
    if rule is not None:
        place_en, place_zh = PLACES[place]
        yield error(
            shape.id,
            rule,
            f"{place_en} cannot have the trigger {kind}: {shape.id}",
            f"{shape.id}：{place_zh}不支持 {kind} 类型的触发器",
        )


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


def _throws(host: Shape) -> bool:
    return any(loop.thrown for loop in host.loops)


def _undoing(shape: Shape, level: Level, drawing: Drawing) -> Iterator[Problem]:
    kind = shape.trigger.kind
    if kind == "compensation" and shape.kind == "boundaryEvent" and level.handler_of(shape.id) is None:
        for at in (shape.id, *(line for line, source, _ in level.associations if source == shape.id)):
            yield error(
                at,
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
    if shape.kind == "boundaryEvent" and shape.attached_to not in transactions:
        yield error(
            shape.id,
            "cancel.place",
            f"{shape.id} must be attached to a transaction",
            f"取消边界事件 {shape.id} 只能附着在事务上",
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
    if any(start.trigger.kind == "compensation" for start in starts):
        yield from _undoer(shape, drawing)
    if shape.loops:
        yield error(
            shape.id,
            "loop.place",
            f"event sub-process {shape.id} cannot loop",
            f"事件子流程 {shape.id} 不能循环",
        )
