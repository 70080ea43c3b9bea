"""Titles: given, carried over, taken; as of the day before, the day itself and the day after."""

from __future__ import annotations

from datetime import date, timedelta

from tests.workflows.register.parts import NOW, TODAY
from workflows.register import batches, titles
from workflows.register.records import record_of, running_application
from workflows.store.tables import cases

DAY = timedelta(days=1)


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


def borne(connection, unit, on):
    return [title.designation_id for title in titles.titles_of(connection, unit, on=on)]


def test_a_title_stands_in_the_register_from_its_decision(connection):
    designate(connection)
    designate(connection)

    (title,) = titles.titles_of(connection, "u01", on=TODAY)
    assert (title.title, title.valid_until) == ("市级绿色工厂", None)
    assert titles.titles_of(connection, "u01", on=TODAY - DAY) == ()
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


def test_a_removal_takes_the_titles_it_names_from_its_day_on(connection):
    designate(connection)
    designate(connection, level="provincial", designation_id="p")
    removal = {"case_id": "RM-1", "unit": "u01", "ground": "F41", "on": date(2026, 5, 1)}

    for _ in range(2):
        titles.record_removal(connection, ["p"], **removal)

    assert borne(connection, "u01", date(2026, 4, 30)) == ["GF-2026-000001.9", "p"]
    assert borne(connection, "u01", date(2026, 5, 1)) == ["GF-2026-000001.9"]
    assert borne(connection, "u01", date(2026, 5, 2)) == ["GF-2026-000001.9"]
    assert [row["level"] for row in titles.list_titles(connection, on=date(2026, 5, 1))] == ["municipal"]


def test_it_does_not_matter_whether_the_removal_or_the_title_is_written_first(connection):
    titles.record_removal(connection, ["p"], case_id="AA-1", unit="u01", ground="F41", on=date(2026, 5, 1))
    designate(connection, designation_id="p")

    assert borne(connection, "u01", date(2026, 4, 30)) == ["p"]
    assert borne(connection, "u01", date(2026, 5, 1)) == []


def test_a_title_is_carried_over_from_its_day_on_and_again(connection):
    designate(connection)
    for day, previous, unit in ((date(2026, 5, 1), "u01", "u02"), (date(2026, 6, 1), "u02", "u03")):
        titles.record_transfer(
            connection, ["GF-2026-000001.9"], case_id=f"M-{unit}", previous=previous, unit=unit, since=day
        )

    for on, bearer in (
        (date(2026, 4, 30), "u01"),
        (date(2026, 5, 1), "u02"),
        (date(2026, 5, 31), "u02"),
        (date(2026, 6, 1), "u03"),
    ):
        everybody = ("u01", "u02", "u03")
        assert [unit for unit in everybody if borne(connection, unit, on)] == [bearer], on
        assert [row["unit"] for row in titles.list_titles(connection, on=on)] == [bearer]
        assert record_of(connection, bearer, on=on).titles == ("gf.municipal",)


def test_a_running_application_of_the_same_unit_process_and_batch_is_found(connection):
    connection.execute(cases.insert().values(_case("GF-2026-000007", "active")))

    def found(**changes):
        asked = {"process": "green_factory", "batch": "2026-1"} | changes
        return running_application(connection, asked.pop("unit", "u01"), **asked)

    assert found() == "GF-2026-000007"
    assert found(unit="u02") is None
    assert found(process="cultivation") is None
    assert found(batch="2027-1") is None
    connection.execute(cases.update().values(status="completed"))
    assert found() is None


def _case(case_id, status):
    return {
        "case_id": case_id,
        "process_id": "green_factory",
        "pins": {},
        "marks": [],
        "unit_id": "u01",
        "batch_id": "2026-1",
        "status": status,
        "started_at": NOW,
        "updated_at": NOW,
    }
