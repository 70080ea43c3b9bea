"""A process owner brings in a drawing of another tool, sees what it lacks, mends it and checks it again."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.interchange.editing import Owner

pytestmark = [pytest.mark.browser, pytest.mark.slow]

INSPECTION = Path(__file__).parent / "drawings" / "inspection.bpmn"
UNMARKED = "process.executable"


def test_an_imported_drawing_tells_what_it_lacks_and_is_mended_in_the_editor(owner: Owner) -> None:
    address = owner.import_file(INSPECTION)
    page = owner.page
    listed = page.locator("#problems .is-error", has_text=UNMARKED)
    expect(page.locator("main")).to_contain_text("流程 office 已导入为草稿")
    expect(listed).to_contain_text("Office 流程 office 未标记为可执行")
    signs = page.locator(".tidu-finding[title*='process.executable']")
    expect(signs).to_have_count(1)
    assert (
        signs.locator("xpath=ancestor::*[@data-container-id]").get_attribute("data-container-id")
        == "pool_office"
    )

    listed.locator("button").click()
    page.locator("#properties").get_by_text("通用", exact=True).click()
    page.locator("#properties [name=isExecutable]").check()
    owner.save()

    expect(listed).to_have_count(0)
    expect(page.locator("#problems .is-error", has_text="call.unknown")).to_contain_text(
        "调用的流程 rating 不存在"
    )
    owner.discard(address)
    assert owner.surfer.complaints == []


def test_the_findings_are_told_in_english_too(owner: Owner) -> None:
    address = owner.import_file(INSPECTION)
    owner.page.locator("button[name=language][value=en]").click()

    listed = owner.page.locator("#problems .is-error", has_text="call.unknown")

    expect(listed).to_contain_text("Rate rate calls process rating, which does not exist")
    owner.discard(address)
    owner.page.locator("button[name=language][value=zh]").click()
