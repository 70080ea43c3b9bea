"""Every row of the table is tried in a limited process: refused by name or contained, soon and small."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from threading import Timer
from typing import IO, Any

import pytest

from engine.errors import BadDefinition
from tests.adversaries import uploads
from tests.adversaries.row import Attack, Row
from tests.adversaries.table import ROWS
from workflows.library.catalog import sources
from workflows.library.packages import read_files
from workflows.library.trial.trial import Limits, Trial
from workflows.library.trial.verdict import judge

HOUSE = Path(__file__).parents[2]
LEAST = 2_030
"""Rows that the table holds at least: nobody empties it unnoticed."""
SLOW = 6
PATIENCE = 60  # seconds of the wall clock, on a busy machine; the rows themselves count work
ELSEWHERE = {
    21: "a key is nobody's own: publishing takes a second person (tests/workflows/workshop/test_drafts.py)",
    51: "data stay data (tests/engine/test_expressions_attacks.py)",
    68: "many starts by one person are not limited: cases are small, and a unit's are bound by its batch",
}
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="the limits are those of POSIX")


class Fighter:
    """The limited process, started anew when it has died."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None
        self.errors: IO[str] = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed by the fixture)

    def strike(self, row: Row) -> dict[str, Any]:
        """What came of the row. Fails the test if nothing did."""
        if self.process is None:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.adversaries.arena"],
                cwd=HOUSE,
                env={},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.errors,
                text=True,
            )
        assert self.process.stdin
        assert self.process.stdout
        watch = Timer(PATIENCE, self.process.kill)
        watch.start()
        self.process.stdin.write(row.id + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        watch.cancel()
        if not line:
            self.end()
            self.errors.seek(0)
            pytest.fail(f"{row.id} ended the process: {self.errors.read()[-2000:]}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def end(self) -> None:
        """No more rows, or one too many."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
        self.process = None


@pytest.fixture(scope="module")
def fighter() -> Iterator[Fighter]:
    running = Fighter()
    yield running
    running.end()
    running.errors.close()


@POSIX
@pytest.mark.parametrize(
    "row", [pytest.param(row, id=row.id, marks=[pytest.mark.slow] * (row.seconds > SLOW)) for row in ROWS]
)
def test_nothing_comes_of_it(row: Row, fighter: Fighter) -> None:
    answer = fighter.strike(row)

    assert answer["harm"] == []
    assert row.allows(answer["outcome"]), answer["outcome"]
    assert answer["seconds"] <= row.seconds
    assert answer["mb"] <= row.mb


def test_the_table_is_as_long_as_it_was() -> None:
    assert len({row.id for row in ROWS}) == len(ROWS) >= LEAST


def test_every_number_of_the_list_is_there() -> None:
    told = {int(row.id.split()[0]) for row in ROWS}

    assert set(range(1, 69)) - told == ELSEWHERE.keys()


@POSIX
def test_the_trial_says_the_same_of_every_file() -> None:
    """What the engine refuses here it refuses there too, where no file and no network is in reach."""
    trial = Trial(Limits(wall_seconds=PATIENCE, cpu_seconds=PATIENCE))
    for name, attack in readable():
        package = read_files(attack.files)
        given = sources(package.process_id, [package])
        assert trial.check(given, package.forms) == judge(given, package.forms), name
    trial.close()


def readable() -> Iterator[tuple[str, Attack]]:
    """The files that are packages at all."""
    for name, (send, _) in uploads.XML.items():
        attack = send()
        try:
            read_files(attack.files)
        except BadDefinition:
            continue
        yield name, attack
