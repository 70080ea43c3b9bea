"""A global task in the hands of people: its task, its form and its place are those of the file's process."""

from __future__ import annotations

import pytest

from workflows.workshop.play import Theatre

DRAWING = """<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
  xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" targetNamespace="t">
  <bpmn:process id="shared_review" isExecutable="true">
    <bpmn:extensionElements><zeebe:properties>
      <zeebe:property name="started_by" value="municipal_officer"/></zeebe:properties>
    </bpmn:extensionElements>
    <bpmn:callActivity id="call"><bpmn:extensionElements>
      <zeebe:calledElement processId="opinion"/></bpmn:extensionElements></bpmn:callActivity>
  </bpmn:process>
  <bpmn:globalUserTask id="opinion" name="意见"><bpmn:extensionElements><zeebe:userTask/>
    <zeebe:assignmentDefinition candidateGroups="municipal_officer@620100"/></bpmn:extensionElements>
  </bpmn:globalUserTask></bpmn:definitions>"""


@pytest.fixture
def path(tmp_path):
    drawing = tmp_path / "shared_review.bpmn"
    drawing.write_text(DRAWING, encoding="utf-8")
    return drawing


def test_it_waits_for_a_person_and_ends_the_call(path):
    steps = [{"do": "opinion", "by": "lz.officer", "values": {"agreed": True}}]
    played = Theatre().play(path, {"process": "shared_review", "steps": steps})

    assert (played.status, played.passes) == ("completed", ("opinion", "call"))
    assert played.variables["agreed"] is True
