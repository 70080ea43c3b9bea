"""What must be there before a season can be played: people, enterprises, rounds."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from workflows.actors.people import load_organisations
from workflows.demo.newcomers import enrol
from workflows.demo.rounds import open_rounds

PASSWORD = "tidu-demo"
"""Everybody's password in the demonstration; it is printed at every start and guards nothing."""

PARKS = 4
"""So many of the shipped units are parks, which do not apply for the green factory."""


def furnish(connection: sa.Connection, applications: int, *, now: datetime) -> int:
    """Load the demonstration's people, an enterprise for each application, and both rounds.

    What is there stays; answers how many people there are in the shipped organisations.
    """
    people = load_organisations(connection, password=PASSWORD, now=now)
    enrol(connection, applications + PARKS, password=PASSWORD, now=now)
    open_rounds(connection)
    return people
