"""`tidu rules`: what carries out which clause, and which rule sets there are."""

from __future__ import annotations

import argparse

from web.app import wall_clock
from web.cli import house
from web.cli.voice import Voice
from workflows.register.calendar import local_day
from workflows.workshop.rules.coverage import Coverage, coverage_of_folder
from workflows.workshop.rules.coverage import coverage as coverage_of_house
from workflows.workshop.rules.report import report
from workflows.workshop.rules.sets import RuleSets

FOUND = 1


def coverage(arguments: argparse.Namespace, voice: Voice) -> int:
    """Both directions; refused if an element names nothing, or a clause that is unknown, over or changed."""
    if arguments.path is not None:
        found = coverage_of_folder(arguments.path.resolve(), on=local_day(wall_clock()))
    else:
        rooms = house.open_house()
        with rooms.reading() as connection:
            found = coverage_of_house(connection, rooms.catalog, now=rooms.clock())
    voice.answer(report(found), *_lines(found))
    return 0 if found.is_clean else FOUND


def list_rules(_arguments: argparse.Namespace, voice: Voice) -> int:
    """Every version of every rule set."""
    rooms = house.open_house()
    today = local_day(rooms.clock())
    rows = [
        {
            "rules": one.name,
            "state": one.state,
            "year": one.rules.year,
            "effective": dict(zip(("from", "to"), one.rules.effective, strict=True)),
            "approved_by": one.approved_by,
            "in_force": one.is_in_force(today),
        }
        for one in RuleSets(rooms.database, clock=rooms.clock).all()
    ]
    lines = [f"{row['rules']:24} {row['state']:10} {'in force' if row['in_force'] else ''}" for row in rows]
    voice.answer(rows, *(line.rstrip() for line in lines))
    return 0


def _lines(found: Coverage) -> list[str]:
    told = report(found)
    carried = len(told["clauses"]) - len(told["not_carried_out"])
    lines = [
        f"{carried} of {len(told['clauses'])} clauses are carried out",
        f"not carried out: {', '.join(told['not_carried_out']) or 'none'}",
        f"{found.counted - len(found.silent)} of {found.counted} elements and rules say where they come from",
        *(f"silent   {one.process}: {one.place} ({one.kind})" for one in found.silent),
    ]
    for mark in ("unknown", "over", "stale"):
        lines += [f"{mark:8} {row['process']}: {row['place']} names {row['clause']}" for row in told[mark]]
    asked = told["parameters"]
    lines.append(f"{asked['used']} of {len(found.parameters)} parameters are asked for by a drawing")
    return lines
