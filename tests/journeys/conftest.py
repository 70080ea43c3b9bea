"""A province at a real address with a clock moved by hand, and browsers to visit it with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser

from tests import browser
from tests.journeys.surfer import PASSWORD, Surfer
from web.app import create_app
from web.context import Rooms
from web.settings import CHECKOUT, Settings
from workflows.actors.people import load_organisations
from workflows.register.batches import load_batches
from workflows.store.tables import jobs, migrate
from workflows.store.tables import tasks as task_rows
from workflows.work.worker import Worker

OPENING = datetime(2026, 4, 20, 1, tzinfo=UTC)  # Monday 09:00 in Shanghai, within the yearly round
ISSUED = datetime(2024, 6, 20, tzinfo=UTC)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = OPENING

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Province:
    """The running house: its address, its rooms, its clock, and a worker that ticks when time passes."""

    base: str
    rooms: Rooms
    clock: Clock
    worker: Worker
    browser: Browser
    people: dict[str, Surfer]
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)  # of jobs that chance would decide

    def person(self, name: str) -> Surfer:
        """This person's browser, opened at the first use."""
        if name not in self.people:
            self.people[name] = Surfer(self.browser, self.base, name)
        return self.people[name]

    def settle(self) -> None:
        """Let the worker do what is due; what chance would decide is answered first."""
        with self.rooms.database.connect() as connection:
            waiting = list(connection.execute(sa.select(jobs).where(jobs.c.state == "waiting")))
        for job in waiting:
            if job.element in self.answers:
                self.rooms.commands.finish_job(job.job_id, self.answers.pop(job.element))
        self.worker.tick()

    def pass_time(self, span: timedelta) -> None:
        """A day at a time, as a worker that always runs would see it; people sign in anew afterwards."""
        until = self.clock.now + span
        while self.clock.now < until:
            self.clock.now = min(until, self.clock.now + timedelta(days=1))
            self.settle()
        self.leave()

    def leave(self) -> None:
        """Everybody closes the browser; sessions do not outlive days."""
        for surfer in self.people.values():
            assert not surfer.complaints, surfer.complaints
            surfer.close()
        self.people.clear()

    def open_tasks(self, case_id: str) -> list[sa.Row]:
        """The tasks that wait in a case."""
        with self.rooms.database.connect() as connection:
            return list(
                connection.execute(
                    sa.select(task_rows).where(
                        task_rows.c.case_id == case_id, task_rows.c.state.in_(["ready", "claimed"])
                    )
                )
            )


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with people, batches and the whole process library, to be copied."""
    folder = tmp_path_factory.mktemp("furnished")
    app = create_app(_settings(folder), clock=Clock())
    rooms: Rooms = app.extensions["tidu"]
    migrate(rooms.database)
    with rooms.database.begin() as connection:
        load_organisations(connection, password=PASSWORD, now=OPENING)
        load_batches(connection, now=OPENING)
        rooms.catalog.load_library(connection, CHECKOUT / "bpmn", at=OPENING, effective_from=ISSUED)
    rooms.database.dispose()
    return folder / "tidu.db"


@pytest.fixture
def province(tmp_path: Path, furnished: Path, chromium: Browser) -> Iterator[Province]:
    (tmp_path / "tidu.db").write_bytes(furnished.read_bytes())
    clock = Clock()
    app = create_app(_settings(tmp_path), clock=clock)
    rooms: Rooms = app.extensions["tidu"]
    worker = Worker(rooms.database, rooms.commands, clock=clock)
    with browser.served(app) as base:
        house = Province(base=base, rooms=rooms, clock=clock, worker=worker, browser=chromium, people={})
        yield house
        for surfer in house.people.values():
            surfer.close()
    rooms.database.dispose()


def _settings(folder: Path) -> Settings:
    return Settings(
        data_dir=folder,
        database_url=f"sqlite:///{folder / 'tidu.db'}",
        secret_key="only for the tests of this house, 32 and more",
    )
