"""How many durable task completions a second the command door makes, and what each costs.

Four people complete tasks on every case of a small drawing (two forms with outcomes, a parallel fork, a
boundary timer, a decision), breadth first over all open cases, one command and one commit each, on SQLite
and on a PostgreSQL of its own. Beside them stands the floor of the same database in the same round: as many
single-row transactions without an engine. Claims and starts are done, but not timed.

`python -m bench.commands [--cases N] [--rounds N] [--store sqlite|pg|both]` prints one JSON document.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import sqlalchemy as sa

from engine.tables import assert_durable
from tests import postgres
from tests.story import PACKAGES
from workflows.catalog import Catalog
from workflows.commands import Commands
from workflows.history import History
from workflows.packages import read_folder
from workflows.people import find_person, load_organisations
from workflows.policy import Actor
from workflows.register.batches import load_batches
from workflows.tables import migrate, open_database, tasks

NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)
PROCESS = "small_review"
APPLICANT = "app01"
OPINION = "材料齐全，数据与现场核查一致。" * 20
STEPS = (
    ("check", "lz.officer", {"outcome": "accepted", "opinion": OPINION}),
    ("review", "lz.leader", {"outcome": "agreed", "opinion": OPINION}),
    ("ecology", "dee", {"opinion": OPINION}),
    ("market", "amr", {"opinion": OPINION}),
)
FLOOR = "bench_floor"
ROW = "x" * 1000  # about what a completion leaves in the journal


@dataclass(frozen=True, kw_only=True)
class Round:
    """One round on one database; `ratio` is our completions over the floor's commits."""

    completions_per_second: float
    cpu_ms_per_completion: float
    statements_per_completion: float
    commits_per_completion: float
    floor_commits_per_second: float
    ratio: float


class House:
    """A furnished database, the command door over it, and a count of what reaches the database."""

    def __init__(self, url: str) -> None:
        self.database = open_database(url)
        migrate(self.database)
        assert_durable(self.database)
        self.library = Catalog(self.database)
        self.commands = Commands(self.database, self.library, clock=lambda: NOW)
        with self.database.begin() as connection:
            load_organisations(connection, now=NOW)
            load_batches(connection, now=NOW)
            self.library.deploy(connection, read_folder(PACKAGES / PROCESS), by="bench", at=NOW)
            connection.execute(sa.text(f"CREATE TABLE {FLOOR} (body TEXT)"))
            names = {APPLICANT, *(person for _, person, _ in STEPS)}
            self.people: dict[str, Actor] = {name: find_person(connection, name) for name in names}
        self.statements = self.commits = 0
        sa.event.listen(self.database, "before_cursor_execute", self._count_statement)
        sa.event.listen(self.database, "commit", self._count_commit)

    def _count_statement(self, *_: Any) -> None:
        self.statements += 1

    def _count_commit(self, _: Any) -> None:
        self.commits += 1

    def round(self, cases: int) -> Round:
        """So many new cases, brought to their end; then the floor."""
        begun = [self._start() for _ in range(cases)]
        wall = cpu = statements = commits = 0.0
        for element, person, values in STEPS:
            waiting = [self._claimed(case_id, element, person) for case_id in begun]
            counted = self.statements, self.commits
            wall_0, cpu_0 = time.perf_counter(), time.process_time()
            for task_id in waiting:
                self.commands.complete_task(task_id, values, actor=self.people[person])
            wall, cpu = wall + time.perf_counter() - wall_0, cpu + time.process_time() - cpu_0
            statements += self.statements - counted[0]
            commits += self.commits - counted[1]
        done = cases * len(STEPS)
        self._expect(begun)
        floor = self._floor(done)
        return Round(
            completions_per_second=done / wall,
            cpu_ms_per_completion=1000 * cpu / done,
            statements_per_completion=statements / done,
            commits_per_completion=commits / done,
            floor_commits_per_second=floor,
            ratio=done / wall / floor,
        )

    def _start(self) -> str:
        return self.commands.start_case(PROCESS, {"days": 3}, actor=self.people[APPLICANT]).case_id

    def _claimed(self, case_id: str, element: str, person: str) -> str:
        wanted = sa.select(tasks.c.task_id).where(
            tasks.c.case_id == case_id, tasks.c.element == element, tasks.c.state == "ready"
        )
        with self.database.connect().execution_options(reading=True) as connection:
            task_id: str = connection.execute(wanted).scalar_one()
        self.commands.claim_task(task_id, actor=self.people[person])
        return task_id

    def _expect(self, begun: list[str]) -> None:
        """A fast run with a wrong result is no run. Raises RuntimeError."""
        done = sa.select(sa.func.count()).where(tasks.c.case_id.in_(begun), tasks.c.state == "completed")
        with self.database.connect().execution_options(reading=True) as connection:
            found = connection.execute(done).scalar_one()
        faults = History(self.database, self.library).verify(begun[-1]).findings
        if found != len(begun) * len(STEPS) or faults:
            raise RuntimeError(f"expected {len(begun) * len(STEPS)} completed, found {found}; {faults}")

    def _floor(self, commits: int) -> float:
        """Single-row transactions by the bare driver, each durable before the next."""
        raw = self.database.raw_connection()
        cursor = raw.cursor()
        begin = time.perf_counter()
        for _ in range(commits):
            cursor.execute(f"INSERT INTO {FLOOR} VALUES ('{ROW}')")
            raw.commit()
        rate = commits / (time.perf_counter() - begin)
        raw.close()
        return rate


@contextmanager
def stores(which: str) -> Iterator[dict[str, House]]:
    """The houses to measure; what was started for them is stopped and removed."""
    with tempfile.TemporaryDirectory(prefix="tidu-bench-") as folder:
        houses = {"sqlite": House(f"sqlite:///{Path(folder) / 'bench.db'}")} if which != "pg" else {}
        if which == "sqlite" or postgres.unavailable():
            yield houses
            return
        with postgres.server(fsync="on") as address:
            yield {**houses, "pg": House(address.format(database="postgres"))}


def measure(which: str, rounds: int, cases: int) -> dict[str, Any]:
    """Rounds alternate between the databases, so that a busy machine slows all."""
    with stores(which) as houses:
        for house in houses.values():
            house.round(max(2, cases // 10))  # caches and plans, as in a server that has run a minute
        found: dict[str, list[Round]] = {name: [] for name in houses}
        for _ in range(rounds):
            for name, house in houses.items():
                found[name].append(house.round(cases))
        versions = {name: _version(house.database) for name, house in houses.items()}
        for house in houses.values():
            house.database.dispose()
    return {
        "machine": {"cpus": os.cpu_count(), "load": os.getloadavg(), "python": platform.python_version()},
        "versions": versions,
        "cases": cases,
        "rounds": rounds,
        **{name: _summary(each) for name, each in found.items()},
    }


def _version(database: sa.Engine) -> str:
    with database.connect() as connection:
        return ".".join(map(str, connection.dialect.server_version_info or ()))


def _summary(rounds: list[Round]) -> dict[str, Any]:
    """Median, least and most of every figure."""
    columns = {name: [asdict(one)[name] for one in rounds] for name in asdict(rounds[0])}
    return {
        name: [round(figure, 2) for figure in (median(found), min(found), max(found))]
        for name, found in columns.items()
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--cases", type=int, default=50)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--store", choices=("sqlite", "pg", "both"), default="both")
    chosen = arguments.parse_args()
    print(json.dumps(measure(chosen.store, chosen.rounds, chosen.cases)))


if __name__ == "__main__":
    main()
