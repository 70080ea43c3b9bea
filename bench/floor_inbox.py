"""The floor of the inbox: one narrow table, an index for each order, one index scan for each group, merged.

It answers with ids only and knows no rules. On large inboxes, where nobody makes lists by hand, ours must
answer the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import sqlalchemy as sa

from bench import made_up
from bench.house import NOW, House
from engine.temporal import moment
from workflows.actors.policy import Actor
from workflows.reading.lists import CAP, TaskQuery

metadata = sa.MetaData()
opened = sa.Table(
    "floor_open",
    metadata,
    sa.Column("task_id", sa.Text, primary_key=True),
    *(sa.Column(name, sa.Text) for name in ("grp", "created", "due", "authority", "assignee", "search")),
)
INDEXES = (
    "CREATE INDEX floor_created ON floor_open (grp, created, task_id) WHERE assignee IS NULL",
    "CREATE INDEX floor_due ON floor_open (grp, due, task_id) WHERE assignee IS NULL",
    "CREATE INDEX floor_town ON floor_open (grp, authority, created, task_id) WHERE assignee IS NULL",
    "CREATE INDEX floor_mine ON floor_open (assignee, due, task_id) WHERE assignee IS NOT NULL",
)


def store(database: sa.Engine, number: int) -> None:
    """The made-up inbox of so many tasks, in the floor's table."""
    metadata.create_all(database)
    coming = made_up.made(number)
    while batch := list(islice(coming, made_up.BATCH)):
        with database.begin() as connection:
            made_up.write(connection, opened, [_row(one) for one in batch])
    with database.begin() as connection:
        for index in INDEXES:
            connection.exec_driver_sql(index)
    made_up.analyse(database)


@dataclass(frozen=True)
class Row:
    """One line of a list, as far as the floor tells it."""

    task_id: str
    sorted_by: str


@dataclass(frozen=True)
class Page:
    """`next` is the last row's place, for the page behind."""

    items: tuple[Row, ...]
    next: str | None


@dataclass(frozen=True)
class Count:
    count: int


class FloorInbox:
    """Answers the queries of scenario C, and no others."""

    def __init__(self, house: House) -> None:
        self._house = house

    def tasks(self, actor: Actor, query: TaskQuery) -> Page:
        """A page, and where the next one begins."""
        column = "created" if query.sort == "created" else "due"
        way = "DESC" if query.descending else "ASC"
        given: dict[str, Any] = {"most": query.limit + 1}
        parts = [
            f"SELECT * FROM (SELECT task_id, {column} AS place FROM floor_open WHERE {where}"
            f" ORDER BY {column} {way}, task_id {way} LIMIT :most) AS p{number}"
            for number, where in enumerate(_parts(actor, query, column, given))
        ]
        text = f"{' UNION ALL '.join(parts)} ORDER BY place {way}, task_id {way} LIMIT :most"
        with self._house.reading() as connection:
            rows = [Row(*row) for row in connection.execute(sa.text(text), given)]
        kept = tuple(rows[: query.limit])
        following = f"{kept[-1].sorted_by}|{kept[-1].task_id}" if len(rows) > query.limit else None
        return Page(kept, following)

    def count(self, actor: Actor, query: TaskQuery) -> Count:
        """How many, up to the cap: so many index entries of each group at most."""
        given: dict[str, Any] = {"most": CAP}
        parts = [
            f"(SELECT count(*) FROM (SELECT 1 FROM floor_open WHERE {where} LIMIT :most) AS p{number})"
            for number, where in enumerate(_parts(actor, query, "created", given))
        ]
        with self._house.reading() as connection:
            found = connection.execute(sa.text(f"SELECT {' + '.join(parts)}"), given).scalar_one()
        return Count(min(int(found), CAP))


def _parts(actor: Actor, query: TaskQuery, column: str, given: dict[str, Any]) -> Iterator[str]:
    """A condition for each index scan; their values are put into `given`."""
    more = _more(query, column, given)
    if query.queue in ("mine", "overdue"):
        given["me"] = actor.id
        yield f"assignee = :me{more}"
    if query.queue != "mine":
        for number, group in enumerate(sorted(actor.groups)):
            given[f"g{number}"] = group
            yield f"grp = :g{number} AND assignee IS NULL{more}"


def _more(query: TaskQuery, column: str, given: dict[str, Any]) -> str:
    found = ""
    if query.queue == "overdue":
        given["now"] = moment(NOW)
        found += " AND due < :now"
    if query.authority:
        given["town"] = query.authority
        found += " AND authority = :town"
    if query.q:
        given["word"] = f"%{query.q}%"
        found += " AND search LIKE :word"
    if query.cursor:
        given["place"], given["id"] = query.cursor.split("|")
        found += f" AND ({column}, task_id) {'<' if query.descending else '>'} (:place, :id)"
    return found


def _row(one: made_up.Made) -> dict[str, Any]:
    return {
        "task_id": one.task_id,
        "grp": one.group,
        "created": moment(one.created),
        "due": moment(one.due),
        "authority": one.authority,
        "assignee": one.assignee,
        "search": one.told,
    }
