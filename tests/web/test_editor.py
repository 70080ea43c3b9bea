"""The process editor's door: drafts saved with care, approved by a second person, published whole."""

import io
import json
import re
import zipfile

import pytest

HOME = "/editor/small_application"
NOTE = "按新规定修改名称"


class Desk:
    """Somebody at the editor's pages."""

    def __init__(self, visitor):
        self.visitor = visitor

    def get(self, address):
        return self.visitor.get(f"{HOME}{address}")

    def do(self, step, **data):
        return self.visitor.post(f"{HOME}/draft{step}", data, follow_redirects=True)

    def save(self, path, content, revision):
        headers = {"X-CSRFToken": self.visitor.csrf, "Accept": "application/json"}
        if revision is not None:
            headers["If-Match"] = f'"{revision}"'
        address = f"{HOME}/draft/files/{path}"
        return self.visitor.client.put(address, json={"content": content}, headers=headers)

    def drawing(self):
        return self.get("/draft/files/process.bpmn").text

    def rename(self, name, revision):
        changed = re.sub(r'name="完整性核查[^"]*"', f'name="完整性核查{name}"', self.drawing(), count=1)
        return self.save("process.bpmn", changed, revision)


@pytest.fixture
def owner(signed_in):
    desk = Desk(signed_in("owner"))
    desk.do("", base="1")
    return desk


@pytest.fixture
def approver(signed_in):
    return Desk(signed_in("approver"))


def test_the_catalogue_tells_versions_and_running_cases(signed_in, application):
    page = signed_in("owner").get("/editor/").text

    assert "小申报" in page
    assert "v1：1" in page


def test_the_catalogue_is_not_for_officers(signed_in):
    assert signed_in("lz.officer").get("/editor/").status_code == 403


def test_a_process_shows_its_outline_without_scripts(signed_in):
    page = signed_in("owner").get(HOME).text

    assert 'role="tree"' in page
    assert "完整性核查" in page


def test_a_draft_opens_with_the_version_it_is_based_on(owner):
    page = owner.get("/draft").text

    assert "基于 v1" in page
    assert 'data-revision="1"' in page
    assert 'id="small_application"' in owner.drawing()


def test_saving_needs_to_say_what_was_read(owner):
    assert owner.save("process.bpmn", owner.drawing(), None).status_code == 428


def test_saving_answers_the_next_revision(owner):
    answer = owner.rename("（新）", 1)

    assert answer.status_code == 200, answer.text
    assert (answer.json["revision"], answer.headers["ETag"]) == (2, '"2"')
    assert "完整性核查（新）" in owner.drawing()


def test_a_second_window_does_not_overwrite_the_first(owner):
    owner.rename("（甲）", 1)

    answer = owner.rename("（乙）", 1)

    assert answer.status_code == 412
    assert answer.json["code"] == "DRAFT_STALE"
    assert answer.json["current"]["revision"] == 2
    assert "完整性核查（甲）" in owner.drawing()


def test_an_approver_reads_but_does_not_save(owner, approver):
    assert 'data-editable="no"' in approver.get("/draft").text
    assert approver.rename("（丙）", 1).status_code == 403


def test_the_engine_says_what_is_wrong_with_the_saved_draft(owner):
    owner.save("process.bpmn", owner.drawing().replace('targetRef="complete"', 'targetRef="gone_away"'), 1)

    headers = {"X-CSRFToken": owner.visitor.csrf}
    answer = owner.visitor.client.post(f"{HOME}/draft/validate", json={}, headers=headers)

    assert "error" in {problem["severity"] for problem in answer.json["problems"]}
    assert all(problem["message_zh"] for problem in answer.json["problems"])


def test_what_is_wrong_cannot_be_submitted(owner):
    owner.save("process.bpmn", owner.drawing().replace('targetRef="complete"', 'targetRef="gone_away"'), 1)

    page = owner.do("/submit", revision="2", reason=NOTE).text

    assert "个错误" in page
    assert "编辑中" in page


def test_a_change_is_submitted_approved_and_published(owner, approver):
    owner.rename("（新）", 1)
    assert "待批准" in owner.do("/submit", revision="2", reason=NOTE).text
    assert "已批准" in approver.do("/approve", revision="2", reason="同意").text

    page = owner.do("/publish", revision="2").text

    assert "已发布 v2" in page
    assert NOTE in page


def test_running_cases_keep_their_version(owner, approver, application, app):
    owner.rename("（新）", 1)
    owner.do("/submit", revision="2", reason=NOTE)
    approver.do("/approve", revision="2", reason="同意")
    owner.do("/publish", revision="2")

    state = app.extensions["tidu"].history.state(application, 1)

    assert state.definition_id == "small_application:1"


def test_a_draft_changed_after_approval_is_not_published(owner, approver):
    owner.rename("（新）", 1)
    owner.do("/submit", revision="2", reason=NOTE)
    approver.do("/approve", revision="2", reason="同意")
    owner.rename("（更新）", 2)

    assert "批准已失效" in owner.do("/publish", revision="3").text


def test_the_owner_does_not_approve(owner):
    owner.do("/submit", revision="1", reason=NOTE)

    assert owner.do("/approve", revision="1", reason="同意").status_code == 403


