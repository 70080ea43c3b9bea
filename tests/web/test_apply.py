"""Applying: voluntary, in one's own name, with files, and one's own to withdraw."""

import io
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from workflows.library.packages import in_call_order, read_files, read_folder
from workflows.register.batches import load_batches
from workflows.workshop.checking import read_closure

BPMN = Path(__file__).parents[2] / "bpmn"
FILLED = {"factory": "兰州一厂", "energy": "1250.50", "truthful": "true"}
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"


@pytest.fixture
def applicant(signed_in):
    return signed_in("app01")


def filed(visitor, **more):
    answer = visitor.post("/apply/small_application", {**FILLED, **more})
    assert answer.status_code == 303, answer.text
    return answer.location.rpartition("/")[2]


def test_what_can_be_applied_for_is_listed(applicant):
    page = applicant.get("/apply").text

    assert "小申报" in page
    assert 'href="/apply/small_application"' in page


def test_filing_starts_a_case_and_says_its_number(applicant):
    case_id = filed(applicant)
    page = applicant.get(f"/case/{case_id}").text

    assert re.fullmatch(r"SM-2026-\d{6}", case_id)
    assert f"已提交，案件编号 {case_id}" in page
    assert "现在等待" in page
    assert "完整性核查" in page
    assert "市州工信局经办" in page


@pytest.mark.parametrize("person", ["lz.officer", "prov.officer", "expert1", "auditor", "admin", "owner"])
def test_nobody_applies_for_an_applicant(signed_in, person):
    visitor = signed_in(person)

    assert "/apply/small_application" not in visitor.get("/apply").text
    assert visitor.post("/apply/small_application", FILLED).status_code in (403, 404)
    assert visitor.get("/apply/small_application").status_code in (403, 404)


def test_what_is_missing_is_shown_and_what_was_typed_is_kept(applicant):
    answer = applicant.post(
        "/apply/small_application",
        {"factory": "兰州一厂", "products[0].name": "水泥", "products[0].output": "abc"},
    )

    assert answer.status_code == 422
    assert "内容有 3 处需要更正" in answer.text
    assert 'value="兰州一厂"' in answer.text
    assert 'value="水泥"' in answer.text
    assert 'href="#f-products-0-output"' in answer.text


def test_rows_come_and_go_without_scripts(applicant):
    more = applicant.post(
        "/apply/small_application", {**FILLED, "products[0].name": "水泥", "_add": "products"}
    ).text
    fewer = applicant.post(
        "/apply/small_application",
        {**FILLED, "products[0].name": "水泥", "products[1].name": "熟料", "_remove": "products[0]"},
    ).text

    assert 'name="products[1].name"' in more
    assert 'value="水泥"' in more
    assert 'value="熟料"' in fewer
    assert "水泥" not in fewer


@pytest.mark.parametrize("name", ["products[0].role", "unit", "products.x.y.z", "_add[0]", "truthful[0].x"])
def test_made_up_names_do_no_harm(applicant, name):
    answer = applicant.post("/apply/small_application", {**FILLED, name: "x"})

    assert answer.status_code == 422


@pytest.mark.parametrize(
    "value", ["products", "unit.authority", "a.b.c[0].d", "[[[", "products[9].x", "x" * 9999]
)
def test_made_up_rows_do_no_harm(applicant, value):
    for button in ("_add", "_remove", "_drop"):
        answer = applicant.post("/apply/small_application", {**FILLED, button: value})

        assert answer.status_code == 200


def test_the_draft_of_an_application_is_kept(applicant, signed_in):
    address = "/process-definition/key/small_application/start-draft"
    saved = applicant.api(
        "PUT", address, {"values": {"factory": "写到一半", "products[0].name": "水泥"}}, If_Match='"0"'
    )

    page = applicant.get("/apply/small_application").text

    assert saved.status_code == 200, saved.text
    assert 'value="写到一半"' in page
    assert 'value="水泥"' in page
    assert "写到一半" not in signed_in("app02").get("/apply/small_application").text


# --- files -------------------------------------------------------------------------------------------


def with_file(name="营业执照.pdf", content=PDF, **more):
    return {**FILLED, **more, "licence": (io.BytesIO(content), name)}


