"""Too many at once: so many work, so many wait, and whoever comes then is told to come again."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.errors import Rejected
from web import admission
from web.admission import Lane
from workflows.actors import passwords

START = "/api/v1/process-definition/key/small_application/start"


def lane(**more):
    return Lane(**{"name": "test", "at_work": 2, "waiting": 1, "patience": 60.0, **more})


@pytest.fixture
def narrow(app):
    """The house with one lane for each kind in which one works and nobody waits."""
    lanes = {name: lane(name=name, at_work=1, waiting=0) for name in admission.lanes_of(room(app))}
    app.extensions[admission.EXTENSION] = lanes
    return lanes


def room(app):
    return app.extensions["tidu"].settings


def test_whoever_comes_when_all_places_are_taken_is_sent_away_at_once():
    full = lane(waiting=0)
    full.enter()
    full.enter()

    with pytest.raises(Rejected) as refused:
        full.enter()

    assert refused.value.code == "OVERLOADED"


def test_whoever_waits_gets_the_next_turn():
    busy, inside = lane(at_work=1), threading.Event()
    busy.enter()
    with ThreadPoolExecutor(1) as pool:
        waits = pool.submit(lambda: (busy.enter(), inside.set()))
        assert not inside.is_set()
        busy.leave()
        waits.result(timeout=60)

    assert inside.is_set()


def test_whoever_waited_in_vain_is_sent_away_and_leaves_no_place_taken():
    busy = lane(at_work=1, patience=0.01)
    busy.enter()
    for _ in range(3):
        with pytest.raises(Rejected):
            busy.enter()
    busy.leave()

    busy.enter()


def test_a_changing_request_too_many_is_told_when_to_come_again(narrow, signed_in):
    applicant = signed_in("app01")
    narrow["writes"].enter()

    refused = applicant.api("POST", "/process-definition/key/small_application/start", {"values": {}})

    assert (refused.status_code, refused.json["code"]) == (503, "OVERLOADED")
    assert refused.headers["Retry-After"] == str(admission.RETRY_AFTER)
    assert refused.json["detail"] == "本次请求未被受理，内容没有提交。请稍后再试。"
    assert applicant.get("/api/v1/task").status_code == 200, "inboxes open while completions queue"


def test_a_page_too_many_says_so_in_both_languages(narrow, visitor):
    narrow["reads"].enter()

    chinese, english = (
        visitor.get("/login", headers={"Accept-Language": tongue}) for tongue in ("zh-CN", "en")
    )

    assert (chinese.status_code, english.status_code) == (503, 503)
    assert "同时办理的人太多" in chinese.text
    assert "Too many at once" in english.text


def test_who_looks_after_the_house_gets_in_all_the_same(narrow, visitor):
    for one in narrow.values():
        one.enter()

    told = visitor.get("/metrics").text

    assert visitor.get("/readyz").status_code == 200
    assert 'tidu_lane_at_work{lane="writes"}' in told


def test_every_turn_ends_whatever_comes_of_the_request(app, narrow, signed_in):
    visitor = signed_in("app01")

    for address in ("/inbox", "/nowhere", "/api/v1/task/none", "/api/v1/task?sortBy=none"):
        visitor.get(address)
    app.view_functions["tasks.find"] = lambda: 1 / 0
    assert visitor.get("/api/v1/task").status_code == 500

    assert visitor.get("/login?next=/help").status_code == 303


@pytest.mark.parametrize(
    ("method", "address", "more", "expected"),
    [
        ("GET", "/api/v1/task", {}, "reads"),
        ("POST", START, {"json": {}}, "writes"),
        ("POST", "/login", {"data": {"account": "x"}}, "sign_ins"),
        ("POST", "/api/v1/evidence", {"data": b"x" * 2_000_000}, "uploads"),
        ("POST", "/api/v1/evidence", {"headers": {"Transfer-Encoding": "chunked"}}, "uploads"),
        ("GET", "/healthz", {}, ""),
        ("GET", "/static/icon.svg", {}, ""),
    ],
)
def test_each_kind_of_request_has_its_lane(app, method, address, more, expected):
    with app.test_request_context(address, method=method, **more) as context:
        assert admission.lane_of(context.request) == expected


def test_a_server_has_a_thread_for_everybody_who_may_work_or_wait(app):
    lanes = admission.lanes_of(room(app)).values()

    assert admission.threads_for(room(app)) > sum(one.at_work + one.waiting for one in lanes)


def test_a_password_that_cannot_be_measured_for_want_of_memory_counts_as_no_failure(
    app, visitor, monkeypatch
):
    monkeypatch.setattr(passwords, "_HASHER", Forgetful())

    refused = visitor.sign_in("app01")

    assert refused.status_code == 503
    monkeypatch.undo()
    assert visitor.sign_in("app01").status_code == 303


class Forgetful:
    """argon2 as it is where no memory is to be had."""

    def verify(self, hashed, password):
        raise passwords.argon2.exceptions.VerificationError("Memory allocation error")
