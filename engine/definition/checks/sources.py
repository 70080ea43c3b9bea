"""All checks of all files of a process, in one list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.decisions.check import check
from engine.definition.checks.data import check_data
from engine.definition.checks.dialect import check_dialect
from engine.definition.checks.events import check_events
from engine.definition.checks.finding import error
from engine.definition.checks.form import check_form
from engine.definition.checks.formulas import check_formulas
from engine.definition.checks.ids import check_ids
from engine.definition.checks.references import Names, check_references
from engine.definition.checks.structure import check_structure, is_too_large
from engine.definition.loading import Loaded, Sources
from engine.definition.shapes import Drawing
from engine.errors import Problem

THROWS = frozenset({"endEvent", "intermediateThrowEvent"})


def check_sources(sources: Sources, loaded: Loaded) -> tuple[Problem, ...]:
    """Everything that is wrong or doubtful, file by file."""
    problems = list(loaded.problems)
    problems += _missing(sources, loaded)
    shapes = [shape for drawing in loaded.drawings.values() for shape in drawing.shapes]
    called = {
        own: next((s for s in drawing.shapes if s.kind == "startEvent" and s.level == own), None)
        for own, drawing in loaded.drawings.items()
    }
    users = {shape.id for shape in shapes if shape.kind == "userTask"}
    for process_id, drawing in loaded.drawings.items():
        others = [p for p in loaded.processes.get(process_id, ()) if p not in loaded.drawings]
        problems += check_structure(drawing, others)
        if is_too_large(drawing):
            continue
        problems += check_events(drawing)
        problems += check_dialect(drawing, processes=called, decisions=sources.dmn.keys(), users=users)
        problems += check_formulas(drawing)
    for root in dict.fromkeys(loaded.roots.values()):
        names = Names(root)
        problems += [*check_ids(names), *check_references(names), *check_form(names), *check_data(names)]
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
    return tuple(dict.fromkeys(problems))


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
    caught = {s.trigger.name for s in shapes if s.trigger.kind == "signal" and s.kind not in THROWS}
    for shape in shapes:
        name = shape.trigger.name
        if shape.trigger.kind == "signal" and shape.kind in THROWS and name not in caught:
            yield error(
                shape.id,
                "signal.uncaught",
                f"nobody in the case catches signal {name}; a signal does not reach other cases",
                f"本案例中没有元素捕获信号 {name}；信号不会传到其他案例",
            )


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
