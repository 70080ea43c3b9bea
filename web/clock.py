"""What time it is: the time of the database's server, so that all hosts agree, and never ahead of it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock

import sqlalchemy as sa

FRESH = 1.0
"""So many seconds we count on from what the server last said; a clock that is set there is heard of after."""


class DatabaseClock:
    """Asks the server and counts on by this host's steady clock: whatever this host thinks of the time, two
    hosts never differ by more than an answer takes. Safe for several threads."""

    def __init__(self, ask: Callable[[], datetime], *, steady: Callable[[], float] = time.monotonic) -> None:
        """`ask` answers the server's time, `steady` seconds that only grow."""
        self._ask = ask
        self._steady = steady
        self._asking = Lock()
        self._asked = -math.inf
        self._heard: tuple[float, datetime] | None = None

    def __call__(self) -> datetime:
        """Raises what `ask` raises until it has answered once. Later, a server that does not answer is
        counted on without, and nobody waits for who is asking it: its absence has to be told with a time."""
        if self._heard is None or self._steady() - self._asked >= FRESH:
            self._listen()
        assert self._heard is not None
        since, told = self._heard
        return told + timedelta(seconds=self._steady() - since)

    def _listen(self) -> None:
        if not self._asking.acquire(blocking=self._heard is None):
            return
        try:
            self._asked = self._steady()
            told = self._ask()
            self._heard = (self._steady(), told)  # told before it was heard: so we are never ahead
        except sa.exc.SQLAlchemyError:
            if self._heard is None:
                raise
        finally:
            self._asking.release()


def time_of(database: sa.Engine) -> datetime:
    """The time by the clock of a PostgreSQL server."""
    with database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        return connection.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
