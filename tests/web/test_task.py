"""The task page: what was typed is kept, what is wrong is shown where it is, what follows is told."""

import re

import pytest

from web.pages.lines import own_step

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"


@pytest.fixture
def holder(signed_in, check_task):
    """lz.officer, who holds the completeness check."""
    officer = signed_in("lz.officer")
    officer.post(f"/task/{check_task}/claim")
    return officer


def test_a_task_shows_its_form_its_data_and_its_outcomes(holder, check_task):
    page = holder.get(f"/task/{check_task}").text

    assert "核对材料是否齐全" in page
    assert "兰州一厂" in page, "what the applicant said, read-only"
    assert 'name="opinion"' in page
    assert 'name="factory"' not in page
    assert re.search(r'<button[^>]*name="outcome" value="accepted"[^>]*>受理</button>', page)
    assert "将进入复核" in page


@pytest.mark.parametrize(
    ("case", "shown"),
    [("GF-2026-000007", "GF-M5"), ("WE-2026-000001", "WE-M4"), ("TEST-1", "GF-M5 SC-M4 WE-M4")],
)
def test_of_the_steps_of_all_tracks_those_of_its_own_are_shown(case, shown):
    assert own_step("GF-M5 SC-M4 WE-M4", case) == shown


def test_an_outcome_says_who_acts_next(holder, check_task):
    page = holder.get(f"/task/{check_task}").text

    assert "复核（市州工信局经办" in page
    assert "补正（申报单位" in page


def test_the_due_date_is_counted_out(holder, check_task):
    page = holder.get(f"/task/{check_task}").text

    assert "怎么算的" in page
    counted = re.search(r"<ol class=\"small.*?</ol>", page, re.DOTALL)[0]
    assert counted.count("<li>") >= 3
    assert "2026-03-09" in counted


def test_completing_tells_what_follows(holder, check_task):
    answer = holder.post(f"/task/{check_task}", {"outcome": "accepted", "opinion": "齐全", "score": "90"})
    page = holder.get(answer.location).text

    assert answer.status_code == 303
    assert "已提交" in page
    assert "复核（市州工信局经办" in page
    assert "齐全" in page, "the form as it was handed in"


def test_a_wrong_value_is_shown_where_it_is_and_nothing_typed_is_lost(holder, check_task):
    answer = holder.post(
        f"/task/{check_task}", {"outcome": "accepted", "opinion": "我的意见", "score": "１２"}
    )

    assert answer.status_code == 422
    assert "我的意见" in answer.text
    assert 'value="１２"' in answer.text
    assert '<a href="#f-score">得分</a>' in answer.text
    assert re.search(
        r'id="f-score"[^>]*aria-describedby="f-score-error"[^>]*aria-invalid="true"', answer.text
    )
    assert 'id="f-score-error"' in answer.text


def test_an_outcome_asks_for_what_it_requires(holder, check_task):
    answer = holder.post(f"/task/{check_task}", {"outcome": "returned_for_correction", "score": "50"})

    assert answer.status_code == 422
    assert "必须填写此项" in answer.text
    assert 'value="50"' in answer.text


@pytest.mark.parametrize("outcome", ["designated", "", "accepted'--", None])
def test_only_the_drawn_outcomes_are_taken(holder, check_task, outcome):
    said = {"score": "90"} | ({} if outcome is None else {"outcome": outcome})

    answer = holder.post(f"/task/{check_task}", said)

    assert answer.status_code == 422
    assert "请选择办理结果" in answer.text


@pytest.mark.parametrize(
    "name", ["role", "assignee", "check_result.outcome", "unit[0].authority", "a..b", "x[1e9]"]
)
def test_fields_that_the_form_does_not_have_are_refused(holder, check_task, name):
    answer = holder.post(f"/task/{check_task}", {"outcome": "accepted", name: "admin"})

    assert answer.status_code == 422


def test_who_does_not_hold_it_only_reads(signed_in, check_task):
    other = signed_in("lz.officer2")

    page = other.get(f"/task/{check_task}").text
    answer = other.post(f"/task/{check_task}", {"outcome": "accepted", "score": "90"})

    assert 'name="opinion"' not in page
    assert answer.status_code == 403
    assert "您不是当前办理人" in answer.text


def test_nobody_reviews_what_they_checked(app, holder, signed_in, check_task):
    holder.post(f"/task/{check_task}", {"outcome": "accepted", "score": "90"})
    case_id = check_task.rpartition(".")[0]
    history = app.extensions["tidu"].history
    (review,) = history.state(case_id, len(history.timeline(case_id))).standing.tasks

    refused = holder.post(f"/task/{review}/claim", follow_redirects=True).text
    why = holder.get(f"/task/{review}?tab=why").text

    assert "同一" in refused or "不能办理【复核】" in refused
    assert "不能办理【复核】" in why
    assert signed_in("lz.officer2").post(f"/task/{review}/claim").location == f"/task/{review}"


