"""Officers who work through the commands on a watched disk, and what must be found of their work later."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import orjson
import sqlalchemy as sa

from engine.tables import journal
from tests.reliability.installation import Installation
from tests.reliability.watched import Watched
from web.app import wall_clock
from workflows.catalog import Catalog
from workflows.commands import Commands
from workflows.history import History
from workflows.people import find_person
from workflows.policy import Actor
from workflows.results import Idempotency
from workflows.tables import open_database

DATABASE = "tidu.db"


class Office:
    """An applicant and an officer over one watched database; what is done for them is told to the disk."""

    def __init__(self, watched: Watched) -> None:
        self.watched = watched
        self.database = open_database(watched.url(DATABASE))
        self.commands = Commands(self.database, Catalog(self.database), clock=wall_clock)
        with self.database.connect().execution_options(reading=True) as connection:
            self.applicant, self.officer = (find_person(connection, who) for who in ("app01", "lz.officer"))

    def carry(self, name: str) -> None:
        """One case from its start to its second task; under the same name the same requests again."""
        begun = self.commands.start_case(
            "small_review", {"days": 3}, actor=self.applicant, idempotency=_once(f"start {name}")
        )
        self.watched.answered(f"CaseStarted {begun.case_id}")
        (task,) = begun.tasks
        self.commands.claim_task(task.task_id, actor=self.officer, idempotency=_once(f"claim {name}"))
        self.watched.answered(f"TaskClaimed {task.task_id}")
        self.commands.complete_task(
            task.task_id, {"outcome": "accepted"}, actor=self.officer, idempotency=_once(f"done {name}")
        )
        self.watched.answered(f"TaskCompleted {task.task_id}")

    def carry_many(self, clients: int, cases: int) -> None:
        """Several at once, so that commits are shared."""
        work = [Thread(target=self._carry_some, args=(number, cases)) for number in range(clients)]
        for client in work:
            client.start()
        for client in work:
            client.join()

    def _carry_some(self, client: int, cases: int) -> None:
        for number in range(cases):
            self.carry(f"{client}-{number}")

    def close(self) -> None:
        self.database.dispose()


def _once(key: str) -> Idempotency:
    return Idempotency(key=key, request_digest=key)


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
    return whole and all(proof.ok for proof in History(database, Catalog(database)).verify_all())


def written(database: sa.Engine) -> Counter[str]:
    """What the journal says has been done, in the words of the acknowledgements, and how often."""
    with database.connect().execution_options(reading=True) as connection:
        bodies = [orjson.loads(body) for body in connection.scalars(sa.select(journal.c.body))]
    return Counter(f"{body['type']} {body['data'].get('task_id', body['case'])}" for body in bodies)
