"""Copies of the checkout to plant faults in, and pytest run on the code of a copy."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from tests.house import tree

BUILT = "web/static/dist"
PATIENCE = 900
QUIETLY = ("-q", "-p", "no:cacheprovider", "-p", "no:randomly")
NO_FAILURE_OF_A_TEST = ("ImportError", "ModuleNotFoundError", "SyntaxError", "NameError", "IndentationError")


@dataclass(frozen=True)
class Verdict:
    """What became of one test: `green`, `red` by a failure of the test itself, or `broken`; and why."""

    colour: str
    reason: str = ""


class Copy:
    """A clone's worth of files in a folder of their own; the interpreter and its packages are ours."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for path in tree.in_git():
            placed = folder / path.relative_to(tree.ROOT)
            placed.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, placed)
        if (tree.ROOT / BUILT).is_dir():
            (folder / BUILT).symlink_to(tree.ROOT / BUILT)

    def uses_its_own_code(self) -> bool:
        """Whether what runs here imports the copy and not the checkout."""
        asked = "import sys, engine.replay, workflows.transaction.commits, web.app, tests.story; "
        asked += "print(*(m.__file__ for n, m in sys.modules.items() if n.partition('.')[0] in sys.argv[1:]))"
        done = self._run("-c", asked, "engine", "workflows", "web", "tests")
        assert done.returncode == 0, done.stderr
        found = done.stdout.split()
        return len(found) > 50 and all(Path(one).is_relative_to(self.folder) for one in found)

    def judge(self, tests: Sequence[str]) -> dict[str, Verdict]:
        """Run these tests here; what became of each. A test that was not found is broken."""
        report = self.folder / "report.xml"
        report.unlink(missing_ok=True)
        done = self._run("-m", "pytest", *QUIETLY, f"--junitxml={report}", *tests)
        cases = ElementTree.parse(report).getroot().iter("testcase") if report.exists() else ()
        found = {_node(case): _verdict(case) for case in cases}
        missing = Verdict("broken", f"it did not run: {done.stdout[-300:]}{done.stderr[-300:]}")
        return {test: found.get(test, missing) for test in tests}

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(
            [sys.executable, *words],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )


def _node(case: ElementTree.Element) -> str:
    return f"{(case.get('classname') or '').replace('.', '/')}.py::{case.get('name')}"


def _verdict(case: ElementTree.Element) -> Verdict:
    for kind in ("error", "skipped", "failure"):
        told = case.find(kind)
        if told is not None:
            reason = (told.get("message") or "").strip()
            is_failure = kind == "failure" and not reason.startswith(NO_FAILURE_OF_A_TEST)
            return Verdict("red" if is_failure else "broken", reason)
    return Verdict("green")
