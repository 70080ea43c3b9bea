"""A batch is begun by a provincial officer in the browser, and approved by somebody else."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from tests.journeys.conftest import Province
from tests.journeys.surfer import example
from workflows.register.batches import find_batch
from workflows.store.tables import cases

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_one_drafts_the_call_and_another_approves_it(province: Province):
    story = example("batch", "nobody_selected")
    call, approval = (step["values"] for step in story["steps"][:2])
    officer, leader = province.person("prov.officer"), province.person("prov.leader")

    officer.page.goto("/apply")
    officer.page.click("a[href='/apply/batch']")
    officer.fill(story["start"]["values"])
    officer.press("form[enctype] button[data-primary]")
    with province.rooms.database.connect() as connection:
        case_id = connection.scalars(sa.select(cases.c.case_id)).one()
    officer.complete(case_id, province.open_tasks(case_id), call)

    officer.page.goto(f"/inbox?queue=claimable&q={case_id}")
    assert not officer.page.locator("[id^='task-']").count(), "who drafted does not approve"
    leader.complete(case_id, province.open_tasks(case_id), approval)
    province.settle()

    with province.rooms.database.connect() as connection:
        batch = find_batch(connection, call["batch_id"])
    assert (batch.case_id, batch.rules.value("publicity.provincial")) == (case_id, call["publicity_days"])
    assert batch.rules.value("quota.gf") == call["quota_gf"]
    province.leave()
