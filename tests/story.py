"""The teller: a case told in sentences, on a real database and a clock moved by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from engine import journal, replay
from engine.case.case import Case
from engine.temporal import parse_duration
from workflows.actors.people import find_person
from workflows.actors.policy import Actor
from workflows.commands import Commands
from workflows.library.catalog import Catalog
from workflows.library.packages import read_folder
from workflows.reading.history import History
from workflows.reading.inbox import Inbox
from workflows.store.tables import cases, incidents, jobs, notifications, operations, tasks, timers
from workflows.transaction.results import Held, Result
from workflows.work.worker import Ticked, Worker

PACKAGES = Path(__file__).parent / "workflows" / "packages"
Values = Mapping[str, Any]


class Clock:
    """Time that passes when it is told to."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, step: timedelta | str) -> None:
        """`P2D`, `PT3H` or a timedelta."""
        span = parse_duration(step) if isinstance(step, str) else step
        assert isinstance(span, timedelta)
        self.now += span


class Story:
    """One house with its people, and the case the story is about: the last one started."""

    def __init__(self, database: sa.Engine, clock: Clock) -> None:
        self.database = database
        self.clock = clock
        self.catalog = Catalog(database)
        self.commands = Commands(database, self.catalog, clock=clock)
        self.inbox = Inbox(database, self.catalog, clock=clock, live=self.commands.live)
        self.history = History(database, self.catalog)
        self.worker = Worker(database, self.commands, clock=clock)
        self.case_id = ""

    # --- what happens ---------------------------------------------------------------------------------

    def deploy(self, folder: Path | str) -> Story:
        """The package in a folder, or of that name among the tests' own, as a version."""
        path = folder if isinstance(folder, Path) else PACKAGES / folder
        with self.database.begin() as connection:
            self.catalog.deploy(connection, read_folder(path), by="owner", at=self.clock())
        return self

    def start(
        self, process: str = "small_review", *, by: str = "app01", values: Values | None = None, **more: Any
    ) -> Story:
        """A case of the newest version; the tests' own processes are deployed on the way."""
        if (PACKAGES / process).is_dir():
            self.deploy(process)
        given = {"days": 3} if values is None else values
        self.case_id = self.commands.start_case(process, given, actor=self.person(by), **more).case_id
        return self

    def claim(self, element: str, by: str) -> Story:
        self.claimed(element, by)
        return self

    def claimed(self, element: str, by: str) -> Held:
        return self.commands.claim_task(self.task(element), actor=self.person(by))

    def release(self, element: str, by: str) -> Story:
        self.commands.release_task(self.task(element), actor=self.person(by))
        return self

    def complete(self, element: str, by: str, values: Values | None = None, **more: Any) -> Story:
        self.completed(element, by, {**(values or {}), **more})
        return self

    def completed(self, element: str, by: str, values: Values) -> Result:
        return self.commands.complete_task(self.task(element), values, actor=self.person(by))

    def do(self, element: str, by: str, values: Values | None = None, **more: Any) -> Story:
        """Claim and complete."""
        return self.claim(element, by).complete(element, by, values, **more)

    def message(self, name: str, by: str, **values: Any) -> Story:
        self.commands.receive_message(self.case_id, name, values, actor=self.person(by))
        return self

    def pass_time(self, step: timedelta | str) -> Story:
        """Time passes, and the worker does what became due, as late as it is."""
        self.clock.move(step)
        self.work()
        return self

    def work(self) -> Ticked:
        return self.worker.tick()

    # --- what is --------------------------------------------------------------------------------------

    def person(self, person: str) -> Actor:
        with self.database.connect().execution_options(reading=True) as connection:
            return find_person(connection, person)

    def task(self, element: str) -> str:
        """The newest task of an element, open or not."""
        rows = self.rows(tasks, tasks.c.element == element)
        assert rows, f"no task of {element} was ever created in {self.case_id}"
        return str(max(rows, key=lambda row: int(row["task_id"].rpartition(".")[2]))["task_id"])

    def waiting(self) -> list[str]:
        """The elements of the open tasks, in order of their numbers."""
        found = self.rows(tasks, tasks.c.state.in_(("ready", "claimed")))
        return [row["element"] for row in sorted(found, key=lambda row: int(row["task_id"].split(".")[-1]))]

    def is_waiting_at(self, *elements: str) -> bool:
        return self.waiting() == list(elements)

    def timers(self) -> list[str]:
        """The elements whose timers are set."""
        return sorted(row["element"] for row in self.rows(timers, timers.c.state == "set"))

    def jobs(self) -> list[str]:
        return sorted(row["element"] for row in self.rows(jobs, jobs.c.state == "waiting"))

    def incidents(self) -> list[str]:
        return [row["incident_id"] for row in self.rows(incidents, incidents.c.resolved_at.is_(None))]

    def notices(self) -> list[str]:
        return [f"{row['template']} to {row['recipient']}" for row in self.rows(notifications)]

    def operations(self) -> list[str]:
        rows = self.rows(operations)
        return [row["action"] for row in sorted(rows, key=lambda row: row["number"])]

    def case(self) -> Case:
        """The case as the journal alone tells it."""
        with self.database.connect().execution_options(reading=True) as connection:
            return replay.load(connection, self.case_id, Catalog(self.database))

    def entries(self) -> list[str]:
        """The kinds of all entries, in order."""
        with self.database.connect().execution_options(reading=True) as connection:
            lines = journal.read(connection, self.case_id)
            return [type(line.entry().event).__name__ for line in lines]

    def rows_of_case(self) -> sa.RowMapping:
        return self.rows(cases)[0]

    def rows_of_jobs(self) -> list[sa.RowMapping]:
        return self.rows(jobs)

    def rows(self, table: sa.Table, *conditions: sa.ColumnElement[bool]) -> list[sa.RowMapping]:
        query = sa.select(table).where(table.c.case_id == self.case_id, *conditions)
        with self.database.connect().execution_options(reading=True) as connection:
            return list(connection.execute(query.order_by(*table.primary_key.columns)).mappings())
