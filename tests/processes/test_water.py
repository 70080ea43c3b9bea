"""The water tracks: who decides with the province, and titles that end unless they are renewed."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa

from tests.processes import drawn
from tests.processes.stage import played
from workflows.register import titles
from workflows.store.tables import cases
from workflows.transaction.projections import rebuild

LAST = date(2026, 8, 31)
ALONE = "water_enterprise/to_provincial_title"
TOGETHER = "water_enterprise/decided_with_water_resources"


def consulted(example: str) -> list[str]:
    return sorted(opinion["department"] for opinion in played(example).variables["opinions"])


def test_water_resources_is_consulted_where_it_does_not_decide() -> None:
    assert consulted(ALONE) == ["ecology", "emergency", "market", "water"]


def test_water_resources_is_asked_by_the_batch_instead_where_the_switch_says_that_it_decides() -> None:
    assert consulted(TOGETHER) == ["ecology", "emergency", "market"]


@pytest.fixture
def renewing(story):
    """A smelter's title, given three years ago, is in its last months, and its renewal has begun."""
    story.deploy(drawn.ROOT / "renewal").deploy(drawn.ROOT / "renewals")
    bears(story, "u10", since=date(2023, 8, 31), years=3)
    given = {"track": "we", "contact_name": "宋雪梅", "contact_phone": "0935-5550110"}
    story.start("renewal", by="app10", values=given).work()
    return story


def bears(story, unit, *, since, years=None, track="we"):
    with story.database.begin() as connection:
        titles.record_designation(
            connection,
            case_id=f"WE-{unit}",
            designation_id=f"WE-{unit}-{track}-provincial",
            unit=unit,
            track=track,
            level="provincial",
            title="工业节水型企业",
            decided_on=since,
            valid_years=years,
        )


def borne(story, on, unit="u10"):
    with story.database.connect() as connection:
        return [title.case_id for title in titles.titles_of(connection, unit, on=on)]


def renew(story):
    example = drawn.examples()["renewal/water_enterprise_renewed"]
    for step in example["steps"]:
        if "do" in step:
            story.do(step["do"], step["by"], step["values"])
    story.work()
    story.work()


def test_a_title_that_nobody_renews_ends_with_its_last_day_and_not_a_day_earlier(renewing):
    renewing.clock.now = datetime(2026, 8, 31, 15, 59, tzinfo=UTC)  # 23:59 in Shanghai
    renewing.work()
    assert renewing.waiting() == ["ren_apply"]
    assert borne(renewing, LAST) == ["WE-u10"]

    renewing.pass_time("PT1M")
    renewing.work()
    assert renewing.rows_of_case()["outcome"] == "expired"
    assert borne(renewing, date(2026, 9, 1)) == []
    assert renewing.history.verify(renewing.case_id).ok


def test_a_renewed_title_goes_on_the_day_after_for_another_term(renewing):
    renew(renewing)

    assert renewing.rows_of_case()["outcome"] == "renewed"
    assert borne(renewing, LAST) == ["WE-u10"]
    for day in (date(2026, 9, 1), date(2029, 9, 1)):
        assert borne(renewing, day) == [renewing.case_id]
    assert borne(renewing, date(2029, 9, 2)) == []


def test_a_renewal_is_told_by_the_journal_alone(renewing):
    renew(renewing)
    with renewing.database.begin() as connection:
        rebuild(connection, renewing.catalog)

    assert borne(renewing, date(2026, 9, 1)) == [renewing.case_id]


def test_each_title_about_to_end_is_told_once(story):
    story.deploy(drawn.ROOT / "renewal").deploy(drawn.ROOT / "renewals")
    bears(story, "u10", since=date(2023, 8, 31), years=3)  # within six months of 2 March
    bears(story, "u24", since=date(2023, 9, 20), years=3)  # a little later
    bears(story, "u11", since=date(2023, 8, 31))  # for good
    bears(story, "u13", since=date(2025, 8, 31), years=3)  # in two years
    story.start("renewals", by="prov.officer", values={"year": 2026})
    for _ in range(3):
        story.work()
    assert renewals(story) == ["u10"]

    for _ in range(2):
        story.pass_time("P31D")
        for _ in range(3):
            story.work()
    assert renewals(story) == ["u10", "u24"]


def renewals(story):
    query = sa.select(cases.c.unit_id).where(cases.c.process_id == "renewal").order_by(cases.c.case_id)
    with story.database.connect() as connection:
        return list(connection.scalars(query))
