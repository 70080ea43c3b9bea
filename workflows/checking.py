"""Check files and try decisions without any database: what the command line asks of a folder on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from engine.decisions.reader import parse_decisions
from engine.definition.model import check_definition
from engine.errors import BadDefinition, InvalidInput, NotFound, Problem
from engine.expressions.budget import ExpressionError
from workflows.catalog import sources
from workflows.fitting import form_problems
from workflows.packages import DRAWING, Package, read_files, read_folder
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
            return parse_decisions(path.read_bytes()).problems
        return _check_packages(read_closure(path))
    except BadDefinition as error:
        return error.problems


def read_closure(path: Path) -> tuple[Package, ...]:
    """The package at `path`, a folder or a single drawing, and the packages beside it that it can reach.

    Raises BadDefinition, InvalidInput for a file that is no drawing, NotFound.
    """
    folder = path.parent if path.name == DRAWING else path
    package = read_folder(folder) if folder.is_dir() else _single(path)
    found = {package.process_id: package}
    waiting = list(package.calls)
    while waiting:
        called = waiting.pop()
        if called not in found and (beside := folder.parent / called / DRAWING).is_file():
            found[called] = read_folder(beside.parent)
            waiting += found[called].calls
    return tuple(found.values())


def decide(path: Path, decision: str, inputs: Mapping[str, Any], *, now: datetime) -> Decided:
    """The decision (by id or name) of the .dmn file at `path`, from inputs in typed JSON.

    Raises NotFound, BadDefinition, and InvalidInput when the decision cannot be made: no such decision,
    two rules of a UNIQUE table, an input of another type.
    """
    if not path.is_file():
        raise NotFound(f"there is no file {path}", code="FILE_NOT_FOUND")
    given = {name: from_typed(value) for name, value in inputs.items()}
    try:
        made = parse_decisions(path.read_bytes()).evaluate(decision, given, now=now)
    except ExpressionError as error:
        raise InvalidInput(str(error), code=error.name) from error
    return Decided(value=to_typed(made.value), matched=made.matched)


def _check_packages(packages: tuple[Package, ...]) -> tuple[Problem, ...]:
    given = sources(packages[0].process_id, packages)
    return (*check_definition(given), *form_problems(packages[0], given))


def _single(path: Path) -> Package:
    if path.suffix != ".bpmn":
        raise InvalidInput(f"expected a folder, a .bpmn or a .dmn file, found {path}", code="FILE_KIND")
    return read_files({DRAWING: path.read_bytes()})
