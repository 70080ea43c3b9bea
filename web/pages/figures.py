"""The register in numbers, and what it rests on: evaluators and experts, documents, rule sets, calendars."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import Blueprint, Response, render_template, request

from web import spreadsheet, words
from web.context import rooms
from web.guard import limiter
from web.pages.register import asked_day, authorities, today
from web.register_words import level_name, track_name
from workflows.register import bodies
from workflows.register.calendar import Calendar, calendar_ids, load_calendar
from workflows.register.clauses import RuleDocument, documents_in
from workflows.register.rule_sets import KeptRules, every_rule_set
from workflows.register.statistics import Cell, counted, summed
from workflows.register.tracks import tracks

pages = Blueprint("figures", __name__)

COLUMNS = ("authority", "track", "level", "year", "count")


@pages.get("/register/statistics")
@limiter.limit("120 per minute")
def statistics() -> str:
    """How many titles stand on a day, by authority, track and level; of one year if a visitor wants."""
    on = asked_day("on")
    with rooms().reading() as connection:
        cells, known = counted(connection, on=on), authorities(connection)
    years = sorted({cell.year for cell in cells}, reverse=True)
    year = request.args.get("year", "")
    chosen = {cell: n for cell, n in cells.items() if year not in map(str, years) or str(cell.year) == year}
    return render_template(
        "register/statistics.html",
        on_day=on,
        is_today=on == today(),
        years=years,
        year=year,
        columns=_columns(),
        rows=_rows(chosen, known),
        totals=_totals(chosen),
        by_year=summed(cells, "year"),
        total=sum(chosen.values()),
    )


@pages.get("/register/statistics.csv")
@limiter.limit("30 per minute")
def table() -> Response:
    """The same, one line for each authority, track, level and year."""
    on = asked_day("on")
    with rooms().reading() as connection:
        cells, known = counted(connection, on=on), authorities(connection)
    rows = (
        (known.get(one.authority, one.authority), track_name(one.track), level_name(one.level), one.year, n)
        for one, n in cells.items()
    )
    return spreadsheet.answered(spreadsheet.written(COLUMNS, rows), f"statistics-{on.isoformat()}.csv")


@pages.get("/register/bodies")
@limiter.limit("120 per minute")
def listed() -> str:
    """Evaluators with their projects of the year."""
    on = today()
    with rooms().reading() as connection:
        evaluators = bodies.evaluators_on(connection, on=on)
    return render_template(
        "register/bodies.html", year=on.year, evaluators=[_evaluator(row) for row in evaluators]
    )


@pages.get("/register/sources")
@limiter.limit("120 per minute")
def sources() -> str:
    """What designations rest on: rule documents, approved rule sets, batches, working-day calendars."""
    with rooms().reading() as connection:
        documents = documents_in(connection).values()
        rule_sets = [kept for kept in every_rule_set(connection) if _governs(kept)]
        batches = bodies.every_batch(connection)
    return render_template(
        "register/sources.html",
        documents=[_document(one) for one in documents if one.binding],
        rule_sets=[_rule_set(kept, today()) for kept in rule_sets],
        batches=[{**row, "name": words.pick(row["name"], row["name_en"])} for row in batches],
        calendars=[_calendar(load_calendar(name)) for name in reversed(calendar_ids())],
    )


@pages.get("/register/experts")
def experts() -> str:
    """The experts that may be drawn; for those who work here."""
    with rooms().reading() as connection:
        found = bodies.experts(connection)
    shown = [
        {
            "name": words.pick(row["name"], row["name_en"]),
            "specialty": words.pick(row["specialty"], row["specialty_en"]),
        }
        for row in found
    ]
    return render_template("register/experts.html", experts=shown)


def _governs(kept: KeptRules) -> bool:
    """Whether it is more than an example of another place, or a draft."""
    return kept.state == "approved" and kept.rules.effective[0] is not None


def _document(one: RuleDocument) -> dict[str, Any]:
    return {
        "title": words.pick(one.title, one.title_en),
        "number": one.number,
        "issued": one.issued,
        "known": words.pick(one.known, one.known_en),
        "clauses": len(one.clauses),
    }


def _rule_set(kept: KeptRules, on: date) -> dict[str, Any]:
    since, until = kept.rules.effective
    return {
        "name": kept.name,
        "label": words.pick(kept.rules.label_zh, kept.rules.label_en),
        "since": since,
        "until": until,
        "is_in_force": kept.is_in_force(on),
        "digest": kept.digest,
    }


def _calendar(calendar: Calendar) -> dict[str, Any]:
    years = [(year.year, year.published) for year in calendar.years.values()]
    return {"id": calendar.id, "label": words.pick(calendar.label, calendar.label_en), "years": years}


def _columns() -> list[dict[str, Any]]:
    return [
        {"name": track_name(track.id), "levels": [(level, level_name(level)) for level in track.levels]}
        for track in tracks().values()
    ]


def _places() -> list[tuple[str, str]]:
    return [(track.id, level) for track in tracks().values() for level in track.levels]


def _rows(cells: dict[Cell, int], known: dict[str, str]) -> list[dict[str, Any]]:
    sums = summed(cells, "authority", "track", "level")
    return [
        {
            "name": name,
            "counts": [sums.get((code, *place), 0) for place in _places()],
            "total": summed(cells, "authority").get((code,), 0),
        }
        for code, name in known.items()
    ]


def _totals(cells: dict[Cell, int]) -> list[int]:
    sums = summed(cells, "track", "level")
    return [sums.get(place, 0) for place in _places()]


def _evaluator(row: Mapping[str, Any]) -> dict[str, Any]:
    name = words.pick(row["name"], row["name_en"])
    behind = words.pick(row["legal_representative"], row["legal_representative_en"])
    until = row["until"]
    return {**row, "name": name, "legal_representative": behind, "until": until and until.isoformat()}
