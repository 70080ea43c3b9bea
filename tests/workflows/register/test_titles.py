"""Titles, bans, the cultivation database and evaluators' projects."""

from __future__ import annotations

from datetime import date

import pytest

from engine.errors import NotFound
from tests.workflows.register.parts import NOW, TODAY
from workflows.actors import people
from workflows.register import batches, titles
from workflows.store.tables import cases


def designate(connection, **changes):
    facts = {
        "case_id": "GF-2026-000001",
        "designation_id": "GF-2026-000001.9",
        "unit": "u01",
        "track": "gf",
        "level": "municipal",
        "title": "市级绿色工厂",
        "decided_on": TODAY,
    }
    titles.record_designation(connection, **(facts | changes))


def test_a_title_stands_in_the_register_from_its_decision(connection):
    designate(connection)
    designate(connection)

    (title,) = titles.titles_of(connection, "u01", on=TODAY)
    assert (title.title, title.valid_until) == ("市级绿色工厂", None)
    assert titles.titles_of(connection, "u01", on=date(2026, 3, 1)) == ()
    assert batches.unit_context(connection, "u01", on=TODAY)["titles"] == ["gf.municipal"]


def test_the_same_unit_track_and_level_stand_once(connection):
    designate(connection)

    assert titles.duplicate(connection, "u01", track="gf", level="municipal", on=TODAY)
    assert titles.duplicate(connection, "u01", track="gf", level="provincial", on=TODAY) is None
    assert titles.duplicate(connection, "u01", track="we", level="municipal", on=TODAY) is None
    assert titles.duplicate(connection, "u02", track="gf", level="municipal", on=TODAY) is None


def test_a_title_for_three_years_ends_with_the_last_day(connection):
    designate(connection, track="we", valid_years=3)

    assert titles.titles_of(connection, "u01", on=date(2029, 3, 2))
    assert titles.titles_of(connection, "u01", on=date(2029, 3, 3)) == ()


def test_the_public_list_shows_valid_titles_with_their_units(connection):
    designate(connection)
    designate(connection, unit="u09", level="provincial", decided_on=date(2026, 3, 1), designation_id="x")

    def listed(**wanted):
        return [(row["unit"], row["level"]) for row in titles.list_titles(connection, on=TODAY, **wanted)]

    assert listed() == [("u01", "municipal"), ("u09", "provincial")]
    assert listed(level="provincial") == [("u09", "provincial")]
    assert listed(authority="620100") == [("u01", "municipal")]
    assert listed(track="gp") == []
    assert listed(limit=1, offset=1) == [("u09", "provincial")]
    assert titles.list_titles(connection, on=TODAY)[0]["unit_name"] == "兰州兰岭水泥有限公司"


def test_a_removal_takes_the_titles_and_bars_the_unit_for_three_years(connection):
    designate(connection)
    designate(connection, level="provincial", designation_id="p")

    gone = titles.remove_titles(connection, case_id="RM-1", unit="u01", ground="F40", on=date(2026, 5, 1))
    until = titles.record_ban(
        connection, case_id="RM-1", unit="u01", ground="F40", since=date(2026, 5, 1), years=3
    )

    assert (gone, until) == (2, date(2029, 5, 1))
    assert titles.titles_of(connection, "u01", on=date(2026, 4, 30))
    assert titles.titles_of(connection, "u01", on=date(2026, 5, 1)) == ()
    assert titles.list_titles(connection, on=date(2026, 5, 1)) == ()
    assert titles.ban_of(connection, "u01", on=date(2026, 4, 30)) is None
    assert titles.ban_of(connection, "u01", on=date(2029, 4, 30)).ground == "F40"
    assert titles.ban_of(connection, "u01", on=date(2029, 5, 1)) is None
    assert batches.unit_context(connection, "u01", on=date(2026, 6, 1))["banned_until"] == until


def test_one_level_may_be_removed_and_repeating_it_tells_the_same(connection):
    designate(connection)
    designate(connection, level="provincial", designation_id="p")
    removal = {"case_id": "RM-1", "unit": "u01", "level": "provincial", "ground": "F41", "on": TODAY}

    assert titles.remove_titles(connection, **removal) == 1
    assert titles.remove_titles(connection, **removal) == 1
    assert [title.level for title in titles.titles_of(connection, "u01", on=TODAY)] == ["municipal"]


def test_the_cultivation_database_holds_a_unit_for_its_time(connection):
    entry = {"case_id": "CD-1", "unit": "u02", "track": "gf", "on": TODAY, "valid_years": 3}
    titles.enter_cultivation(connection, **entry)
    titles.enter_cultivation(connection, **entry)

    assert titles.cultivated(connection, "u02", on=TODAY) == ("gf",)
    assert titles.cultivated(connection, "u02", on=date(2029, 3, 3)) == ()
    left = titles.leave_cultivation(connection, "u02", track="gf", ground="promoted", on=date(2026, 9, 1))
    assert left == 1
    assert titles.cultivated(connection, "u02", on=date(2026, 9, 1)) == ()
    assert batches.unit_context(connection, "u02", on=TODAY)["cultivated"] == ["gf"]


def test_an_evaluators_projects_are_counted_per_year_and_level(connection):
    for number in range(3):
        level = "national" if number else "provincial"
        facts = {"evaluator": "ev1", "year": 2026, "unit": f"u0{number + 1}", "track": "gf", "level": level}
        titles.record_project(connection, case_id=f"c{number}", **facts)
        titles.record_project(connection, case_id=f"c{number}", **facts)

    assert titles.project_count(connection, "ev1", year=2026) == 3
    assert titles.project_count(connection, "ev1", year=2026, level="national") == 2
    assert titles.project_count(connection, "ev1", year=2025) == 0
    assert titles.project_count(connection, "ev2", year=2026) == 0
    with pytest.raises(NotFound):
        titles.project_count(connection, "ev9", year=2026)


def test_evaluators_of_one_legal_representative_count_together(connection):
    titles.record_project(
        connection, case_id="c1", evaluator="ev1", year=2026, unit="u01", track="gf", level="national"
    )
    same = people.evaluators.c
    behind = connection.execute(people.evaluators.select().where(same.id == "ev1")).mappings().one()
    change = people.evaluators.update().where(same.id == "ev2")
    connection.execute(change.values(legal_representative=behind["legal_representative"]))

    assert titles.project_count(connection, "ev2", year=2026) == 1


def test_a_second_application_in_the_same_batch_is_found(connection):
    row = {"case_id": "GF-2026-000007", "process_id": "green_factory", "unit_id": "u01", "batch_id": "2026-1"}
    rest = {c.name: [] for c in cases.c if not c.nullable and c.default is None and not c.primary_key}
    times = {"started_at": NOW, "updated_at": NOW}
    connection.execute(cases.insert().values(**(rest | times | row | {"status": "active"})))
    asked = {"process": "green_factory", "batch": "2026-1"}

    assert titles.running_application(connection, "u01", **asked) == "GF-2026-000007"
    assert titles.running_application(connection, "u02", **asked) is None
    connection.execute(cases.update().values(status="completed"))
    assert titles.running_application(connection, "u01", **asked) is None
