"""A changed drawing is published by two people: old cases stay on the old version, new ones take the new."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Province
from tests.journeys.surfer import Surfer, example

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PROCESS = "green_factory"
NEW_NAME = "填写申报书并提交（新版）"


def test_a_published_change_reaches_new_cases_and_leaves_running_ones_alone(province: Province):
    old = apply(province, "app01")
    rename_in_the_editor(province.person("owner"))
    approve_and_publish(province.person("approver"))
    new = apply(province, "app02")

    assert versions(province, old) == f"{PROCESS}:1"
    assert versions(province, new) == f"{PROCESS}:2"
    assert shown_step(province, "app01", old) == "填写申报书并提交"
    assert shown_step(province, "app02", new) == NEW_NAME
    province.leave()


def apply(province: Province, person: str) -> str:
    values = {**example(PROCESS, "straight_to_national")["start"]["values"], "mode": "self"}
    values.pop("evaluator")
    case_id = province.person(person).apply(PROCESS, values)
    province.settle()
    return case_id


def rename_in_the_editor(owner: Surfer) -> None:
    page = owner.page
    page.goto(f"/editor/{PROCESS}")
    page.get_by_role("button", name="新建草稿").click()
    page.locator("#outline [data-element=gf_apply]").click()
    page.locator("#properties").get_by_text("通用", exact=True).click()
    page.locator("#properties [name=name]").fill(NEW_NAME)
    page.keyboard.press("Control+s")
    expect(page.locator("#changes")).to_contain_text(NEW_NAME)
    page.locator("[data-dialog=submit]").click()
    page.fill("#submit-reason", "依据年度通知调整申报步骤名称")
    for box in page.locator("#submit input[name^='accept:']").all():
        box.fill("已核对，可以接受")
    with page.expect_navigation():
        page.locator("#submit button.btn-primary").click()


def approve_and_publish(approver: Surfer) -> None:
    page = approver.page
    page.goto(f"/editor/{PROCESS}/draft")
    page.locator("[data-dialog=approve]").click()
    page.fill("#approve-reason", "同意发布")
    with page.expect_navigation():
        page.locator("#approve button.btn-primary").click()
    page.locator("[data-dialog=publish]").click()
    with page.expect_navigation():
        page.locator("#publish button.btn-primary").click()


def versions(province: Province, case_id: str) -> str:
    """The version an officer sees on the case's page."""
    page = province.person("prov.officer").page
    page.goto(f"/case/{case_id}")
    return page.locator("header .tidu-code").last.inner_text()


def shown_step(province: Province, person: str, case_id: str) -> str:
    """The name of the step that waits, as the applicant's inbox says it."""
    page = province.person(person).page
    page.goto(f"/inbox?queue=claimable&q={case_id}")
    return page.locator("tr[data-row] a[data-open]").first.inner_text()
