"""Tasks over REST: lists, claiming, completing, repeated requests, reasons and terms."""

import pytest

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


def test_a_list_has_its_envelope(officer, check_task):
    listed = officer.get("/api/v1/task?queue=claimable").json

    assert set(listed) == {"items", "next", "asOf"}
    assert listed["asOf"] == "2026-03-02T09:00:00.000+08:00"
    (task,) = listed["items"]
    assert task["id"] == check_task
    assert task["name"] == "完整性核查"
    assert task["taskDefinitionKey"] == "check"
    assert task["processInstanceId"] == case_of(check_task)
    assert task["due"] == "2026-03-09T18:00:00.000+08:00"
    assert task["candidateGroups"] == ["municipal_officer@620100"]
    assert task["state"] == "READY"


def test_a_list_is_read_page_by_page(officer, signed_in):
    applicant = signed_in("app01")
    for _ in range(5):
        applicant.api("POST", "/process-definition/key/small_application/start", {"values": FORM})
    seen, cursor = [], ""
    while cursor is not None:
        page = officer.get(
            f"/api/v1/task?queue=claimable&maxResults=2&cursor={cursor}".removesuffix("&cursor=")
        ).json
        seen += [task["id"] for task in page["items"]]
        cursor = page["next"]

    assert len(seen) == len(set(seen)) == 5
    assert officer.get("/api/v1/task/count?queue=claimable").json == {"count": 5, "capped": False}


@pytest.mark.parametrize(
    "query",
    [
        "sortBy=case_id;DROP",
        "sortBy=due)--",
        "queue=*",
        "maxResults=201",
        "maxResults=0",
        "maxResults=1.5",
        "maxResults=１０",
        "firstResult=-1",
        "due=never",
        "sortOrder=sideways",
        "cursor=x",
        "q=" + "x" * 101,
    ],
)
def test_queries_that_mean_nothing_are_refused(officer, query):
    answer = officer.get(f"/api/v1/task?{query}")

    assert answer.status_code == 422, answer.text
    assert answer.json["code"]


def test_claiming_twice_is_the_same_as_once(officer, check_task):
    first = officer.api("POST", f"/task/{check_task}/claim")
    again = officer.api("POST", f"/task/{check_task}/claim")

    assert (first.status_code, again.status_code) == (204, 204)


def test_the_second_claimant_is_told_about_the_first(claimed, signed_in):
    late = signed_in("lz.officer2").api("POST", f"/task/{claimed}/claim")

    assert (late.status_code, late.json["code"]) == (409, "TASK_ALREADY_CLAIMED")
    assert late.json["assignee"] == "lz.officer"
    assert late.json["assignee_name"]
    assert late.json["detail"].endswith("于 2026年3月2日 周一 09:00 认领了该任务。")


def test_completing_answers_what_follows(officer, claimed):
    done = officer.api("POST", f"/task/{claimed}/complete", {"values": {"score": 90}, "outcome": "accepted"})

    assert done.status_code == 200
    assert done.json["state"] == "COMPLETED"
    (following,) = done.json["nextTasks"]
    assert following["taskDefinitionKey"] == "review"
    assert following["name"] == "复核"


def test_typed_values_do_as_well(officer, claimed):
    typed = {
        "score": {"value": "90.5", "type": "Decimal"},
        "outcome": {"value": "accepted", "type": "String"},
    }

    done = officer.api("POST", f"/task/{claimed}/submit-form", {"variables": typed})
    variables = officer.get(f"/api/v1/process-instance/{case_of(claimed)}/variables").json

    assert done.status_code == 200, done.text
    assert variables["factory"] == {"value": "兰州一厂", "type": "String"}
    assert variables["check_result"]["value"]["score"] == 90.5


