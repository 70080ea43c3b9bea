"""Two things that exclude each other, or wait for each other, at the same moment: one legal order."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.errors import NotFound, Rejected, WrongState
from tests.story import PACKAGES
from workflows.catalog import Catalog
from workflows.commands import Commands
from workflows.tables import open_database, timers


@pytest.fixture
def strict(story, tmp_path):
    """The small review with a deadline that ends the review, under another name."""
    folder = tmp_path / "strict_review"
    (folder / "forms").mkdir(parents=True)
    for path in (PACKAGES / "small_review").rglob("*.*"):
        if path.is_file():
            (folder / path.relative_to(PACKAGES / "small_review")).write_bytes(path.read_bytes())
    drawing = folder / "process.bpmn"
    text = drawing.read_text(encoding="utf-8").replace("small_review", "strict_review")
    drawing.write_text(text.replace('cancelActivity="false"', 'cancelActivity="true"'), encoding="utf-8")
    story.deploy(folder)
    return story


@pytest.fixture
def two_doors(story):
    """Two processes' worth of commands: each with a database, a library and live cases of its own."""
    opened = [open_database(story.database.url.render_as_string(hide_password=False)) for _ in range(2)]
    yield [Commands(one, Catalog(one), clock=story.clock) for one in opened]
    for one in opened:
        one.dispose()


def both(first, second):
    """Both at the same moment; what each answered or why it was refused."""
    gate = threading.Barrier(2)

    def run(act):
        gate.wait()
        try:
            return act()
        except Rejected as refused:
            return refused

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(run, (first, second)))


def test_a_deadline_and_a_completion_at_the_same_moment_exclude_each_other(strict, two_doors, often):
    left, right = two_doors
    leader = strict.person("lz.leader")
    for _ in range(3 * often("races")):
        strict.start("strict_review").do("check", "lz.officer", outcome="accepted")
        strict.claim("review", "lz.leader")
        task, case_id = strict.task("review"), strict.case_id
        (timer,) = (row["timer_id"] for row in strict.rows(timers))
        strict.clock.move("P3D")

        completed, fired = both(
            lambda task=task: left.complete_task(task, {"outcome": "agreed"}, actor=leader),
            lambda case_id=case_id, timer=timer: right.fire_timer(case_id, timer),
        )

        entries = strict.entries()
        if isinstance(fired, Rejected):
            assert isinstance(fired, NotFound | WrongState)
            assert fired.code in ("TIMER_GONE", "NOT_FOUND")
            assert entries.count("TaskCompleted") == 2
            assert "TimerFired" not in entries
            assert strict.is_waiting_at("ecology", "market")
        else:
            assert isinstance(completed, Rejected)
            assert completed.code in ("TASK_CANCELLED", "CASE_NOT_ACTIVE", "TASK_NOT_OPEN")
            assert entries.count("TaskCompleted") == 1
            assert entries.count("TimerFired") == 1
            assert strict.waiting() == []
        assert strict.history.verify(strict.case_id).ok


def test_two_branches_that_end_at_the_same_moment_are_joined_once(story, two_doors, often):
    left, right = two_doors
    ecology, market = story.person("dee"), story.person("amr")
    for _ in range(3 * often("races")):
        story.start().do("check", "lz.officer", outcome="accepted")
        story.do("review", "lz.leader", outcome="agreed")
        story.claim("ecology", "dee").claim("market", "amr")
        tasks = story.task("ecology"), story.task("market")

        answers = both(
            lambda tasks=tasks: left.complete_task(tasks[0], {"opinion": "无异议"}, actor=ecology),
            lambda tasks=tasks: right.complete_task(tasks[1], {"opinion": "无异议"}, actor=market),
        )

        assert [answer.state for answer in answers] == ["COMPLETED", "COMPLETED"]
        assert story.entries().count("DecisionMade") == 1
        assert story.jobs() == ["announce"]
        assert story.history.verify(story.case_id).ok


def test_a_withdrawal_and_a_completion_at_the_same_moment_have_one_order(story, two_doors, often):
    left, right = two_doors
    applicant, officer = story.person("app01"), story.person("lz.officer")
    for _ in range(3 * often("races")):
        story.start().claim("check", "lz.officer")
        task, case_id = story.task("check"), story.case_id

        completed, withdrawn = both(
            lambda task=task: left.complete_task(task, {"outcome": "accepted"}, actor=officer),
            lambda case_id=case_id: right.receive_message(
                case_id, "withdraw", {"reason": "不再申请"}, actor=applicant
            ),
        )

        assert withdrawn.status == "completed"
        if isinstance(completed, Rejected):
            assert completed.code == "TASK_CANCELLED"
        assert story.entries().count("TaskCompleted") == (not isinstance(completed, Rejected))
        assert story.history.verify(story.case_id).ok
