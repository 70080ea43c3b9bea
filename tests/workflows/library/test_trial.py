"""What somebody sent is tried elsewhere: a check that hangs, swells or dies is a finding, never a hang."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.definition.model import Sources
from engine.errors import BadDefinition, InvalidInput
from tests.engine.drawing import process
from tests.engine.drawn_decisions import model, table
from workflows.library.catalog import Catalog
from workflows.library.packages import read_files
from workflows.library.trial import __main__ as inside
from workflows.library.trial import verdict
from workflows.library.trial.trial import Limits, Trial
from workflows.store.tables import migrate, open_database
from workflows.workshop.checking import check_path, decide

NOW = datetime(2026, 3, 2, tzinfo=UTC)
GOOD = process("p").start().end().sources()
SHIPPED = Path(__file__).parents[3] / "bpmn"
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="the limits are those of POSIX")


def heavy() -> Sources:
    """A drawing that is not too large, and takes seconds to check."""
    drawing = process("p").start()
    for number in range(1900):
        drawing.script(f"s{number}", "=1", "x")
    drawing.end()
    for number in range(2900):
        drawing.flow("s0", f"s{number % 1900}", id=f"x{number}")
    return drawing.sources()


def rules(trial: Trial, given: Sources) -> list[str]:
    return [problem.rule for problem in trial.check(given, {})]


@pytest.fixture(scope="module")
def trial() -> Iterator[Trial]:
    made = Trial(Limits(wall_seconds=60, cpu_seconds=30))
    yield made
    made.close()


def test_a_trial_says_what_the_engine_says(trial: Trial) -> None:
    doubtful = process("p").start().user("t").end().sources()
    wrong = process("p").start().add("task", "t").sources()

    for given in (GOOD, doubtful, wrong):
        assert trial.check(given, {}) == verdict.judge(given, {})
    assert check_path(SHIPPED / "consultation", check=trial.check) == ()


def test_forms_and_decisions_are_tried_as_well(trial: Trial) -> None:
    given = process("p").start().user("t").end().sources()
    forms = {"forms/t.form": b'{"type": "default", "components": [{"type": "magic", "key": "x"}]}'}
    alone = Sources(process_id="", bpmn={}, dmn={"d": b"<a/>"})

    assert [p.rule for p in trial.check(given, forms)] == ["form.component"]
    assert [p.rule for p in trial.check(alone, {})] == ["dmn.root"]


def test_a_decision_is_made_within_the_same_limits(trial: Trial, tmp_path: Path) -> None:
    path = tmp_path / "d.dmn"
    path.write_bytes(model(table([["> 3", '"high"'], ["<= 3", '"low"']])))

    made = decide(path, "d", {"score": 5}, now=NOW, make=trial.decide)

    assert (made.value, made.matched) == ("high", ("r1",))
    with pytest.raises(InvalidInput) as refusal:
        decide(path, "nothing", {}, now=NOW, make=trial.decide)
    assert refusal.value.code == "decision.unknown"
    path.write_bytes(b"<a/>")
    with pytest.raises(InvalidInput) as refusal:
        decide(path, "d", {}, now=NOW, make=trial.decide)
    assert refusal.value.code == "dmn.root"


@POSIX
def test_a_check_that_takes_too_long_is_a_finding() -> None:
    trial = Trial(Limits(wall_seconds=1))

    (problem,) = trial.check(heavy(), {})

    assert (problem.element, problem.rule, problem.severity) == ("p", "trial.time", "error")
    assert problem.message_zh
    assert rules(Trial(Limits(wall_seconds=60)), GOOD) == []
    trial.close()


@POSIX
@pytest.mark.slow
def test_a_check_that_works_too_long_is_a_finding() -> None:
    trial = Trial(Limits(wall_seconds=120, cpu_seconds=1))

    assert rules(trial, heavy()) == ["trial.time"]
    assert rules(trial, GOOD) == []
    trial.close()


@POSIX
def test_a_check_without_enough_memory_is_a_finding() -> None:
    trial = Trial(Limits(wall_seconds=60, memory_mb=1))
    large = Sources(process_id="p", bpmn={"p": b"<a>" + b" " * 40_000_000}, dmn={})

    assert rules(trial, large) == ["trial.memory"]
    trial.close()


@POSIX
def test_a_process_that_died_is_replaced(trial: Trial) -> None:
    assert rules(trial, GOOD) == []
    with_process = trial._places.queue[-1]
    with_process._process.kill()

    assert rules(trial, GOOD) == []
    assert trial._places.queue[-1] is not with_process


def test_one_that_hangs_does_not_keep_the_others(trial: Trial) -> None:
    answers: list[list[str]] = []
    slow = threading.Thread(target=lambda: answers.append(rules(trial, heavy())))
    slow.start()

    assert rules(trial, GOOD) == []
    slow.join()
    assert len(answers) == 1


def test_when_all_places_are_taken_somebody_is_told() -> None:
    trial = Trial(Limits(wall_seconds=1))
    taken = [trial._places.get() for _ in range(2)]

    assert rules(trial, GOOD) == ["trial.busy"]
    assert taken == [None, None]


@pytest.mark.parametrize(
    ("event", "arguments"),
    [
        ("socket.connect", ()),
        ("subprocess.Popen", ()),
        ("os.system", ()),
        ("open", ("/tmp/x", "w", inside.WRITING)),
        ("os.remove", ()),
    ],
)
def test_nothing_leaves_the_trial_but_its_answers(event: str, arguments: tuple[object, ...]) -> None:
    with pytest.raises(PermissionError):
        inside.forbid(event, arguments)


def test_reading_is_allowed() -> None:
    inside.forbid("open", ("/etc/hosts", "r", 0))
    inside.forbid("import", ("x",))


@POSIX
def test_what_exceeds_the_limits_is_not_deployed() -> None:
    database = open_database("sqlite://")
    migrate(database)
    trial = Trial(Limits(wall_seconds=1))
    catalog = Catalog(database, check=trial.check)
    package = read_files({"process.bpmn": heavy().bpmn["p"]})

    with pytest.raises(BadDefinition, match=r"trial\.time"), database.begin() as connection:
        catalog.deploy(connection, package, by="owner", at=NOW)

    with database.connect() as connection:
        assert catalog.versions(connection, "p") == []
    trial.close()
    database.dispose()