def test_a_completed_task_is_gone(officer, claimed):
    officer.api("POST", f"/task/{claimed}/complete", {"values": {"score": 90}, "outcome": "accepted"})

    again = officer.api("POST", f"/task/{claimed}/complete", {"values": {"score": 90}, "outcome": "accepted"})
    claim = officer.api("POST", f"/task/{claimed}/claim")

    assert (again.status_code, again.json["code"]) == (410, "TASK_COMPLETED")
    assert again.json["completed_by"] == "lz.officer"
    assert again.json["completed_by_name"] in again.json["detail"]
    assert claim.status_code == 410


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({"score": 101}, "/score"),
        ({"score": "１２"}, "/score"),
        ({"score": True}, "/score"),
        ({"score": [1]}, "/score"),
        ({"score": 90, "assignee": "lz.officer2"}, "/assignee"),
        ({"score": 90, "factory": "another"}, None),
        ({"opinion": {"a": 1}}, "/opinion"),
        ({"opinion": "x" * 501}, "/opinion"),
        ({"opinion": "a‮b"}, "/opinion"),
    ],
)
def test_values_are_judged_by_the_form(officer, claimed, values, pointer):
    answer = officer.api("POST", f"/task/{claimed}/complete", {"values": values, "outcome": "accepted"})

    if pointer is None:  # read-only: what is sent for it is dropped, never taken
        variables = officer.get(f"/api/v1/process-instance/{case_of(claimed)}/variables").json
        assert variables["factory"]["value"] == "兰州一厂"
    else:
        assert answer.status_code == 422
        assert pointer in [error["pointer"] for error in answer.json["errors"]]


def test_a_repeated_request_is_answered_as_the_first_time(officer, claimed):
    said = {"values": {"score": 90}, "outcome": "accepted"}
    first = officer.api("POST", f"/task/{claimed}/complete", said, Idempotency_Key="k-1")
    again = officer.api("POST", f"/task/{claimed}/complete", said, Idempotency_Key="k-1")
    other = officer.api("POST", f"/task/{claimed}/complete", {**said, "outcome": "x"}, Idempotency_Key="k-1")

    assert first.json == again.json
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (other.status_code, other.json["code"]) == (422, "IDEMPOTENCY_REUSED")


def test_the_key_of_one_person_is_not_that_of_another(claimed, officer, signed_in):
    officer.api("POST", f"/task/{claimed}/unclaim", {}, Idempotency_Key="shared")

    answer = signed_in("lz.officer2").api("POST", f"/task/{claimed}/claim", Idempotency_Key="shared")

    assert answer.status_code == 204
    assert "Idempotency-Replayed" not in answer.headers


@pytest.mark.parametrize("key", ["", "x" * 201, "schlüssel", "a\tb"])
def test_keys_that_are_none_are_refused(officer, check_task, key):
    answer = officer.api("POST", f"/task/{check_task}/claim", Idempotency_Key=key)

    assert answer.status_code == 422


def test_get_next_over_the_api(officer, check_task):
    first = officer.api("POST", "/task/claim-next")
    then = officer.api("POST", "/task/claim-next")

    assert first.json["id"] == check_task
    assert first.json["assignee"] == "lz.officer"
    assert (then.status_code, then.json["code"]) == (404, "NOTHING_TO_CLAIM")


def test_why_and_how_long(officer, check_task):
    why = officer.get(f"/api/v1/task/{check_task}/why").json
    due = officer.get(f"/api/v1/task/{check_task}/due-explanation").json

    assert all(verdict["allowed"] for verdict in why["claim"])
    assert any(verdict["code"] == "NOT_ASSIGNEE" for verdict in why["complete"])
    assert due["due"] == "2026-03-09T18:00:00.000+08:00"
    assert due["workingDays"] == 5
    assert due["counted"] == ["2026-03-03", "2026-03-04", "2026-03-05", "2026-03-06", "2026-03-09"]
    assert due["skipped"] == ["2026-03-07", "2026-03-08"]
    assert due["sentences"]


def test_the_form_of_a_task(officer, check_task):
    form = officer.get(f"/api/v1/task/{check_task}/form").json

    assert form["schema"]["id"] == "check"
    assert form["context"]["factory"] == "兰州一厂"
    assert [outcome["value"] for outcome in form["outcomes"]] == ["accepted", "returned_for_correction"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("GET", "/form", None),
        ("GET", "/why", None),
        ("GET", "/due-explanation", None),
        ("GET", "/draft", None),
        ("POST", "/claim", None),
        ("POST", "/unclaim", {}),
        ("POST", "/transfer", {"userId": "jyg.officer", "reason": "because I can"}),
        ("POST", "/delegate", {"userId": "jyg.officer", "question": "because I can"}),
        ("POST", "/complete", {"values": {}, "outcome": "accepted"}),
    ],
)
def test_the_tasks_of_others_are_not_there(signed_in, check_task, method, path, body):
    stranger = signed_in("jyg.officer")

    theirs = stranger.api(method, f"/task/{check_task}{path}", body)
    nobodys = stranger.api(method, f"/task/SM-2026-424242.1{path}", body)

    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.json["title"] == nobodys.json["title"]
