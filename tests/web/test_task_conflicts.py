"""Conflict rules on the page: why a task cannot be taken, and how a second person allows it once."""

from __future__ import annotations

import pytest

REASON = "本局仅此一人熟悉该行业，经集体研究同意"


@pytest.fixture
def review(app, signed_in, check_task):
    """The review of a case that lz.officer checked."""
    officer = signed_in("lz.officer")
    officer.post(f"/task/{check_task}/claim")
    officer.post(f"/task/{check_task}", {"outcome": "accepted", "score": "90"})
    history = app.extensions["tidu"].history
    case_id = check_task.rpartition(".")[0]
    (task,) = history.state(case_id, len(history.timeline(case_id))).standing.tasks
    return task


def allow(browser, task, **changed):
    said = {"override": "review_approval lz.officer", "reason": REASON, **changed}
    return browser.post(f"/task/{task}/override", said, follow_redirects=True).text


def test_the_page_says_which_rule_and_which_fact_bar_its_reader(signed_in, review):
    page = signed_in("lz.officer").get(f"/task/{review}").text

    assert "同一人不得经办互斥的环节" in page
    assert "经办与审定分离：肖亚男 于 2026-03-02 完成了【完整性核查】，不能办理【复核】" in page
    assert "可由省工信厅领导说明理由、准许一次例外。" in page
    assert f'action="/task/{review}/claim"' not in page
    assert f'action="/task/{review}/claim"' in signed_in("lz.officer2").get(f"/task/{review}").text


def test_the_page_says_it_in_english_too(signed_in, review):
    officer = signed_in("lz.officer")
    officer.post("/language", {"language": "en"})

    page = officer.get(f"/task/{review}").text

    assert "Review and approval apart: 肖亚男 completed Completeness check on 2026-03-02" in page
    assert "may allow one override, with a reason." in page


def test_a_refused_claim_tells_the_reason_on_the_next_page(signed_in, review):
    told = signed_in("lz.officer").post(f"/task/{review}/claim", {"back": "/inbox"}, follow_redirects=True)

    assert "完成了【完整性核查】，不能办理【复核】" in told.text
    assert "可由省工信厅领导说明理由、准许一次例外。" in told.text


def test_a_second_person_sees_whom_it_bars_and_allows_it_with_a_reason(signed_in, review):
    leader, officer = signed_in("prov.leader"), signed_in("lz.officer")

    assert f"/task/{review}/override" in leader.get(f"/task/{review}").text
    choice = leader.get(f"/task/{review}/override").text
    assert "肖亚男（lz.officer）" in choice
    assert "肖亚男 于 2026-03-02 完成了【完整性核查】" in choice
    told = allow(leader, review)

    assert "已准许例外，仅限办理一次。" in told
    assert f"/task/{review}/override" not in told
    assert officer.post(f"/task/{review}/claim").location == f"/task/{review}"
    assert (
        f"姚雅琴 准许 肖亚男 例外办理【复核】（经办与审定分离）：{REASON}"
        in officer.get(f"/task/{review}?tab=history").text
    )
    assert "姚雅琴 已于 2026-03-02 准许例外" in officer.get(f"/task/{review}?tab=why").text


def test_who_may_not_allow_it_is_not_offered_and_is_refused(signed_in, review):
    leader = signed_in("lz.leader")

    assert f"/task/{review}/override" not in leader.get(f"/task/{review}").text
    assert "没有您可以准许例外的候选人" in leader.get(f"/task/{review}/override").text
    assert "您不能准许该例外" in allow(leader, review)


def test_an_override_needs_a_reason(signed_in, review):
    assert "请填写不少于 5 个字的理由" in allow(signed_in("prov.leader"), review, reason="好")


def test_programs_allow_overrides_too(signed_in, review):
    leader = signed_in("prov.leader")
    said = {"conflict": "review_approval", "userId": "lz.officer", "reason": REASON}

    assert leader.api("POST", f"/task/{review}/override", said).status_code == 204
    again = leader.api("POST", f"/task/{review}/override", said)
    assert (again.status_code, again.json["code"]) == (409, "NO_CONFLICT")

    refused = signed_in("lz.leader").api("POST", f"/task/{review}/override", said)
    assert (refused.status_code, refused.json["code"]) == (403, "NOT_OVERRIDER")
    final = leader.api("POST", f"/task/{review}/override", {**said, "conflict": "nothing"})
    assert (final.status_code, final.json["code"]) == (404, "CONFLICT_UNKNOWN")
