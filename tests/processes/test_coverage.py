"""Together the examples take every sequence flow of every diagram and match every rule of every table."""

from __future__ import annotations

import pytest

from tests.processes import drawn
from tests.processes.stage import played

OUTCOMES = {
    *("promoted", "withdrawn", "no_progress", "removed_veto", "expired"),  # out of the cultivation database
    "published",  # a batch with its notice
    "nobody_listed",
    "rejected_ineligible",
    "rejected_quality",
    "deferred_next_batch",
    "stays_in_cultivation",
    "not_selected",
    "objection_upheld",
    "suspended_pending_investigation",
    "designated",
    "renewed",
    "expired",
    *("removed", "kept", "not_listed", "removal_proposed"),
    *("renamed", "merged"),
    "reported",  # an annual campaign
    *("filed", "confirmed", "not_now"),  # plans and orders
    *("unfounded", "rectify", "removal_case", "evaluator_case", "not_accepted"),  # reports
    *("none", "warning"),  # evaluators
}


@pytest.mark.parametrize("process", sorted(drawn.packages()))
def test_every_flow_is_taken(process: str) -> None:
    taken = {flow for name in drawn.examples() for flow in played(name).flows}
    assert [flow for flow in drawn.flows(process) if flow not in taken] == []


@pytest.mark.parametrize("decision", sorted(drawn.rules()))
def test_every_rule_is_matched(decision: str) -> None:
    matched = {rule for name in drawn.examples() for rule in played(name).rules}
    assert [rule for rule in drawn.rules()[decision] if rule not in matched] == []


def test_every_button_is_pressed() -> None:
    pressed = {
        (step["do"], step["values"].get("outcome"))
        for example in drawn.examples().values()
        for step in example["steps"]
        if "do" in step
    }
    drawn_buttons = {
        (str(task.get("id")), str(outcome.get("value")))
        for process in drawn.packages()
        for task in drawn.tasks(process)
        for outcome in task.iter("{https://tidu.dev/bpmn/1.0}outcome")
    }
    assert sorted(drawn_buttons - pressed) == []


def test_every_way_a_case_can_end_is_shown() -> None:
    ways = {played(name).outcome for name in drawn.examples()}
    assert ways - {None} == OUTCOMES  # what runs for a year ends with the year
