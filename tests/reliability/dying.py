"""Does things and dies on the way: the k-th thing's process kills itself at the k-th step of the command.

`python -m tests.reliability.dying URL ACT`, one thing to act upon a line on standard input; for each one a
line `THING MOMENT`: the moment at which its process died, or `answered` once there are no moments left to
die at, and then it ends.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import wraps
from importlib import import_module
from typing import Any

import sqlalchemy as sa

from engine import journal, replay, sending
from engine.case.case import Case
from engine.replay import LiveCases
from workflows.actors.people import find_person
from workflows.actors.policy import Actor
from workflows.commands import Commands
from workflows.library.catalog import Catalog
from workflows.store.tables import migrate, open_database
from workflows.transaction import projections
from workflows.transaction.change import Change, Page
from workflows.transaction.commits import Commits
from workflows.transaction.results import Idempotency
from workflows.work.worker import LEASE, Worker

STEPS: tuple[tuple[Any, str], ...] = (
    (Worker, "_lease"),
    (Worker, "_survive"),
    (Worker, "_give_back"),
    (Worker, "_tidy"),
    (Commits, "_attempt"),
    (Change, "task"),
    (LiveCases, "take"),
    (Case, "start"),
    (Case, "claim_task"),
    (Case, "complete_task"),
    (Case, "receive_message"),
    (Case, "fire_timer"),
    (Case, "finish_job"),
    (Change, "save"),
    (journal, "chain"),
    (projections, "project"),
    (replay, "snapshots_of"),
    (Change, "keep"),
    (Page, "write"),
    (journal, "write"),
    (sending, "exchange"),
    (Commits, "_settle"),
)
START = datetime(2026, 3, 2, 1, tzinfo=UTC)
LATER = START + timedelta(days=4)
"""When what was begun at START is due."""


class Death:
    """Counts the moments before and after every step, and kills the process at one of them."""

    def __init__(self, at: int) -> None:
        self.left = at

    def watch(self, database: sa.Engine, *, closely: bool) -> None:
        """From now on every step is counted, and `closely` every statement."""
        for owner, name in STEPS:
            setattr(owner, name, self.around(getattr(owner, name), f"{owner.__name__}.{name}"))
        for event in ("begin", "commit"):
            sa.event.listen(database, event, lambda _, event=event: self.near(f"before {event}"))
        if closely:
            sa.event.listen(database, "before_cursor_execute", self.written)

    def around(self, step: Callable[..., Any], name: str) -> Callable[..., Any]:
        @wraps(step)
        def walked(*given: Any, **named: Any) -> Any:
            self.near(f"before {name}")
            answer = step(*given, **named)
            self.near(f"after {name}")
            return answer

        return walked

    def written(self, _connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        """A statement is about to be run; those that only look do not count."""
        if not statement.lstrip().startswith(("SELECT", "PRAGMA", "BEGIN")):
            self.near("before a statement")

    def near(self, moment: str) -> None:
        """One moment more has come."""
        self.left -= 1
        if self.left == 0:
            print(moment, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)


@dataclass(kw_only=True)
class Hands:
    """People and a worker on one database, and the time that it is for them."""

    database: sa.Engine
    now: datetime = START

    def __post_init__(self) -> None:
        self.library = Catalog(self.database)
        self.commands = Commands(self.database, self.library, clock=lambda: self.now)
        self.worker = Worker(self.database, self.commands, clock=lambda: self.now)
        with self.database.connect() as connection:
            self.applicant, self.officer = (find_person(connection, who) for who in ("app01", "lz.officer"))
        self.library.warm(self.now)
        self.database.dispose()  # a child must not inherit a connection

    def start(self, key: str) -> None:
        """Somebody applies."""
        self.commands.start_case("small_review", {"days": 3}, **self._asked(self.applicant, key))

    def claim(self, task: str) -> None:
        """Somebody takes a task."""
        self.commands.claim_task(task, **self._asked(self.officer, task))

    def complete(self, task: str) -> None:
        """Who holds it has done it."""
        self.commands.complete_task(task, {"outcome": "accepted"}, **self._asked(self.officer, task))

    def withdraw(self, case: str) -> None:
        """The applicant sends the case a message."""
        told = self._asked(self.applicant, case)
        self.commands.receive_message(case, "withdraw", {"reason": "不再申请"}, **told)

    def work(self, number: str) -> None:
        """The worker does what is due; the leases of those who died before have ended."""
        self.now = LATER + int(number) * 2 * LEASE
        self.worker.tick()

    def _asked(self, actor: Actor, key: str) -> dict[str, Any]:
        return {"actor": actor, "idempotency": Idempotency(key=key, request_digest=key)}


class Operator:
    """Who brings an older database up to date."""

    def __init__(self, *, database: sa.Engine) -> None:
        self.database = database
        import_module("alembic.command")  # once, and not in every child

    def migrate(self, number: str) -> None:
        """The schema becomes that of today."""
        migrate(self.database)


def main(url: str, act: str) -> None:
    """One child for each thing; whatever becomes of it, the next one begins."""
    hands = (Operator if act == "migrate" else Hands)(database=open_database(url))
    replay.SNAPSHOT_EVERY = 1  # so that every command keeps a snapshot too
    for at, thing in enumerate(sys.stdin.read().split(), start=1):
        print(thing, end=" ", flush=True)
        child = os.fork()
        if child == 0:
            Death(at).watch(hands.database, closely=act == "migrate")
            getattr(hands, act)(thing)
            print("answered", flush=True)
            os._exit(0)
        if os.waitpid(child, 0)[1] == 0:
            return


if __name__ == "__main__":
    main(*sys.argv[1:])
