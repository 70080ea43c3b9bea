"""Officers who work through the commands on a watched disk, and what must be found of their work later."""

from __future__ import annotations

import operator
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Protocol

import orjson
import sqlalchemy as sa

from engine.tables import journal
from tests.reliability.disk import Disk, lay_out
from web.app import wall_clock
from workflows.actors.people import find_person
from workflows.commands import Commands
from workflows.library.catalog import Catalog
from workflows.reading.history import History
from workflows.store.tables import open_database
from workflows.transaction.results import Idempotency

DATABASE = "tidu.db"
PATIENCE = 5


class Witness(Protocol):
    """Who watches what a database does to its files."""

    def url(self, name: str) -> str:
        """The address by which the house opens its database."""

    def answered(self, what: str) -> None:
        """Somebody was told that this is done."""


class Office:
    """An applicant and an officer over one watched database; what they are told is told to who watches."""

    def __init__(self, watched: Witness) -> None:
        self.watched = watched
        self.database = open_database(watched.url(DATABASE))
        self.commands = Commands(self.database, Catalog(self.database), clock=wall_clock)
        self.refused: list[sa.exc.OperationalError] = []
        with self.database.connect().execution_options(reading=True) as connection:
            self.applicant, self.officer = (find_person(connection, who) for who in ("app01", "lz.officer"))

    def carry(self, name: str) -> None:
        """One case up to its second task. Under the same name the requests are the same. Raises what the
        commands raise."""
        begun = self.commands.start_case(
            "small_review", {"days": 3}, actor=self.applicant, idempotency=_once(f"start {name}")
        )
        self.watched.answered(f"CaseStarted {begun.case_id}")
        task = begun.tasks[0].task_id
        self.commands.claim_task(task, actor=self.officer, idempotency=_once(f"claim {name}"))
        self.watched.answered(f"TaskClaimed {task}")
        accept = {"outcome": "accepted"}
        self.commands.complete_task(task, accept, actor=self.officer, idempotency=_once(f"done {name}"))
        self.watched.answered(f"TaskCompleted {task}")

    def carry_many(self, clients: int, cases: int) -> None:
        """Several at once, so that they share commits; who is refused for the disk's sake asks again."""
        work = [Thread(target=self.carry_all, args=(number, cases)) for number in range(clients)]
        for client in work:
            client.start()
        for client in work:
            client.join()

    def carry_all(self, client: int, cases: int) -> None:
        """What one client does."""
        for number in range(cases):
            for _ in range(PATIENCE):
                try:
                    self.carry(f"{client}-{number}")
                    break
                except sa.exc.OperationalError as error:
                    self.refused.append(error)

    def close(self) -> None:
        self.database.dispose()


def _once(key: str) -> Idempotency:
    return Idempotency(key=key, request_digest=key)


def started_in(folder: Path) -> Started:
    """SQLite is started by opening its file, which is put into this new folder."""
    return lambda files: found_in(lay_out(files, folder))


@contextmanager
def found_in(folder: Path) -> Iterator[sa.Engine]:
    """What the house finds when it is started again on these files, which are then thrown away."""
    database = open_database(f"sqlite:///{folder / DATABASE}")
    try:
        yield database
    finally:
        database.dispose()
        shutil.rmtree(folder)


def is_whole(database: sa.Engine) -> bool:
    """Whether SQLite finds its file whole, and every case verifies."""
    with database.connect().execution_options(reading=True) as connection:
        whole = connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
    return whole and verifies(database)


def verifies(database: sa.Engine) -> bool:
    """Whether every case does."""
    return all(proof.ok for proof in History(database, Catalog(database)).verify_all())


def written(database: sa.Engine) -> Counter[str]:
    """What the journal says has been done, in the words of the acknowledgements, and how often."""
    with database.connect().execution_options(reading=True) as connection:
        bodies = [orjson.loads(body) for body in connection.scalars(sa.select(journal.c.body))]
    return Counter(f"{body['type']} {body['data'].get('task_id', body['case'])}" for body in bodies)


@dataclass
class Found:
    """What some power cuts came to. Acknowledgements count once for each cut that came after them."""

    cuts: int = 0
    acknowledged: int = 0
    lost: int = 0
    unsound: int = 0

    def __add__(self, other: Found) -> Found:
        return Found(*map(operator.add, vars(self).values(), vars(other).values()))


Started = Callable[[Mapping[str, bytes]], AbstractContextManager[sa.Engine]]
"""How the house is started again on the files that a disk holds; they are thrown away afterwards."""


def after_cuts(
    disk: Disk, cuts: int, started: Started, *, seed: int = 7, sound: Callable[[sa.Engine], bool] = is_whole
) -> Found:
    """Cut the power so often, at moments that a seed decides, and start the house again on what is left."""
    dice = random.Random(seed)
    found = Found()
    for moment in disk.moments(cuts, dice):
        told = set(disk.answered(moment))
        with started(disk.after_cut(moment, dice)) as database:
            there = written(database)
            found.unsound += not sound(database)
        found.cuts += 1
        found.acknowledged += len(told)
        found.lost += sum(there[what] != 1 for what in told)
    return found
