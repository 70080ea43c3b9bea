"""The public register: who bears which title on a day, a unit's history, what changed, the certificate."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for

from web import certificate, words
from web.context import now, rooms
from web.guard import limiter
from web.register_words import ground_name, level_name, state_name, title_name, track_name
from workflows.register import changes, directory
from workflows.register.calendar import local_day
from workflows.register.directory import Entry, Held, Wanted
from workflows.register.tracks import levels, tracks
from workflows.register.units import find_unit

pages = Blueprint("register", __name__)

PAGE = 30
LONGEST = 100
EARLIEST = date(2000, 1, 1)


@pages.get("/register")
@limiter.limit("120 per minute")
def search() -> str:
    """Who bears which title on a day."""
    on, wanted = asked_day("on"), _wanted()
    with rooms().reading() as connection:
        total, rows = directory.find_titles(connection, wanted, on=on)
        bare = directory.without_title(connection, wanted.q, on=on) if wanted.q else ()
        known = authorities(connection)
    behind = wanted.first + len(rows)
    return render_template(
        "register/search.html",
        wanted=wanted,
        total=total,
        rows=[_line(row, known) for row in rows],
        bare=[{"name": words.pick(row["name"], row["name_en"]), "uscc": row["uscc"]} for row in bare],
        next_href=_page(wanted.first + PAGE) if behind < total else None,
        first_href=_page(0) if wanted.first else None,
        **_choices(known),
        **_day_asked(on),
    )


@pages.get("/register/unit/<unit>")
@limiter.limit("120 per minute")
def unit(unit: str) -> str:
    """A unit's titles, past ones too, and its earlier names, as of a day."""
    on = asked_day("on")
    with rooms().reading() as connection:
        entry = directory.entry_of(connection, unit, on=on)
        whole = entry.part_of and find_unit(connection, entry.part_of, on=on)
    return render_template(
        "register/unit.html",
        unit=_unit(entry),
        titles=[_held(title) for title in entry.titles],
        standing=[_held(title) for title in entry.standing],
        names=entry.names,
        whole=whole and {"name": words.pick(whole["name"], whole["name_en"]), "uscc": whole["uscc"]},
        green_code=entry.green_code,
        **_day_asked(on),
    )


@pages.get("/register/certificate/<designation_id>.pdf")
@limiter.limit("30 per minute")
def certify(designation_id: str) -> Response:
    """The certificate of a title that stands today, to print; the same facts give the same bytes."""
    with rooms().reading() as connection:
        entry, title = directory.standing_title(connection, designation_id, on=today())
    address = rooms().settings.base_url + url_for("register.unit", unit=entry.uscc)
    content = certificate.drawn(entry, title, address=address)
    response = Response(content, mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="{designation_id}.pdf"'
    return response


@pages.get("/register/changes")
@limiter.limit("120 per minute")
def changed() -> str:
    """What notices told: titles given, taken and renamed between two days."""
    level = request.args.get("level", "")
    level = level if level in levels() else "provincial"
    until = asked_day("until")
    since = min(asked_day("since", date(until.year, 1, 1)), until)
    document = request.args.get("document", "")[:LONGEST]
    with rooms().reading() as connection:
        asked: dict[str, Any] = {"since": since, "until": until, "level": level}
        told = {
            "given": changes.given(connection, **asked),
            "taken": changes.taken(connection, **asked),
            "renamed": changes.renamed(connection, **asked),
        }
    documents = sorted({row["document"] for rows in told.values() for row in rows if row["document"]})
    shown = {
        kind: [_change(row) for row in rows if document in ("", row["document"])]
        for kind, rows in told.items()
    }
    return render_template(
        "register/changes.html",
        level=level,
        since=since,
        until=until,
        document=document,
        documents=documents,
        level_choices=_level_choices(),
        **shown,
        **_day_asked(until),
    )


def today() -> date:
    """The local day of this request."""
    return local_day(now())


def asked_day(name: str, default: date | None = None) -> date:
    """The day a visitor asks for; a text that is none is taken as the default, today."""
    try:
        found = date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return default or today()
    return found if EARLIEST <= found <= date(2999, 12, 31) else default or today()


def authorities(connection: Any) -> dict[str, str]:
    """Code → name of every authority, in the reader's language."""
    return {
        row["code"]: words.pick(row["name"], row["name_en"]) for row in directory.every_authority(connection)
    }


def _wanted() -> Wanted:
    def among(name: str, known: Mapping[str, Any]) -> str:
        value = request.args.get(name, "")
        return value if value in known else ""

    first = request.args.get("first", "0")
    authority = request.args.get("authority", "")
    return Wanted(
        q=" ".join(request.args.get("q", "").split())[:LONGEST],
        track=among("track", tracks()),
        level=among("level", levels()),
        authority=authority if authority.isascii() and authority.isdigit() and len(authority) == 6 else "",
        first=int(first) if first.isascii() and first.isdigit() and len(first) < 6 else 0,
        limit=PAGE,
    )


def _page(first: int) -> str:
    asked: dict[str, Any] = {name: value for name, value in request.args.items() if value}
    return url_for("register.search", **(asked | {"first": first or None}))


def _choices(known: Mapping[str, str]) -> dict[str, Any]:
    return {
        "track_choices": [(track, track_name(track)) for track in tracks()],
        "level_choices": _level_choices(),
        "authority_choices": [*known.items()],
    }


def _level_choices() -> list[tuple[str, str]]:
    return [(level, level_name(level)) for level in reversed([*levels()])]


def _day_asked(on: date) -> dict[str, Any]:
    return {"on_day": on, "is_today": on == today(), "today": today()}


def _line(row: Mapping[str, Any], known: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": words.pick(row["unit_name"], row["unit_name_en"]),
        "uscc": row["uscc"],
        "title": title_name(row["track"], row["level"], row),
        "authority": known.get(row["authority"], row["authority"]),
        "since": row["decided_on"],
        "until": row["valid_until"],
        "document": row["document"],
    }


def _unit(entry: Entry) -> dict[str, Any]:
    return {
        "name": words.pick(entry.name, entry.name_en),
        "uscc": entry.uscc,
        "authority": words.pick(entry.authority_name, entry.authority_name_en),
    }


def _held(title: Held) -> dict[str, Any]:
    return {
        "id": title.designation_id,
        "name": title_name(title.track, title.level, {"title": title.title, "title_en": title.title_en}),
        "since": title.since,
        "until": title.valid_until,
        "document": title.document,
        "body": title.body,
        "state": title.state,
        "state_name": state_name(title.state),
        "ended_on": title.ended_on,
        "ground": ground_name(title.ground),
    }


def _change(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": words.pick(row["name"], row["name_en"]),
        "previous": words.pick(row.get("previous", ""), row.get("previous_en", "")),
        "uscc": row["uscc"],
        "title": title_name(row["track"], row["level"], row),
        "day": row.get("removed_on") or row.get("since") or row.get("decided_on"),
        "document": row["document"],
        "ground": ground_name(row.get("ground", "")),
    }
