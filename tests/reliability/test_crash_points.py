"""A process that dies at any step of a command leaves the old state or the new one, never one between."""

from __future__ import annotations

import subprocess
import sys

import orjson
import sqlalchemy as sa

from engine.tables import journal
from tests.reliability.installation import CHECKOUT
from web.app import wall_clock
from workflows.people import find_person
from workflows.tables import operations, tasks, timers

MOMENTS = 70
LEAST = 20


def checks_in_hand(installation) -> list[str]:
    """As many claimed tasks as there may be moments to die at."""
    with installation.rooms(wall_clock) as (commands, _), installation.opened() as database:
        with database.connect() as connection:
            applicant, officer = (find_person(connection, who) for who in ("app01", "lz.officer"))
        found = []
        for _ in range(MOMENTS):
            (task,) = commands.start_case("small_review", {"days": 3}, actor=applicant).tasks
            commands.claim_task(task.task_id, actor=officer)
            found.append(task.task_id)
        return found


def deaths(installation, waiting: list[str]) -> dict[str, str]:
    """Task id → the moment at which its process died, or `answered`."""
    told = subprocess.run(
        [sys.executable, "-m", "tests.reliability.dying", installation.url, "lz.officer"],
        input="\n".join(waiting),
        cwd=CHECKOUT,
        env=installation.environment(),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert told.returncode == 0, told.stderr
    lines = (line.partition(" ") for line in told.stdout.splitlines())
    return {task: moment for task, _, moment in lines}


def stand(installation, died: dict[str, str]) -> dict[str, tuple[bool, bool, bool, bool]]:
    """Task id → whether journal, task row, next timer and operation record each say that it is done."""
    entries = completed(installation)
    with installation.opened() as database, database.connect().execution_options(reading=True) as look:
        states = {row.task_id: row.state for row in look.execute(sa.select(tasks.c.task_id, tasks.c.state))}
        timed = set(look.scalars(sa.select(timers.c.case_id)))
        kept = set(look.scalars(sa.select(operations.c.entity).where(operations.c.action == "complete")))
    return {
        task: (
            task in entries,
            states[task] == "completed",
            task.rpartition(".")[0] in timed,
            task in kept,
        )
        for task in died
    }


def completed(installation) -> set[str]:
    """The tasks that a journal says are completed."""
    done = journal.c.body.contains('"type":"TaskCompleted"')
    bodies = [orjson.loads(row.body) for row in installation.rows(sa.select(journal.c.body).where(done))]
    return {body["data"]["task_id"] for body in bodies}


def test_dying_at_any_step_leaves_all_or_nothing(installation):
    died = deaths(installation, checks_in_hand(installation))
    found = stand(installation, died)

    assert set(found.values()) <= {(True,) * 4, (False,) * 4}, found
    old = {died[task] for task, said in found.items() if not said[0]}
    new = {died[task] for task, said in found.items() if said[0]}
    assert len(old) >= LEAST
    assert "before commit" in old
    assert {"before Commits._settle", "after Commits._settle", "answered"} == new
    assert installation.tidu("verify", "--all").returncode == 0


def test_who_finds_the_task_after_a_crash_completes_it(installation):
    died = deaths(installation, checks_in_hand(installation)[:12])
    left = died.keys() - completed(installation)

    with installation.rooms(wall_clock) as (commands, _), installation.opened() as database:
        with database.connect() as connection:
            officer = find_person(connection, "lz.officer")
        for task in left:
            assert commands.complete_task(task, {"outcome": "accepted"}, actor=officer).state == "COMPLETED"

    assert len(left) == 12
