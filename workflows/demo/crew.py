"""The people of the demonstration, as the tasks call for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from engine.case.standing import Task
from workflows.actors.people import authorities, find_person, people_in, persons, units
from workflows.actors.policy import SYSTEM, Actor
from workflows.demo.chance import Chance
from workflows.store.tables import reading


class Crew:
    """Everybody who was loaded, looked up once."""

    def __init__(self, database: sa.Engine) -> None:
        self._database = database
        self._groups: dict[str, tuple[Actor, ...]] = {}
        self._persons: dict[str, Actor] = {}
        with reading(database) as connection:
            found = connection.execute(
                sa.select(persons.c.id, units.c.kind).join(units, units.c.id == persons.c.unit)
            ).all()
            ordered = sorted(found, key=lambda row: (len(row.id), row.id))  # app99 before app100
            self._applicants = tuple((row.kind, self._read(connection, row.id)) for row in ordered)
        self._by_unit: dict[str | None, Actor] = {person.unit: person for _, person in self._applicants}
        self._bodies: dict[str, str] = {}

    def applicant(self, rank: int, kinds: Sequence[str]) -> Actor:
        """Who files the application of this rank for these `kinds`: each unit once, then the first again."""
        able = [person for kind, person in self._applicants if not kinds or kind in kinds]
        return able[rank % len(able)]

    def person(self, person: str) -> Actor:
        """Somebody by their id."""
        with reading(self._database) as connection:
            return self._read(connection, person)

    def candidates(self, task: Task, chance: Chance) -> list[Actor]:
        """Everybody who might do a task, the likeliest first; whoever holds it is the only one."""
        with reading(self._database) as connection:
            if task.assignee:
                return [self._read(connection, task.assignee)]
            named = [self._read(connection, person) for person in task.users]
            members = [actor for group in task.groups for actor in self._group(connection, group)]
        return _shuffled(dict.fromkeys((*named, *members)), chance)

    def sender(self, patterns: Iterable[str], unit: str | None) -> Actor:
        """Who says something that these groups may say; the system for what comes from outside."""
        named = tuple(patterns)
        if unit in self._by_unit and any(pattern.startswith("applicant") for pattern in named):
            return self._by_unit[unit]
        for pattern in named:
            if members := self.members(pattern):
                return members[0]
        return SYSTEM

    def of_unit(self, unit: str) -> Actor:
        """Who acts for a unit."""
        return self._by_unit[unit]

    def members(self, group: str) -> tuple[Actor, ...]:
        """Everybody in a group, by id."""
        with reading(self._database) as connection:
            return self._group(connection, group)

    def office(self, authority: str) -> str:
        """How the bureau of an authority signs; empty for what is none."""
        if not self._bodies:
            with reading(self._database) as connection:
                rows = connection.execute(sa.select(authorities.c.code, authorities.c.body))
                self._bodies.update({row.code: row.body for row in rows})
        return self._bodies.get(authority, "")

    def _group(self, connection: sa.Connection, group: str) -> tuple[Actor, ...]:
        if group not in self._groups:
            self._groups[group] = people_in(connection, group)
        return self._groups[group]

    def _read(self, connection: sa.Connection, person: str) -> Actor:
        if person not in self._persons:
            self._persons[person] = find_person(connection, person)
        return self._persons[person]


def _shuffled(people: Iterable[Actor], chance: Chance) -> list[Actor]:
    waiting = list(people)
    return [waiting.pop(chance.below(len(waiting))) for _ in range(len(waiting))]
