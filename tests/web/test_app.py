"""The house stands: it answers, it says how it is, it tells nobody more than they may know."""

import pytest


def test_it_is_alive_and_ready(visitor):
    assert visitor.get("/healthz").json == {"status": "ok"}
    assert visitor.get("/readyz").json == {"status": "ok"}


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
