"""Check files and try decisions without any database: what the command line asks of a folder on disk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from engine.decisions.check import check
from engine.decisions.model import Model, ServedDecisions
from engine.decisions.reader import parse_decisions
from engine.definition.model import check_definition
from engine.errors import BadDefinition, InvalidInput, NotFound, Problem
from engine.expressions.budget import ExpressionError
from engine.values import Value
from workflows.catalog import sources
from workflows.decisions import functions_at
from workflows.fitting import form_problems
from workflows.packages import DRAWING, Package, read_drawing, read_folder
from workflows.typed_json import from_typed, to_typed


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What a decision came to, in typed JSON, and the ids of the rules that matched."""

    value: Any
    matched: tuple[str, ...]


def check_path(path: Path) -> tuple[Problem, ...]:
    """Everything wrong or doubtful about a package folder, or a single .bpmn or .dmn file.

    Called processes are looked for in the folders beside it. Raises NotFound for a path that is not there,
    InvalidInput for another kind of file; never for a bad model.
    """
    if not path.exists():
        raise NotFound(f"there is no {path}", code="FILE_NOT_FOUND")
    try:
        if path.suffix == ".dmn":
            return check(_model(path))
        return tuple(dict.fromkeys(_check_packages(read_closure(path))))
    except BadDefinition as error:
        return error.problems


def read_closure(path: Path) -> tuple[Package, ...]:
    """The package at `path`, a folder or a single drawing, and the packages beside it that it can reach.

    A single drawing makes a package for each of its executable processes; they come first.
    Raises BadDefinition, InvalidInput for a file that is no drawing, NotFound.
    """
    folder = path.parent if path.name == DRAWING else path
    packages = (read_folder(folder),) if folder.is_dir() else _single(path)
    found = {package.process_id: package for package in packages}
    waiting = [called for package in packages for called in package.calls]
    while waiting:
        called = waiting.pop()
        if called not in found and (beside := folder.parent / called / DRAWING).is_file():
            found[called] = read_folder(beside.parent)
            waiting += found[called].calls
    return tuple(found.values())


def decide(
    path: Path, decision: str, inputs: Mapping[str, Any], *, service: str = "", now: datetime
) -> Decided:
    """The decision (by id or name) of the .dmn file at `path`, from inputs in typed JSON.

    With `service`, that decision service is asked instead: the value of its output decision; of several
    output decisions the one that `decision` names, or a context of all.  Raises NotFound, and InvalidInput
    when the decision cannot be made: the file is no decision model, there is no such decision, two rules of
    a UNIQUE table match, an input is of another type.
    """
    if not path.is_file():
        raise NotFound(f"there is no file {path}", code="FILE_NOT_FOUND")
    given = {name: from_typed(value) for name, value in inputs.items()}
    functions = functions_at(now)
    try:
        model = _model(path)
        if not service:
            made = model.evaluate(decision, given, now=now, functions=functions)
            return Decided(value=to_typed(made.value), matched=made.matched)
        made = model.evaluate_service(service, given, now=now, functions=functions)
        value = _output(model, model.services[service], decision, made.value)
        return Decided(value=to_typed(value), matched=made.matched)
    except ExpressionError as error:
        raise InvalidInput(str(error), code=error.name) from error
    except BadDefinition as error:
        worst = next(problem for problem in error.problems if problem.severity == "error")
        raise InvalidInput(worst.message, code=worst.rule) from error


def _output(model: Model, service: ServedDecisions, decision: str, value: Value) -> Value:
    """Of several outputs the one that was asked for."""
    if len(service.outputs) == 1 or decision in ("", service.name, service.id) or value is None:
        return value
    found = model.decisions.get(decision)
    if found is None or found.name not in value:
        raise ExpressionError("decision.unknown", f"{service.name!r} has no output decision {decision!r}")
    return value[found.name]


def _model(path: Path) -> Model:
    """The model in the file; those it imports are looked for among the .dmn files beside it."""
    beside = [other.read_bytes() for other in sorted(path.parent.glob("*.dmn")) if other != path]
    return parse_decisions(path.read_bytes(), others=beside)


def _check_packages(packages: tuple[Package, ...]) -> Iterator[Problem]:
    """The first package with all it reaches; and so for each other process of the same drawing."""
    ours = {package.process_id for package in packages}
    for package in packages:
        if package.files[DRAWING] == packages[0].files[DRAWING]:
            given = sources(package.process_id, _reached(package, packages))
            for problem in check_definition(given):
                if problem.rule != "process.other" or problem.element not in ours:
                    yield problem
            yield from form_problems(package, given)


def _reached(package: Package, packages: tuple[Package, ...]) -> list[Package]:
    by_id = {one.process_id: one for one in packages}
    found = [package]
    for one in found:
        called = [by_id[name] for name in one.calls if name in by_id]
        found += [other for other in called if other not in found]
    return found


def _single(path: Path) -> tuple[Package, ...]:
    if path.suffix != ".bpmn":
        raise InvalidInput(f"expected a folder, a .bpmn or a .dmn file, found {path}", code="FILE_KIND")
    return read_drawing(path.read_bytes())
