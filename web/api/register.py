"""The public register over REST: titles, units, changes and statistics as of a day. No token is needed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import Response, jsonify
from marshmallow import fields, validate

from web.answers import moment
from web.api.conventions import listed
from web.api.openapi import Room
from web.context import now, rooms
from web.guard import limiter
from web.pages.register import today
from web.schemas import Query, Whole, page_of
from workflows.register import changes, directory
from workflows.register.directory import Held, Wanted
from workflows.register.statistics import counted
from workflows.register.tracks import levels, tracks

api = Room("register_api", __name__, url_prefix="/api/v1/register", description="The public register")
api.before_request(limiter.limit("120 per minute")(lambda: None))

SHORT = validate.Length(max=100)


class OnDay(Query):
    on = fields.Date()


class WantedTitles(OnDay):
    q = fields.String(load_default="", validate=SHORT)
    track = fields.String(load_default="", validate=SHORT)
    level = fields.String(load_default="", validate=SHORT)
    authority = fields.String(load_default="", validate=SHORT)
    firstResult = Whole(load_default=0, validate=validate.Range(0, 100_000), attribute="first")
    maxResults = Whole(load_default=50, validate=validate.Range(1, 200), attribute="limit")


class Span(Query):
    since = fields.Date(required=True)
    until = fields.Date(required=True)
    level = fields.String(required=True, validate=SHORT)


class TitleLine(Query):
    id = fields.String()
    uscc = fields.String()
    unit = fields.String()
    unitEn = fields.String()
    authority = fields.String()
    track = fields.String()
    level = fields.String()
    document = fields.String()
    since = fields.String()
    validUntil = fields.String(allow_none=True)


class CountLine(Query):
    authority = fields.String()
    track = fields.String()
    level = fields.String()
    year = fields.Integer()
    count = fields.Integer()


@api.get("/title")
@api.arguments(WantedTitles, location="query")
@api.response(200, page_of(TitleLine, name="TitlePage"))
def titles(asked: dict[str, Any]) -> dict[str, Any]:
    """The titles that stand on a day (default: today); `next` is the following `firstResult`."""
    on = asked.pop("on", None) or today()
    wanted = Wanted(**asked)
    with rooms().reading() as connection:
        total, rows = directory.find_titles(connection, wanted, on=on)
    behind = wanted.first + len(rows)
    return listed(map(_line, rows), str(behind) if behind < total else None)


@api.get("/unit/<unit>")
@api.arguments(OnDay, location="query")
@api.response(200)
def unit(asked: dict[str, Any], unit: str) -> Response:
    """A unit by its credit code: its titles, past ones too, and its earlier names, as of a day."""
    with rooms().reading() as connection:
        entry = directory.entry_of(connection, unit, on=asked.get("on") or today())
    return jsonify(
        uscc=entry.uscc,
        name=entry.name,
        nameEn=entry.name_en,
        authority=entry.authority,
        designated=bool(entry.standing),
        titles=[_held(title) for title in entry.titles],
        earlierNames=[{"name": row["previous"], "until": _day(row["since"])} for row in entry.names],
        asOf=moment(now()),
    )


@api.get("/change")
@api.arguments(Span, location="query")
@api.response(200)
def change(asked: dict[str, Any]) -> Response:
    """The titles of a level that were given, taken and renamed between two days."""
    with rooms().reading() as connection:
        told = {
            "new": changes.given(connection, **asked),
            "removed": changes.taken(connection, **asked),
            "renamed": changes.renamed(connection, **asked),
        }
    return jsonify({kind: [_change(row) for row in rows] for kind, rows in told.items()})


@api.get("/statistics")
@api.arguments(OnDay, location="query")
@api.response(200, page_of(CountLine, name="CountPage"))
def statistics(asked: dict[str, Any]) -> dict[str, Any]:
    """How many titles stand on a day, by authority, track, level and the year they were given."""
    with rooms().reading() as connection:
        cells = counted(connection, on=asked.get("on") or today())
    return listed({**vars(cell), "count": count} for cell, count in cells.items())


@api.get("/track")
@api.response(200)
def kinds() -> Response:
    """The kinds of title and their levels."""
    return jsonify(
        levels=[{"id": level.id, "name": level.zh, "nameEn": level.en} for level in levels().values()],
        tracks=[
            {"id": track.id, "name": track.zh, "nameEn": track.en, "levels": [*track.levels]}
            for track in tracks().values()
        ],
    )


def _line(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": row["designation_id"],
        "uscc": row["uscc"],
        "unit": row["unit_name"],
        "unitEn": row["unit_name_en"],
        **{name: row[name] for name in ("authority", "track", "level", "document")},
        "since": _day(row["decided_on"]),
        "validUntil": _day(row["valid_until"]),
    }


def _held(title: Held) -> dict[str, Any]:
    return {
        "id": title.designation_id,
        "track": title.track,
        "level": title.level,
        "document": title.document,
        "body": title.body,
        "since": _day(title.since),
        "validUntil": _day(title.valid_until),
        "state": title.state,
        "endedOn": _day(title.ended_on),
        "ground": title.ground or None,
    }


def _change(row: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: row[name] for name in ("uscc", "track", "level", "document")}
    day = row.get("removed_on") or row.get("since") or row.get("decided_on")
    extra = {name: row[name] for name in ("ground", "previous") if row.get(name)}
    return {**told, "unit": row["name"], "unitEn": row["name_en"], "date": _day(day), **extra}


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