def test_a_file_travels_with_the_application(applicant, signed_in):
    case_id = filed(applicant, licence=(io.BytesIO(PDF), "营业执照.pdf"))
    officer = signed_in("lz.officer")

    page = officer.get(f"/case/{case_id}?tab=data").text
    (address,) = set(re.findall(r"/api/v1/evidence/[0-9a-f]+/content", page))
    with officer.get(address) as file:
        content, headers = file.data, file.headers

    assert content == PDF
    assert headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''%E8%90%A5")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "营业执照.pdf" in page
    assert signed_in("jyg.officer").get(address).status_code == 404


def test_a_file_survives_an_error_elsewhere(applicant):
    answer = applicant.post(
        "/apply/small_application", with_file(energy="x"), content_type="multipart/form-data"
    )

    assert answer.status_code == 422
    assert "营业执照.pdf" in answer.text
    assert re.search(r'type="hidden" name="licence" value="[0-9a-f]{24}"', answer.text)


def test_a_file_can_be_taken_back_before_it_is_filed(applicant):
    page = applicant.post("/apply/small_application", with_file(energy="x")).text
    kept = re.search(r'name="licence" value="([0-9a-f]{24})"', page)[1]

    without = applicant.post(
        "/apply/small_application", {**FILLED, "licence": kept, "_drop": f"licence={kept}"}
    ).text

    assert kept not in without


def test_nobody_files_the_paper_of_others(applicant, signed_in):
    page = applicant.post("/apply/small_application", with_file(energy="x")).text
    theirs = re.search(r'name="licence" value="([0-9a-f]{24})"', page)[1]

    answer = signed_in("app02").post("/apply/small_application", {**FILLED, "licence": theirs})

    assert answer.status_code == 422
    assert signed_in("app02").get(f"/api/v1/evidence/{theirs}").status_code == 404


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("page.html", b"<script>alert(1)</script>"),
        ("picture.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
        ("empty.pdf", b""),
        ("really.png", PDF),
        ("exec‮fdp.pdf", PDF),
        ("x" * 300 + ".pdf", PDF),
    ],
)
def test_files_that_are_not_what_they_say_are_refused(applicant, name, content):
    answer = applicant.post("/apply/small_application", with_file(name, content))

    assert answer.status_code == 422
    assert 'value="1250.50"' in answer.text, "what was typed is kept"


@pytest.mark.parametrize("name", ["../../etc/passwd.pdf", "..\\..\\boot.pdf", "/abs/path.pdf", "CON.pdf"])
def test_a_name_is_only_text(applicant, app, name):
    answer = applicant.post("/apply/small_application", with_file(name, energy="x"))
    folder = app.extensions["tidu"].settings.evidence_dir

    assert answer.status_code == 422
    assert all(re.fullmatch(r"[0-9a-f]{2}|[0-9a-f]{62}", path.name) for path in folder.rglob("*"))


# --- my cases ----------------------------------------------------------------------------------------


def test_an_applicant_sees_the_own_cases_and_no_others(applicant, signed_in):
    mine = filed(applicant)
    stranger = signed_in("app02")

    assert mine in applicant.get("/cases/mine").text
    assert mine not in stranger.get("/cases/mine").text
    assert stranger.get(f"/case/{mine}").status_code == 404
    assert stranger.get(f"/case/{mine}/message/withdraw").status_code == 404


def test_an_application_can_be_withdrawn_with_a_reason(applicant):
    case_id = filed(applicant)
    page = applicant.get(f"/case/{case_id}").text

    without = applicant.post(f"/case/{case_id}/message/withdraw", {"reason": ""})
    done = applicant.post(f"/case/{case_id}/message/withdraw", {"reason": "今年暂不申报"})

    assert "申请撤回" in page
    assert without.status_code == 422
    assert done.location == f"/case/{case_id}"
    assert "已办结" in applicant.get(f"/case/{case_id}").text
    assert "申请撤回" not in applicant.get(f"/case/{case_id}").text.replace("已提交：申请撤回", "")


def test_officers_withdraw_nothing(applicant, signed_in):
    case_id = filed(applicant)

    answer = signed_in("lz.officer").post(f"/case/{case_id}/message/withdraw", {"reason": "不需要了吧"})

    assert answer.status_code == 404


