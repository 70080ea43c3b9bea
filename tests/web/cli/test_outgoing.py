"""`tidu outbox` and `tidu webhook`: what could not leave, and who is told."""

from __future__ import annotations

import pytest

FAILED = """
INSERT INTO outbox (case_id, number, seq, channel, outlet, address, content, state, attempts, trouble,
                    created_at, next_at)
VALUES ('GF-2026-000001', '7.webhook.wh1', 7, 'webhook', 'wh1', '', '{"type":"bpm.task.claimed.v1"}',
        'failed', 15, '503: busy', '2026-03-02T01:00:00.000000Z', '2026-03-02T01:00:00.000000Z')
"""
KEY = "GF-2026-000001.7.webhook.wh1"


@pytest.fixture
def failed(tidu):
    tidu.execute(FAILED)
    return tidu


def state(tidu):
    return tidu(f"outbox show {KEY} --json")[1]["state"]


def test_what_failed_is_listed_shown_and_sent_again(failed):
    assert [one["id"] for one in failed("outbox list --state failed --json")[1]["dispatches"]] == [KEY]
    assert failed("outbox list --state sent --json")[1]["dispatches"] == []
    assert state(failed) == "failed"
    assert failed("doctor --json")[0] == 1

    assert failed("outbox retry --all --json")[1] == {"retried": [KEY]}

    assert state(failed) == "waiting"
    assert failed(f"outbox retry {KEY} --json")[1]["error"]["code"] == "DISPATCH_NOT_FAILED"


def test_what_failed_is_given_up_with_a_reason(failed):
    assert failed(f"outbox drop {KEY} --reason no --json")[1]["error"]["code"] == "REASON_REQUIRED"
    assert failed(["outbox", "drop", KEY, "--reason", "the receiver is closed"])[0] == 0

    assert state(failed) == "given_up"


def test_what_is_not_there_is_not_found(tidu):
    assert tidu("outbox show X.1.mail.a --json")[1]["error"]["code"] == "DISPATCH_NOT_FOUND"
    assert tidu("webhook end wh9 --json")[1]["error"]["code"] == "WEBHOOK_NOT_FOUND"
    assert tidu("outbox retry")[0] == 2


def test_a_webhook_is_added_listed_and_ended(tidu):
    made = tidu("webhook add https://example.org/hook --event bpm.task.* --json")[1]
    (listed,) = tidu("webhook list --json")[1]["webhooks"]

    assert made["secret"].startswith("whsec_")
    assert (listed["id"], listed["events"]) == (made["id"], ["bpm.task.*"])
    assert tidu(f"webhook end {made['id']} --json")[1] == {"id": made["id"], "given_up": 0}
    assert tidu("webhook list --json")[1]["webhooks"] == []
    assert tidu("webhook add file:///etc/passwd --json")[0] == 1
