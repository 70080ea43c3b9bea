"""The limited process: a house with one bystander's case, and one attack after the other upon it.

`python -m tests.adversaries.arena` reads ids of rows, one a line, and answers JSON, one a line.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from engine import journal
from engine.errors import BadDefinition, Rejected
from engine.tables import journal as journalled
from engine.tables import metadata
from engine.temporal import parse_duration
from engine.values import to_plain
from tests.adversaries.row import KEY, Attack
from tests.adversaries.table import ROWS
from workflows.actors.people import find_person, load_organisations
from workflows.actors.policy import SYSTEM
from workflows.commands import Commands
from workflows.library.catalog import Catalog
from workflows.library.packages import Package, read_archive, read_files, read_folder
from workflows.reading.history import History
from workflows.store import schema
from workflows.store.tables import cases, incidents, jobs, open_database, tasks, timers
from workflows.work.worker import Worker

BEGINNING = datetime(2026, 3, 2, 1, tzinfo=UTC)
BYSTANDER = Path(__file__).parents[1] / "workflows" / "packages" / "small_review"
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
OUTWARDS = (
    "socket.",
    "subprocess.",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
    "ctypes.",
)
CHANGING = ("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "shutil.")
PYTHON_SEEN = ("<class", "<function", "<module", "<built-in", "root:x:0", "uid=")
EVERY, SELDOM = 5, 25
"""After so many rows the last attack is replayed; the good model is checked and the bystander goes on.

The bystander's rows are compared after every attack."""
LIFE = 150
"""So many rows one house withstands before the next is built: a library of a thousand versions is slow."""
STANDING = (cases, tasks, timers, jobs, incidents)
COUNTS = sa.union_all(
    *(sa.select(sa.literal(t.name), sa.func.count()).select_from(t) for t in metadata.sorted_tables)
)
MEMORY = 2 * 2**30
ECHOES = 60
"""Deliveries that one letter may set off here; a house takes more, and as surely stops."""


