"""A rule set alone changes what happens: other provinces, quotas, departments, lengths, validities."""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.processes import drawn
from tests.story import PACKAGES
from workflows.register.batches import open_batch
from workflows.register.rules import RuleSet, load_rules
from workflows.register.titles import designations
from workflows.workshop.play import BEGINNING, Theatre
from workflows.workshop.played import Played

EXAMPLE = "green_factory/straight_to_national"


@cache
def theatre() -> Theatre:
    return Theatre()


def under(rules: RuleSet, path: Path, example: dict[str, Any]) -> Played:
    """How an example goes in a batch that was opened with these rules."""
    batch = rules.digest[:12]
    facts = {"name": "批次", "name_en": "Batch", "calendar": "cn-2026-1", "by": "owner", "now": BEGINNING}
    with theatre().database.begin() as connection:
        connection.execute(sa.text("DELETE FROM batches WHERE id = :id"), {"id": batch})
        open_batch(connection, batch, rules=rules, **facts)
    start = {**example.get("start", {}), "batch": batch}
    return theatre().play(path, {**example, "start": start})


def factory(rules: RuleSet, *, until: str, name: str = EXAMPLE) -> Played:
    """The factory's way with these rules, until the task `until` has been completed (or just begun: `-`)."""
    example = drawn.examples()[name]
    element = until.lstrip("-")
    place = next(n for n, step in enumerate(example["steps"]) if step.get("do") == element)
    steps = example["steps"][: place + (not until.startswith("-"))]
    return under(rules, drawn.ROOT / "green_factory", {**example, "steps": steps})


def due(played: Played, element: str) -> date:
    """The day on which a timer falls due."""
    (found,) = [timer["due_at"] for timer in played.timers if timer["element"] == element]
    return date.fromisoformat(found[:10])


# --- other provinces ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "closes"),
    [("gansu-2026", (5, 31)), ("guangdong-2026", (6, 5)), ("shandong-2026", (5, 30))],
)
def test_applications_close_on_the_day_of_the_province(rules: str, closes: tuple[int, int]) -> None:
    played = factory(load_rules(rules), until="-gf_apply")

    assert due(played, "gf_closed") == date(2026, *closes)


@pytest.mark.parametrize(
    ("rules", "closes"),
    [("gansu-2026", (4, 15)), ("heilongjiang-2026", (3, 30)), ("guangdong-2026", (4, 15))],
)
def test_the_yearly_form_is_due_on_the_day_of_the_province(rules: str, closes: tuple[int, int]) -> None:
    start = {"by": "app01", "unit": "u01", "at": "2026-03-02T09:00:00+08:00"}
    played = under(load_rules(rules), PACKAGES / "yearly_form", {"start": start})

    assert due(played, "yf_late") == date(2026, *closes)


def begun(process: str, rules: RuleSet) -> Played:
    """A ladder with these rules, as far as it goes by itself."""
    example = next(one for one in drawn.examples().values() if one["process"] == process)
    return under(rules, drawn.ROOT / process, {"process": process, "start": example["start"]})


def test_guangdong_takes_no_supply_chains_in_2026() -> None:
    here, there = (begun("supply_chain", load_rules(name)) for name in ("gansu-2026", "guangdong-2026"))

    assert (here.outcome, there.outcome) == (None, "deferred_next_batch")
    assert begun("industrial_park", load_rules("guangdong-2026")).outcome is None


def test_a_city_of_shandong_recommends_one_park() -> None:
    quotas = [
        begun("industrial_park", load_rules(name)).variables["track"]["quota"]
        for name in ("gansu-2026", "shandong-2026")
    ]

    assert quotas == [None, 1]


def test_guangdong_publishes_longer_in_the_city() -> None:
    here, there = (
        due(factory(load_rules(name), until="pub_publish"), "pub_window_over")
        for name in ("gansu-2026", "guangdong-2026")
    )

    assert (there - here).days == 4  # two working days more, over a weekend


