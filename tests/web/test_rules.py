"""Rules in browser and API: a set is drafted, refused by name, approved by another; documents, coverage."""

import html
import re

import pytest

from tests.story import PACKAGES
from workflows.library.packages import read_folder

SET = "/rules/set/gansu-2027/1"
NOTE = "按2027年度通知调整"


class Desk:
    """Somebody at the pages about rules."""

    def __init__(self, visitor):
        self.visitor = visitor

    def get(self, address, **more):
        return self.visitor.get(f"/rules{address}", **more)

    def post(self, address, **data):
        return self.visitor.post(f"/rules{address}", data, follow_redirects=True)

    def form(self, group):
        """The form of a group as a browser would send it back."""
        page = self.get(f"/set/gansu-2027/1?group={group}").text
        return filled(page[page.index('action="/rules/set/gansu-2027/1/save"') :])

    def save(self, group, **changed):
        form = {**self.form(group), **{name.replace("__", ":"): value for name, value in changed.items()}}
        return self.post("/set/gansu-2027/1/save", **form)


def filled(form):
    """Field → what it holds, of the inputs, selects and texts of one form."""
    found = {}
    for tag in re.findall(r"<input\b[^>]*>", form[: form.index("</form>")]):
        told = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if told.get("type") == "checkbox" and not re.search(r"\schecked\b", tag):
            continue
        if "name" in told:
            found.setdefault(told["name"], []).append(html.unescape(told.get("value", "on")))
    for name, options in re.findall(r'<select[^>]* name="([^"]*)"[^>]*>(.*?)</select>', form, re.DOTALL):
        found[name] = re.findall(r'<option value="([^"]*)" selected', options)
    for name, text in re.findall(r'<textarea[^>]* name="([^"]*)"[^>]*>(.*?)</textarea>', form, re.DOTALL):
        found[name] = [text]
    return found


@pytest.fixture
def owner(signed_in):
    return Desk(signed_in("owner"))


@pytest.fixture
def approver(signed_in):
    return Desk(signed_in("approver"))


@pytest.fixture
def draft(owner):
    page = owner.post("/begin", base="gansu-2026:1", id="gansu-2027", year="2027")
    assert page.request.path == SET
    return owner


def test_the_sets_are_listed_with_what_is_in_force_today(owner):
    page = owner.get("/").text

    assert page.count("今日生效") == 1
    assert "guangdong-2026:1" in page
    assert "新建草稿" in page


def test_who_only_reads_sees_no_form(signed_in):
    page = Desk(signed_in("auditor")).get("/set/gansu-2026/1?group=days.gf")

    assert (page.status_code, "保存本组" in page.text, "推定" in page.text) == (200, False, True)
    assert Desk(signed_in("lz.officer")).get("/").status_code == 403


def test_every_group_comes_back_from_its_form_as_it_was(draft):
    groups = re.findall(r"group=([\w.]+)", draft.get("/set/gansu-2027/1").text)

    for group in dict.fromkeys(groups):
        page = draft.save(group)
        assert (page.status_code, "第 1 稿" in page.text) == (200, True), group


def test_a_value_is_saved_with_its_source_and_its_mark(draft):
    form = draft.form("publicity")
    del form["inferred:publicity.municipal"]
    page = draft.post(
        "/set/gansu-2027/1/save",
        **{
            **form,
            "value:publicity.municipal": "7",
            "source:publicity.municipal": "F18",
            "note:publicity.municipal": "通知",
        },
    )

    assert "第 2 稿" in page.text
    told = draft.visitor.api("GET", "/rule-set/gansu-2027/1").json["content"]["parameters"]
    row = told["publicity.municipal"]
    assert (row["value"], row["inferred"], row["source"], row["note"]) == (7, False, "F18", "通知")
    assert told["days.gf_m10"]["same_as"] == "publicity.municipal"


def test_a_value_out_of_range_is_told_beside_its_field_and_what_was_typed_stays(draft):
    form = draft.form("publicity")
    page = draft.post("/set/gansu-2027/1/save", **{**form, "value:publicity.municipal": "0"})

    assert page.status_code == 422
    assert "尚有 1 处不符合要求" in page.text
    assert re.search(r'name="value:publicity.municipal"[^>]*aria-invalid="true"[^>]*value="0"', page.text)
    assert "第 1 稿" in page.text


