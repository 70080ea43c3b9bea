"""Scenario C: how fast an inbox answers, from ten thousand open tasks to a million.

Every look is somebody else's: an officer drawn by the same chance as the tasks. On the small inbox every
answer must be the list worked out by hand; on the large ones it must be what the floor answers.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

import orjson
import sqlalchemy as sa

from bench import floor_inbox, lines, machine, made_up, process
from bench.floor_inbox import FloorInbox
from bench.house import NOW, House
from bench.lines import Line
from bench.order import Order
from bench.stores import Store, environment, opened
from bench.subjects.serve import spread
from workflows.actors.policy import Actor
from workflows.reading.inbox import Inbox
from workflows.reading.lists import CAP, TaskQuery

SIZES = (10_000, 100_000, 1_000_000)
LOOKS = 50
BY_HAND = 20_000
"""Up to so many tasks every answer is compared with the list made by hand; then with the floor's."""

PAGE = 200
LONGEST = 50 * PAGE
"""No list is looked at further than its page 200."""

NEWEST = TaskQuery(queue="claimable", sort="created", descending=True)
QUERIES: dict[str, TaskQuery] = {
    "newest": NEWEST,
    "oldest": replace(NEWEST, descending=False),
    "by_due": replace(NEWEST, sort="due", descending=False),
    "municipality": replace(NEWEST, authority="a"),
    "text": replace(NEWEST, q="绿色"),
    "mine": TaskQuery(queue="mine"),
    "overdue": TaskQuery(queue="overdue"),
}


@dataclass
class Asked:
    """What one kind of look took, and whether it was right."""

    taken: list[float]
    right: bool = True
    statements: int = 0


def run(order: Order) -> Iterator[Line]:
    """A line for each size and round."""
    with opened(order.store) as store:
        env = environment(store, calibrate=order.calibrate)
        for size in order.sizes or SIZES:
            with _stored(store, size) as (house, right):
                yield from _round_by_round(store, house, right, order, size=size, env=env)


@contextmanager
def _stored(store: Store, size: int) -> Iterator[tuple[House, Lists]]:
    """An inbox of so many tasks, and who knows what it holds, over connections that nobody counts."""
    house = House(store.create(f"bench_inbox_{size}"))
    judge = House(house.url)
    made_up.store(house.database, size)
    floor_inbox.store(house.database, size)
    yield house, made_up.ByHand(size) if size <= BY_HAND else ByFloor(FloorInbox(judge))
    judge.close()
    house.close()


def _round_by_round(
    store: Store, house: House, right: Lists, order: Order, *, size: int, env: Mapping[str, Any]
) -> Iterator[Line]:
    """Ours and the floor take turns."""
    counter = Counter(house.database)
    ours = Inbox(house.database, house.library, clock=lambda: NOW)
    kinds = {"ours": Looking(house, ours, right), "floor": Looking(house, FloorInbox(house), right)}
    running = {kind: kinds[kind] for kind in order.subjects if kind in kinds}
    for looking in running.values():
        for query in QUERIES:  # plans and pages, as in a server that has run a minute
            looking.page(query, random.Random(0))
    for turn in range(1, order.rounds + 1):
        for kind, looking in running.items():
            yield _measured(store, looking, counter, order, kind=kind, size=size, turn=turn, env=env)


class Lists(Protocol):
    """Who knows the whole list that a query finds, or its beginning."""

    def ids(self, actor: Actor, query: TaskQuery) -> list[str]: ...


@dataclass(frozen=True)
class ByFloor:
    """As many ids as anybody asks for here."""

    floor: FloorInbox

    def ids(self, actor: Actor, query: TaskQuery) -> list[str]:
        page = self.floor.tasks(actor, replace(query, limit=LONGEST))
        return [row.task_id for row in page.items]


class Counter:
    """Statements, and the last one with its values, to be explained."""

    def __init__(self, database: sa.Engine) -> None:
        self.statements = 0
        self.last: tuple[str, Any] = ("", ())
        sa.event.listen(database, "before_cursor_execute", self._count)

    def _count(self, *received: Any) -> None:
        text = str(received[2])
        self.statements += 0 if text.startswith("BEGIN") else 1
        if re.search("FROM (tasks|candidates|floor_open)", text):
            self.last = (text, received[3])


