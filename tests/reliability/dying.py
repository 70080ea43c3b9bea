"""Completes tasks and dies on the way: the k-th task's process kills itself at the k-th step of the command.

`python -m tests.reliability.dying URL PERSON`, task ids on standard input; for each one a line
`TASK ended STEP`: `killed` at that step, or `answered` once there are no steps left to die at.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import sqlalchemy as sa

from engine import journal, sending
from engine.case.case import Case
from engine.replay import LiveCases
from web.app import wall_clock
from workflows import projections
from workflows.catalog import Catalog
from workflows.change import Change, Page
from workflows.commands import Commands
from workflows.commits import Commits
from workflows.people import find_person
from workflows.tables import open_database

STEPS: tuple[tuple[Any, str], ...] = (
    (Commits, "_attempt"),
    (Change, "task"),
    (LiveCases, "take"),
    (Case, "complete_task"),
    (Change, "save"),
    (journal, "chain"),
    (projections, "project"),
    (Change, "keep"),
    (Page, "write"),
    (journal, "write"),
    (sending, "exchange"),
    (Commits, "_settle"),
)


class Death:
    """Counts the moments before and after every step, and kills the process at one of them."""

    def __init__(self, at: int) -> None:
        self.left = at

    def watch(self, database: sa.Engine) -> None:
        """From now on every step is counted."""
        for owner, name in STEPS:
            setattr(owner, name, self.around(getattr(owner, name), f"{owner.__name__}.{name}"))
        for event in ("begin", "commit"):
            sa.event.listen(database, event, lambda _, event=event: self.near(f"before {event}"))

    def around(self, step: Callable[..., Any], name: str) -> Callable[..., Any]:
        @wraps(step)
        def walked(*given: Any, **named: Any) -> Any:
            self.near(f"before {name}")
            answer = step(*given, **named)
            self.near(f"after {name}")
            return answer

        return walked

    def near(self, moment: str) -> None:
        """One moment more has come."""
        self.left -= 1
        if self.left == 0:
            print(moment, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)


def complete(url: str, person: str, task: str, at: int) -> None:
    """What a process of its own does."""
    database = open_database(url)
    commands = Commands(database, Catalog(database), clock=wall_clock)
    with database.connect() as connection:
        actor = find_person(connection, person)
    Death(at).watch(database)
    commands.complete_task(task, {"outcome": "accepted"}, actor=actor)
    print("answered", flush=True)


def main(url: str, person: str) -> None:
    """One child for each task; whatever becomes of it, the next one begins."""
    for at, task in enumerate(sys.stdin.read().split(), start=1):
        print(task, end=" ", flush=True)
        if os.fork() == 0:
            complete(url, person, task, at)
            os._exit(0)
        os.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
