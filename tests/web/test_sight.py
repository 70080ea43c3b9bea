"""Who looks how deep into a case: offices and auditors inside, everybody else at their own part."""

import pytest


@pytest.fixture
def reviewed(app, signed_in, application):
    """A case whose completeness was checked by lz.officer; answers its id and that task's."""
    officer = signed_in("lz.officer")
    task = officer.post("/inbox/claim-next").location
    officer.post(task, {"outcome": "accepted", "opinion": "内部意见：勉强可以", "score": "61"})
    return application, task.rpartition("/")[2]


@pytest.mark.parametrize("person", ["lz.officer2", "lz.county", "prov.officer", "auditor"])
def test_offices_and_auditors_look_inside(signed_in, reviewed, person):
    case_id, _ = reviewed
    reader = signed_in(person)

    assert "内部意见" in reader.get(f"/case/{case_id}?tab=data").text
    assert reader.get(f"/api/v1/process-instance/{case_id}/variables").status_code == 200
    assert reader.get(f"/api/v1/history/process-instance/{case_id}/event").status_code == 200


def test_the_applicant_sees_where_it_stands_and_the_own_part(signed_in, reviewed):
    case_id, _ = reviewed
    applicant = signed_in("app01")
    course = applicant.get(f"/case/{case_id}").text

    assert "复核" in course
    assert "发起了案件" in course
    assert "完成了【完整性核查】" not in course
    assert "兰州一厂" in applicant.get(f"/case/{case_id}?tab=data").text
    for tab in ("course", "data", "diagram", "history"):
        assert "内部意见" not in applicant.get(f"/case/{case_id}?tab={tab}").text


def test_the_applicant_cannot_open_the_tasks_of_offices(signed_in, reviewed):
    _, task = reviewed
    applicant = signed_in("app01")

    for address in (
        f"/task/{task}",
        f"/task/{task}?tab=materials",
        f"/task/{task}/transfer",
        f"/api/v1/task/{task}",
        f"/api/v1/task/{task}/form",
        f"/api/v1/task/{task}/why",
        f"/api/v1/task/{task}/draft",
        f"/api/v1/task/{task}/due-explanation",
    ):
        answer = applicant.get(address)

        assert answer.status_code == 404, address
        assert "内部意见" not in answer.text


@pytest.mark.parametrize("path", ["process-instance/{}/variables", "process-instance/{}/activity-instances"])
@pytest.mark.parametrize(
    "inner", [None, "history/process-instance/{}/event", "history/process-instance/{}/state"]
)
def test_the_api_keeps_the_inside_in(signed_in, reviewed, path, inner):
    case_id, _ = reviewed

    answer = signed_in("app01").get("/api/v1/" + (inner or path).format(case_id))

    assert (answer.status_code, answer.json["code"]) == (403, "INSIDE_ONLY")
    assert "内部意见" not in answer.text


def test_what_an_applicants_own_task_shows_is_what_its_form_names(signed_in, application):
    officer, applicant = signed_in("lz.officer"), signed_in("app01")
    check = officer.post("/inbox/claim-next").location
    returned = {"outcome": "returned_for_correction", "opinion": "缺少能源审计报告", "score": "40"}
    officer.post(check, returned)
    correct = applicant.post("/inbox/claim-next").location.rpartition("/")[2]

    form = applicant.get(f"/api/v1/task/{correct}/form").json

    assert form["schema"]["id"] == "correct"
    assert "check_result" not in form["context"]
    assert "unit" not in form["context"]
