"""Service operations: what they answer, what their answers leave in the register, and that twice is once."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
import sqlalchemy as sa

from engine.errors import NotFound
from workflows.actors.people import people_in, persons
from workflows.register.bans import record_ban
from workflows.register.calendar import local_day
from workflows.register.cultivation import cultivated
from workflows.register.evaluators import project_count
from workflows.register.titles import designations, titles_of
from workflows.services import registry
from workflows.services.operation import Done, DrawnError, Reading
from workflows.transaction.projections import rebuild


def run(story, type_, **inputs):
    with story.database.connect().execution_options(reading=True) as connection:
        read = Reading(
            connection=connection, case_id=story.case_id, job_id=f"{story.case_id}.9", now=story.clock()
        )
        return registry.run(type_, inputs, read)


def finished(story, type_, result, **inputs):
    """Write what the operation's success stands for."""
    with story.database.begin() as connection:
        registry.write_effects(
            connection,
            Done(
                case_id=story.case_id,
                job_id=f"{story.case_id}.9",
                type=type_,
                inputs=inputs,
                result=result,
                at=story.clock(),
                process="small_review",
                unit={"id": "u01"},
            ),
        )


def test_a_draw_can_be_drawn_again_by_anybody(story):
    story.start()

    first = run(story, "experts.draw", count=Decimal(3), exclude=[], seed="2026/1")
    again = run(story, "experts.draw", count=Decimal(3), exclude=[], seed="2026/1")
    other = run(story, "experts.draw", count=Decimal(3), exclude=[], seed="2026/2")

    assert first == again != other
    assert len({expert["id"] for expert in first["experts"]}) == 3


def test_nobody_excluded_or_interested_is_drawn(story):
    story.start()
    with story.database.begin() as connection:
        connection.execute(sa.update(persons).where(persons.c.id == "expert2").values(interests=["u01"]))
        everybody = len(people_in(connection, "expert"))

    found = run(story, "experts.draw", count=Decimal(everybody - 2), exclude=["expert1"], seed="x")

    assert {"expert1", "expert2"}.isdisjoint(expert["id"] for expert in found["experts"])


def test_too_few_experts_is_a_failure_and_not_a_smaller_panel(story):
    story.start()

    with pytest.raises(ValueError, match="expected 99 experts"):
        run(story, "experts.draw", count=Decimal(99), exclude=[], seed="x")


def test_a_unit_without_titles_is_looked_up(story):
    story.start()

    assert run(story, "register.lookup", unit="u01", track="gf") == {
        "level": "none",
        "titles": [],
        "banned_until": None,
        "open_cases": Decimal(0),
        "cultivated": [],
        "valid_until": None,
        "name": "兰州兰岭水泥有限公司",
    }


def test_a_title_a_ban_and_another_application_are_found(story):
    story.start()
    first = story.case_id
    finished(story, "register.designate", {"designation_id": "d1"}, unit="u01", track="gf", level="municipal")
    with story.database.begin() as connection:
        record_ban(
            connection, case_id=first, unit="u01", ground="F36", since=local_day(story.clock()), years=3
        )
    story.start()

    found = run(story, "register.lookup", unit="u01", track="gf")

    assert (found["level"], found["titles"]) == ("municipal", ["gf.municipal"])
    assert found["banned_until"] == date(2029, 3, 2)
    assert found["open_cases"] == Decimal(1)
    assert run(story, "register.lookup", unit="u01", track="gp")["level"] == "none"


def test_a_designation_is_entered_once_however_often_it_is_told(story):
    story.start()
    result = run(story, "register.designate", unit="u01", track="gf", level="provincial", document="甘1")
    told = {"unit": "u01", "track": "gf", "level": "provincial", "title": "绿色工厂"}
    told["date"] = {"@date": "2026-03-01"}

    for _ in range(2):
        finished(story, "register.designate", result, **told)

    with story.database.connect() as connection:
        (title,) = titles_of(connection, "u01", on=local_day(story.clock()))
    assert (title.level, title.decided_on, title.case_id) == ("provincial", date(2026, 3, 1), story.case_id)


def test_a_title_another_case_gave_is_not_given_again(story):
    story.start()
    finished(story, "register.designate", {"designation_id": "d1"}, unit="u01", track="gf", level="municipal")
    story.start()

    with pytest.raises(DrawnError, match=r"already bears gf\.municipal"):
        run(story, "register.designate", unit="u01", track="gf", level="municipal")


def test_a_unit_enters_the_cultivation_database_once_per_track(story):
    story.start()
    result = run(story, "register.cultivate", unit="u01", track="gf")

    for _ in range(2):
        finished(story, "register.cultivate", result, unit="u01", track="gf", target_year=2027, valid_years=3)

    with story.database.connect() as connection:
        assert cultivated(connection, "u01", on=local_day(story.clock())) == ("gf",)
    story.start()
    with pytest.raises(DrawnError, match="already stands in the cultivation database for gf"):
        run(story, "register.cultivate", unit="u01", track="gf")


def test_an_evaluators_projects_are_counted_one_per_case(story):
    story.start()
    assert run(story, "evaluator.count", evaluator="ev1", year=Decimal(2026)) == {
        "count": Decimal(0),
        "not_accepted_until": None,
    }

    for evaluator in ("ev1", "ev1", "ev2"):
        finished(story, "evaluator.count", {"count": 0}, evaluator=evaluator, year=2026)

    with story.database.connect() as connection:
        assert project_count(connection, "ev1", year=2026) == 0
        assert project_count(connection, "ev2", year=2026) == 1


def test_a_notice_goes_to_everybody_it_names(story):
    story.start()
    assert run(story, "notice.send", to=["app01", "provincial_officer"], template="t") == {"sent": True}

    finished(story, "notice.send", {"sent": True}, to=["app01", "department@ecology"], template="t", unit="x")

    assert story.notices() == ["t to app01", "t to department@ecology"]


@pytest.mark.parametrize("inputs", [{"template": "t"}, {"to": [], "template": "t"}, {"to": "app01"}])
def test_a_notice_without_a_reader_or_a_text_is_a_failure(story, inputs):
    story.start()

    with pytest.raises(ValueError, match="a notice names"):
        run(story, "notice.send", **inputs)


def test_an_unknown_service_is_told_by_name(story):
    story.start()

    with pytest.raises(NotFound, match=r"shell\.run"):
        run(story, "shell.run", command="id")


def test_a_rebuild_empties_what_services_wrote_without_a_journal_entry(story):
    story.start()
    finished(story, "register.designate", {"designation_id": "d1"}, unit="u01", track="gf", level="municipal")

    with story.database.begin() as connection:
        rebuild(connection, story.catalog)
        assert connection.scalar(sa.select(sa.func.count()).select_from(designations)) == 0
