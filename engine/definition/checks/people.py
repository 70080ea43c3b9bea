"""Rules of work for people: who decides by when, with four eyes, and what time decides for them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from engine.definition.checks.branches import closure_of, ways_of
from engine.definition.checks.finding import warning
from engine.definition.shapes import Drawing, Flow, Level, Shape
from engine.errors import Problem

NO_DEADLINE = "no_deadline"
"""The property by which a drawing says why a decision has no term."""
SILENT_CONSENT = "silent_consent"
"""The property by which a timer says that silence is meant to decide; its value is the clause."""


def check_people(
    drawing: Drawing, tasks: Mapping[str, Shape], timed: Collection[str] = ()
) -> Iterator[Problem]:
    """All rules about decisions of people and of time; `tasks` are the user tasks of the whole case, and
    `timed` the processes and shared tasks that a call puts under a timer."""
    for level in drawing.levels:
        for shape in level.shapes:
            yield from _four_eyes(shape, tasks)
            if is_decision(shape) and shape.id not in timed:
                yield from _deadline(shape, level)
            decision = tasks.get(shape.call.process, shape) if shape.call else shape
            if is_decision(decision):
                yield from _approves(shape, decision, level)


def is_decision(shape: Shape) -> bool:
    """Whether a person decides here: a user task with outcomes to choose from."""
    return shape.task is not None and bool(shape.task.outcomes)


def _deadline(shape: Shape, level: Level) -> Iterator[Problem]:
    timed = any(s.attached_to == shape.id and "timer" in s.kinds() for s in level.shapes)
    if shape.assignment.deadline is None and not timed and not shape.properties.get(NO_DEADLINE):
        yield warning(
            shape.id,
            "task.deadline",
            f"decision {shape.id} has neither a deadline nor a timer; "
            f"say why in property {NO_DEADLINE} if that is meant",
            f"决定任务 {shape.id} 既没有办理期限也没有定时器；如属有意，请在属性 {NO_DEADLINE} 中说明",
        )


# --- four eyes ----------------------------------------------------------------------------------------


def _four_eyes(shape: Shape, tasks: Mapping[str, Shape]) -> Iterator[Problem]:
    """Two people are asked for, but of the same role."""
    for own in shape.task.not_same_as if shape.task else ():
        other = tasks.get(own)
        if other is not None and other is not shape and _groups(other) and _groups(other) == _groups(shape):
            yield warning(
                shape.id,
                "task.four_eyes",
                f"{shape.id} must not be done by whoever did {own}, but both are for the same groups",
                f"{shape.id} 与 {own} 须由不同人员办理，但两者的候选组相同",
            )


def _groups(shape: Shape) -> frozenset[str]:
    """The groups as they are drawn; an expression counts as one."""
    formula = shape.assignment.groups
    if formula is None:
        return frozenset()
    if formula.expression is not None:
        return frozenset({formula.text})
    return frozenset(part.strip() for part in formula.text.split(",") if part.strip())


# --- what time decides --------------------------------------------------------------------------------


def _approves(host: Shape, decision: Shape, level: Level) -> Iterator[Problem]:
    """An interrupting timer after which the case goes on as if the decision had been favourable; `host` is
    the task itself or the call of a shared one."""
    for timer in level.shapes:
        silent = timer.attached_to == host.id and "timer" in timer.kinds() and timer.interrupting
        if not silent or timer.properties.get(SILENT_CONSENT):
            continue
        granted = _granted(timer, decision, level)
        if granted:
            yield warning(
                timer.id,
                "timer.approves",
                f"if nobody decides {host.id} in time, {timer.id} leads to {granted} as if it were approved; "
                f"name the clause in property {SILENT_CONSENT} if that is meant",
                f"{host.id} 逾期未决定时，{timer.id} 视同同意而到达 {granted}；"
                f"如属默示同意，请在属性 {SILENT_CONSENT} 中写明依据条款",
            )


def _granted(timer: Shape, decision: Shape, level: Level) -> str:
    """What only a favourable decision leads to, and the timer too before another person decides."""
    nexts = ways_of(level)
    shapes = {shape.id: shape for shape in level.shapes}
    decisions = {s.id for s in level.shapes if is_decision(s) or (s.call and s.call.process == decision.id)}
    good, bad = _ways(decision, level)
    favoured = closure_of([flow.target for flow in good], nexts, decisions)
    favoured -= closure_of([flow.target for flow in bad], nexts, decisions)
    reached = closure_of([timer.id], nexts, decisions) - decisions
    judged = {flow.source for flow in (*good, *bad)}
    for own in (shape.id for shape in level.shapes if shape.id in reached):
        if _says_yes(shapes[own], decision):
            return own
        if own in favoured and not shapes[own].kind.endswith("Gateway") and not judged & reached:
            return own
    return ""


def _ways(decision: Shape, level: Level) -> tuple[list[Flow], list[Flow]]:
    """The flows that are taken after a favourable and after another outcome of a decision."""
    outcomes = decision.task.outcomes if decision.task else ()
    yes = {outcome.value for outcome in outcomes if outcome.style == "primary"}
    no = {outcome.value for outcome in outcomes} - yes
    good = [flow for flow in level.flows if _names(flow, yes)]
    bad = [flow for flow in level.flows if _names(flow, no)]
    asked = {flow.source for flow in good}
    defaults = {shape.default for shape in level.shapes if shape.default}
    bad += [flow for flow in level.flows if flow.source in asked and flow.id in defaults]
    return good, bad


def _names(flow: Flow, outcomes: Collection[str]) -> bool:
    return flow.condition is not None and any(f'"{value}"' in flow.condition.text for value in outcomes)


def _says_yes(shape: Shape, decision: Shape) -> bool:
    """Whether a script writes down a favourable outcome of the decision."""
    outcomes = decision.task.outcomes if decision.task else ()
    script = shape.work.script
    return script is not None and any(f'"{o.value}"' in script.text for o in outcomes if o.style == "primary")
