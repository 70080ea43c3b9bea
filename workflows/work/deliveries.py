"""Carries letters from case to case: finds who hears them and gives each receiver a command of its own."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from engine.definition.beginnings import catches
from engine.errors import BadDefinition, EngineError, NotFound, Rejected
from engine.replay import MISSHAPEN
from workflows.acts import echoes
from workflows.acts.letters import Letter, letter_of
from workflows.commands import Commands
from workflows.library.catalog import Catalog
from workflows.store.tables import GOING_ON, cases, reading

LOG = logging.getLogger("tidu.worker")
UNREADABLE = (Rejected, BadDefinition)
UNASKED = "unasked"
"""How a case waits that cannot be loaded: nobody knows."""


class Unclear(EngineError):
    """Several could be meant and the drawings do not say which; trying again would not help."""


class Endless(EngineError):
    """One letter has set off more than a house can mean; a person must say that it may go on."""


class NobodyThere(EngineError):
    """Nobody waits for the message, and it begins no case; somebody may yet come to wait."""


class Unasked(EngineError):
    """A case that may be meant cannot be loaded; the others have heard what was for them."""


class Deliveries:
    """One command for each receiver, and no receiver twice: a repetition is answered as the first time."""

    def __init__(
        self, database: sa.Engine, library: Catalog, commands: Commands, *, most: int = echoes.MOST
    ) -> None:
        """`most` deliveries may follow from one letter with no person and no wait between."""
        self._most = most
        self._database = database
        self._library = library
        self._commands = commands

    def deliver(self, job: sa.Row[tuple[Any, ...]], now: datetime) -> dict[str, Any]:
        """Deliver what a job asks for; answers the cases that heard it or began by it.

        Raises Unclear, Endless, NobodyThere, Unasked, or whatever a receiver answered: then it is tried
        again.
        """
        with reading(self._database) as connection:
            letter = letter_of(connection, job, self._origin(connection, job))
            self._may_go_on(connection, letter)
            waiting = self._named(connection, letter)
            beginning = []
            if not waiting:
                waiting = dict(self._waiting(connection, letter, job.created_at))
                beginning = list(self._beginning(connection, letter, job.created_at, now))
        unasked = [case for case, how in waiting.items() if how == UNASKED and case != letter.sender]
        asked = {case: how for case, how in waiting.items() if how != UNASKED}
        if letter.kind == "message":
            return {"delivered": [self._to_one(letter, asked, beginning, unasked)]}
        heard = self._to_all(letter, list(asked), beginning)
        if unasked:
            raise Unasked(f"signal {letter.name} could not be told to {', '.join(unasked)}")
        return {"delivered": heard}

    def _to_all(self, letter: Letter, waiting: list[str], beginning: list[str]) -> list[str]:
        receivers = [one for one in waiting if one != letter.sender]  # who threw it has heard it at once
        heard = [self._commands.hear_letter(one, letter).case_id for one in receivers]
        return heard + [self._commands.begin_by_letter(one, letter).case_id for one in beginning]

    def _to_one(
        self, letter: Letter, waiting: Mapping[str, str], beginning: list[str], unasked: list[str]
    ) -> str:
        before = self._commands.delivered(letter)
        if before is not None:
            return before
        exact = [case for case, how in waiting.items() if how == "key"]
        if unasked and letter.correlation is not None and not exact:
            raise Unasked(f"message {letter.name} may be meant for {', '.join(unasked)}")
        receivers = exact or list(waiting)
        if len(receivers) > 1 or (not receivers and len(beginning) > 1):
            names = ", ".join(receivers or beginning)
            raise Unclear(f"message {letter.name} could be meant for {names}; give it a correlation key")
        if receivers:
            return self._commands.hear_letter(receivers[0], letter).case_id
        if beginning:
            return self._commands.begin_by_letter(beginning[0], letter).case_id
        raise NobodyThere(f"nobody waits for message {letter.name}, and it begins no case")

    # --- how far it goes --------------------------------------------------------------------------------

    def _origin(self, connection: sa.Connection, job: sa.Row[tuple[Any, ...]]) -> str:
        with self._library.over(connection):
            sender = self._commands.live.take(connection, job.case_id)
        open_job = sender.standing.jobs.get(job.job_id)
        self._commands.live.put_back(sender)
        if open_job is None:
            raise NotFound(f"job {job.job_id} is not open any more", code="JOB_GONE")
        return open_job.origin or open_job.id

    def _may_go_on(self, connection: sa.Connection, letter: Letter) -> None:
        gone = echoes.delivered(connection, letter) if letter.is_echo else 0
        if gone >= self._most:
            raise Endless(
                f"{letter.kind} {letter.name} goes back to job {letter.origin}, which has set off {gone}"
                f" deliveries without a person or a wait between; at most {self._most} may follow"
            )

    # --- who hears it -----------------------------------------------------------------------------------

    def _named(self, connection: sa.Connection, letter: Letter) -> dict[str, str]:
        """The case whose number is the letter's key, if it waits by that very key. It is meant, so nobody
        else is asked: a batch writes to hundreds of cases while as many wait for the same message."""
        if letter.kind != "message" or not isinstance(letter.correlation, str):
            return {}
        query = sa.select(cases.c.case_id).where(
            cases.c.case_id == letter.correlation, cases.c.status.in_(GOING_ON)
        )
        with self._library.over(connection):
            named = connection.scalars(query).all()
            return {one: "key" for one in named if self._look(connection, letter, one) == "key"}

    def _waiting(
        self, connection: sa.Connection, letter: Letter, thrown_at: datetime
    ) -> Iterator[tuple[str, str]]:
        """Cases that wait for it, and how. A signal is not heard by a case that began after it."""
        with self._library.over(connection):
            for process, pins in self._catching(connection, letter):
                query = sa.select(cases.c.case_id).where(*_open(process, pins))
                if letter.kind == "signal":
                    query = query.where(cases.c.started_at <= thrown_at)
                for case_id in connection.scalars(query.order_by(cases.c.case_id)).all():
                    if how := self._look(connection, letter, case_id):
                        yield case_id, how

    def _catching(self, connection: sa.Connection, letter: Letter) -> Iterator[tuple[str, Mapping[str, str]]]:
        """The versions that open cases run and in which something catches it."""
        query = sa.select(cases.c.process_id, cases.c.pins).where(cases.c.status.in_(GOING_ON)).distinct()
        for process, pins in connection.execute(query).all():
            try:
                definition = self._library.definition(pins, process)
            except UNREADABLE:  # its cases cannot hear anything; the others must not suffer for it
                continue
            if any(catches(one, letter.kind, letter.name) for one in definition.drawings.values()):
                yield process, pins

    def _look(self, connection: sa.Connection, letter: Letter, case_id: str) -> str:
        try:
            case = self._commands.live.take(connection, case_id)
        except MISSHAPEN:  # the others must not suffer for it
            LOG.exception("case %s cannot be loaded to be asked for %s", case_id, letter.name)
            return UNASKED
        how = letter.fits(case)
        self._commands.live.put_back(case)
        return how

    def _beginning(
        self, connection: sa.Connection, letter: Letter, thrown_at: datetime, now: datetime
    ) -> Iterator[str]:
        """The processes in force of which it begins a case; of a signal, in force when it was thrown."""
        processes = {version.key for version in self._library.all_current(connection, now)}
        if letter.kind == "signal":
            processes &= {version.key for version in self._library.all_current(connection, thrown_at)}
        for process in sorted(processes):
            try:
                pins = self._library.pins(connection, process, now)
                definition = self._library.start_definition(connection, pins, process)
            except UNREADABLE:  # something it calls is not in force: no case of it can begin
                continue
            if letter.begins_at(definition) is not None:
                yield process


def _open(process: str, pins: Mapping[str, str]) -> tuple[sa.ColumnElement[bool], ...]:
    return (cases.c.process_id == process, cases.c.pins == pins, cases.c.status.in_(GOING_ON))
