"""A refused application says on its page, in its notice and over REST which rule refused it, and why."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from tests.processes import drawn
from workflows.actors.people import find_person
from workflows.library.packages import in_call_order
from workflows.register import bans, batches
from workflows.work.worker import Worker
from workflows.workshop.checking import read_closure

GIVEN = {"mode": "self", "contact_name": "高德胜", "contact_phone": "0931-5550101", "consent": True}
BANNED = {"case_id": "RM-1", "number": 1, "ground": "false_data", "document": "甘工信发〔2025〕3号"}


@pytest.fixture
def refused(app, signed_in):
    """The application of a unit whose ban ends in September 2028."""
    rooms = app.extensions["tidu"]
    at = datetime(2026, 1, 1, tzinfo=UTC)
    with rooms.database.begin() as connection:
        batches.load_batches(connection, now=at)
        bans.record_ban(connection, unit="u01", since=date(2025, 9, 1), years=3, **BANNED)
        for package in in_call_order(read_closure(drawn.ROOT / "green_factory")):
            rooms.catalog.deploy(connection, package, by="owner", at=at)
    answer = signed_in("app01").api("POST", "/process-definition/key/green_factory/start", {"values": GIVEN})
    Worker(rooms.database, rooms.commands, clock=rooms.clock).tick()
    return answer.json["id"]


def test_the_applicant_reads_why_until_when_and_by_which_clause(refused, signed_in):
    applicant = signed_in("app01")
    page = applicant.get(f"/case/{refused}").text
    english = applicant.get(f"/case/{refused}", headers={"Accept-Language": "en"}).text

    assert "不予通过的理由" in page
    assert "至 2028-09-01 止，该日起可以申报" in page
    assert "依据：判定表“申报资格与层级判定”第 2 行" in page
    assert "F37" in page
    assert "被移出名单的单位三年内不得再次申报。（原文可见）" in page
    assert "Banned after a removal until 2028-09-01" in english
    assert "By row 2 of the table “Admissibility and level ladder”" in english


def test_officers_read_it_too_and_programs_get_it_from_the_journal(refused, signed_in):
    officer = signed_in("lz.officer")
    (one,) = officer.api("GET", f"/process-instance/{refused}").json["refusals"]

    assert "至 2028-09-01 止" in officer.get(f"/case/{refused}").text
    assert (one["decision"], one["rule"], one["clause"]) == ("admissibility", "admissibility_banned", "F37")
    assert one["row"] == 2
    assert not one["inferred"]
    assert "2028-09-01" in one["reason"]
    assert "2028-09-01" in one["reasonEn"]


def test_the_applicant_is_told_with_the_reason(app, refused):
    rooms = app.extensions["tidu"]
    with rooms.reading() as connection:
        applicant = find_person(connection, "app01")
    told = rooms.inbox.messages(applicant)

    assert [one.template for one in told] == ["result"]
    assert "2028-09-01" in told[0].content["refusal"]["zh"]


def test_a_case_that_goes_on_says_nothing_of_the_kind(signed_in, application):
    applicant = signed_in("app01")

    assert "不予通过的理由" not in applicant.get(f"/case/{application}").text
    assert applicant.api("GET", f"/process-instance/{application}").json["refusals"] == []
