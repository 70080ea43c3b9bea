"""The REST API as its description says it: tasks, cases, history, decisions, people, calendar."""

import json

import pytest
from openapi_spec_validator import validate

FORM = {"factory": "兰州一厂", "energy": 1250.5, "truthful": True}


@pytest.fixture
def officer(signed_in):
    return signed_in("lz.officer")


@pytest.fixture
def claimed(officer, check_task):
    officer.api("POST", f"/task/{check_task}/claim")
    return check_task


def case_of(task_id):
    return task_id.rpartition(".")[0]


def test_the_description_is_valid_openapi(visitor):
    described = visitor.get("/api/v1/openapi.json").json

    assert described["openapi"] == "3.1.0"
    validate(described)


def test_every_operation_is_described(visitor):
    paths = visitor.get("/api/v1/openapi.json").json["paths"]
    operations = [
        operation for path in paths.values() for name, operation in path.items() if name != "parameters"
    ]

    assert len(operations) > 50
    assert [o for o in operations if not o.get("summary")] == []


# --- cases and their past ----------------------------------------------------------------------------


def test_starting_a_case(signed_in):
    applicant = signed_in("app01")

    started = applicant.api("POST", "/process-definition/key/small_application/start", {"values": FORM})
    found = applicant.get(started.headers["Location"]).json

    assert started.status_code == 201
    assert found["id"] == started.json["id"]
    assert found["unit"]["id"] == "u01"
    assert found["region"]["id"] == "620100"
    assert found["status"] == "active"


def test_nobody_starts_a_case_for_another_unit(signed_in, officer):
    start = "/process-definition/key/small_application/start"

    other = signed_in("app01").api("POST", start, {"values": FORM, "unit": "u02"})
    by_office = officer.api("POST", start, {"values": FORM, "unit": "u01"})

    assert (other.status_code, other.json["code"]) == (403, "OUT_OF_SCOPE")
    assert (by_office.status_code, by_office.json["code"]) == (403, "NOT_STARTER")


@pytest.mark.parametrize(
    "extra", [{"case_id": "x"}, {"created_by": "x"}, {"rules": {}}, {"values": FORM, "status": 1}]
)
def test_nothing_is_slipped_into_a_start(signed_in, extra):
    answer = signed_in("app01").api("POST", "/process-definition/key/small_application/start", extra)

    assert answer.status_code == 422


def test_the_past_is_told_entry_by_entry(officer, check_task):
    address = f"/api/v1/history/process-instance/{case_of(check_task)}"
    first = officer.get(f"{address}/event?maxResults=2").json
    rest = officer.get(f"{address}/event?after={first['next']}").json

    assert [event["seq"] for event in first["items"]] == [1, 2]
    assert first["items"][0]["type"] == "CaseStarted"
    assert "发起了案件" in first["items"][0]["sentence"]
    assert rest["items"][0]["seq"] == 3
    assert rest["next"] is None


def test_a_case_as_it_stood(officer, claimed):
    address = f"/api/v1/history/process-instance/{case_of(claimed)}/state"
    now, then = officer.get(address).json, officer.get(f"{address}?seq=1").json

    assert then["tasks"] == []
    assert now["tasks"][0]["assignee"] == "lz.officer"
    assert now["marks"]["active"] == ["check"]
    assert officer.get(f"{address}?seq=999").status_code == 404


def test_only_an_auditor_verifies(officer, signed_in, check_task):
    address = f"/history/process-instance/{case_of(check_task)}/verify"

    assert officer.api("POST", address).status_code == 403
    found = signed_in("auditor").api("POST", address).json
    assert (found["ok"], found["code"], found["findings"]) == (True, "V-OK", [])


@pytest.mark.parametrize("path", ["", "/variables", "/activity-instances", "/marks"])
def test_the_cases_of_others_are_not_there(signed_in, application, path):
    assert signed_in("app02").get(f"/api/v1/process-instance/{application}{path}").status_code == 404
    assert signed_in("admin").get(f"/api/v1/process-instance/{application}{path}").status_code == 404
    assert signed_in("auditor").get(f"/api/v1/process-instance/{application}{path}").status_code == 200


def test_lists_do_not_leak_either(signed_in, application):
    for person in ("app02", "jyg.officer", "admin", "owner"):
        listed = signed_in(person).get("/api/v1/process-instance?region=620100&unit=u01").json

        assert listed["items"] == []


def test_suspending_needs_a_leader_and_a_reason(officer, signed_in, application):
    address = f"/process-instance/{application}/suspended"
    wish = {"suspended": True, "reason": "等待调查结论"}

    assert officer.api("PUT", address, wish).status_code == 403
    leader = signed_in("lz.leader")
    assert leader.api("PUT", address, {**wish, "reason": "无"}).status_code == 422
    assert leader.api("PUT", address, wish).json["status"] == "suspended"
    assert leader.api("PUT", address, {"suspended": False, "reason": "调查已结束"}).json["status"] == "active"


