"""`tidu demo`: fill the database with people and a season of cases."""

from __future__ import annotations

import argparse

from web.cli import house
from web.cli.voice import Voice
from workflows.demo.furnish import furnish
from workflows.demo.season import Season
from workflows.proof.evidence import Store


def demo(arguments: argparse.Namespace, voice: Voice) -> int:
    """Set up what is missing, load the demonstration's people, then play a season."""
    rooms = house.any_house()
    house.bring_up_to_date(rooms)
    before = len(rooms.history.case_ids())
    if arguments.if_empty and before:
        return 0
    with rooms.database.begin() as connection:
        furnish(connection, before + arguments.cases, now=rooms.clock())
    files = Store(rooms.settings.evidence_dir)
    season = Season(rooms.database, rooms.catalog, seed=arguments.seed, files=files, before=before)
    summary = season.play(arguments.cases, told=voice.counter(total=arguments.cases, label="demo"))
    for line in summary.stuck:
        voice.tell(f"tidu: nobody could fill in {line}")
    document = {"cases": summary.cases, "completed": summary.completed, "stuck": len(summary.stuck)}
    voice.answer(document, f"{summary.cases} cases, {summary.completed} tasks completed")
    return 0
