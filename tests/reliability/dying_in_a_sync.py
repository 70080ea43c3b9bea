"""Programs that are killed in a sync: over the first of the given folders in its third, then in its sixth …

`python -m tests.reliability.dying_in_a_sync FOLDER …`; for each acknowledgement a line `FOLDER WHAT`.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from tests.reliability.at_work import Office
from tests.reliability.watched import OK, Watched

CLIENTS, EVERY = 4, 3  # the three commands of a case are at least three syncs


class Told(Watched):
    """Tells what is acknowledged to somebody who will live."""

    def answered(self, what: str) -> None:
        os.write(1, f"{self.folder} {what}\n".encode())


class Death:
    """Comes with the n-th sync, before it has done anything."""

    def __init__(self, at: int) -> None:
        self.left = at

    def __call__(self, deed: str) -> int:
        self.left -= deed == "sync"
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return OK


def work(folder: Path, at: int) -> None:
    """What a process of its own does until it is killed."""
    watched = Told(folder)
    office = Office(watched)
    watched.fault = Death(at * EVERY)
    office.carry_many(CLIENTS, at + 1)


def main(folders: list[str]) -> None:
    """One child for each folder; the next one begins when it is dead."""
    for at, folder in enumerate(folders, start=1):
        if os.fork() == 0:
            work(Path(folder), at)
            os._exit(0)
        _, status = os.wait()
        assert os.WTERMSIG(status) == signal.SIGKILL, f"{folder}: nobody died"


if __name__ == "__main__":
    main(sys.argv[1:])
