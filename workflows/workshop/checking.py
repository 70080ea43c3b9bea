"""Check files and try decisions without any database: what the command line asks of a folder on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from engine.definition.model import Sources
from engine.errors import BadDefinition, InvalidInput, NotFound, Problem
from workflows.library.catalog import Checker, sources
from workflows.library.packages import (
    DRAWING,
    Package,
    read_drawing,
    read_file,
    read_folder,
    read_unready_drawing,
    unmarked,
)
from workflows.library.references import unknown_clauses
from workflows.library.trial import verdict
from workflows.library.trial.verdict import Decided
from workflows.library.typed_json import from_typed
from workflows.register.clauses import clauses

Decider = Callable[..., Decided]
Reader = Callable[[bytes], tuple[Package, ...]]


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
            return check(Sources(process_id="", bpmn={}, dmn=_models(path)), {})
        packages = read_closure(path, read=read_unready_drawing)
        return tuple(dict.fromkeys(_check_packages(packages, check)))
    except BadDefinition as error:
        return error.problems


def packages_at(path: Path) -> tuple[Path, ...]:
    """The package folders directly in `path`, if it is a folder of packages and none itself; else `path`."""
    if not path.is_dir() or (path / DRAWING).is_file():
        return (path,)
    return tuple(sorted(drawing.parent for drawing in path.glob(f"*/{DRAWING}"))) or (path,)


def read_closure(path: Path, *, read: Reader = read_drawing) -> tuple[Package, ...]:
    """The package at `path`, a folder or a single drawing, and the packages beside it that it can reach.

    A single drawing makes the packages that `read` finds in it; they come first.
    Raises BadDefinition, InvalidInput for a file that is no drawing, NotFound.
    """
    folder = path.parent if path.name == DRAWING else path
    packages = (read_folder(folder),) if folder.is_dir() else _single(path, read)
    found = {package.process_id: package for package in packages}
    waiting = [called for package in packages for called in package.calls]
    while waiting:
        called = waiting.pop()
        if called not in found and (beside := folder.parent / called / DRAWING).is_file():
            found[called] = read_folder(beside.parent)
            waiting += found[called].calls
    return tuple(found.values())


def decide(
    path: Path,
    decision: str,
    inputs: Mapping[str, Any],
    *,
    service: str = "",
    now: datetime,
    make: Decider = verdict.decide,
) -> Decided:
    """The decision (by id or name) of the .dmn file at `path`, from inputs in typed JSON to typed JSON.

    With `service`, that decision service is asked instead: the value of its output decision; of several
    output decisions the one that `decision` names, or a context of all.  Raises NotFound, and InvalidInput
    when the decision cannot be made: the file is no decision model, there is no such decision, two rules of
    a UNIQUE table match, an input is of another type.
    """
    if not path.is_file():
        raise NotFound(f"there is no file {path}", code="FILE_NOT_FOUND")
    given = {name: from_typed(value) for name, value in inputs.items()}
    models = tuple(_models(path).values())
    try:
        return make(models, decision, given, service=service, now=now)
    except BadDefinition as error:
        worst = next(problem for problem in error.problems if problem.severity == "error")
        raise InvalidInput(worst.message, code=worst.rule) from error


def _models(path: Path) -> dict[str, bytes]:
    """The model in the file, then those beside it that it can import."""
    others = sorted(other for other in path.parent.glob("*.dmn") if other != path)
    return {one.stem: read_file(one) for one in (path, *others)}


def _check_packages(packages: tuple[Package, ...], check: Checker) -> Iterator[Problem]:
    """The first package with all it reaches; and so for each other process of the same drawing."""
    ours = {package.process_id for package in packages}
    for package in packages:
        if package.files[DRAWING] == packages[0].files[DRAWING]:
            yield from unmarked(package)
            given = sources(package.process_id, _reached(package, packages))
            yield from unknown_clauses(package, clauses())
            for problem in check(given, package.forms):
                if problem.rule != "process.other" or problem.element not in ours:
                    yield problem


def _reached(package: Package, packages: tuple[Package, ...]) -> list[Package]:
    by_id = {one.process_id: one for one in packages}
    found = [package]
    for one in found:
        called = [by_id[name] for name in one.calls if name in by_id]
        found += [other for other in called if other not in found]
    return found


def _single(path: Path, read: Reader) -> tuple[Package, ...]:
    if path.suffix != ".bpmn":
        raise InvalidInput(f"expected a folder, a .bpmn or a .dmn file, found {path}", code="FILE_KIND")
    return read(read_file(path))
