"""A failed step is shown to those who answer for the machine, and tried again with a reason."""

import json

import pytest

from web.settings import CHECKOUT
from workflows.library.packages import read_folder
from workflows.register.batches import load_batches

REGISTERING = CHECKOUT / "bpmn" / "cultivation"


@pytest.fixture
def incident(app, signed_in, clock):
    """The id of the job that failed when a registration was looked up in the register."""
    rooms = app.extensions["tidu"]
    with rooms.database.begin() as connection:
        load_batches(connection, now=clock())
        rooms.catalog.deploy(connection, read_folder(REGISTERING), by="system", at=clock())
    told = json.loads((REGISTERING / "examples" / "admitted.json").read_text("utf-8"))
    started = signed_in("app01").api(
        "POST", "/process-definition/key/cultivation/start", {"values": told["start"]["values"]}
    )
    assert started.status_code == 201, started.text
    (job,) = standing(rooms, started.json["id"]).jobs
    rooms.commands.fail_job(job, "the register is locked")
    return job


def standing(rooms, case_id):
    return rooms.history.state(case_id, len(rooms.history.timeline(case_id))).standing


def test_the_administrator_sees_what_failed_and_has_it_tried_again(app, signed_in, incident):
    admin = signed_in("admin")
    assert "the register is locked" in admin.get("/incidents").text

    answer = admin.post(f"/incidents/{incident}/resolve", {"reason": "已解除锁定"}, follow_redirects=True)

    assert "已重新执行该步骤" in answer.text
    assert "the register is locked" not in answer.text
    case_id = incident.rpartition(".")[0]
    assert incident in standing(app.extensions["tidu"], case_id).jobs


def test_a_reason_is_asked_for(signed_in, incident):
    answer = signed_in("admin").post(f"/incidents/{incident}/resolve", {"reason": ""}, follow_redirects=True)

    assert "the register is locked" in answer.text


@pytest.mark.parametrize("person", ["lz.officer", "auditor", "app01"])
def test_incidents_are_not_for_everybody(signed_in, person):
    assert signed_in(person).get("/incidents").status_code == 403
