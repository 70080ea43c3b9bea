"""What `tidu check` says of a drawing that is not ready to be executed."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import BadDefinition
from workflows.workshop.checking import check_path
from workflows.workshop.play import play

DRAWN = Path(__file__).parents[2] / "interchange" / "drawings"
HEAD = '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="t">'


def found_in(path: Path) -> set[tuple[str, str]]:
    return {(problem.element, problem.rule) for problem in check_path(path) if problem.severity == "error"}


def test_every_process_is_checked_where_none_is_executable() -> None:
    found = found_in(DRAWN / "inspection.bpmn")

    assert {("office", "process.executable"), ("enterprise", "process.executable")} <= found
    assert {("rate", "call.unknown"), ("tidy", "job.missing")} <= found


def test_a_process_that_does_not_say_that_it_is_executable_is_not(tmp_path: Path) -> None:
    path = tmp_path / "silent.bpmn"
    path.write_text(f'{HEAD}<process id="silent"><task id="work"/></process></definitions>', "utf-8")

    assert found_in(path) == {("silent", "process.executable")}
    with pytest.raises(BadDefinition):
        play(path)


def test_a_file_without_a_process_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "empty.bpmn"
    path.write_text(f"{HEAD}</definitions>", "utf-8")

    assert found_in(path) == {("", "package.process")}