class Arena:
    """A house in memory. What it does outside of itself is noted by an audit hook."""

    def __init__(self) -> None:
        self.now = BEGINNING
        self.database = open_database("sqlite://")
        self.catalog = Catalog(self.database)
        self.commands = Commands(self.database, self.catalog, clock=self.clock)
        self.history = History(self.database, self.catalog)
        self.worker = Worker(self.database, self.commands, clock=self.clock, name="arena", echoes=ECHOES)
        with self.database.begin() as connection:
            schema.lay_out(connection)
            load_organisations(connection, now=BEGINNING)
            self.catalog.deploy(connection, read_folder(BYSTANDER), by="owner", at=BEGINNING)
            self.applicant = find_person(connection, "app01")
            self.officer = find_person(connection, "lz.officer")
        self.bystander = self.commands.start_case("small_review", {"days": 3}, actor=self.applicant).case_id
        self.case_id = ""
        self.broken = 0
        self.rounds = 0
        self.seen: list[str] = []

    def clock(self) -> datetime:
        return self.now

    def clear(self) -> None:
        """Nothing of the last attack listens any more: what comes of a row is its own."""
        left = sa.select(cases.c.case_id).where(cases.c.status == "active", cases.c.case_id != self.bystander)
        with self.database.connect().execution_options(reading=True) as connection:
            ids = connection.scalars(left).all()
        for case_id in ids:
            self.commands.terminate_case(case_id, "the next row begins", actor=SYSTEM)

    # --- the attack -----------------------------------------------------------------------------------

    def strike(self, attack: Attack) -> str:
        """What came of it, in a word and what is told."""
        self.case_id, self.broken = "", 0
        try:
            self._deploy(attack)
            self._play(attack)
        except BadDefinition as error:
            return f"refused:{' '.join(sorted({problem.rule for problem in error.problems}))}"
        except Rejected as error:
            return f"rejected:{error.code}"
        return self._told()

    def _deploy(self, attack: Attack) -> None:
        given = read_archive(attack.archive) if attack.archive is not None else attack.files
        packages = [read_files(files) for files in (*attack.called, given)]
        with self.database.begin() as connection:
            for package in packages:
                self._deploy_one(connection, package)

    def _deploy_one(self, connection: sa.Connection, package: Package) -> None:
        self.catalog.deploy(connection, package, by="adversary", at=self.now)

    def _play(self, attack: Attack) -> None:
        self.case_id = self.commands.start_case(KEY, attack.values, actor=SYSTEM).case_id
        self._work()
        for step in attack.steps:
            self._take(*step)
            self._work()

    def _take(self, kind: str, what: str, values: Any = None) -> None:
        if kind == "pass":
            span = parse_duration(what)
            assert isinstance(span, timedelta)
            self.now += span
        elif kind == "message":
            self.commands.receive_message(self.case_id, what, values or {}, actor=SYSTEM)
        elif kind == "finish":
            self.commands.finish_job(self._open(jobs, "waiting", what)["job_id"], values or {})
        else:
            task = self._open(tasks, "ready", what)["task_id"]
            self.commands.claim_task(task, actor=SYSTEM)
            self.commands.complete_task(task, values or {}, actor=SYSTEM)

    def _work(self) -> None:
        self.broken += self.worker.tick().broken

    def _open(self, table: sa.Table, state: str, element: str) -> sa.RowMapping:
        where = (table.c.state == state, table.c.element == element)
        return next(iter(self._rows(table, *where)))

    def _rows(self, table: sa.Table, *where: sa.ColumnElement[bool]) -> list[sa.RowMapping]:
        query = sa.select(table).where(table.c.case_id == self.case_id, *where)
        with self.database.connect().execution_options(reading=True) as connection:
            return list(connection.execute(query).mappings())

    def _told(self) -> str:
        broken = self._rows(incidents, incidents.c.resolved_at.is_(None))
        if broken:
            return f"incident:{' '.join(sorted({f'{row.code} {row.message}' for row in broken}))[:500]}"
        (case,) = self._rows(cases)
        with self.database.connect() as connection, self.catalog.over(connection):
            variables = self.commands.live.take(connection, self.case_id).variables
        return f"{case.status}:x={json.dumps(to_plain(variables.get('x')), default=str)[:200]}"

    # --- the harm -------------------------------------------------------------------------------------

    def harm(self, before: dict[str, Any], outcome: str) -> list[str]:
        """What was done beyond the attack's own case."""
        found = [f"did {event}" for event in self.seen]
        found += ["the worker broke"] * bool(self.broken)
        after = self.state()
        if outcome.startswith("refused") and after["counts"] != before["counts"]:
            found.append("a refusal left rows behind")
        if after["bystander"] != before["bystander"]:
            found.append("the bystander's case was touched")
        self.rounds += 1
        found += self._mismatches() if self.rounds % EVERY == 0 else []
        found += self._limps() if self.rounds % SELDOM == 0 else []
        return [*found, *self._leaks()]

    def state(self) -> dict[str, Any]:
        """How many rows there are, and how the bystander's case stands."""
        with self.database.connect().execution_options(reading=True) as connection:
            counts = dict(connection.execute(COUNTS).tuples().all())
            own = [connection.execute(sa.select(t).where(t.c.case_id == self.bystander)) for t in STANDING]
            return {
                "counts": counts,
                "bystander": [journal.head(connection, self.bystander), *(rows.all() for rows in own)],
            }

    def _mismatches(self) -> Iterator[str]:
        """What a replay of the attack's own case finds."""
        if self.case_id and self._rows(cases):
            proof = self.history.verify(self.case_id)
            yield from (str(finding)[:500] for finding in proof.findings)

    def _leaks(self) -> Iterator[str]:
        if self.case_id:
            told = " ".join(str(row) for row in self._rows(journalled))
            yield from (f"the journal holds {word}" for word in PYTHON_SEEN if word in told)

    def _limps(self) -> Iterator[str]:
        """The good model checks and deploys, and the bystander's case goes on."""
        with self.database.begin() as connection:
            package = read_folder(BYSTANDER)
            errors = [p for p in self.catalog.check(connection, package, self.now) if p.severity == "error"]
            version = self.catalog.deploy(connection, package, by="owner", at=self.now)
        if errors or version.version != 1:
            yield f"a good model became {version.id} {errors}"
        own, self.case_id = self.case_id, self.bystander
        task = self._open(tasks, "ready", "check")["task_id"]
        self.commands.claim_task(task, actor=self.officer)
        self.commands.release_task(task, actor=self.officer)
        self.case_id = own

    def watch(self, event: str, arguments: tuple[object, ...]) -> None:
        """The audit hook."""
        is_write = event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING
        if is_write or event.startswith((*OUTWARDS, *CHANGING)):
            self.seen.append(f"{event} {arguments[0] if arguments else ''}"[:200])


class Memory:
    """The most memory held since the last time it was asked, in MB; 0 where the system does not tell."""

    def __init__(self) -> None:
        self.reset = (
            os.open("/proc/self/clear_refs", os.O_WRONLY) if Path("/proc/self/clear_refs").exists() else None
        )

    def begin(self) -> float:
        if self.reset is not None:
            os.write(self.reset, b"5")
        return self.peak()

    def peak(self) -> float:
        if self.reset is None:
            return 0
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main() -> None:
    """Answer for one row after the other."""
    sys.dont_write_bytecode = True
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    rows = {row.id: row for row in ROWS}
    arena, memory = Arena(), Memory()
    sys.addaudithook(lambda event, arguments: arena.watch(event, arguments))
    for line in sys.stdin:
        arena = arena if arena.rounds < LIFE else Arena()
        attack = rows[line.rstrip("\n")].attack()
        arena.clear()
        before, held = arena.state(), memory.begin()
        arena.seen.clear()
        began = time.process_time()
        outcome = arena.strike(attack)
        seconds = time.process_time() - began
        answer = {"outcome": outcome, "seconds": seconds, "mb": memory.peak() - held}
        print(json.dumps({**answer, "harm": arena.harm(before, outcome)}), flush=True)


if __name__ == "__main__":
    main()
