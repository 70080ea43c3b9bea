"""Rules of our vocabulary: what each kind of element must say in zeebe and tidu attributes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from engine.definition.checks.finding import error, warning
from engine.definition.shapes import DELIVERIES, JOBS, Drawing, Loop, Shape
from engine.errors import Problem

MOST_QUANTITY = 100
STYLES = frozenset({"primary", "secondary", "danger"})


def check_dialect(
    drawing: Drawing,
    *,
    processes: Mapping[str, Shape | None],
    decisions: Collection[str],
    users: Collection[str],
) -> Iterator[Problem]:
    """All rules about extension attributes; `decisions` and `processes`, with their start
    events, are those that can be called, `users` the user tasks of all processes of the case."""
    for shape in drawing.shapes:
        yield from _work(shape, decisions)
        yield from _call(shape, processes)
        yield from _loop(shape)
        yield from _mappings(shape)
        if shape.task is not None:
            yield from _task(shape, users)


def _work(shape: Shape, decisions: Collection[str]) -> Iterator[Problem]:
    if shape.kind == "scriptTask" and shape.work.script is None:
        yield error(
            shape.id,
            "script.missing",
            f"script task {shape.id} has no zeebe:script expression",
            f"脚本任务 {shape.id} 没有表达式",
        )
    if shape.kind == "businessRuleTask" and not shape.work.decision:
        yield error(shape.id, "decision.missing", f"{shape.id} calls no decision", f"{shape.id} 未指定决策")
    elif shape.kind == "businessRuleTask" and shape.work.decision not in decisions:
        yield error(
            shape.id,
            "decision.unknown",
            f"{shape.id} calls decision {shape.work.decision}, which is not in the package",
            f"{shape.id} 调用的决策 {shape.work.decision} 不存在",
        )
    if shape.kind in JOBS and shape.work.job is None and shape.trigger.kind != "message":
        yield error(
            shape.id,
            "job.missing",
            f"{shape.id} has no zeebe:taskDefinition type",
            f"{shape.id} 没有任务类型",
        )
    if shape.work.job is not None and shape.work.job.text in DELIVERIES:
        yield error(
            shape.id,
            "job.reserved",
            f"{shape.id} names job type {shape.work.job.text}; draw a message or a signal instead",
            f"{shape.id} 使用了保留的任务类型 {shape.work.job.text}，请改画消息或信号",
        )
    if shape.kind == "receiveTask" and shape.trigger.kind != "message":
        yield error(shape.id, "message.name", f"{shape.id} names no message", f"{shape.id} 未指定消息")
    if not (1 <= shape.start_quantity <= MOST_QUANTITY and 1 <= shape.completion_quantity <= MOST_QUANTITY):
        yield error(
            shape.id,
            "activity.quantity",
            f"the quantities of {shape.id} must be between 1 and {MOST_QUANTITY}",
            f"{shape.id} 的数量必须在 1 到 {MOST_QUANTITY} 之间",
        )


def _call(shape: Shape, processes: Mapping[str, Shape | None]) -> Iterator[Problem]:
    if shape.call is None:
        return
    called = shape.call.process
    if not called or called.startswith("="):
        yield error(
            shape.id,
            "call.missing",
            f"{shape.id} must name the called process",
            f"{shape.id} 未指定被调用的流程",
        )
    elif called not in processes:
        yield error(
            shape.id,
            "call.unknown",
            f"{shape.id} calls process {called}, which does not exist",
            f"{shape.id} 调用的流程 {called} 不存在",
        )
    elif (start := processes[called]) is not None and start.trigger.kind != "none":
        yield error(
            shape.id,
            "call.start",
            f"{shape.id} calls process {called}, whose start event waits for a {start.trigger.kind}",
            f"{shape.id} 调用的流程 {called} 的开始事件带有触发器",
        )


def _loop(shape: Shape) -> Iterator[Problem]:
    if len(shape.loops) > 1:
        yield error(shape.id, "loop.several", f"{shape.id} has several loops", f"{shape.id} 有多个循环标记")
    for loop in shape.loops[:1]:
        yield from _one_loop(shape, loop)


def _one_loop(shape: Shape, loop: Loop) -> Iterator[Problem]:
    if loop.standard and loop.again is None and loop.maximum is None:
        yield error(
            shape.id, "loop.endless", f"the loop of {shape.id} has no condition", f"{shape.id} 的循环没有条件"
        )
    if loop.maximum is not None and loop.maximum < 0:
        yield error(
            shape.id,
            "loop.maximum",
            f"the loop of {shape.id} has a negative maximum, {loop.maximum}",
            f"{shape.id} 的循环上限为负数 {loop.maximum}",
        )
    if not loop.standard and (loop.items is None) == (loop.cardinality is None):
        yield error(
            shape.id,
            "loop.collection",
            f"{shape.id} needs an input collection or a cardinality, and only one of them",
            f"{shape.id} 需要输入集合或实例数量之一",
        )
    if bool(loop.results) != (loop.result is not None):
        yield error(
            shape.id,
            "loop.output",
            f"{shape.id} needs both an output collection and an output element",
            f"{shape.id} 的输出集合与输出元素须同时指定",
        )


def _mappings(shape: Shape) -> Iterator[Problem]:
    for item in (*shape.inputs, *shape.outputs):
        if not item.target or not all(part for part in item.target.split(".")):
            yield error(
                shape.id,
                "mapping.target",
                f"a mapping of {shape.id} has no target",
                f"{shape.id} 的映射缺少目标",
            )


def _task(shape: Shape, users: Collection[str]) -> Iterator[Problem]:
    task = shape.task
    if task is None:
        return
    for other in task.not_same_as:
        if other not in users:
            yield error(
                shape.id,
                "task.not_same_as",
                f"notSameAs of {shape.id} names {other}, which is no user task of the case",
                f"{shape.id} 的 notSameAs 指向的 {other} 不是本案例的用户任务",
            )
    for value, times in Counter(outcome.value for outcome in task.outcomes).items():
        if not value or times > 1:
            yield error(
                shape.id,
                "task.outcomes",
                f"outcome {value!r} of {shape.id} is empty or doubled",
                f"{shape.id} 的结果选项 {value!r} 为空或重复",
            )
    for outcome in task.outcomes:
        if outcome.style not in STYLES:
            yield warning(
                shape.id,
                "task.outcome_style",
                f"style {outcome.style} of {shape.id} is unknown",
                f"{shape.id} 的按钮样式 {outcome.style} 未知",
            )
    who = shape.assignment
    if who.assignee is None and who.groups is None and who.users is None:
        yield warning(
            shape.id,
            "task.nobody",
            f"nobody is named for {shape.id}: only a coordinator will see it",
            f"{shape.id} 未指定候选组或办理人",
        )