def test_weights_that_do_not_make_a_hundred_are_told(draft):
    form = draft.form("weights.gp")

    page = draft.post("/set/gansu-2027/1/save", **{**form, "value:weights.gp.energy": "30"})

    assert (page.status_code, "权重合计为110，应为100" in page.text) == (422, True)


@pytest.mark.parametrize("text", ["abc", "1e999", "--", "∞"])
def test_what_is_no_number_is_refused_by_name(draft, text):
    form = draft.form("experts")

    page = draft.post("/set/gansu-2027/1/save", **{**form, "value:experts.count": text})

    assert (page.status_code, "取值无效" in page.text) == (422, True)


def test_an_authority_gets_a_quota_and_a_department_is_added_and_another_removed(draft):
    quota = draft.form("quota")
    draft.post("/set/gansu-2027/1/save", **{**quota, "value:quota.gf": "12", "own:quota.gf:620100": "20"})
    rows = draft.form("departments")
    new = {"id": "water", "name": "甘肃省水利厅", "nameEn": "Water", "days": "8", "remind_before": "2"}
    rows |= {f"row:departments_by_track.gf:3:{name}": value for name, value in new.items()}
    rows |= {f"row:departments_by_track.gf:0:{name}": "" for name in new}
    draft.post("/set/gansu-2027/1/save", **rows)

    told = draft.visitor.api("GET", "/rule-set/gansu-2027/1").json["content"]["parameters"]
    assert told["quota.gf"]["value"] == {"default": 12, "by_authority": {"620100": 20}}
    assert [row["id"] for row in told["departments_by_track.gf"]["value"]] == ["emergency", "market", "water"]


def test_a_second_person_approves_and_then_it_stays(draft, approver):
    draft.post("/set/gansu-2027/1/submit", revision="1", reason=NOTE)
    assert draft.post("/set/gansu-2027/1/approve", revision="1", reason="同意").status_code == 403

    page = approver.post("/set/gansu-2027/1/approve", revision="1", reason="同意")

    assert "已批准。该版本从此不再改变。" in page.text
    assert "保存本组" not in draft.get("/set/gansu-2027/1").text
    assert (
        "已批准的参数集不再改变" in draft.post("/set/gansu-2027/1/save", revision="1", group="publicity").text
    )


def test_it_is_sent_back_and_discarded(draft, approver):
    draft.post("/set/gansu-2027/1/submit", revision="1", reason=NOTE)
    assert "编辑中" in approver.post("/set/gansu-2027/1/return", revision="1", reason="依据不足，请补").text

    page = draft.post("/set/gansu-2027/1/discard", revision="1", reason="本年度不再需要")

    assert (page.request.path, "gansu-2027:1" in page.text) == ("/rules/", False)


def test_a_second_draft_and_a_strange_id_are_refused_in_words(draft):
    again = draft.post("/begin", base="gansu-2026:1", id="gansu-2027", year="2027").text
    strange = draft.post("/begin", base="gansu-2026:1", id="Gansu 2027", year="2027").text

    assert "该参数集已有草稿" in again
    assert "内容有误" in strange


def test_two_years_stand_side_by_side(draft):
    form = draft.form("publicity")
    draft.post("/set/gansu-2027/1/save", **{**form, "value:publicity.municipal": "7"})

    page = draft.get("/compare?before=gansu-2026:1&after=gansu-2027:1").text
    told = draft.visitor.api("GET", "/rule-set/gansu-2026/1/difference?to=gansu-2027:1").json["items"]

    assert re.search(r"<del[^>]*>5</del>", page)
    assert re.search(r"<ins[^>]*>7</ins>", page)
    assert {row["parameter"] for row in told} >= {"publicity.municipal", "days.gf_m10"}
    assert next(row for row in told if row["parameter"] == "days.gf_m10")["steps"] == ["GF-M10"]