def test_a_new_form_opens_in_the_form_editor(owner):
    page = owner.do("/files", kind="form", name="site_visit", revision="1")

    assert page.request.path == f"{HOME}/draft/form/site_visit"
    assert json.loads(owner.get("/draft/files/forms/site_visit.form").text)["id"] == "site_visit"


def test_a_new_decision_is_one_the_engine_can_read(owner):
    page = owner.do("/files", kind="decision", name="site_score", revision="1")

    assert page.request.path == f"{HOME}/draft/decision/site_score"
    assert 'decision id="site_score"' in owner.get("/draft/files/site_score.dmn").text


@pytest.mark.parametrize("name", ["../evil", "", "a b", "1st"])
def test_a_file_needs_a_plain_name(owner, name):
    assert owner.do("/files", kind="form", name=name, revision="1").status_code == 422


def test_only_the_table_and_form_editors_may_style_inline(owner):
    owner.do("/files", kind="decision", name="site_score", revision="1")

    def policy(address):
        return owner.get(address).headers["Content-Security-Policy"]

    assert "'unsafe-inline'" in policy("/draft/decision/site_score")
    assert "'unsafe-inline'" in policy("/draft/form/check")
    assert "'unsafe-inline'" not in policy("/draft")


def test_a_version_leaves_as_a_zip_and_comes_back_as_a_draft(signed_in):
    visitor = signed_in("owner")
    exported = visitor.get(f"{HOME}/v/1/export.zip")
    names = zipfile.ZipFile(io.BytesIO(exported.data)).namelist()

    data = {"package": (io.BytesIO(exported.data), "small_application.zip")}
    page = visitor.post("/editor/import", data, content_type="multipart/form-data", follow_redirects=True)

    assert "small_application/process.bpmn" in names
    assert page.request.path == f"{HOME}/draft"
    assert exported.data == visitor.get(f"{HOME}/v/1/export.zip").data


LATIN = """<?xml version="1.0" encoding="ISO-8859-1"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="t">
  <process id="drawn"><task id="check" name="Pr\u00fcfen"/></process>
  <process id="beside"/>
</definitions>""".encode("latin-1")


@pytest.mark.parametrize(("named", "key"), [("", "drawn"), ("beside", "beside")])
def test_a_drawing_of_another_tool_comes_in_as_it_is_and_goes_out_the_same(signed_in, named, key):
    visitor = signed_in("owner")
    data = {"package": (io.BytesIO(LATIN), "Drawn elsewhere.bpmn"), "process": named}

    page = visitor.post("/editor/import", data, content_type="multipart/form-data", follow_redirects=True)

    file = visitor.get(f"/editor/{key}/draft/files/process.bpmn")
    archive = zipfile.ZipFile(io.BytesIO(visitor.get(f"/editor/{key}/draft/export.zip").data))
    assert f"流程 {key} 已导入为草稿" in page.text
    assert "process.executable" in page.text
    assert file.data == archive.read(f"{key}/process.bpmn") == LATIN
    assert file.content_type == "text/xml; charset=iso-8859-1"


def test_a_drawing_without_a_process_is_refused_in_words(signed_in):
    data = {"package": (io.BytesIO(b"<definitions/>"), "empty.bpmn")}

    answer = signed_in("owner").post("/editor/import", data, content_type="multipart/form-data")

    assert answer.status_code == 422
    assert "图中没有流程" in answer.text


def test_whoever_discards_a_new_process_is_back_in_the_catalogue(signed_in):
    visitor = signed_in("owner")
    data = {"package": (io.BytesIO(LATIN), "drawn.bpmn")}
    visitor.post("/editor/import", data, content_type="multipart/form-data")

    form = {"revision": "1", "reason": "只是试一试导入"}
    page = visitor.post("/editor/drawn/draft/discard", form, follow_redirects=True)

    assert (page.status_code, page.request.path) == (200, "/editor/")


def test_a_retired_version_starts_no_more_cases(owner, approver):
    owner.rename("（新）", 1)
    owner.do("/submit", revision="2", reason=NOTE)
    approver.do("/approve", revision="2", reason="同意")
    owner.do("/publish", revision="2")

    page = owner.visitor.post(f"{HOME}/v/2/retire", {"reason": "发现期限写错"}, follow_redirects=True).text

    assert "已停用" in page
    assert "以 v1 为基础新建草稿" in page


def test_what_is_no_zip_is_refused_in_words(signed_in):
    data = {"package": (io.BytesIO(b"not a zip"), "x.zip")}

    answer = signed_in("owner").post("/editor/import", data, content_type="multipart/form-data")

    assert answer.status_code == 422
    assert "流程包" in answer.text


@pytest.mark.parametrize("address", ["/editor/", f"{HOME}/draft", f"{HOME}/draft/form/check"])
def test_every_page_speaks_english(owner, address):
    owner.visitor.post("/language", {"language": "en"})

    page = owner.visitor.get(address).text

    assert 'lang="en"' in page
    assert re.findall(r"[\u4e00-\u9fff]+", re.sub("中文|谢晓芸", "", page)) == []
