"""Conflict rules as data: what the file must say, and what a drawing may name."""

from __future__ import annotations

import json

import pytest

from engine.errors import BadDefinition
from tests.story import PACKAGES
from workflows.actors.conflict_rules import (
    FILE,
    check_marks,
    conflict_rules,
    marks_of,
    read_conflict_rules,
)
from workflows.library.packages import read_files, read_folder

GOOD = {
    "id": "origin",
    "kind": "origin",
    "name": "来源地回避",
    "name_en": "Origin",
    "about": "与申报单位同地的人员回避。",
    "about_en": "Nobody from the unit's place.",
    "at": ["claim"],
    "source": "D2",
    "inferred": True,
}


def read(**changed: object) -> object:
    return read_conflict_rules(json.dumps({"rules": [GOOD | changed]}).encode())


def test_every_kind_is_there_and_every_rule_is_asked_whenever_a_task_changes_hands():
    rules = conflict_rules().values()

    assert {rule.kind for rule in rules} == {
        "representative",
        "involvement",
        "origin",
        "four_eyes",
        "rule_editor",
    }
    assert all({"assign", "claim", "complete"} <= set(rule.at) for rule in rules)
    assert read_conflict_rules(FILE.read_bytes()) == conflict_rules()


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"kind": "mood"}, "conflict.kind"),
        ({"at": []}, "conflict.moment"),
        ({"at": ["sleep"]}, "conflict.moment"),
        ({"name_en": ""}, "conflict.words"),
        ({"source": ""}, "conflict.words"),
        ({"colour": "red"}, "conflict.file"),
    ],
)
def test_a_file_that_says_nonsense_is_refused(changed, rule):
    with pytest.raises(BadDefinition) as refused:
        read(**changed)

    assert [problem.rule for problem in refused.value.problems] == [rule]


@pytest.mark.parametrize(
    "data", [b"", b"[]", b'{"rules": [1]}', json.dumps({"rules": [GOOD, GOOD]}).encode()]
)
def test_what_is_no_list_of_rules_is_refused(data):
    with pytest.raises(BadDefinition):
        read_conflict_rules(data)


def test_a_group_with_an_at_is_that_of_the_authority():
    rules = read(override=["provincial_leader", "municipal_leader@"])

    assert rules["origin"].overriders("620100") == ("provincial_leader", "municipal_leader@620100")


def test_an_element_names_rules_and_sides():
    marks = marks_of({"conflicts": "origin, review_approval.handling"})

    assert [(mark.rule, mark.side) for mark in marks] == [("origin", ""), ("review_approval", "handling")]
    assert marks_of({}) == ()


@pytest.mark.parametrize(
    ("named", "kind", "rule"),
    [
        ("orign", "userTask", "conflict.unknown"),
        ("review_approval", "userTask", "conflict.side"),
        ("origin.left", "userTask", "conflict.side"),
        ("origin", "serviceTask", "conflict.place"),
    ],
)
def test_what_a_drawing_may_not_name(named, kind, rule):
    problems = list(check_marks("task", kind, {"conflicts": named}))

    assert [problem.rule for problem in problems] == [rule]
    assert all(problem.message and problem.message_zh for problem in problems)


def test_a_drawing_that_names_an_unknown_rule_is_refused_at_deployment(story):
    files = dict(read_folder(PACKAGES / "conflicted_part").files)
    files["process.bpmn"] = files["process.bpmn"].replace(b"review_approval.handling", b"no_such_rule")

    with story.database.begin() as connection, pytest.raises(BadDefinition) as refused:
        story.catalog.deploy(connection, read_files(files, "conflicted_part"), by="owner", at=story.clock())

    (problem,) = (one for one in refused.value.problems if one.severity == "error")
    assert (problem.element, problem.rule) == ("verify", "conflict.unknown")
    assert "no_such_rule" in problem.message_zh
