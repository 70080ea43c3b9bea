"""The auditor's door: find, replay, verify; nothing hidden, nothing changed."""

import json
import re

import pytest
import sqlalchemy as sa


@pytest.fixture
def auditor(signed_in):
    return signed_in("auditor")


@pytest.fixture
def checked(app, signed_in, application, check_task):
    """The case after an officer has returned it for correction."""
    officer = signed_in("lz.officer")
    officer.api("POST", f"/task/{check_task}/claim")
    values = {"outcome": "returned_for_correction", "opinion": "缺少能耗台账"}
    answer = officer.api("POST", f"/task/{check_task}/complete", {"values": values})
    assert answer.status_code == 200, answer.text
    return application


def moment(auditor, case_id, seq):
    return auditor.get(f"/audit/{case_id}/moment?seq={seq}").text


def diagrams(page):
    found = re.search(r"data-diagrams='([^']*)'", page)[1]
    return json.loads(found)


def test_cases_are_found_by_the_name_of_the_unit(auditor, application):
    page = auditor.get("/audit/?q=兰州").text

    assert application in page
    assert "您的查询已记录" in page


def test_what_is_not_there_is_not_found(auditor, application):
    page = auditor.get("/audit/?q=没有这样的单位").text

    assert application not in page
    assert "没有符合条件的案件" in page


def test_a_day_that_is_none_is_no_filter(auditor, application):
    assert application in auditor.get("/audit/?since=yesterday").text


@pytest.mark.parametrize("person", ["lz.officer", "prov.officer", "owner", "admin", "app01"])
def test_only_auditors_enter(signed_in, application, person):
    assert signed_in(person).get("/audit/").status_code == 403
    assert signed_in(person).get(f"/audit/{application}").status_code == 403


def test_a_case_reads_from_its_first_entry_without_scripts(auditor, checked):
    page = auditor.get(f"/audit/{checked}?seq=1").text

    assert "第 1 步" in page
    assert "发起了案件" in page
    assert page.count("data-entry=") == int(re.search(r'data-last="(\d+)"', page)[1])


def test_a_step_beyond_the_end_is_the_end(auditor, checked):
    page = auditor.get(f"/audit/{checked}?seq=9999").text

    assert re.search(r'data-last="(\d+)"', page)[1] == re.search(r'data-seq="(\d+)"', page)[1]


def test_the_data_of_a_moment_are_those_known_then(auditor, checked):
    assert "缺少能耗台账" not in moment(auditor, checked, 2)
    assert "缺少能耗台账" in auditor.get(f"/audit/{checked}").text


def test_a_step_shows_what_it_changed(auditor, checked, app):
    told = app.extensions["tidu"].history.timeline(checked)
    completed = next(event.seq for event in told if event.type == "TaskCompleted")

    page = moment(auditor, checked, completed)

    assert "这一步改变的数据" in page
    assert "<ins>缺少能耗台账</ins>" in page


def test_the_tokens_stand_where_they_stood(auditor, checked, app):
    told = app.extensions["tidu"].history.timeline(checked)
    waiting = next(event.seq for event in told if event.type == "TaskCreated")

    then = diagrams(moment(auditor, checked, waiting))["all"][0]["state"]
    now = diagrams(moment(auditor, checked, len(told)))["all"][0]["state"]

    assert then["active"] == ["check"]
    assert now["active"] == ["correct"]
    assert "to_correct" in now["flows"]


def test_the_drawing_is_the_version_of_the_case(auditor, application):
    answer = auditor.get(f"/audit/{application}/drawing/small_application")

    assert answer.content_type.startswith("text/xml")
    assert 'id="small_application"' in answer.text
    assert auditor.get(f"/audit/{application}/drawing/other").status_code == 404


def test_a_sound_case_verifies(auditor, checked):
    page = auditor.post(f"/audit/{checked}/verification").text

    assert "V-OK" in page
    assert "这没有证明什么" in page


def test_a_changed_record_is_found_and_named(auditor, checked, app):
    forge(app, checked)

    page = auditor.post(f"/audit/{checked}/verification").text

    assert re.search(r"V-CHAIN-BREAK@\d+", page)
    assert "不可信" in page


def test_reading_leaves_a_record(auditor, checked, app):
    auditor.get(f"/audit/{checked}")

    with app.extensions["tidu"].database.connect() as connection:
        query = sa.text("SELECT actor, action FROM operations WHERE case_id = :case ORDER BY number DESC")
        assert tuple(connection.execute(query, {"case": checked}).first()) == ("auditor", "read-case")


def test_every_page_speaks_english(auditor, checked):
    auditor.post("/language", {"language": "en"})

    for address in ("/audit/", f"/audit/{checked}/verification"):
        page = auditor.get(address).text
        names = "中文|兰州[\u4e00-\u9fff]*|陆春霞|小申报"
        assert re.findall(r"[\u4e00-\u9fff]+", re.sub(names, "", page)) == [], address


def forge(app, case_id):
    """What somebody with the database in hands might do."""
    change = sa.text(
        "UPDATE journal SET body = replace(body, '缺少能耗台账', '材料齐全') WHERE case_id = :case"
    )
    with app.extensions["tidu"].database.begin() as connection:
        connection.execute(change, {"case": case_id})
