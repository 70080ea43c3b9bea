"""Examples played in memory: what they take, what they end in, and where they get stuck."""

from __future__ import annotations

import pytest

from tests.story import PACKAGES
from workflows.workshop.play import Stuck, Theatre, play
from workflows.workshop.played import differences

SMALL = PACKAGES / "small_review"
STRAIGHT = {
    "process": "small_review",
    "start": {"by": "app01", "values": {"days": 3}},
    "steps": [
        {"do": "check", "by": "lz.officer", "values": {"outcome": "accepted"}},
        {"do": "review", "values": {"outcome": "agreed"}},
        {"do": "ecology", "values": {"opinion": "无异议"}},
        {"do": "market", "values": {"opinion": "无异议"}},
        {"message": "ministry_result", "by": "prov.officer", "values": {"result": "listed"}},
    ],
    "ends": {
        "status": "completed",
        "outcome": "designated",
        "variables": {"rating": "small"},
        "passes": ["check", "review", "rated", "announce", "over"],
    },
}


@pytest.fixture(scope="module")
def theatre():
    return Theatre()


def with_steps(*steps, **more):
    return {**STRAIGHT, "steps": list(steps), "ends": {}, **more}


def test_an_example_may_begin_before_one_that_was_played_first():
    house = Theatre()
    late = {**STRAIGHT, "start": {**STRAIGHT.get("start", {}), "at": "2026-11-16T01:00:00+00:00"}}

    house.play(SMALL, {**late, "steps": []})

    assert house.play(SMALL, STRAIGHT).status == "completed"


def test_an_example_is_played_to_its_end(theatre):
    played = theatre.play(SMALL, STRAIGHT)

    assert differences(STRAIGHT, played) == ()
    assert "short" in played.rules
    assert "decided_review" in played.flows
    assert played.tasks == ()


def test_the_same_example_played_twice_is_the_same(theatre):
    assert theatre.play(SMALL, STRAIGHT) == theatre.play(SMALL, STRAIGHT) == play(SMALL, STRAIGHT)


def test_without_steps_the_case_is_only_started(theatre):
    played = theatre.play(SMALL, with_steps())

    assert (played.status, [task["element"] for task in played.tasks]) == ("active", ["check"])


def test_time_passes_from_one_due_moment_to_the_next(theatre):
    played = theatre.play(SMALL, with_steps(STRAIGHT["steps"][0], {"pass_time": "P30D"}))

    assert "late" in played.passes
    assert played.passes.count("remind") == 1


def test_working_days_pass_by_the_calendar(theatre):
    steps = [STRAIGHT["steps"][0], {"pass_working_days": 2}]

    assert "late" not in theatre.play(SMALL, with_steps(*steps)).passes
    assert "late" in theatre.play(SMALL, with_steps(*steps, {"pass_working_days": 2})).passes


def test_a_job_is_answered_by_the_example_even_before_it_asks(theatre):
    answer = {"job": "announce", "result": {"sent": False}}

    played = theatre.play(SMALL, with_steps(answer, *STRAIGHT["steps"][:4]))

    assert played.variables["announced"] == {"sent": False}


def test_a_job_can_fail_for_good(theatre):
    answer = {"job": "announce", "fails": "no such address"}

    played = theatre.play(SMALL, with_steps(answer, *STRAIGHT["steps"][:4]))

    assert played.status == "incident"
    assert [incident["element"] for incident in played.incidents] == ["announce"]


def test_an_expected_refusal_is_part_of_the_story(theatre):
    first = STRAIGHT["steps"][0]
    barred = {"do": "review", "by": "lz.officer", "values": {}, "expect_refused": "SOD"}

    assert theatre.play(SMALL, with_steps(first, barred)).refused == ("SOD",)


def test_a_refusal_that_does_not_come_is_told(theatre):
    step = {**STRAIGHT["steps"][0], "expect_refused": "SOD"}

    with pytest.raises(Stuck, match="step 1 do check: expected refusal SOD"):
        theatre.play(SMALL, with_steps(step))


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ({"do": "review", "values": {}}, "no task of review waits"),
        ({"do": "check", "values": {"outcome": "nonsense"}}, "/outcome"),
        ({"do": "check", "by": "app02", "values": {}}, "NOT_FOUND"),
        ({"message": "nothing"}, "MESSAGE_UNEXPECTED"),
        ({"dance": "tango"}, "nobody knows"),
        ({"pass_time": "P1M"}, "expected days"),
    ],
)
def test_where_an_example_gets_stuck_is_told(theatre, step, told):
    with pytest.raises(Stuck, match=told):
        theatre.play(SMALL, with_steps(step))


def test_promises_that_were_not_kept_are_told(theatre):
    promise = {"status": "active", "variables": {"rating": "large"}, "passes": ["fix"], "waits": ["check"]}

    told = differences({"ends": promise}, theatre.play(SMALL, STRAIGHT))

    assert [sentence.split()[0] for sentence in told] == ["status:", "variable", "expected", "expected"]


def test_a_single_drawing_is_played_without_a_package(theatre, tmp_path):
    drawing = tmp_path / "loose.bpmn"
    drawing.write_text(
        '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
        'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" targetNamespace="t" id="d">'
        '<bpmn:process id="Loose_1" isExecutable="true"><bpmn:startEvent id="s"/>'
        '<bpmn:sequenceFlow id="f1" sourceRef="s" targetRef="a"/>'
        '<bpmn:userTask id="a"><bpmn:extensionElements><zeebe:userTask/></bpmn:extensionElements>'
        '</bpmn:userTask><bpmn:sequenceFlow id="f2" sourceRef="a" targetRef="e"/>'
        '<bpmn:endEvent id="e"/></bpmn:process></bpmn:definitions>',
        "utf-8",
    )

    played = theatre.play(drawing, {"steps": [{"do": "a", "by": "anybody", "values": {"x": 1.5}}]})

    assert (played.status, played.passes, played.variables["x"]) == ("completed", ("s", "a", "e"), 1.5)
