"""Two acts in two threads, each at a door of its own: one stands still where it is told, and the other goes.

Nothing of ours is replaced: whoever is to stand still does so in the events of its own connections, or on
the way into the writing of its page.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any

import sqlalchemy as sa

from engine.errors import Rejected
from tests.reliability.doors import answered, told, waiting
from tests.story import Story
from workflows.commands import Commands
from workflows.library.catalog import Catalog
from workflows.store.tables import open_database
from workflows.transaction.change import Page

PATIENCE = 60.0
ASKED, DECIDED, WRITTEN = "asked", "decided", "written"
"""Where an act can stand still: its transaction has not begun; everything is decided and nothing written;
everything is written and not committed."""


class CutOff(Exception):
    """The process died, or its connection: nobody will ever hear what became of its act."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """Who is let go first, where it stands still, and whether it ever goes on."""

    name: str
    leads: str
    stands: str
    dies: bool = False

    @property
    def first(self) -> str:
        """Whose act counts first: who stands still behind its writing is only waited for."""
        overtaken = self.dies or self.stands != WRITTEN
        return {"one": "other", "other": "one"}[self.leads] if overtaken else self.leads


ORDERS = tuple(
    Order(name=f"{leads} {how}", leads=leads, stands=stands, dies=dies)
    for leads in ("one", "other")
    for how, stands, dies in (
        ("commits while the second waits", WRITTEN, False),
        ("is overtaken", DECIDED, False),
        ("is cut off before its commit", WRITTEN, True),
    )
)


@dataclass(eq=False)
class Door:
    """A process's worth of rooms, and the moment at which whoever uses it stands still."""

    database: sa.Engine
    catalog: Catalog
    commands: Commands
    stands: str | None = None
    dies: bool = False
    has_begun: bool = False
    arrived: Event = field(default_factory=Event)
    may_go: Event = field(default_factory=Event)

    def arm(self, stands: str | None, *, dies: bool) -> None:
        self.stands, self.dies, self.has_begun = stands, dies, False
        self.arrived, self.may_go = Event(), Event()

    def reach(self, moment: str) -> None:
        """The act has come as far as this."""
        if moment == self.stands:
            self.stands = None
            self.arrived.set()
            assert self.may_go.wait(PATIENCE), "nobody let it go on"
            if self.dies:
                raise CutOff


@dataclass(frozen=True)
class Played:
    """What became of both, and whose act counted first."""

    one: Any
    other: Any
    first: str
    survivor: str | None

    @property
    def told(self) -> tuple[str, str]:
        """`done`, the code of a refusal, or `cut off`."""
        return told_of(self.one), told_of(self.other)


def told_of(answer: Any) -> str:
    """What an answer comes to; a fault of ours is raised."""
    if isinstance(answer, CutOff):
        return "cut off"
    if isinstance(answer, Exception) and not isinstance(answer, Rejected):
        raise answer
    return told(answer)


Act = Callable[[Door], Any]


class Stage:
    """A story, and two doors over its database."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.doors = [self._door() for _ in range(2)]

    @property
    def is_postgres(self) -> bool:
        return self.story.database.dialect.name == "postgresql"

    def play(self, order: Order, one: Act, other: Act, *, decided: str = DECIDED) -> Played:
        """Both acts, in this order. Acts that write no page can be overtaken before they have `ASKED`."""
        acts = {"one": one, "other": other}
        follows = "other" if order.leads == "one" else "one"
        leading, following = self.doors
        # Every writer on SQLite begins by locking all others out: it can be overtaken only before that.
        stands = order.stands
        if stands == DECIDED:
            stands = decided if self.is_postgres else ASKED
        leading.arm(stands, dies=order.dies)
        following.arm(None, dies=False)
        led, leader = self._let_go(leading, acts[order.leads])
        assert leading.arrived.wait(PATIENCE), f"it never came to be {stands}: {led}"
        followed, follower = self._let_go(following, acts[follows])
        self._as_far_as_it_can(follower, following, behind=stands)
        leading.may_go.set()
        for thread in (leader, follower):
            thread.join(PATIENCE)
            assert not thread.is_alive(), "it waits for ever"
        answers = {order.leads: led[0], follows: followed[0]}
        return Played(**answers, first=order.first, survivor=follows if order.dies else None)

    def _let_go(self, door: Door, act: Act) -> tuple[list[Any], Thread]:
        came: list[Any] = []

        def run() -> None:
            try:
                came.append(answered(lambda: act(door)))
            except Exception as error:
                came.append(error)

        thread = Thread(target=run, daemon=True)
        thread.start()
        return came, thread

    def _as_far_as_it_can(self, thread: Thread, door: Door, *, behind: str) -> None:
        """Until it has done all, or waits for the one that stands still."""
        deadline, pause = time.monotonic() + PATIENCE, Event()
        while thread.is_alive() and not self._waits(door, behind):
            assert time.monotonic() < deadline, "it neither ends nor waits"
            pause.wait(0.002)

    def _waits(self, door: Door, behind: str) -> bool:
        if not self.is_postgres:
            return behind != ASKED and door.has_begun
        query = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        with self.story.database.connect() as connection:
            return bool(connection.exec_driver_sql(query).scalar())

    def _door(self) -> Door:
        url = self.story.database.url.render_as_string(hide_password=False)
        database = waiting(open_database(url), "60s")
        catalog = Catalog(database)
        door = Door(database, catalog, Commands(database, catalog, clock=self.story.clock))

        def begin(*_: Any) -> None:
            door.has_begun = True
            door.reach(ASKED)

        sa.event.listen(database, "checkout", begin)
        sa.event.listen(database, "commit", lambda _: door.reach(WRITTEN))
        return door


@contextmanager
def stage_of(story: Story) -> Iterator[Stage]:
    """The two doors, while the block lasts."""
    stage, write = Stage(story), Page.write
    at = {door.database: door for door in stage.doors}

    def write_when_told(page: Page) -> None:
        if (door := at.get(page.connection.engine)) is not None:
            door.reach(DECIDED)
        write(page)

    Page.write = write_when_told  # type: ignore[method-assign]
    try:
        yield stage
    finally:
        Page.write = write  # type: ignore[method-assign]
        for door in stage.doors:
            door.database.dispose()
