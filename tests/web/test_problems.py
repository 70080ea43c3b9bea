"""Every refusal is an answer: RFC 9457 for programs, words for people, and never our insides."""

import errno
import io
import os

import pytest
from flask import Flask

from engine import errors, tables
from engine.errors import BadDefinition, FieldError, InvalidInput, NotAllowed, NotFound, Problem, WrongState
from web import problems
from web.codes import CODES
from web.problems import STATUS_OF_CODE, refusal_of, status_of
from web.wire import Malformed


def kinds_of_refusal():
    found = [errors.Rejected]
    for kind in found:
        found += kind.__subclasses__()
    return sorted(
        {kind for kind in found if kind.__module__ == "engine.errors"}, key=lambda kind: kind.__name__
    )


@pytest.mark.parametrize("kind", kinds_of_refusal())
def test_every_kind_of_refusal_has_its_status(kind):
    assert kind in problems.STATUS
    assert 400 <= status_of(kind("no")) < 500


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound("x"), 404),
        (NotAllowed("x"), 403),
        (WrongState("x"), 409),
        (errors.StaleCase("x"), 409),
        (InvalidInput("x"), 422),
        (BadDefinition(()), 422),
        (Malformed("x"), 400),
        (WrongState("x", code="TASK_COMPLETED"), 410),
        (WrongState("x", code="CASE_BUSY"), 503),
        (WrongState("x", code="DRAFT_STALE"), 412),
        (WrongState("x", code="TASK_ALREADY_CLAIMED"), 409),
        (problems.NotSignedIn("x"), 401),
        (problems.PreconditionFailed("x", code="PRECONDITION_REQUIRED"), 428),
    ],
)
def test_the_table_of_statuses(error, status):
    assert status_of(error) == status


@pytest.fixture
def asked(app):
    """A request of a program that reads Chinese or English."""

    def ask(language):
        return app.test_request_context("/api/v1/x", headers={"Accept-Language": language})

    return ask


def test_a_refusal_is_told_in_the_language_of_the_asker(asked):
    refused = WrongState(
        "task 1 is already claimed by mara",
        code="TASK_ALREADY_CLAIMED",
        assignee_name="马拉",
        claimed_at="2026-08-21T02:42:07+00:00",
        message_zh="马拉 已认领该任务",
    )

    with asked("zh-CN"):
        chinese = refusal_of(refused).body()
    with asked("en"):
        english = refusal_of(refused).body()

    assert chinese["title"] == "任务已被认领"
    assert chinese["detail"] == "马拉 于 2026年8月21日 周五 10:42 认领了该任务。"
    assert english["title"] == "The task is already claimed"
    assert english["detail"] == "马拉 claimed it at Fri 21 Aug 2026 10:42."
    assert chinese["type"] == "/problems/task-already-claimed"
    assert "message_zh" not in chinese


def test_a_sentence_whose_facts_are_missing_falls_back_to_the_refusals_own(asked):
    with asked("zh-CN"):
        told = refusal_of(WrongState("held", code="TASK_ALREADY_CLAIMED", message_zh="已有人认领")).body()

    assert told["detail"] == "已有人认领"


def test_every_fault_of_a_form_is_told_with_its_pointer(asked):
    fields = (
        FieldError(pointer="/energy", code="min", message="at least 0", message_zh="不小于0"),
        FieldError(pointer="/products/0/name", code="required", message="required", message_zh="此项必填"),
    )
    with asked("zh-CN"):
        told = refusal_of(InvalidInput("2 fields", fields=fields)).body()

    assert told["errors"] == [
        {"pointer": "/energy", "code": "min", "message": "不小于0"},
        {"pointer": "/products/0/name", "code": "required", "message": "此项必填"},
    ]


def test_every_problem_of_a_package_is_told_with_its_element(asked):
    found = Problem(element="check", rule="task.outcome", severity="error", message="none", message_zh="无")
    with asked("en"):
        told = refusal_of(BadDefinition((found,))).body()

    assert told["code"] == "BAD_DEFINITION"
    assert told["errors"] == [
        {"element": "check", "rule": "task.outcome", "severity": "error", "message": "none"}
    ]


def test_every_code_has_both_languages():
    for code, words in CODES.items():
        assert words.zh, code
        assert words.en, code
        assert bool(words.detail_zh) == bool(words.detail_en), code
    assert set(STATUS_OF_CODE) <= CODES.keys()


