"""`tidu rules`: the coverage of what is deployed or lies in a folder, and the rule sets."""

from __future__ import annotations

from tests.story import PACKAGES

LEAVE = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
  xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d" targetNamespace="t">
  <bpmn:process id="leave" isExecutable="true">
    <bpmn:userTask id="review"><bpmn:extensionElements><zeebe:properties>
      <zeebe:property name="clause" value="{clause}"/></zeebe:properties></bpmn:extensionElements>
    </bpmn:userTask>
    <bpmn:scriptTask id="settle"/>
  </bpmn:process>
</bpmn:definitions>
"""


def test_the_coverage_of_what_is_deployed_is_one_document(tidu):
    code, told = tidu("rules coverage --json")
    lines = {line["id"]: line for line in told["clauses"]}

    assert code == (1 if told["silent"] else 0)
    assert {place["process"] for place in lines["F36"]["places"]} >= {"municipal_level"}
    assert (told["unknown"], told["over"], told["stale"]) == ([], [], [])
    assert "F1" in told["not_carried_out"]
    assert "templates.letter" in told["parameters"]["unused"]


def test_people_read_lines(tidu):
    _, told = tidu("rules coverage")

    assert "clauses are carried out" in told
    assert "parameters are asked for by a drawing" in told


def test_a_folder_is_reported_on_without_a_database(tidu_bare):
    code, told = tidu_bare(["rules", "coverage", PACKAGES / "yearly_form", "--json"])

    assert (code, told["silent"], told["elements"]) == (0, [], 2)


def test_an_unknown_clause_and_a_silent_element_are_found(tidu_bare, tmp_path):
    folder = tmp_path / "leave"
    folder.mkdir()
    (folder / "process.bpmn").write_text(LEAVE.format(clause="F99"), "utf-8")

    code, told = tidu_bare(["rules", "coverage", folder, "--json"])

    assert code == 1
    assert [(row["place"], row["clause"]) for row in told["unknown"]] == [("review", "F99")]
    assert [row["place"] for row in told["silent"]] == ["settle"]


def test_a_clause_that_holds_no_longer_is_found(tidu_bare, tmp_path):
    folder = tmp_path / "leave"
    folder.mkdir()
    (folder / "process.bpmn").write_text(LEAVE.format(clause="F67"), "utf-8")

    code, told = tidu_bare(["rules", "coverage", folder, "--json"])

    assert (code, [row["clause"] for row in told["over"]]) == (1, ["F67"])


def test_the_rule_sets_are_listed(tidu):
    code, told = tidu("rules list --json")

    assert code == 0
    assert told[0]["rules"] == "gansu-2026:1"
    assert {row["state"] for row in told} == {"approved"}