class Looking:
    """An inbox under measurement beside the one that is right."""

    def __init__(self, house: House, inbox: Any, right: Lists) -> None:
        self.database = house.database
        self.has_queues = hasattr(inbox, "queues")
        self._inbox = inbox
        self._list = right

    def page(self, name: str, chance: random.Random) -> tuple[float, bool]:
        """Milliseconds of a first page, and whether it is right."""
        actor, query = made_up.someone(chance), _drawn(QUERIES[name], chance)
        begin = time.perf_counter()
        page = self._inbox.tasks(actor, query)
        taken = 1000 * (time.perf_counter() - begin)
        ids = [row.task_id for row in page.items]
        return taken, ids == self._list.ids(actor, query)[: query.limit]

    def count(self, chance: random.Random) -> tuple[float, bool]:
        """The capped count of what one may claim."""
        actor = made_up.someone(chance)
        begin = time.perf_counter()
        found = self._inbox.count(actor, NEWEST).count
        taken = 1000 * (time.perf_counter() - begin)
        return taken, found == min(CAP, len(self._list.ids(actor, NEWEST)))

    def queues(self, chance: random.Random) -> tuple[float, bool]:
        """Every queue's capped count, as the top of a page shows them."""
        actor = made_up.someone(chance)
        begin = time.perf_counter()
        found = {queue.name: queue.count for queue in self._inbox.queues(actor)}
        taken = 1000 * (time.perf_counter() - begin)
        return taken, found["mine"] == min(CAP, len(self._list.ids(actor, QUERIES["mine"])))

    def far_page(self, chance: random.Random) -> tuple[float, bool]:
        """Page 200, or the last one there is, by the cursor of the page before."""
        actor, query, number = made_up.someone(chance), NEWEST, 1
        while True:
            begin = time.perf_counter()
            page = self._inbox.tasks(actor, query)
            taken = 1000 * (time.perf_counter() - begin)
            if page.next is None or number == PAGE:
                break
            query, number = replace(query, cursor=page.next), number + 1
        ids = [row.task_id for row in page.items]
        behind = (number - 1) * query.limit
        return taken, ids == self._list.ids(actor, NEWEST)[behind : behind + query.limit]


Look = Callable[[random.Random], tuple[float, bool]]


def _measured(
    store: Store,
    looking: Looking,
    counter: Counter,
    order: Order,
    *,
    kind: str,
    size: int,
    turn: int,
    env: Mapping[str, Any],
) -> Line:
    others = machine.Foreign(machine.OWN, *filter(None, [store.server_pid]))
    looks: dict[str, Look] = {
        **{name: lambda chance, name=name: looking.page(name, chance) for name in QUERIES},
        "count_capped": looking.count,
        **({"queues": looking.queues} if looking.has_queues else {}),
        "page_200": looking.far_page,
    }
    number = order.cases or LOOKS
    answered: dict[str, Asked] = {}
    plans: dict[str, Any] = {}
    for name, look in looks.items():
        answered[name] = _asked(look, max(1, number // 10) if name == "page_200" else number, counter, turn)
        if store.server_pid:
            plans[name] = _explained(looking.database, counter.last)
    return lines.line(
        "C",
        kind,
        store=store.label,
        params={"open_tasks": size, "groups": made_up.GROUPS, "looks": number},
        round=turn,
        lat_ms={name: spread(asked.taken) for name, asked in answered.items()},
        statements={name: asked.statements for name, asked in answered.items() if name != "page_200"},
        plans=plans,
        peak_rss_mb=round(process.peak_mib(machine.OWN), 1),
        oracle=_oracle(answered),
        env={**env, "foreign_cpu": others.cores()},
    )


def _asked(look: Look, number: int, counter: Counter, turn: int) -> Asked:
    chance, asked = random.Random(turn), Asked(taken=[])
    for _ in range(number):
        before = counter.statements
        taken, right = look(chance)
        asked.statements = max(asked.statements, counter.statements - before)
        asked.taken.append(taken)
        asked.right &= right
    return asked


def _oracle(answered: Mapping[str, Asked]) -> dict[str, Any]:
    wrong = [name for name, asked in answered.items() if not asked.right]
    looks = sum(len(asked.taken) for asked in answered.values())
    return {"ok": not wrong, "events": looks, "double": 0, **({"wrong": wrong} if wrong else {})}


def _drawn(query: TaskQuery, chance: random.Random) -> TaskQuery:
    """The same query about another authority."""
    if not query.authority:
        return query
    return replace(query, authority=f"a{chance.randrange(made_up.AUTHORITIES):03}")


def _explained(database: sa.Engine, asked: tuple[str, Any]) -> dict[str, int]:
    """Rows that the plan's top answered and buffers that it touched."""
    text, values = asked
    with database.connect() as connection:
        plan = connection.exec_driver_sql(
            f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {text}", values
        ).scalar_one()
    found = plan if isinstance(plan, list) else orjson.loads(plan)
    top = found[0]["Plan"]
    return {"rows": top["Actual Rows"], "buffers": top["Shared Hit Blocks"] + top["Shared Read Blocks"]}