def test_a_message_nobody_waits_for(signed_in, application):
    answer = signed_in("app01").api(
        "POST", f"/process-instance/{application}/messages", {"messageName": "good morning"}
    )

    assert answer.status_code in (403, 409)
    assert answer.json["code"]


# --- definitions, decisions, models ------------------------------------------------------------------


def test_definitions_and_their_drawings(officer):
    listed = officer.get("/api/v1/process-definition").json["items"]
    found = officer.get("/api/v1/process-definition/key/small_application").json
    drawing = officer.get(f"/api/v1/process-definition/{found['id']}/xml")

    assert [one["key"] for one in listed] == ["small_application"]
    assert found["version"] == 1
    assert drawing.content_type.startswith("application/xml")
    assert drawing.data.startswith(b"<?xml")
    assert officer.get("/api/v1/process-definition/small_application:9/xml").status_code == 404
    assert officer.get("/api/v1/process-definition/../etc:1/xml").status_code == 404


def test_a_draft_passes_through_two_pairs_of_hands(signed_in):
    owner, approver = signed_in("owner"), signed_in("approver")
    model = "/process-model/small_application/draft"
    begun = owner.api("POST", model, {"base": 1})
    files = owner.get(f"/api/v1{model}").json["files"]
    changed = {"process.bpmn": files["process.bpmn"].replace("完整性核查", "材料核查")}

    blind = owner.api("PUT", model, {"files": changed})
    saved = owner.api("PUT", model, {"files": changed}, If_Match='"1"')
    stale = owner.api("PUT", model, {"files": changed}, If_Match='"1"')
    checked = owner.api("POST", f"{model}/validate")
    accepted = {
        f"{problem['rule']}:{problem['element']}": "已知悉，可以接受"
        for problem in checked.json["problems"]
        if problem["severity"] == "warning"
    }
    revision = {"If_Match": saved.headers["ETag"]}
    wish = {"note": "改名：材料核查", "accepted": accepted}
    submitted = owner.api("POST", f"{model}/submit", wish, **revision)
    own = owner.api("POST", f"{model}/approve", {"reason": "我自己看过了，没有问题"}, **revision)
    approved = approver.api("POST", f"{model}/approve", {"reason": "核对无误，同意发布"}, **revision)
    published = approver.api("POST", f"{model}/publish", {}, **revision)

    assert begun.status_code == 201, begun.text
    assert blind.status_code == 428
    assert (saved.status_code, stale.status_code) == (200, 412)
    assert checked.json["deployable"] is True
    assert submitted.status_code == 200, submitted.text
    assert own.status_code == 403
    assert approved.status_code == 200, approved.text
    assert (published.status_code, published.json["version"]) == (201, 2), published.text


def test_officers_do_not_touch_models(officer):
    assert officer.api("POST", "/process-model/small_application/draft", {"base": 1}).status_code == 403


# --- people, calendar --------------------------------------------------------------------------------


def test_who_am_i(officer):
    me = officer.get("/api/v1/user/me").json

    assert me["id"] == "lz.officer"
    assert me["region"] == "620100"
    assert "municipal_officer@620100" in me["groups"]


def test_reckoning_in_working_days(officer):
    due = officer.api("POST", "/calendar/compute", {"start": "2026-04-30T09:00:00+08:00", "days": 1}).json
    between = officer.api(
        "POST", "/calendar/compute", {"start": "2026-04-30T09:00:00+08:00", "end": "2026-05-06"}
    ).json

    assert due["due"] == "2026-05-06T18:00:00.000+08:00", "Labour Day lies between"
    assert due["provisional"] is False
    assert between["workingDays"] == 1


@pytest.mark.parametrize(
    "wish",
    [
        {"start": "2026-04-30"},
        {"start": "2026-04-30T09:00:00", "days": 1},
        {"start": "2026-02-30T09:00:00+08:00", "days": 1},
        {"start": "2026-04-30T09:00:00+08:00", "days": 10**9},
        {"start": "2026-04-30T09:00:00+08:00", "days": "１"},
        {"start": "2026-04-30T09:00:00+08:00", "days": 1, "calendar": "../../etc"},
        {"start": "9999-12-31T23:59:59-12:00", "days": 5},
        {"start": "0001-01-01T00:00:00+14:00", "days": 5},
    ],
)
def test_reckonings_that_cannot_be_done_are_refused(officer, wish):
    answer = officer.api("POST", "/calendar/compute", wish)

    assert answer.status_code in (404, 422), answer.text


def test_answers_are_json_that_everybody_reads(officer, check_task):
    for path in ("/task", f"/task/{check_task}/form", "/user/me", "/process-definition"):
        answer = officer.get(f"/api/v1{path}")

        json.loads(answer.data, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
