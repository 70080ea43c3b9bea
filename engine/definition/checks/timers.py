"""Rules of timers: a time that is fixed in the drawing is a time, and missed moments are caught up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from engine.definition.checks.finding import error
from engine.definition.formulas import Formula
from engine.definition.moments import SHANGHAI, NoMoment, cycle_of, moment_of, period_of
from engine.definition.shapes import CATCH_UP, Drawing, Shape
from engine.errors import Problem
from engine.expressions.budget import Budget, ExpressionError
from engine.values import Value

EARLIEST = datetime(2000, 1, 1, tzinfo=SHANGHAI)
"""No case is older: a span that leaves the calendar from here leaves it from any moment."""


def check_timers(drawing: Drawing) -> Iterator[Problem]:
    """All rules about timers."""
    for shape in drawing.shapes:
        for trigger in shape.triggers:
            if trigger.kind == "timer" and trigger.when is not None and _is_fixed(trigger.when):
                yield from _fixed_time(shape, trigger.timer, trigger.when)
        yield from _catch_up(shape)


def _is_fixed(when: Formula) -> bool:
    """Whether the time hangs on nothing but the drawing."""
    expression = when.expression
    return not when.error and (expression is None or not (expression.names or expression.calls))


def _fixed_time(shape: Shape, kind: str, when: Formula) -> Iterator[Problem]:
    try:
        _read(kind, _value(when))
    except (NoMoment, ExpressionError) as problem:
        if getattr(problem, "name", "") == "now":  # fixed, but only when a case comes by
            return
        yield error(
            shape.id,
            "timer.value",
            f"timer of {shape.id}: {problem}",
            f"{shape.id} 的定时器时间无效：{when.text or '空'}",
        )


def _value(when: Formula) -> Value:
    if when.expression is None:
        return when.text
    budget = Budget()
    value = when.expression.evaluate({}, budget=budget)
    if value is None:
        raise NoMoment(f"{when.text} gives null: {'; '.join(budget.warnings[:3]) or 'it has no value'}")
    return value


def _read(kind: str, value: Value) -> None:
    match kind:
        case "date":
            moment_of(value)
        case "duration":
            period_of(value).after(EARLIEST)
        case "cycle":
            cycle_of(value).period.after(EARLIEST)


def _catch_up(shape: Shape) -> Iterator[Problem]:
    if CATCH_UP not in shape.properties:
        return
    trigger = shape.trigger
    if trigger.kind != "timer" or trigger.timer != "cycle" or shape.interrupting:
        yield error(
            shape.id,
            "timer.catch_up",
            f"{CATCH_UP} at {shape.id}: only a timer that repeats without interrupting can miss a moment",
            f"{shape.id} 不是重复的非中断定时器，不能设置 {CATCH_UP}",
        )
    elif shape.catch_up not in ("once", "all"):
        yield error(
            shape.id,
            "timer.catch_up",
            f"{CATCH_UP} at {shape.id} must be once or all, found {shape.catch_up!r}",
            f"{shape.id} 的 {CATCH_UP} 必须是 once 或 all",
        )
