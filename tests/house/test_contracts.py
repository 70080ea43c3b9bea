"""Each import contract is broken once on purpose, to see it bite."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house import tree

BREACHES = {
    "floors: web stands on workflows, workflows on engine": (
        "engine/errors.py",
        "import workflows.store.tables",
    ),
    "floors inside engine": ("engine/events.py", "import engine.journal"),
    "floors inside workflows": ("workflows/store/tables.py", "import workflows.register.calendar"),
    "no circles": ("web/wire.py", "import web.wire_twin"),
    "two rooms know SpiffWorkflow": ("engine/journal.py", "import SpiffWorkflow"),
    "only web knows Flask and APScheduler": ("workflows/register/calendar.py", "import flask"),
    "of the engine, web knows only the errors": ("web/wire.py", "import engine.values"),
    "the journal is read by few rooms and written by one": (
        "workflows/register/calendar.py",
        "import engine.journal",
    ),
}


@pytest.fixture
def copy(tmp_path) -> Path:
    """The three floors and their law, ready to be spoilt."""
    for path in tree.modules():
        there = tmp_path / tree.name(path)
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, there)
    shutil.copy(tree.ROOT / "setup.cfg", tmp_path)
    (tmp_path / "web/wire_twin.py").write_text('"""A room that looks back."""\n\nimport web.wire\n')
    return tmp_path


def lint(folder: Path) -> tuple[int, str]:
    """Exit code and report of import-linter over the house in `folder`."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"]
    done = subprocess.run(
        [*command, "--no-cache", "--config", "setup.cfg"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    return done.returncode, done.stdout + done.stderr


def test_the_house_keeps_its_contracts():
    code, report = lint(tree.ROOT)

    assert code == 0, report


@pytest.mark.parametrize("contract", BREACHES)
def test_a_breach_is_named(copy, contract):
    room, line = BREACHES[contract]
    with (copy / room).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")

    code, report = lint(copy)

    assert code == 1, report
    assert f"{contract} BROKEN" in report


@pytest.mark.parametrize("floor", ["engine", "workflows"])
def test_a_room_without_a_floor_is_refused(copy, floor):
    (copy / floor / "attic.py").write_text('"""A room nobody planned."""\n')

    code, report = lint(copy)

    assert code == 1, report
    assert f"{floor}.attic" in report


def test_every_contract_is_broken_by_one_of_these_tests():
    text = (tree.ROOT / "setup.cfg").read_text(encoding="utf-8")
    law = text[text.index("[importlinter]") :]
    names = {line.removeprefix("name = ") for line in law.splitlines() if line.startswith("name = ")}

    assert names == BREACHES.keys()
