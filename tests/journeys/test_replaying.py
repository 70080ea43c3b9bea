"""An auditor walks through a case, verifies it, and sees one changed byte of the journal."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from engine.tables import journal
from tests.journeys.conftest import Province
from tests.journeys.test_publishing import apply

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_an_auditor_replays_a_case_and_sees_a_changed_byte(province: Province):
    case_id = apply(province, "app01")
    page = province.person("auditor").page

    walk_to_the_end(page, case_id)
    assert "V-OK" in verified(page, case_id)

    seq = change_one_byte(province, case_id)
    assert f"V-CHAIN-BREAK@{seq}" in verified(page, case_id)
    province.leave()


def walk_to_the_end(page: Page, case_id: str) -> None:
    page.goto(f"/audit?q={case_id}")
    page.locator(f"a[href*='{case_id}']").first.click()
    slider = page.locator("input[type=range]").first
    slider.focus()
    page.keyboard.press("Home")
    expect(page.locator("#main")).to_contain_text("CaseStarted")
    page.keyboard.press("End")
    expect(page.locator("#main")).to_contain_text("批次截止")


def verified(page: Page, case_id: str) -> str:
    """What the verification page says after its button was pressed."""
    page.goto(f"/audit/{case_id}/verification")
    with page.expect_navigation():
        page.locator("#main form button").click()
    return page.locator("section[role=status]").inner_text()


def change_one_byte(province: Province, case_id: str) -> int:
    """As an administrator of the database could: one letter of the applicant's own statement."""
    with province.rooms.database.begin() as connection:
        row = connection.execute(
            sa.select(journal).where(journal.c.case_id == case_id, journal.c.body.contains("contact_name"))
        ).first()
        assert row is not None
        connection.execute(
            sa.update(journal)
            .where(journal.c.case_id == case_id, journal.c.seq == row.seq)
            .values(body=row.body.replace("高德胜", "高德盛"))
        )
    return int(row.seq)
