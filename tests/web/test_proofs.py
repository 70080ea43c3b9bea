"""The auditor takes proofs home: a checkpoint, the keys, a bundle that verifies elsewhere."""

from __future__ import annotations

import io
import re

import pytest
import sqlalchemy as sa

from workflows.proof.bundle.verify import INCOMPLETE, Fault, judge, read_keys
from workflows.store.tables import operations

SEED = bytes(range(32))


@pytest.fixture
def auditor(signed_in):
    return signed_in("auditor")


@pytest.fixture
def keyed(app):
    """A house whose administrator made a key."""
    return app.extensions["tidu"].checkpoints.begin(SEED, place="tidu.example.org")


def records(app):
    query = sa.select(operations.c.actor, operations.c.action, operations.c.case_id)
    with app.extensions["tidu"].database.connect() as connection:
        return [tuple(row) for row in connection.execute(query.order_by(operations.c.number))]


def test_a_checkpoint_is_signed_shown_and_downloaded(auditor, application, keyed, app):
    before = records(app)
    assert "还没有签署过检查点" in auditor.get("/audit/checkpoints").text

    auditor.post("/audit/checkpoints")

    page = auditor.get("/audit/checkpoints").text
    assert keyed.vkey in page
    size = int(re.search(r"checkpoints/(\d+)\.txt", page)[1])
    answer = auditor.get(f"/audit/checkpoints/{size}.txt")
    assert answer.text.split("\n")[:2] == [keyed.name, str(size)]
    assert "attachment" in answer.headers["Content-Disposition"]
    assert auditor.get("/audit/keys.txt").text == keyed.vkey + "\n"
    assert records(app)[len(before) :] == [("auditor", "checkpoint", None)]
    assert "以前的检查点" not in page


def test_earlier_checkpoints_stay_at_hand(auditor, application, keyed, signed_in, check_task, app):
    auditor.post("/audit/checkpoints")
    signed_in("lz.officer").api("POST", f"/task/{check_task}/claim")
    app.extensions["tidu"].checkpoints.take()

    page = auditor.get("/audit/checkpoints").text

    sizes = re.findall(r"checkpoints/(\d+)\.txt", page)
    assert "以前的检查点" in page
    assert len(sizes) == len(set(sizes)) == 2


def test_a_checkpoint_that_was_never_signed_is_not_there(auditor, keyed):
    assert auditor.get("/audit/checkpoints/12345.txt").status_code == 404


def test_without_a_key_the_pages_say_who_can_help(auditor, application):
    for address in ("/audit/checkpoints", f"/audit/{application}/bundle"):
        page = auditor.get(address).text
        assert "tidu init" in page
        assert '<button class="btn btn-primary">' not in page
    refused = auditor.post("/audit/checkpoints")
    assert refused.status_code == 409
    assert "尚未建立签署检查点的密钥" in refused.text


def test_a_bundle_is_downloaded_and_verifies(auditor, application, keyed, app):
    assert f"/audit/{application}/bundle" in auditor.get(f"/audit/{application}").text
    auditor.get(f"/audit/{application}/bundle")
    before = records(app)

    answer = auditor.post(f"/audit/{application}/bundle", {})

    assert answer.content_type == "application/zip"
    assert application in answer.headers["Content-Disposition"]
    told = judge(answer.data, read_keys(keyed.vkey))
    assert any(line.startswith(f"{application}: ") for line in told)
    assert records(app)[len(before) :] == [("auditor", "export-bundle", application)]


def test_a_bundle_shows_that_the_journal_extends_the_kept_checkpoint(
    auditor, application, keyed, signed_in, check_task
):
    auditor.post("/audit/checkpoints")
    size = re.search(r"checkpoints/(\d+)\.txt", auditor.get("/audit/checkpoints").text)[1]
    kept = auditor.get(f"/audit/checkpoints/{size}.txt").text
    officer = signed_in("lz.officer")
    assert officer.api("POST", f"/task/{check_task}/claim").status_code == 204

    plain = auditor.post(f"/audit/{application}/bundle", {}).data
    shown = auditor.post(
        f"/audit/{application}/bundle", {"since": (io.BytesIO(kept.encode()), "kept.txt"), "files": "yes"}
    ).data

    assert any("the checkpoint you kept" in line for line in judge(shown, read_keys(keyed.vkey), [kept]))
    with pytest.raises(Fault) as refused:
        judge(plain, read_keys(keyed.vkey), [kept])
    assert refused.value.args[0] == INCOMPLETE


@pytest.mark.parametrize("data", [b"no checkpoint", b"\xff\xfe"])
def test_what_is_no_checkpoint_is_refused_in_words(auditor, application, keyed, data):
    answer = auditor.post(f"/audit/{application}/bundle", {"since": (io.BytesIO(data), "kept.txt")})

    assert answer.status_code == 422
    assert "不是检查点" in answer.text


def test_a_case_that_is_not_there_has_no_bundle(auditor, keyed):
    assert auditor.post("/audit/SA-2026-999999/bundle", {}).status_code == 404


@pytest.mark.parametrize("person", ["lz.officer", "prov.officer", "owner", "admin", "app01"])
def test_only_auditors_enter(signed_in, application, keyed, person):
    for address in ("/audit/checkpoints", "/audit/keys.txt", f"/audit/{application}/bundle"):
        assert signed_in(person).get(address).status_code == 403


def test_the_pages_speak_english(auditor, application, keyed):
    auditor.post("/audit/checkpoints")
    auditor.post("/language", {"language": "en"})

    for address in ("/audit/checkpoints", f"/audit/{application}/bundle"):
        page = auditor.get(address).text
        assert re.findall(r"[\u4e00-\u9fff]+", re.sub("中文|陆春霞", "", page)) == [], address


def test_verifying_says_what_checkpoints_knew(auditor, application, keyed, app):
    auditor.post("/audit/checkpoints")
    assert "已列入检查点的记录" in auditor.post(f"/audit/{application}/verification").text
    with app.extensions["tidu"].database.begin() as connection:
        connection.execute(sa.text("DELETE FROM journal WHERE seq = 2"))

    assert "V-CHECKPOINT-BREAK@2" in auditor.post(f"/audit/{application}/verification").text