@pytest.mark.parametrize("rules", ["heilongjiang-2026", "guangdong-2026", "shandong-2026"])
def test_a_province_states_only_what_differs_or_is_settled_there(rules: str) -> None:
    base, province = load_rules(), load_rules(rules)
    stated = {
        key
        for key, parameter in province.parameters.items()
        if parameter.source != base.parameters[key].source
    }

    assert 1 <= len(stated) <= 10
    for key in stated:
        is_settled = base.parameters[key].inferred and not province.parameters[key].inferred
        is_said_here_too = base.parameters[key].source in ("F37", "F38")
        assert is_settled or is_said_here_too or base.value(key) != province.value(key), key


# --- one change at a time -----------------------------------------------------------------------------


def test_one_authority_gets_a_quota_of_its_own() -> None:
    own = {"quota.gf": {"default": 12, "by_authority": {"620100": 20, "620200": 3}}}

    def quota(changes: dict[str, Any]) -> Any:
        return factory(load_rules().changed(changes), until="-gf_apply").variables["track"]["quota"]

    assert quota({}) is None
    assert quota({"quota.gf": 12}) == 12
    assert quota(own) == 20  # the unit lies in Lanzhou
    assert quota({"quota.gf": {"default": 12, "by_authority": {"620200": 3}}}) == 12


@pytest.mark.parametrize(
    ("quota", "goes_up"),
    [
        (None, True),
        (1, True),
        (0, False),
        ({"default": 0, "by_authority": {"620100": 1}}, True),  # the unit lies in Lanzhou
        ({"default": None, "by_authority": {"620100": 0}}, False),
    ],
)
def test_a_recommendation_beyond_the_quota_is_refused(quota: Any, goes_up: bool) -> None:
    example = drawn.examples()[EXAMPLE]
    place = next(n for n, step in enumerate(example["steps"]) if step.get("do") == "m_recommend")
    before, step = example["steps"][:place], example["steps"][place]
    refused = {} if goes_up else {"expect_refused": "QUOTA_USED_UP"}
    rules = load_rules().changed({"quota.gf": quota})

    played = under(rules, drawn.ROOT / "green_factory", {**example, "steps": [*before, {**step, **refused}]})

    assert [task["element"] for task in played.tasks] == ["p_receive" if goes_up else "m_recommend"]


def test_every_drawing_that_asks_for_a_quota_asks_for_that_of_the_authority() -> None:
    for process, package in drawn.packages().items():
        text = package.files["process.bpmn"].decode()
        plain, own = (
            set(re.findall(rf"rules\.{name}\.(\w+)", text)) for name in ("quota", "quota_by_authority")
        )
        assert plain == own, process


def test_a_new_department_is_consulted() -> None:
    departments = load_rules().value("departments_by_track.gf")
    water = {
        "id": "water",
        "name": "甘肃省水利厅",
        "nameEn": "Water Resources",
        "days": 4,
        "remind_before": 2,
    }
    rules = load_rules().changed({"departments_by_track.gf": [*departments, water]})

    played = factory(rules, until="p_form_review")

    asked = {task["groups"][0]: task["due_at"] for task in played.tasks if task["element"] == "con_answer"}
    assert set(asked) == {
        "department@ecology",
        "department@emergency",
        "department@market",
        "department@water",
    }
    assert asked["department@water"] < asked["department@ecology"]


def test_another_length_of_publicity_moves_its_end() -> None:
    def ends(days: int) -> date:
        rules = load_rules().changed({"publicity.municipal": days})
        return due(factory(rules, until="pub_publish"), "pub_window_over")

    assert [ends(days) for days in (4, 5, 8)] == [date(2026, 6, 3), date(2026, 6, 4), date(2026, 6, 9)]


def test_another_validity_ends_the_title_on_another_day() -> None:
    def until(years: int | None) -> list[Any]:
        factory(load_rules().changed({"validity.gf": years}), until="m_publish")
        with theatre().database.connect() as connection:
            return list(connection.scalars(sa.select(designations.c.valid_until)))

    forever, five = until(None), until(5)

    assert forever == [None]
    assert [day.year for day in five] == [2031]