def test_a_fault_of_ours_shows_its_number_and_nothing_else(app: Flask, visitor, caplog):
    def fails():
        raise RuntimeError("the secret of the house")

    app.view_functions["health.alive"] = fails

    page = visitor.get("/healthz")
    program = visitor.get("/healthz", headers={"Accept": "application/json"})

    for answer in (page, program):
        assert answer.status_code == 500
        assert "secret of the house" not in answer.text
        assert "Traceback" not in answer.text
        assert answer.headers["X-Trace-Id"] in answer.text
    assert page.headers["X-Trace-Id"] in caplog.text, "an operator finds it by its number"


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"[" * 100_000, "application/json", 400),
        (b'{"name": NaN}', "application/json", 400),
        (b'{"name": "a", "name": "b"}', "application/json", 400),
        (b'{"name": "\\u0000"}', "application/json", 400),
        (b'{"name": "\\ud800"}', "application/json", 400),
        (b"{", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b'{"name": "x", "days": ' + b"9" * 5000 + b"}", "application/json", 400),
        (b'{"name": "x", "days": 1.9}', "application/json", 422),
        (b'{"name": "x", "days": "12"}', "application/json", 422),
        (b'{"name": "x", "days": true}', "application/json", 422),
        (b'{"name": "x", "role": "admin"}', "application/json", 422),
        (b'{"name": ""}', "application/json", 422),
        (b"[]", "application/json", 422),
        (b'"x"', "application/json", 422),
        (b"null", "application/json", 422),
        (b"", "application/json", 422),
        (b'{"name": "x"}', "text/plain", 415),
        (b"x" * (5 * 1024 * 1024), "application/json", 413),
    ],
    ids=range(19),
)
def test_bodies_that_mean_harm_are_refused_in_order(signed_in, body, kind, status):
    visitor = signed_in("lz.officer")

    answer = visitor.client.post(
        "/api/v1/user/me/token", data=body, content_type=kind, headers={"X-CSRFToken": visitor.csrf}
    )

    assert answer.status_code == status, answer.text
    assert answer.content_type.startswith("application/problem+json")
    assert answer.json["status"] == status
    assert answer.json["code"]


def test_who_waits_too_long_for_another_writer_is_asked_to_come_again(
    app, signed_in, check_task, monkeypatch
):
    visitor = signed_in("lz.officer")
    database = app.extensions["tidu"].database
    database.dispose()
    monkeypatch.setattr(tables, "BUSY_MS", 50)

    with database.begin():
        answer = visitor.api("POST", f"/task/{check_task}/claim")
        assert visitor.get("/inbox").status_code == 200, "who reads does not wait for who writes"

    assert (answer.status_code, answer.json["code"]) == (503, "CASE_BUSY")
    assert answer.headers["Retry-After"] == "1"
    assert visitor.api("POST", f"/task/{check_task}/claim").status_code == 204


@pytest.mark.parametrize(
    ("number", "code"),
    [(errno.ENOSPC, "STORAGE_FULL"), (errno.EIO, "STORAGE_FAILED"), (errno.ENOENT, "FAULT")],
)
def test_what_the_system_says_of_its_disk_is_told(app, visitor, number, code):
    def fails():
        raise OSError(number, os.strerror(number))

    app.view_functions["health.alive"] = fails

    answer = visitor.get("/healthz", headers={"Accept": "application/json"})

    assert answer.json["code"] == code
    assert answer.status_code == (500 if code == "FAULT" else 503)


def test_a_wrong_method_says_which_are_right(signed_in):
    answer = signed_in("lz.officer").get("/api/v1/calendar/compute")

    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


def test_a_body_larger_than_the_house_is_refused(signed_in, app):
    visitor = signed_in("lz.officer")
    csrf = visitor.csrf
    app.config["MAX_CONTENT_LENGTH"] = 1000

    answer = visitor.client.post("/api/v1/evidence", data=b"x" * 2000, headers={"X-CSRFToken": csrf})

    assert answer.status_code == 413


def test_a_body_of_untold_length_is_read_no_further_than_any_other(signed_in):
    visitor = signed_in("lz.officer")
    told = {"X-CSRFToken": visitor.csrf, "Transfer-Encoding": "chunked"}
    ends = {"wsgi.input_terminated": True}

    def sent(body):
        return visitor.client.post(
            "/api/v1/user/me/token",
            input_stream=io.BytesIO(body),
            content_type="application/json",
            headers=told,
            environ_overrides=ends,
        )

    assert sent(b"x" * (5 * 1024 * 1024)).status_code == 413
    assert sent(b'{"name": ""}').status_code == 422
