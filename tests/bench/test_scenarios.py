"""The other scenarios in miniature: each still runs, and its oracle says yes."""

from __future__ import annotations

import pytest

from bench.order import Order
from bench.scenarios import audit, growth, inbox, office


def ordered(scenario: str, *sizes: int, cases: int, **more: object) -> Order:
    return Order(scenario=scenario, store="sqlite", sizes=sizes, cases=cases, calibrate=0.01, **more)


def test_histories_replay_to_the_live_case_and_a_forged_letter_is_found():
    short, long, story = audit.run(ordered("D", 20, 60, cases=2, warm=1, subjects=("ours",)))

    assert short["oracle"]["ok"], short["oracle"]
    assert long["oracle"]["ok"], long["oracle"]
    assert long["oracle"]["tamper_found_at"] == long["oracle"]["events"] // 2 // 2
    assert story["oracle"]["ok"], story["oracle"]


def test_every_list_of_the_inbox_is_the_one_made_by_hand():
    ours, floor = inbox.run(ordered("C", 400, cases=4))

    assert ours["oracle"]["ok"], ours["oracle"]
    assert floor["oracle"]["ok"], floor["oracle"]
    assert max(ours["statements"].values()) <= 4


@pytest.mark.slow
def test_cases_are_as_right_in_a_store_that_has_grown():
    few, many = growth.run(ordered("H", 5, 40, cases=3, warm=1, subjects=("ours",)))

    assert (few["params"]["stored_cases"], many["params"]["stored_cases"]) == (5, 40)
    assert few["oracle"]["ok"], few["oracle"]
    assert many["oracle"]["ok"], many["oracle"]
    assert many["per_case"]["stmts"] == few["per_case"]["stmts"]


@pytest.mark.slow
def test_an_office_over_http_completes_every_task_once():
    found = {
        (line["subject"], line["params"]["mode"]): line["oracle"]
        for line in office.run(ordered("B", 10, cases=16))
    }

    assert set(found) == {("ours", "max"), ("bare-flask", "max"), ("ours", "rate"), ("ours", "race")}
    assert all(oracle["ok"] for oracle in found.values()), found
