"""`tidu demo`: fill the database with people and a season of cases."""

from __future__ import annotations

import argparse
from datetime import datetime

import sqlalchemy as sa

from web.cli import house
from web.cli.voice import Voice
from workflows.demo.newcomers import enrol
from workflows.demo.rounds import open_rounds
from workflows.demo.season import Season
from workflows.evidence import Store
from workflows.people import load_organisations

PASSWORD = "tidu-demo"  # printed at every start of the demonstration; no secret
PARKS = 4
"""So many of the shipped units are parks, which do not apply for the green factory."""


def demo(arguments: argparse.Namespace, voice: Voice) -> int:
    """Load the demonstration's people, then play a season."""
    rooms = house.open_house()
    before = len(rooms.history.case_ids())
    if arguments.if_empty and before:
        return 0
    with rooms.database.begin() as connection:
        _furnish(connection, before + arguments.cases + PARKS, rooms.clock())
    season = Season(
        rooms.database,
        rooms.catalog,
        seed=arguments.seed,
        files=Store(rooms.settings.evidence_dir),
        before=before,
    )
    told = voice.counter(total=arguments.cases, label="demo")
    summary = season.play(arguments.cases, told=told)
    for line in summary.stuck:
        voice.tell(f"tidu: nobody could fill in {line}")
    document = {"cases": summary.cases, "completed": summary.completed, "stuck": len(summary.stuck)}
    voice.answer(document, f"{summary.cases} cases, {summary.completed} tasks completed")
    return 0


def _furnish(connection: sa.Connection, units: int, now: datetime) -> None:
    load_organisations(connection, password=PASSWORD, now=now)
    enrol(connection, units, password=PASSWORD, now=now)
    open_rounds(connection)