def test_another_city_does_not_know_of_it(signed_in, check_task):
    stranger = signed_in("jyg.officer")

    for answer in (
        stranger.get(f"/task/{check_task}"),
        stranger.get(f"/task/{check_task}?tab=materials"),
        stranger.post(f"/task/{check_task}", {"outcome": "accepted"}),
        stranger.get(f"/case/{check_task.rpartition('.')[0]}"),
        stranger.get("/task/SM-2026-999999.1"),
        stranger.get("/task/x"),
    ):
        assert answer.status_code == 404
        assert "兰州一厂" not in answer.text


@pytest.mark.parametrize("tab", ["form", "materials", "diagram", "history", "why", "nonsense"])
def test_every_tab_opens(holder, check_task, tab):
    assert holder.get(f"/task/{check_task}?tab={tab}").status_code == 200


def test_the_drawing_is_told_in_words_beside_it(holder, check_task):
    page = holder.get(f"/task/{check_task}?tab=diagram").text

    assert 'data-xml-url="/api/v1/process-definition/small_application:1/xml"' in page
    assert 'role="tree"' in page
    assert re.search(r"完整性核查.*?正在办理", page, re.DOTALL)


def test_giving_back_and_handing_over(holder, signed_in, check_task):
    holder.post(f"/task/{check_task}/release")
    colleague = signed_in("lz.officer2")
    colleague.post(f"/task/{check_task}/claim")

    short = colleague.post(f"/task/{check_task}/transfer", {"to": "lz.officer", "reason": "忙"})
    done = colleague.post(f"/task/{check_task}/transfer", {"to": "lz.officer", "reason": "我明天起休假"})

    assert short.location == f"/task/{check_task}/transfer"
    assert done.location == "/inbox"
    assert check_task in holder.get("/inbox?queue=mine").text


def test_a_question_goes_out_and_its_answer_comes_back(holder, signed_in, check_task):
    holder.post(f"/task/{check_task}/delegate", {"to": "lz.officer2", "reason": "能耗数据可信吗？"})
    colleague = signed_in("lz.officer2")
    asked = colleague.get(f"/task/{check_task}").text

    colleague.post(f"/task/{check_task}/resolve", {"reason": "与统计报表一致。"})

    assert "能耗数据可信吗？" in asked
    assert "办理中" in holder.get(f"/task/{check_task}").text
    assert 'name="opinion"' in holder.get(f"/task/{check_task}").text


@pytest.mark.parametrize("verb", ["transfer", "delegate", "resolve", "release"])
def test_every_dialog_is_also_a_page(holder, check_task, verb):
    page = holder.get(f"/task/{check_task}/{verb}").text

    assert f'action="/task/{check_task}/{verb}"' in page


# --- drafts ------------------------------------------------------------------------------------------


def test_a_draft_of_the_page_is_there_when_it_is_opened_again(holder, check_task):
    saved = holder.api(
        "PUT", f"/task/{check_task}/draft", {"values": {"opinion": "写到一半", "score": "8"}}, If_Match='"0"'
    )
    page = holder.get(f"/task/{check_task}").text

    assert saved.status_code == 200
    assert saved.headers["ETag"] == '"1"'
    assert "写到一半" in page
    assert 'data-draft-rev="1"' in page
    assert "草稿保存于" in page


def test_a_draft_changed_in_another_tab_is_not_overwritten(holder, check_task):
    address = f"/task/{check_task}/draft"
    holder.api("PUT", address, {"values": {"opinion": "第一个窗口"}}, If_Match='"0"')

    late = holder.api("PUT", address, {"values": {"opinion": "第二个窗口"}}, If_Match='"0"')

    assert (late.status_code, late.json["code"]) == (412, "DRAFT_STALE")
    assert late.json["current"]["revision"] == 1
    assert late.json["current"]["values"]["opinion"] == "第一个窗口"


def test_a_draft_must_say_what_it_follows(holder, check_task):
    address = f"/task/{check_task}/draft"

    without = holder.api("PUT", address, {"values": {}})
    nonsense = holder.api("PUT", address, {"values": {}}, If_Match="*")

    assert (without.status_code, without.json["code"]) == (428, "PRECONDITION_REQUIRED")
    assert nonsense.status_code == 412


def test_nobody_reads_or_writes_the_draft_of_others(holder, signed_in, check_task):
    holder.api("PUT", f"/task/{check_task}/draft", {"values": {"opinion": "只给自己看"}}, If_Match='"0"')
    other = signed_in("lz.officer2")

    assert other.get(f"/api/v1/task/{check_task}/draft").json["values"] == {}
    assert other.api("PUT", f"/task/{check_task}/draft", {"values": {}}, If_Match='"0"').status_code == 403


def test_the_draft_is_gone_with_the_task(holder, check_task):
    holder.api("PUT", f"/task/{check_task}/draft", {"values": {"opinion": "草稿"}}, If_Match='"0"')
    holder.post(f"/task/{check_task}", {"outcome": "accepted", "opinion": "定稿", "score": "90"})

    page = holder.get(f"/task/{check_task}").text

    assert "定稿" in page
    assert "草稿保存于" not in page
