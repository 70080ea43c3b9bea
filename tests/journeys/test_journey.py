"""One application, carried in the browser by everybody who has a part in it, to the national title."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.temporal import parse_duration
from engine.values import from_json
from tests.journeys.conftest import Province
from tests.journeys.surfer import example
from workflows.actors.policy import SYSTEM
from workflows.register.calendar import load_calendar

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_an_application_is_carried_to_the_national_title_in_the_browser(province: Province):
    story = example("green_factory", "straight_to_national")
    case_id = province.person(story["start"]["by"]).apply("green_factory", story["start"]["values"])
    acted = {story["start"]["by"]}

    for step in story["steps"]:
        province.settle()
        if "do" in step:
            acted.add(do(province, case_id, step))
        elif "message" in step:
            hear(province, case_id, step)
        elif "job" in step:
            province.answers[step["job"]] = {name: from_json(one) for name, one in step["result"].items()}
        else:
            province.pass_time(span(province, step))
    province.settle()

    applicant = province.person(story["start"]["by"])
    applicant.page.goto(f"/case/{case_id}")
    assert "国家" in applicant.page.locator("#main").inner_text()
    assert len(acted) >= 11, sorted(acted)
    province.leave()


def do(province: Province, case_id: str, step: dict) -> str:
    """One step by the person it names, or by whoever was drawn; answers who acted."""
    waiting = [task for task in province.open_tasks(case_id) if task.element == step["do"]]
    assert waiting, f"{step['do']} does not wait; {[t.element for t in province.open_tasks(case_id)]} do"
    name = step.get("by") or waiting[0].users[0]
    province.person(name).complete(case_id, waiting, step.get("values", {}))
    return name


def hear(province: Province, case_id: str, step: dict) -> None:
    """What the batch writes to the case; a batch of its own is another journey."""
    province.rooms.commands.receive_message(
        case_id, step["message"], step["values"], actor=SYSTEM, correlation=case_id
    )


def span(province: Province, step: dict) -> timedelta:
    if "pass_time" in step:
        duration = parse_duration(step["pass_time"])
        assert isinstance(duration, timedelta)
        return duration
    due, _ = load_calendar("cn-2026-1").add(province.clock.now, step["pass_working_days"])
    return due + timedelta(minutes=1) - province.clock.now
