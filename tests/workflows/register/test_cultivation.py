"""The cultivation database: in, how far, out; and evaluators' projects and sanctions."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from engine.errors import NotFound
from tests.workflows.register.parts import TODAY
from workflows.actors.people import evaluators as bodies
from workflows.register import batches, cultivation, evaluators

DAY = timedelta(days=1)


def enter(connection, **changes):
    entry = {"case_id": "CD-1", "unit": "u02", "track": "gf", "on": TODAY, "valid_years": 3}
    cultivation.enter_cultivation(connection, **(entry | changes))


def leave(connection, *entries, on):
    facts = {"case_id": "CD-9", "unit": "u02", "track": "gf", "ground": "no_progress", "on": on}
    cultivation.leave_cultivation(connection, entries, **facts)


def test_the_cultivation_database_holds_a_unit_for_its_time(connection):
    enter(connection)
    enter(connection)

    def held(on):
        return cultivation.cultivated(connection, "u02", on=on)

    assert [held(on) for on in (TODAY - DAY, TODAY, date(2029, 3, 2), date(2029, 3, 3))] == [
        (),
        ("gf",),
        ("gf",),
        (),
    ]
    assert batches.unit_context(connection, "u02", on=TODAY)["cultivated"] == ["gf"]


def test_who_leaves_is_outside_from_that_day_on_and_may_come_again(connection):
    left = date(2026, 9, 1)
    leave(connection, "CD-1-gf", on=left)
    enter(connection)
    enter(connection, case_id="CD-2", on=left + 30 * DAY)

    def held(on):
        return [entry["entry_id"] for entry in cultivation.entries_of(connection, "u02", on=on)]

    assert held(left - DAY) == ["CD-1-gf"]
    assert held(left) == held(left + DAY) == []
    assert held(left + 30 * DAY) == ["CD-2-gf"]


def test_how_far_a_unit_has_come_is_told_as_of_a_day(connection):
    for number, (stage, since) in enumerate(
        (("diagnosed", TODAY), ("improving", TODAY), ("ready", TODAY + 9 * DAY)), start=9
    ):
        facts = {"case_id": "CD-1", "number": number, "unit": "u02", "track": "gf", "since": since}
        cultivation.record_stage(connection, stage=stage, score="61.5", gaps=["计量"], **facts)

    def stages(on):
        return [row["stage"] for row in cultivation.stages_of(connection, "u02", track="gf", on=on)]

    assert stages(TODAY - DAY) == []
    assert stages(TODAY) == stages(TODAY + 8 * DAY) == ["improving", "diagnosed"]
    assert stages(TODAY + 9 * DAY)[0] == "ready"
    assert cultivation.stages_of(connection, "u02", track="gf", on=TODAY)[0]["gaps"] == ["计量"]


def test_an_evaluators_projects_are_counted_per_year_and_level(connection):
    for number in range(3):
        level = "national" if number else "provincial"
        facts = {"evaluator": "ev1", "year": 2026, "unit": f"u0{number + 1}", "track": "gf", "level": level}
        evaluators.record_project(connection, case_id=f"c{number}", **facts)
        evaluators.record_project(connection, case_id=f"c{number}", **facts)

    assert evaluators.project_count(connection, "ev1", year=2026) == 3
    assert evaluators.project_count(connection, "ev1", year=2026, level="national") == 2
    assert evaluators.project_count(connection, "ev1", year=2025) == 0
    assert evaluators.project_count(connection, "ev2", year=2026) == 0


def test_evaluators_of_one_legal_representative_count_together(connection):
    known = connection.execute(sa.select(bodies).where(bodies.c.id == "ev1")).mappings().one()
    connection.execute(sa.insert(bodies).values(**(dict(known) | {"id": "ev7", "name": "另一家"})))
    for case, evaluator in (("c1", "ev1"), ("c2", "ev7")):
        facts = {"year": 2026, "unit": "u01", "track": "gf", "level": "national"}
        evaluators.record_project(connection, case_id=case, evaluator=evaluator, **facts)

    assert evaluators.project_count(connection, "ev7", year=2026) == 2


def test_reports_are_not_accepted_until_the_day_and_a_warning_stops_nothing(connection):
    facts = {"case_id": "EV-1", "evaluator": "ev1", "ground": "false_report", "since": TODAY}
    evaluators.record_sanction(connection, number=3, kind="warning", until=None, **facts)
    assert evaluators.not_accepted_until(connection, "ev1", on=TODAY) is None

    until = date(2029, 3, 2)
    evaluators.record_sanction(connection, number=5, kind="not_accepted", until=until, **facts)

    days = (TODAY - DAY, TODAY, until - DAY, until)
    found = [evaluators.not_accepted_until(connection, "ev1", on=on) for on in days]
    assert found == [None, until, until, None]
    assert evaluators.not_accepted_until(connection, "ev2", on=TODAY) is None


def test_what_was_known_of_an_evaluator_before_counts_too(connection):
    connection.execute(sa.update(bodies).where(bodies.c.id == "ev1").values(not_accepted_until="2026-06-01"))

    assert evaluators.not_accepted_until(connection, "ev1", on=date(2026, 5, 31)) == date(2026, 6, 1)
    assert evaluators.not_accepted_until(connection, "ev1", on=date(2026, 6, 1)) is None


def test_an_unknown_evaluator_is_not_found(connection):
    with pytest.raises(NotFound):
        evaluators.project_count(connection, "ev99", year=2026)
    with pytest.raises(NotFound):
        evaluators.not_accepted_until(connection, "ev99", on=TODAY)
