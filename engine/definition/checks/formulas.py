"""Rules of expressions: every formula can be read, every function it calls is there."""

from __future__ import annotations

from collections.abc import Iterator

from engine.decisions.check import HOST_FUNCTIONS
from engine.definition.checks.finding import error
from engine.definition.formulas import Formula
from engine.definition.shapes import Drawing, Flow, Loop, Shape
from engine.errors import Problem


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
        for loop in shape.loops:
            yield from _constant_behavior(shape, loop)


def formulas_of(shape: Shape) -> Iterator[Formula]:
    """Every formula that stands at an element."""
    who, work = shape.assignment, shape.work
    candidates = [who.assignee, who.groups, who.users, who.priority, who.deadline]
    candidates += [
        shape.activation,
        shape.ad_hoc.done if shape.ad_hoc else None,
        work.script,
        work.job,
        work.retries,
    ]
    candidates += [item.source for item in (*shape.inputs, *shape.outputs)]
    for loop in shape.loops:
        candidates += [loop.items, loop.result, loop.cardinality, loop.done, loop.again]
        candidates += [thrown.when for thrown in loop.thrown]
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


def _constant_behavior(shape: Shape, loop: Loop) -> Iterator[Problem]:
    """A condition that reads no variable can be tried here and now."""
    for when in (thrown.when for thrown in loop.thrown):
        expression = None if when is None else when.expression
        if expression is None or expression.names or expression.calls or "now" in expression.text:
            continue
        if not isinstance(expression.evaluate({}), bool):
            yield error(
                shape.id,
                "loop.condition",
                f"the condition of a complex behaviour of {shape.id} is never true or false",
                f"{shape.id} 的复杂行为条件不是布尔值",
            )
