"""`tidu gap …`: what this house acknowledged and the database no longer has, and going on without it."""

from __future__ import annotations

import argparse
from datetime import datetime

import sqlalchemy as sa

from engine.errors import WrongState
from web.cli import house
from web.cli.voice import Voice
from workflows.actors.policy import SYSTEM
from workflows.acts.task_acts import needs_reason
from workflows.store.tidemarks import Lost, told
from workflows.transaction.change import record_operation

REFUSED = 1


def show(arguments: argparse.Namespace, voice: Voice) -> int:
    """Say what is missing, case by case; refused if anything is."""
    rooms = house.open_house()
    with rooms.reading() as connection:
        lost = rooms.tidemarks.lost(connection)
    _tell(voice, lost)
    return REFUSED if lost else 0


def accept(arguments: argparse.Namespace, voice: Voice) -> int:
    """Go on without it: one operation record for each case, no number given twice, marks laid aside."""
    needs_reason(arguments.reason)
    rooms = house.open_house()
    now = rooms.clock()
    with rooms.database.begin() as connection:
        lost = rooms.tidemarks.lost(connection)
        if not lost:
            raise WrongState("the database has all that this house acknowledged", code="NO_GAP")
        rooms.tidemarks.step_over(connection)
        for one in lost:
            _record(connection, one, reason=arguments.reason, at=now)
    rooms.tidemarks.lay_aside(now)
    _tell(voice, lost)
    return 0


def _record(connection: sa.Connection, lost: Lost, *, reason: str, at: datetime) -> None:
    record_operation(
        connection,
        SYSTEM,
        action="gap.accept",
        entity=lost.case_id,
        case_id=lost.case_id,
        at=at,
        reason=reason,
        old=told(lost),
    )


def _tell(voice: Voice, lost: tuple[Lost, ...]) -> None:
    lines = [
        f"{one.case_id}: entries {one.after + 1} to {one.upto} are lost, the last acknowledged at {one.at}"
        for one in lost
    ]
    number = sum(one.number for one in lost)
    voice.answer(
        {"entries": number, "cases": [told(one) for one in lost]},
        *lines,
        f"{number} acknowledged entries of {len(lost)} cases are lost",
    )