def test_nobody_saves_over_somebody_elses_work(draft):
    form = draft.form("publicity")
    draft.post("/set/gansu-2027/1/save", **{**form, "value:publicity.municipal": "7"})

    late = draft.post("/set/gansu-2027/1/save", **{**form, "value:publicity.municipal": "8"})
    api = draft.visitor.api("PUT", "/rule-set/gansu-2027/1", {"parameters": {}}, If_Match='"1"')
    bare = draft.visitor.api("PUT", "/rule-set/gansu-2027/1", {"parameters": {}})

    assert (late.status_code, "草稿已在别处更新" in late.text) == (409, True)
    assert (api.status_code, api.json["code"], bare.status_code) == (412, "DRAFT_STALE", 428)


def test_the_api_refuses_by_parameter(draft):
    body = {
        "parameters": {"days.gf_m5": {"value": 0}},
        "effective": {"from": "2027-02-01", "to": "2027-12-31"},
    }

    answer = draft.visitor.api("PUT", "/rule-set/gansu-2027/1", body, If_Match='"1"')
    unknown = draft.visitor.api("GET", "/rule-set/gansu-1999/1")

    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/parameters/days.gf_m5")
    assert (unknown.status_code, unknown.json["code"]) == (404, "RULES_NOT_FOUND")


def test_documents_stand_article_by_article(owner):
    page = owner.get("/documents").text
    one = owner.get("/documents/miit-2024").text
    told = owner.visitor.api("GET", "/rule-document/miit-2024/article").json["items"]

    assert "工信部节〔2024〕13号" in page
    assert one.index("第四条") < one.index("第十五条") < one.index("条文号不详")
    assert {row["id"] for row in told} >= {"F24", "F36", "F40"}
    assert owner.get("/documents/mars").status_code == 404
    assert {d["id"] for d in owner.visitor.api("GET", "/rule-document").json["items"]} >= {
        "gansu-2024",
        "own",
    }


def test_an_amended_clause_makes_elements_stale_until_somebody_looked(owner, app):
    house = app.extensions["tidu"]
    with house.database.begin() as connection:
        house.catalog.deploy(connection, read_folder(PACKAGES / "yearly_form"), by="owner", at=house.clock())
    assert "没有。引用的条文" in owner.get("/coverage").text

    text = {
        "status": "read",
        "zh": "新文本",
        "en": "New text",
        "reason": "部令已经修订",
        "article": "第十六条",
    }
    page = owner.post("/documents/miit-2024/amend", clause="F38", **text)

    assert "条款已修订" in page.text
    assert "2 处待核对" in page.text
    assert stale(owner) == ["yearly_form", "yearly_form"]
    assert "引用的条文已修订" in owner.visitor.get("/editor/yearly_form").text
    assert "已核对" in owner.post("/coverage/yearly_form/held", reason="对照新文本，仍然符合").text
    assert stale(owner) == []


def stale(owner):
    return [row["process"] for row in owner.visitor.api("GET", "/rule-document/coverage").json["stale"]]


def test_an_amendment_needs_a_reason_and_a_clause(owner):
    text = {"status": "read", "zh": "新文本", "en": "New text", "article": ""}

    assert "请写明理由" in owner.post("/documents/miit-2024/amend", clause="F36", reason="", **text).text
    assert (
        "内容有误"
        in owner.post("/documents/miit-2024/amend", clause="第三条", reason="部令已经修订", **text).text
    )


@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/set/gansu-2026/1?group=days.gf",
        "/set/gansu-2027/1?group=quota",
        "/set/gansu-2027/1?group=departments",
        "/compare?before=gansu-2026:1&after=guangdong-2026:1",
        "/documents",
        "/documents/miit-2024",
        "/coverage",
    ],
)
def test_every_page_speaks_english(draft, address):
    draft.visitor.post("/language", {"language": "en"})

    page = draft.get(address).text
    page = re.sub(r'value="[^"]*"|<textarea.*?</textarea>|title="[^"]*"', "", page, flags=re.DOTALL)
    page = re.sub(r"第[一二三四五六七八九十]+条|\w*〔\d+〕\d+号|信用\w+|国家\w+系统|中国执行\w+", "", page)

    assert re.findall(r"[\u4e00-\u9fff]+", re.sub("中文|谢晓芸", "", page)) == []
