"""Tidu by its one door, on a furnished database: nothing here knows how the door keeps its promise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import sqlalchemy as sa

from bench import form
from bench.house import CASE, NOW, House
from bench.subjects.subject import Subject
from engine import sending
from engine.pipeline import Sent
from engine.sending import Rows
from engine.tables import journal
from workflows.commands import Commands
from workflows.reading.history import History
from workflows.store.tables import cases, tasks, timers
from workflows.store.tidemarks import open_tidemarks

AFTER_PUBLICITY = NOW + timedelta(days=16)
PEOPLE = dict(
    zip(
        form.HUMAN,
        ("app01", "lz.officer", "dee", "amr", "dem", "prov.officer", "prov.officer2", "prov.leader"),
        strict=True,
    )
)
"""Who completes which step: the drawing names them, so a task is theirs from the beginning, unclaimed."""

VERIFIED = 50
"""So many cases are run again from their journal, spread over all; the others are counted."""

TASK = sa.select(tasks.c.task_id).where(
    tasks.c.case_id == sa.bindparam("case"),
    tasks.c.element == sa.bindparam("step"),
    tasks.c.state == "claimed",
)
WAITING = sa.select(timers.c.timer_id).where(
    timers.c.case_id == sa.bindparam("case"), timers.c.element == form.TIMER, timers.c.state == "set"
)


class Ours(Subject):
    """The command door of this commit."""

    name = "ours"

    def __init__(self, url: str, *, threads: int) -> None:
        super().__init__(url, threads=threads)
        self.now = NOW
        self.house = House(url, threads=threads)
        self.database, self.library = self.house.database, self.house.library
        self._marks = TemporaryDirectory(prefix="tidu-marks-")
        tidemarks = open_tidemarks(Path(self._marks.name), "bench")
        self.commands = Commands(self.database, self.library, clock=lambda: self.now, tidemarks=tidemarks)
        self.people = {step: self.house.person(person) for step, person in PEOPLE.items()}
        sa.event.listen(self.database, "before_cursor_execute", self._count_statement)
        sa.event.listen(self.database, "commit", self._count_commit)
        self._exchange, sending.exchange = sending.exchange, self._count_sent

    def _count_statement(self, *received: Any) -> None:
        self.asked.statements += 0 if str(received[2]).startswith("BEGIN") else 1

    def _count_sent(self, connection: sa.Connection, asked: Sequence[Sent]) -> list[Rows]:
        """What goes past SQLAlchemy to the driver."""
        self.asked.statements += len(asked)
        return self._exchange(connection, asked)

    def _count_commit(self, _: Any) -> None:
        self.asked.transactions += 1

    def start(self, number: int) -> str:
        self.now = NOW
        return self.commands.start_case(CASE, {}, actor=self.people["submit"]).case_id

    def find(self, case: str, step: str) -> str:
        wanted, given = (
            (WAITING, {"case": case}) if step == form.TIMER else (TASK, {"case": case, "step": step})
        )
        with self.house.reading() as connection:
            return str(connection.execute(wanted, given).scalar_one())

    def complete(self, case: str, task: str, step: str, page: form.Page, points: int) -> None:
        self.commands.complete_task(task, {**page, "points": points}, actor=self.people[step])

    def fire(self, case: str, timer: str) -> None:
        self.now = AFTER_PUBLICITY
        self.commands.fire_timer(case, timer)

    def timeline(self, case: str) -> int:
        return len(History(self.database, self.library).timeline(case))

    def release(self) -> None:
        self.database.dispose()

    def close(self) -> None:
        sending.exchange = self._exchange
        self._marks.cleanup()
        super().close()

    # --- the oracle -----------------------------------------------------------------------------------

    def judge(self, cases: list[str], first: int) -> dict[str, Any]:
        """States, tasks, scores, entries of the shape, and the chain and replay of a sample."""
        with self.house.reading() as connection:
            over = _ended(connection, cases)
            kinds, done, scored = _told(connection, cases)
        expected = sum(form.score(first + place) for place in range(len(cases)))
        faults = self._verified(cases)
        double = sum(times - 1 for times in done.values() if times > 1)
        wrong = {
            "not over": len(cases) - over,
            "completions missing": len(cases) * form.COMPLETIONS - len(done),
            "twice": double,
            "score": scored - expected,
            "entries of the shape missing": len(cases) * form.EVENTS - kinds,
            "verify": len(faults),
        }
        return {
            "ok": not any(wrong.values()),
            "events": kinds,
            "double": double,
            "score": scored,
            **(
                {"wrong": {name: found for name, found in wrong.items() if found}}
                if any(wrong.values())
                else {}
            ),
        }

    def _verified(self, cases: list[str]) -> list[Any]:
        history = History(self.database, self.library)
        sample = cases[:: max(1, len(cases) // VERIFIED)]
        return [finding for case in sample for finding in history.verify(case).findings]


SHAPE = frozenset({"CaseStarted", "TaskCompleted", "TimerFired", "TimerSet", "DecisionMade"})


def _ended(connection: sa.Connection, wanted: list[str]) -> int:
    over = sa.select(sa.func.count()).where(cases.c.case_id.in_(wanted), cases.c.status == "completed")
    return int(connection.execute(over).scalar_one())


def _told(connection: sa.Connection, wanted: list[str]) -> tuple[int, Counter[str], int]:
    """From the journal: entries of the shape, how often each task was completed, the sum of scores."""
    kinds, scored, done = 0, 0, Counter[str]()
    for text in connection.scalars(sa.select(journal.c.body).where(journal.c.case_id.in_(wanted))):
        entry = orjson.loads(text)
        kinds += entry["type"] in SHAPE
        if entry["type"] == "TaskCompleted":
            done[entry["data"]["task_id"]] += 1
        if entry["type"] == "DecisionMade":
            scored += int(entry["data"]["value"])
    return kinds, done, scored
