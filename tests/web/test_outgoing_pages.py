"""Administrators see what leaves the house and what could not, by page, API and alarm; nobody else does."""

from __future__ import annotations

import pytest

from workflows.store.leases import set_aside, take
from workflows.store.tables import timers
from workflows.transaction.outbox import delivery_log, outbox
from workflows.work.worker import LEASE

KEY = "SM-2026-000001.7.webhook.wh1"


@pytest.fixture
def failed(app, clock):
    """A dispatch that failed for good, with a line in the log."""
    mine = {"case_id": "SM-2026-000001", "number": "7.webhook.wh1"}
    row = {"seq": 7, "channel": "webhook", "outlet": "wh1", "content": {"type": "bpm.task.claimed.v1"}}
    row |= {"state": "failed", "attempts": 15, "trouble": "503: <b>busy</b>", "created_at": clock()}
    line = {"fence": 1, "at": clock(), "outcome": "failed", "status": "503", "answer": "<b>busy</b>"}
    with app.extensions["tidu"].database.begin() as connection:
        connection.execute(outbox.insert().values(**mine, **row, next_at=clock()))
        connection.execute(delivery_log.insert().values(**mine, **line, milliseconds=12))
    return KEY


@pytest.fixture
def aside(app, clock, application):
    """A timer of a running case that was set aside."""
    item = f"{application}.99"
    with app.extensions["tidu"].database.begin() as connection:
        terms = {"holder": "w", "now": clock(), "span": LEASE}
        (lease,) = take(connection, [(application, item)], **terms)
        set_aside(connection, lease, now=clock(), trouble="ReplayMismatch: poison")
    return item


def test_the_page_lists_what_failed_and_shows_every_attempt(signed_in, failed):
    admin = signed_in("admin")

    assert KEY in admin.get("/outgoing?state=failed").text
    assert KEY not in admin.get("/outgoing?state=sent").text
    page = admin.get(f"/outgoing/{KEY}").text
    assert "503" in page
    assert "<b>busy</b>" not in page
    assert "&lt;b&gt;busy&lt;/b&gt;" in page


def test_an_administrator_has_it_sent_again_or_gives_it_up(signed_in, failed):
    admin = signed_in("admin")

    again = admin.post(f"/outgoing/{KEY}/retry", follow_redirects=True)
    assert "将重新发送" in again.text
    refused = admin.post(f"/outgoing/{KEY}/give-up", {"reason": "对方系统已停用"}, follow_redirects=True)
    assert "只有发送失败的才能重试或放弃" in refused.text


def test_the_api_tells_the_same(signed_in, failed):
    admin = signed_in("admin")

    (listed,) = admin.api("GET", "/dispatch?state=failed").json["items"]
    shown = admin.api("GET", f"/dispatch/{KEY}").json

    assert (listed["id"], listed["attempts"], listed["what"]) == (KEY, 15, "bpm.task.claimed.v1")
    assert [line["status"] for line in shown["log"]] == ["503"]
    assert admin.api("GET", "/dispatch/SM-2026-000001.8.webhook.wh1").status_code == 404


def test_a_webhook_is_added_with_its_secret_listed_without_and_ended(signed_in):
    admin = signed_in("admin")

    made = admin.api("POST", "/webhook", {"url": "https://example.org/hook", "events": ["bpm.task.*"]})
    assert made.json["secret"].startswith("whsec_")
    (listed,) = admin.api("GET", "/webhook").json["items"]
    assert "secret" not in listed
    assert admin.api("DELETE", f"/webhook/{listed['id']}").status_code == 204
    assert admin.api("GET", "/webhook").json["items"] == []
    wrong = admin.api("POST", "/webhook", {"url": "file:///etc/passwd"})
    assert (wrong.status_code, wrong.json["errors"][0]["pointer"]) == (422, "/url")


@pytest.mark.parametrize("person", ["lz.officer", "auditor", "owner", "app01"])
def test_nobody_else_looks(signed_in, failed, person):
    visitor = signed_in(person)

    assert visitor.get("/outgoing").status_code == 403
    assert visitor.api("GET", "/dispatch").status_code == 403
    assert visitor.api("POST", "/webhook", {"url": "https://example.org"}).status_code == 403


def test_what_was_set_aside_is_shown_and_taken_up_again_with_a_reason(signed_in, aside):
    admin = signed_in("admin")
    assert "ReplayMismatch: poison" in admin.get("/incidents").text
    assert admin.api("GET", "/incident/aside").json["items"][0]["item"] == aside

    admin.post(f"/incidents/aside/{aside}", {"reason": ""})
    assert "ReplayMismatch: poison" in admin.get("/incidents").text
    told = admin.post(f"/incidents/aside/{aside}", {"reason": "程序错误已修复"}, follow_redirects=True)

    assert "已恢复，系统将重新执行" in told.text
    assert "ReplayMismatch: poison" not in told.text
    assert (
        admin.api("POST", f"/incident/aside/{aside}/retry", {"reason": "程序错误已修复"}).status_code == 404
    )


def test_work_that_nobody_does_is_an_alarm_in_all_places(app, signed_in, visitor, clock, application):
    with app.extensions["tidu"].database.begin() as connection:
        row = {"case_id": application, "timer_id": f"{application}.99", "state": "set", "due_at": clock()}
        connection.execute(timers.insert().values(**row))
    assert visitor.get("/readyz").json["status"] == "ok"

    clock.move(minutes=11)

    ready = visitor.get("/readyz")
    assert (ready.status_code, ready.json["status"], ready.json["late"]["timers"]) == (200, "degraded", 1)
    assert 'tidu_work{what="late_timers"} 1.0' in visitor.get("/metrics").text
    assert "1 个定时" in signed_in("admin").get("/incidents").text
