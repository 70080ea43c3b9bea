"""A made-up inbox of any size: open tasks of 50 groups and 300 authorities, and every list made by hand.

The rows are what the read models hold of such tasks, and no more: the inbox reads nothing else.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import accumulate, islice
from typing import Any

import sqlalchemy as sa

from bench.house import NOW
from engine.temporal import moment
from workflows.actors.policy import Actor
from workflows.reading.lists import TaskQuery
from workflows.store.tables import candidates, tasks

GROUPS, STEEPNESS, AUTHORITIES, PEOPLE = 50, 1.1, 300, 200
CLAIMED = 0.1
WEIGHTS = list(accumulate(1 / rank**STEEPNESS for rank in range(1, GROUPS + 1)))
SYLLABLES = "金陇兰武威天水平凉酒泉庆阳定西张掖白银临夏甘南绿色节能环保化工建材冶炼机械电力"
BATCH = 10_000


@dataclass(frozen=True, slots=True)
class Made:
    """One open task."""

    number: int
    group: str
    authority: str
    assignee: str | None
    unit: str
    created: datetime
    due: datetime

    @property
    def task_id(self) -> str:
        return f"{self.case_id}.2"

    @property
    def case_id(self) -> str:
        return f"MU-2026-{self.number:08}"

    @property
    def told(self) -> str:
        """What a free-text search looks at."""
        return f"{self.case_id} {self.unit} 初审 check".lower()


def made(number: int, *, seed: int = 1) -> Iterator[Made]:
    """So many tasks, the same for the same seed."""
    chance = random.Random(seed)
    for n in range(number):
        created = NOW - timedelta(seconds=chance.randrange(90 * 86400))
        yield Made(
            number=n,
            group=_group(chance),
            authority=f"a{chance.randrange(AUTHORITIES):03}",
            assignee=f"p{chance.randrange(PEOPLE):03}" if chance.random() < CLAIMED else None,
            unit="".join(chance.choices(SYLLABLES, k=6)),
            created=created,
            due=created + timedelta(days=chance.randrange(5, 120)),
        )


def someone(chance: random.Random) -> Actor:
    """An officer of two groups, popular ones more often."""
    person = f"p{chance.randrange(PEOPLE):03}"
    return Actor(
        id=person, name=person, groups=frozenset({_group(chance), _group(chance)}), level="provincial"
    )


def _group(chance: random.Random) -> str:
    return f"g{chance.choices(range(GROUPS), cum_weights=WEIGHTS)[0]:02}"


# --- into the database -------------------------------------------------------------------------------


def store(database: sa.Engine, number: int) -> None:
    """Write so many tasks, and let the database look at what it has."""
    coming = made(number)
    while batch := list(islice(coming, BATCH)):
        with database.begin() as connection:
            write(connection, tasks, [_task(one) for one in batch])
            write(connection, candidates, [_candidate(one) for one in batch])
    analyse(database)


def analyse(database: sa.Engine) -> None:
    """Let the database look at what it has, so that it plans with it."""
    with database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE" if database.dialect.name == "postgresql" else "ANALYZE")


def write(connection: sa.Connection, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
    """Rows into a table, by COPY where there is such a thing."""
    if connection.dialect.name != "postgresql":
        connection.execute(table.insert(), rows)
        return
    names = ", ".join(f'"{column.name}"' for column in table.c)
    values = [_value(column, connection.dialect) for column in table.c]
    raw: Any = connection.connection.cursor()
    with raw.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row([value(row) for value in values])


def _value(column: sa.Column[Any], dialect: sa.Dialect) -> Callable[[dict[str, Any]], Any]:
    """What stands in a column: the row's value or the default, as the column's type writes it."""
    bind = column.type.dialect_impl(dialect).bind_processor(dialect) or (lambda value: value)
    default = column.default.arg if column.default is not None else None
    return lambda row: bind(row.get(column.name, default))


def _task(one: Made) -> dict[str, Any]:
    return {
        "case_id": one.case_id,
        "task_id": one.task_id,
        "case_process": "green_factory",
        "process_id": "green_factory",
        "definition_id": "green_factory:1",
        "element": "check",
        "name": "初审",
        "name_en": "Check",
        "state": "claimed" if one.assignee else "ready",
        "assignee": one.assignee,
        "claimed_at": one.created if one.assignee else None,
        "groups": [one.group],
        "users": [],
        "not_same_as": [],
        "created_at": one.created,
        "due_at": one.due,
        "due_sort": one.due,
        "unit_id": one.unit,
        "unit_name": one.unit,
        "authority": one.authority,
        "authority_name": one.authority,
        "batch_id": "2026-1",
        "batch_name": "2026",
        "search": one.told,
    }


def _candidate(one: Made) -> dict[str, Any]:
    return {
        "case_id": one.case_id,
        "task_id": one.task_id,
        "kind": "group",
        "name": one.group,
        "claimable": one.assignee is None,
        "due_sort": one.due,
        "created_at": one.created,
        "authority": one.authority,
    }


# --- the same lists by hand --------------------------------------------------------------------------


@dataclass(frozen=True)
class ByHand:
    """Every task in memory; slow, and right."""

    number: int

    @cached_property
    def _all(self) -> list[Made]:
        return list(made(self.number))

    def ids(self, actor: Actor, query: TaskQuery) -> list[str]:
        """The whole list that a query of scenario C finds, in its order."""
        found = [one for one in self._all if _fits(one, actor, query)]
        found.sort(key=lambda one: (moment(_sorted_by(one, query)), one.task_id), reverse=query.descending)
        return [one.task_id for one in found]


def _fits(one: Made, actor: Actor, query: TaskQuery) -> bool:
    mine, free = one.assignee == actor.id, one.assignee is None and one.group in actor.groups
    queue = {"mine": mine, "claimable": free, "overdue": (mine or free) and one.due < NOW}[query.queue]
    words = query.q.lower().split()
    return (
        queue
        and (not query.authority or one.authority == query.authority)
        and all(word in one.told for word in words)
    )


def _sorted_by(one: Made, query: TaskQuery) -> datetime:
    return one.created if query.sort == "created" else one.due
