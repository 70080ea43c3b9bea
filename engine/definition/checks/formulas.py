"""Rules of expressions: every formula can be read, every fixed time is a time."""

from __future__ import annotations

from collections.abc import Iterator

from engine.decisions.check import HOST_FUNCTIONS
from engine.definition.checks.finding import error
from engine.definition.formulas import Formula
from engine.definition.moments import NoMoment, cycle_of, moment_of, period_of
from engine.definition.shapes import Drawing, Flow, Shape, Trigger
from engine.errors import Problem

READERS = {"date": moment_of, "duration": period_of, "cycle": cycle_of}


def check_formulas(drawing: Drawing) -> Iterator[Problem]:
    """All rules about what is written in expressions."""
    for flow in drawing.flows:
        yield from _condition(flow)
    for shape in drawing.shapes:
        for formula in formulas_of(shape):
            if formula.error:
                yield error(
                    shape.id,
                    "expression.syntax",
                    f"cannot read {formula.text!r} at {shape.id}: {formula.error}",
                    f"{shape.id} 的表达式 {formula.text!r} 无法解析",
                )
            yield from _functions(shape.id, formula)
        for trigger in shape.triggers:
            yield from _fixed_time(shape, trigger)


def formulas_of(shape: Shape) -> Iterator[Formula]:
    """Every formula that stands at an element."""
    who, work = shape.assignment, shape.work
    candidates = [who.assignee, who.groups, who.users, who.priority, who.deadline]
    candidates += [shape.activation, work.script, work.job, work.retries]
    candidates += [item.source for item in (*shape.inputs, *shape.outputs)]
    for loop in shape.loops:
        candidates += [loop.items, loop.result, loop.cardinality, loop.done, loop.again]
    for trigger in shape.triggers:
        candidates += [trigger.correlation, trigger.when]
    return (formula for formula in candidates if formula is not None)


def _functions(element: str, formula: Formula) -> Iterator[Problem]:
    if formula.expression is None:
        return
    for name in sorted(formula.expression.calls - HOST_FUNCTIONS):
        yield error(
            element,
            "expression.function",
            f"there is no function {name!r}, used at {element}",
            f"{element} 的表达式使用了不存在的函数 {name!r}",
        )


def _condition(flow: Flow) -> Iterator[Problem]:
    if flow.condition is None:
        return
    yield from _functions(flow.id, flow.condition)
    if flow.condition.error:
        yield error(
            flow.id,
            "expression.syntax",
            f"cannot read the condition of {flow.id}: {flow.condition.error}",
            f"顺序流 {flow.id} 的条件无法解析",
        )


def _fixed_time(shape: Shape, trigger: Trigger) -> Iterator[Problem]:
    if trigger.kind != "timer" or trigger.when is None or trigger.when.expression or trigger.when.error:
        return
    try:
        READERS[trigger.timer](trigger.when.text)
    except NoMoment as problem:
        yield error(
            shape.id,
            "timer.value",
            f"timer of {shape.id}: {problem}",
            f"{shape.id} 的定时器时间无效：{trigger.when.text}",
        )
