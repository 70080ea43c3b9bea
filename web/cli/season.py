"""`tidu demo`: fill the database with people and three years of cases."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from web.cli import house
from web.cli.voice import Voice
from workflows.demo.furnish import furnish
from workflows.demo.season import Season
from workflows.demo.stock import Stock
from workflows.demo.years import END
from workflows.proof.evidence import Store
from workflows.register.calendar import local_day
from workflows.register.tracks import find_track, levels


def demo(arguments: argparse.Namespace, voice: Voice) -> int:
    """Set up what is missing, load the demonstration's people, then play its seasons."""
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
    stock = _stock(season.stock)
    said = [f"{summary.cases} cases, {summary.completed} tasks completed", *_lines(stock)]
    voice.answer({**document, **stock}, "\n".join(said))
    return 0


def _stock(stock: Stock) -> dict[str, Any]:
    """What stands at the end, beside what was to be reached: units by track and highest level."""
    on = local_day(END)
    stands = stock.stands(on)
    rows = [
        {
            "track": track,
            "level": level,
            "units": stands.get((track, level), 0),
            "wanted": stock.wanted.get((track, level)),
        }
        for track, level in sorted({*stands, *stock.wanted})
    ]
    return {"stock": rows, "reached": stock.is_reached(on), "published": stock.is_published}


def _lines(stock: dict[str, Any]) -> Iterator[str]:
    for row in stock["stock"]:
        wanted = "" if row["wanted"] is None else f"  of {row['wanted']}"
        yield f"{row['units']:6} {levels()[row['level']].en} {find_track(row['track']).en}{wanted}"
    which = "the stock published for mid-2024" if stock["published"] else "its share of the published stock"
    yield f"{which} is {'' if stock['reached'] else 'not '}reached"
