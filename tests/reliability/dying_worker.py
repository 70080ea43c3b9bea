"""Workers that die at their work: each kills itself just before the so-manyth of its commits.

`python -m tests.reliability.dying_worker URL MOMENT`, a number for each worker on standard input; for each a
line, `killed` or `ended`. Every worker comes when the leases of the one before have ended.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import datetime

import sqlalchemy as sa

from workflows.commands import Commands
from workflows.library.catalog import Catalog
from workflows.store.tables import open_database
from workflows.work.worker import LEASE, Worker


def work(url: str, now: datetime, dies_at: int) -> None:
    """What a process of its own does."""
    database = open_database(url)
    commands = Commands(database, Catalog(database), clock=lambda: now)
    left = [dies_at]

    def count(_: sa.Connection) -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    sa.event.listen(database, "commit", count)
    Worker(database, commands, clock=lambda: now).tick()


def main(url: str, moment: str) -> None:
    """One child after the other, whatever becomes of it."""
    now = datetime.fromisoformat(moment)
    for number in map(int, sys.stdin.read().split()):
        now += 2 * LEASE
        if os.fork() == 0:
            work(url, now, number)
            os._exit(0)
        _, status = os.wait()
        print("killed" if os.WIFSIGNALED(status) else "ended", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
