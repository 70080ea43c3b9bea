"""A form answers while it is filled: questions appear, scores are computed, and nothing typed is lost."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Province
from tests.journeys.surfer import example
from tests.journeys.test_publishing import apply

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_question_appears_when_another_answer_calls_for_it(province: Province):
    page = province.person("app01").page
    page.goto("/apply/green_factory")
    expect(page.locator("[name=evaluator]")).to_have_count(0)

    page.check("[name=mode][value=third_party]")
    page.fill("[name=contact_name]", "高德胜")

    expect(page.locator("[name=evaluator]")).to_be_visible()
    expect(page.locator("[name=contact_name]")).to_have_value("高德胜")
    province.leave()


def test_scores_are_computed_beside_what_is_claimed_while_one_types(province: Province):
    case_id = apply(province, "app01")
    applicant = province.person("app01")
    applicant.open_task(case_id, province.open_tasks(case_id))
    steps = example("green_factory", "straight_to_national")["steps"]
    values = next(step["values"] for step in steps if step.get("do") == "gf_apply")
    total = applicant.page.locator("output[id*=computed_total]")
    before = total.inner_text()

    applicant.fill({"indicators": values["indicators"][:3]})
    applicant.page.keyboard.press("Tab")

    expect(total).not_to_have_text(before)
    expect(applicant.page.locator("[name='indicators[2].reported']")).to_have_value("14.2")
    province.leave()