def test_the_applicant_answers_a_return(applicant, signed_in, app):
    case_id = filed(applicant)
    officer = signed_in("lz.officer")
    task = officer.post("/inbox/claim-next").location
    officer.post(task, {"outcome": "returned_for_correction", "opinion": "缺少能源审计报告", "score": "40"})

    page = applicant.get("/inbox?queue=claimable").text
    correction = applicant.post("/inbox/claim-next").location
    asked = applicant.get(correction).text
    done = applicant.post(correction, {"answer": "已补充能源审计报告。"})

    assert "补正" in page
    assert done.status_code == 303
    assert "第 2 次" in officer.get("/inbox?queue=claimable").text
    assert "缺少能源审计报告" in asked
    assert "已补充能源审计报告" in applicant.get(f"/case/{case_id}?tab=data").text


@pytest.mark.parametrize("tab", ["course", "data", "diagram", "history"])
def test_every_tab_of_a_case_opens(applicant, tab):
    case_id = filed(applicant)

    assert applicant.get(f"/case/{case_id}?tab={tab}").status_code == 200


def test_officers_find_cases(applicant, signed_in):
    case_id = filed(applicant)
    officer = signed_in("lz.officer")

    link = f'href="/case/{case_id}"'
    assert link in officer.get(f"/cases?q={case_id}&status=active").text
    assert link not in officer.get(f"/cases?q={case_id}&status=completed").text
    assert case_id not in signed_in("jyg.officer").get("/cases").text


@pytest.fixture
def drawn(app):
    """The drawings that ship, in force."""
    rooms = app.extensions["tidu"]
    at = datetime(2026, 1, 1, tzinfo=UTC)
    with rooms.database.begin() as connection:
        load_batches(connection, now=at)
        for process in ("renewal", "industrial_park", "water_enterprise", "green_factory", "supply_chain"):
            rooms.catalog.deploy(connection, bare(process), by="system", at=at)
    return rooms


def bare(process):
    """The name and the properties of a shipped drawing, with nothing to run: enough to be listed."""
    package = read_folder(BPMN / process)
    kinds = ",".join(package.for_kinds)
    drawing = f"""<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"
      xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d" targetNamespace="t">
      <process id="{process}" name="{package.name}" isExecutable="true">
      <extensionElements><zeebe:properties>
        <zeebe:property name="name:en" value="{package.name_en}" />
        <zeebe:property name="for_kinds" value="{kinds}" />
      </zeebe:properties></extensionElements>
      <startEvent id="s" /><sequenceFlow id="f" sourceRef="s" targetRef="e" /><endEvent id="e" />
      </process></definitions>"""
    return read_files({"process.bpmn": drawing.encode()})


def listed(page):
    return re.findall(r'href="/apply/(\w+)"', page)


def test_tracks_come_first_in_the_order_of_the_rule_set(drawn, applicant):
    page = applicant.get("/apply").text

    assert listed(page) == [
        "green_factory",
        "supply_chain",
        "water_enterprise",
        "renewal",
        "small_application",
    ]
    assert page.index("申报称号") < page.index('href="/apply/green_factory"')
    assert page.index('href="/apply/water_enterprise"') < page.index("获得称号之后及其他事项")
    assert page.index("获得称号之后及其他事项") < page.index('href="/apply/renewal"')


def test_one_kind_of_thing_needs_no_headings(applicant):
    page = applicant.get("/apply").text

    assert listed(page) == ["small_application"]
    assert "获得称号之后及其他事项" not in page


@pytest.mark.parametrize(("person", "shown"), [("lz.leader", False), ("lz.officer", False), ("app01", True)])
def test_who_has_nothing_to_begin_is_offered_no_way_to_it(signed_in, person, shown):
    assert ('href="/apply"' in signed_in(person).get("/inbox").text) is shown


def test_who_has_something_to_begin_is_offered_the_way(app, signed_in):
    rooms = app.extensions["tidu"]
    with rooms.database.begin() as connection:
        for package in in_call_order(read_closure(BPMN / "cultivation_plan")):
            rooms.catalog.deploy(connection, package, by="system", at=datetime(2026, 1, 1, tzinfo=UTC))

    assert 'href="/apply"' in signed_in("lz.officer").get("/inbox").text
    assert 'href="/apply"' not in signed_in("lz.leader").get("/inbox").text
