"""What must be there before a season can be played: people, enterprises, the batch that ships."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from workflows.actors.people import load_organisations
from workflows.demo.newcomers import PARK, enrol
from workflows.demo.years import BATCHES, SPRING
from workflows.register.batches import load_batches

PASSWORD = "tidu-demo"
"""Everybody's password in the demonstration; it is printed at every start and guards nothing."""

ONE_IN = 3
"""One park is enrolled for so many applications: more than apply, however the chance falls."""


def furnish(connection: sa.Connection, applications: int, *, now: datetime) -> int:
    """Load the demonstration's people, a unit of the right kind for each application, and what ships.

    What is there stays; answers how many people there are in the shipped organisations.
    """
    people = load_organisations(connection, password=PASSWORD, now=now)
    enrol(connection, applications + PARK.shipped, password=PASSWORD, now=now)
    enrol(connection, applications // ONE_IN, password=PASSWORD, now=now, kind=PARK)
    load_batches(connection, now=BATCHES[SPRING].opens)
    return people
