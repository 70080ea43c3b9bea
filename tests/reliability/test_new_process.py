"""A new process is a folder: copied, renamed, deployed into a house that runs, and started over REST."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.reliability.installation import CHECKOUT
from tests.reliability.test_kills import eventually

MODEL = CHECKOUT / "bpmn" / "green_factory"
OLD, NEW = "green_factory", "green_village"


@pytest.fixture
def copied(tmp_path):
    """The green factory's folder under another name; what it calls stays as it is."""
    folder = shutil.copytree(MODEL, tmp_path / NEW)
    drawing = folder / "process.bpmn"
    text = drawing.read_text(encoding="utf-8")
    renamed = text.replace(f'process id="{OLD}"', f'process id="{NEW}"')
    renamed = renamed.replace(f'processRef="{OLD}"', f'processRef="{NEW}"')
    renamed = renamed.replace(f'bpmnElement="{OLD}"', f'bpmnElement="{NEW}"')
    assert renamed != text
    drawing.write_text(renamed, encoding="utf-8")
    return folder


def test_a_copied_folder_with_a_new_id_starts_over_rest_without_any_python(served, copied):
    example = json.loads((MODEL / "examples" / "straight_to_national.json").read_text(encoding="utf-8"))
    first = example["steps"][0]
    assert served.tidu("init").returncode == 0

    deployed = served.tidu("deploy", copied)
    started = served.api(
        "POST",
        f"/process-definition/key/{NEW}/start",
        {"values": example["start"]["values"]},
        by=example["start"]["by"],
    )

    assert (deployed.returncode, deployed.stdout.strip()) == (0, f"{NEW}:1"), deployed.stderr
    assert started.status == 201, started.body
    assert started.body["definitionKey"] == NEW
    (task,) = waiting(served, started.body["id"], by=first["by"])
    assert task["taskDefinitionKey"] == first["do"]
    assert served.api("POST", f"/task/{task['id']}/claim", by=first["by"]).status == 204
    case = served.api("GET", f"/process-instance/{started.body['id']}", by=first["by"])
    assert (case.body["definitionId"], case.body["status"]) == (f"{NEW}:1", "active")
    again = served.tidu("deploy", copied)
    assert again.stdout.strip() == f"{NEW}:1"


def waiting(house, case_id, by):
    """What this person's inbox shows of the case once its first jobs are done; a worker does them."""

    def look():
        listed = house.api("GET", "/task?queue=open", by=by).body["items"]
        return [task for task in listed if task["processInstanceId"] == case_id]

    worker = house.start("worker")
    try:
        return eventually(look, "no task ever came")
    finally:
        worker.kill()
