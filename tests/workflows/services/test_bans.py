"""A ban blocks a unit on every track and level until its date, and not a day longer."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.decisions.reader import parse_decisions
from engine.tables import metadata
from engine.temporal import add_months
from tests.workflows.register.parts import BPMN
from workflows.actors.people import load_organisations
from workflows.register import bans, units
from workflows.register.calendar import functions_at, local_day
from workflows.register.tracks import tracks
from workflows.services import registry
from workflows.services.operation import DrawnError, Reading
from workflows.store.tables import cases, open_database

START = datetime(2026, 3, 2, 1, tzinfo=UTC)
DAYS = st.dates(date(2024, 1, 1), date(2036, 12, 31))
LEAP = date(2028, 2, 29)
ADMISSIBILITY = parse_decisions((BPMN / "admission" / "admissibility.dmn").read_bytes())
TITLES = [(track.id, level) for track in tracks().values() for level in track.levels]


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    database = open_database(f"sqlite:///{tmp_path_factory.mktemp('bans') / 'bans.sqlite'}")
    with database.begin() as connection:
        metadata.create_all(connection)
        load_organisations(connection, now=START)
        row = {"case_id": "GF-1", "process_id": "green_factory", "pins": {}, "marks": [], "status": "active"}
        connection.execute(cases.insert().values(**row, started_at=START, updated_at=START))
    yield database
    database.dispose()


@settings(max_examples=20, deadline=None)
@given(since=DAYS, years=st.integers(1, 5), asked=DAYS, hour=st.integers(0, 23))
@example(since=LEAP, years=3, asked=date(2031, 2, 28), hour=0)
@example(since=LEAP, years=3, asked=date(2031, 2, 27), hour=23)
def test_a_lookup_tells_a_ban_from_its_first_day_to_the_day_before_its_last(house, since, years, asked, hour):
    for on in (asked, since - timedelta(days=1), since, add_months(since, 12 * years)):
        _agree(house, since, years, on, hour)


def _agree(house, since, years, on, hour):
    now = datetime(on.year, on.month, on.day, hour, tzinfo=UTC)
    day, until = local_day(now), add_months(since, 12 * years)
    is_banned = since <= day < until
    with _banned(house, since, years) as connection:
        for unit in ("u01", "u02"):
            assert _looked_up(connection, now, unit) == {until if is_banned else None}
        assert _looked_up(connection, now, "u03") == {None}
        assert _refused(connection, now) == is_banned
        assert _admitted(connection, now) == (not is_banned)


class _banned:
    """A unit that is banned, has a new name, and becomes part of another on the day of the ban."""

    def __init__(self, house, since, years):
        self.house, self.since, self.years = house, since, years

    def __enter__(self):
        self.connection = self.house.connect()
        self.change = self.connection.begin()
        facts = {"case_id": "RM-1", "number": 1}
        bans.record_ban(
            self.connection, unit="u01", ground="F40", since=self.since, years=self.years, **facts
        )
        names = dict.fromkeys(("name", "name_en", "previous", "previous_en"), "新名称")
        units.record_rename(self.connection, unit="u01", since=self.since, **facts, **names)
        units.record_merger(self.connection, unit="u01", into="u02", titles="end", since=self.since, **facts)
        return self.connection

    def __exit__(self, *fault):
        self.change.rollback()
        self.connection.close()


def _ask(connection, now, type_, **inputs):
    read = Reading(connection=connection, case_id="GF-1", job_id="GF-1.2", now=now)
    return registry.run(type_, inputs, read)


def _looked_up(connection, now, unit):
    return {
        _ask(connection, now, "register.lookup", unit=unit, track=track)["banned_until"] for track in tracks()
    }


def _admitted(connection, now):
    """Whether the table that every ladder asks lets the unit apply; on every track or on none."""
    found = set()
    for track in tracks().values():
        told = _ask(connection, now, "register.lookup", unit="u01", track=track.id)
        is_open = dict.fromkeys(("municipal", "provincial", "national"), True)
        context = {
            "register": told,
            "level": told["level"],
            "mode": "self",
            "track": {"id": track.id, "open": is_open, "highest": track.levels[-1]},
            "rules": {"evaluation": {"modes": ["self"]}},
            "batch": {"status": "open"},
        }
        made = ADMISSIBILITY.evaluate("admissibility", context, now=now, functions=functions_at(now))
        found.add(made.value["admissible"])
    assert len(found) == 1
    return found.pop()


def _refused(connection, now):
    """Whether no title at any level is given; all or none."""
    found = set()
    for track, level in TITLES:
        try:
            _ask(connection, now, "register.designate", unit="u01", track=track, level=level)
            found.add(False)
        except DrawnError as refused:
            found.add(refused.code == "BANNED")
    assert len(found) == 1
    return found.pop()
