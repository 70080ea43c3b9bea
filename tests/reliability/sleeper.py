"""A worker that is stopped by a signal after it has leased what is due, and goes on when it is continued.

`python -m tests.reliability.sleeper URL MOMENT`; it tells what its tick came to when it has woken up.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import datetime
from typing import Any

from workflows.commands import Commands
from workflows.library.catalog import Catalog
from workflows.store.leases import Lease
from workflows.store.tables import open_database
from workflows.work.worker import Worker


class Sleeper(Commands):
    """Falls asleep once, between the lease and the work."""

    has_slept = False

    def fire_timer(self, case_id: str, timer_id: str, **more: Any) -> Any:
        if not self.has_slept:
            self.has_slept = True
            os.kill(os.getpid(), signal.SIGSTOP)
        assert isinstance(more["lease"], Lease)
        return super().fire_timer(case_id, timer_id, **more)


def main(url: str, moment: str) -> None:
    """One tick."""
    database = open_database(url)
    clock = lambda: datetime.fromisoformat(moment)  # noqa: E731
    commands = Sleeper(database, Catalog(database), clock=clock)
    print(Worker(database, commands, clock=clock, name="sleeper").tick(), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
