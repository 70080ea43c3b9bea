"""All checks of all files of a process, in one list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.decisions.check import check
from engine.definition.beginnings import begins_plainly
from engine.definition.checks.adhoc import check_ad_hoc
from engine.definition.checks.beginnings import check_beginnings
from engine.definition.checks.branches import check_branches
from engine.definition.checks.data import check_data
from engine.definition.checks.dialect import check_dialect
from engine.definition.checks.events import check_events
from engine.definition.checks.exploring.findings import check_exploration
from engine.definition.checks.finding import error
from engine.definition.checks.form import check_form
from engine.definition.checks.formulas import check_formulas
from engine.definition.checks.ids import check_ids
from engine.definition.checks.people import check_people
from engine.definition.checks.references import Names, check_references
from engine.definition.checks.structure import check_structure, is_too_large
from engine.definition.checks.support import check_support
from engine.definition.checks.timers import check_timers
from engine.definition.checks.unread import check_unread
from engine.definition.checks.usage import Usage
from engine.definition.loading import Loaded, Sources
from engine.definition.shapes import THROWS, Drawing, Shape
from engine.errors import Problem


def check_sources(sources: Sources, loaded: Loaded) -> tuple[Problem, ...]:
    """Everything that is wrong or doubtful, file by file."""
    problems = list(loaded.problems)
    problems += _missing(sources, loaded)
    shapes = [shape for drawing in loaded.drawings.values() for shape in drawing.shapes]
    called = {own: _waits_to_begin(drawing) for own, drawing in loaded.drawings.items()}
    users = {shape.id for shape in shapes if shape.kind == "userTask"}
    for process_id, drawing in loaded.drawings.items():
        others = [p for p in loaded.processes.get(process_id, ()) if p not in loaded.drawings]
        problems += check_structure(drawing, others)
        if is_too_large(drawing):
            continue
        problems += check_ad_hoc(drawing)
        problems += check_beginnings(drawing)
        problems += check_events(drawing)
        problems += check_dialect(drawing, processes=called, decisions=sources.dmn.keys(), users=users)
        problems += check_formulas(drawing)
        problems += check_timers(drawing)
    for root in dict.fromkeys(loaded.roots.values()):
        names = Names(root)
        run = {process_id for process_id, other in loaded.roots.items() if other is root}
        problems += check_support(root, run)
        problems += [*check_ids(names), *check_references(names), *check_form(names), *check_data(names)]
        problems += check_unread(names)
    problems += _clashes(loaded.drawings)
    problems += _signals(loaded.drawings)
    for decision_id, model in loaded.decisions.items():
        problems += check(model)
        if decision_id not in model.decisions:
            problems.append(
                error(
                    decision_id,
                    "decision.id",
                    f"file {decision_id}.dmn holds no decision with this id",
                    f"文件 {decision_id}.dmn 中没有同名决策",
                )
            )
    if not any(problem.severity == "error" for problem in problems):
        problems += _unfolded(loaded)
    return tuple(dict.fromkeys(problems))


def _unfolded(loaded: Loaded) -> Iterator[Problem]:
    """What only shows when a drawing that is sound so far is followed step by step."""
    usage = Usage(loaded.drawings)
    shapes = [shape for drawing in loaded.drawings.values() for shape in drawing.shapes]
    tasks = {shape.id: shape for shape in shapes if shape.kind == "userTask"}
    limited = {shape.attached_to for shape in shapes if shape.attached_to and "timer" in shape.kinds()}
    timed = {shape.call.process for shape in shapes if shape.call and shape.id in limited}
    for process, drawing in loaded.drawings.items():
        yield from check_exploration(drawing)
        yield from check_people(drawing, tasks, timed)
        yield from check_branches(usage, process)


def _missing(sources: Sources, loaded: Loaded) -> Iterator[Problem]:
    if sources.process_id not in sources.bpmn:
        yield error(
            sources.process_id,
            "process.missing",
            f"there is no file for process {sources.process_id}",
            f"缺少流程 {sources.process_id} 的文件",
        )
    for process_id, found in loaded.processes.items():
        if process_id not in found:
            names = ", ".join(found) or "none"
            yield error(
                process_id,
                "process.id",
                f"the file of process {process_id} must hold a process of that id, found {names}",
                f"文件中没有编号为 {process_id} 的流程，实际为：{names}",
            )


def _signals(drawings: Mapping[str, Drawing]) -> Iterator[Problem]:
    shapes = [shape for drawing in drawings.values() for shape in drawing.shapes]
    triggers = [(s, t) for s in shapes for t in s.triggers if t.kind == "signal"]
    caught = {trigger.name for shape, trigger in triggers if shape.kind not in THROWS}
    for shape, trigger in triggers:
        scope = shape.properties.get("scope", "")
        if shape.kind in THROWS and scope not in ("", "case"):
            yield error(
                shape.id,
                "signal.scope",
                f"the scope of signal {trigger.name} at {shape.id} can only be case, found {scope}",
                f"{shape.id} 的信号范围只能为 case，实际为 {scope}",
            )
        if shape.kind in THROWS and scope == "case" and trigger.name not in caught:
            yield error(
                shape.id,
                "signal.uncaught",
                f"nobody in the case catches signal {trigger.name}, which is kept inside the case",
                f"信号 {trigger.name} 只在本案例内有效，但没有元素捕获它",
            )


def _waits_to_begin(drawing: Drawing) -> Shape | None:
    """What a process that cannot be called waits for; None if it begins without a trigger."""
    if begins_plainly(drawing):
        return None
    level = drawing.levels[0]
    return next((s for s in level.shapes if s.kind == "startEvent" or s.instantiates), None)


def _clashes(drawings: Mapping[str, Drawing]) -> Iterator[Problem]:
    owner: dict[str, str] = {}
    for drawing in drawings.values():
        ids = [s.id for s in drawing.shapes] + [f.id for f in drawing.flows] + [drawing.process]
        for own in ids:
            other = owner.setdefault(own, drawing.process)
            if other != drawing.process:
                yield error(
                    own,
                    "id.unique",
                    f"id {own} is used by process {other} and by process {drawing.process}",
                    f"编号 {own} 同时用于流程 {other} 和 {drawing.process}",
                )
