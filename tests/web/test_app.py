"""The house stands: it answers, it says how it is, it tells nobody more than they may know."""

import re

import pytest


def test_it_is_alive_and_ready(visitor):
    assert visitor.get("/healthz").json == {"status": "ok"}
    ready = visitor.get("/readyz").json
    assert ready["status"] == "ok"
    assert re.fullmatch(r"sqlite 3\.\d+\.\d+, journal mode wal", ready["database"])


def test_it_is_not_ready_without_its_tables(tmp_path, settings_of, clock):
    from web.app import create_app

    app = create_app(settings_of(tmp_path), clock=clock)

    answer = app.test_client().get("/readyz")

    assert (answer.status_code, answer.json["missing"]) == (503, "database")
    app.extensions["tidu"].database.dispose()


def test_it_counts_what_it_answers(visitor):
    visitor.get("/healthz")

    assert (
        'tidu_requests_total{endpoint="health.alive",method="GET",status="200"}'
        in visitor.get("/metrics").text
    )


@pytest.mark.parametrize(
    "person", ["app01", "lz.officer", "prov.leader", "owner", "auditor", "admin", "expert1"]
)
def test_everybody_has_a_first_page(signed_in, person):
    answer = signed_in(person).get("/", follow_redirects=True)

    assert answer.status_code == 200, answer.text
    assert "退出" in answer.text


def test_an_unknown_page_is_404_in_words(signed_in):
    answer = signed_in("lz.officer").get("/nowhere")

    assert answer.status_code == 404
    assert "没有找到" in answer.text
    assert "Traceback" not in answer.text


def test_an_unknown_address_of_the_api_is_a_problem(visitor):
    answer = visitor.get("/api/v1/nowhere")

    assert answer.status_code == 404
    assert answer.content_type.startswith("application/problem+json")
    assert answer.json["code"] == "NOT_FOUND"
    assert answer.json["traceId"] == answer.headers["X-Trace-Id"]


def test_what_fails_behind_the_answer_does_not_take_it_back(app, signed_in, check_task, caplog):
    """The command is committed before its answer is made; only then is the request torn down."""
    officer = signed_in("lz.officer")
    officer.api("POST", f"/task/{check_task}/claim")
    accept = {"values": {"opinion": "齐全", "score": 90}, "outcome": "accepted"}

    def fails(_):
        raise RuntimeError("too late")

    csrf = officer.csrf
    app.teardown_request_funcs[None] = [fails]
    answer = officer.client.post(
        f"/api/v1/task/{check_task}/complete", json=accept, headers={"X-CSRFToken": csrf}
    )
    app.teardown_request_funcs.clear()

    assert answer.status_code == 200, answer.text
    assert "too late" in caplog.text
