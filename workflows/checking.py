"""Check files and try decisions without any database: what the command line asks of a folder on disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from engine.definition.model import Sources
from engine.errors import BadDefinition, InvalidInput, NotFound, Problem
from workflows.catalog import Checker, sources
from workflows.packages import DRAWING, Package, read_file, read_files, read_folder
from workflows.trial import verdict
from workflows.trial.verdict import Decided
from workflows.typed_json import from_typed, to_typed

Decider = Callable[..., Decided]


def check_path(path: Path, *, check: Checker = verdict.judge) -> tuple[Problem, ...]:
    """Everything wrong or doubtful about a package folder, or a single .bpmn or .dmn file.

    `check` judges what was read; for files of strangers it should be a trial's. Called processes are
    looked for in the folders beside it. Raises NotFound for a path that is not there, InvalidInput for
    another kind of file; never for a bad model.
    """
    if not path.exists():
        raise NotFound(f"there is no {path}", code="FILE_NOT_FOUND")
    try:
        if path.suffix == ".dmn":
            return check(Sources(process_id="", bpmn={}, dmn={path.stem: read_file(path)}), {})
        packages = read_closure(path)
        return check(sources(packages[0].process_id, packages), packages[0].forms)
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


def decide(
    path: Path, decision: str, inputs: Mapping[str, Any], *, now: datetime, make: Decider = verdict.decide
) -> Decided:
    """The decision (by id or name) of the .dmn file at `path`, from inputs in typed JSON to typed JSON.

    Raises NotFound, BadDefinition, and InvalidInput when the decision cannot be made: no such decision,
    two rules of a UNIQUE table, an input of another type.
    """
    if not path.is_file():
        raise NotFound(f"there is no file {path}", code="FILE_NOT_FOUND")
    given = {name: from_typed(value) for name, value in inputs.items()}
    made = make(read_file(path), decision, given, now=now)
    return replace(made, value=to_typed(made.value))


def _single(path: Path) -> Package:
    if path.suffix != ".bpmn":
        raise InvalidInput(f"expected a folder, a .bpmn or a .dmn file, found {path}", code="FILE_KIND")
    return read_files({DRAWING: read_file(path)})
