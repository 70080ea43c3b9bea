"""Several processes' worth of commands over one database, and many acts let go at the same moment."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any

import sqlalchemy as sa

from engine.errors import Rejected
from tests.reliability.dumps import dump
from tests.story import Story
from workflows.commands import Commands
from workflows.library.catalog import Catalog
from workflows.reading.history import History
from workflows.store.tables import open_database
from workflows.transaction.projections import rebuild

MOST = 16
NERVOUS = 1e-4
"""Seconds after which one thread of ours must let the next one on: acts are short, and must meet."""

Act = Callable[[Commands], Any]


class Doors:
    """Each door has connections, a library, live cases and commits of its own, as a process has."""

    def __init__(self, story: Story, number: int) -> None:
        self._story = story
        self._crowd = ThreadPoolExecutor(MOST)
        self._opened: list[sa.Engine] = []
        self._doors = [self.another() for _ in range(number)]

    def another(self) -> Commands:
        """One process more."""
        url = self._story.database.url.render_as_string(hide_password=False)
        self._opened.append(waiting(open_database(url), "60s"))
        return Commands(self._opened[-1], Catalog(self._opened[-1]), clock=self._story.clock)

    def __getitem__(self, number: int) -> Commands:
        return self._doors[number % len(self._doors)]

    def at_once(self, acts: Sequence[Act]) -> list[Any]:
        """What each act answered, or why it was refused; the first went through the first door, and so on."""
        gate = Barrier(len(acts))

        def run(number: int, act: Act) -> Any:
            gate.wait()
            return answered(lambda: act(self[number]))

        return list(self._crowd.map(run, range(len(acts)), acts))

    def close(self) -> None:
        self._crowd.shutdown()
        for database in self._opened:
            database.dispose()


@contextmanager
def doors(story: Story, number: int) -> Iterator[Doors]:
    """So many processes' worth of commands over the database of a story."""
    opened, before = Doors(story, number), sys.getswitchinterval()
    sys.setswitchinterval(NERVOUS)
    try:
        yield opened
    finally:
        sys.setswitchinterval(before)
        opened.close()


def waiting(database: sa.Engine, span: str) -> sa.Engine:
    """A database whose statements wait so long for another transaction: where it is tested who comes first, a
    busy machine must not decide that somebody has waited too long."""

    def set_(connection: Any, _: Any) -> None:
        if database.dialect.name == "postgresql":
            connection.execute(f"SET lock_timeout = '{span}'")
            connection.commit()
        else:
            connection.execute(f"PRAGMA busy_timeout = {1000 * int(span.removesuffix('s'))}")

    sa.event.listen(database, "connect", set_)
    return database


def answered(act: Callable[[], Any]) -> Any:
    """What the act answers, or why it was refused."""
    try:
        return act()
    except Rejected as refused:
        return refused


def told(answer: Any) -> str:
    """`done`, or the code of the refusal."""
    return answer.code if isinstance(answer, Rejected) else "done"


def everything_is_sound(database: sa.Engine) -> int:
    """Every case verifies and the read models are what the journal says; how many cases there are."""
    library = Catalog(database)
    proofs = list(History(database, library).verify_all())
    assert [proof for proof in proofs if not proof.ok] == []
    seen = dump(database)
    with database.begin() as connection:
        rebuild(connection, library)
    assert dump(database) == seen
    return len(proofs)
