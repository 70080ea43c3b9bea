"""The pages, files and routes of recommendations: who reads them, what they say, how they print."""

from __future__ import annotations

import csv
import hashlib
import io
from urllib.parse import quote

import pytest

from tests import browser
from tests.conftest import START
from tests.processes.recommending import BATCH, LETTER, Recommending
from tests.story import Clock
from tests.web.conftest import PASSWORD, Visitor
from web import spreadsheet
from web.app import create_app
from web.settings import Settings
from workflows.actors import people

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
LANZHOU = f"/recommendations/{BATCH}/620100"
NO = quote(LETTER["document_no"])
PAPER = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
UNIT, CODE = "兰州兰岭水泥有限公司", "91620103MA807932XD"


@pytest.fixture
def clock():
    """The clock that stories move."""
    return Clock(START)


@pytest.fixture
def lz(story):
    """Lanzhou may recommend three factories."""
    return Recommending(story, {"default": None, "by_authority": {"620100": 3}})


@pytest.fixture
def app(story, tmp_path):
    """The pages over the database of the story."""
    settings = Settings(
        data_dir=tmp_path,
        database_url=story.database.url.render_as_string(hide_password=False),
        secret_key="only for the tests of this house, 32 and more",
    )
    app = create_app(settings, clock=story.clock)
    app.testing = True
    app.config["PROPAGATE_EXCEPTIONS"] = False
    with story.database.begin() as connection:
        people.load_organisations(connection, password=PASSWORD, now=START)
    yield app
    app.extensions["tidu"].database.dispose()


def test_an_officer_finds_the_table_from_the_inbox_the_case_and_the_task(lz, signed_in):
    first, second = lz.recommended(1, order=1), lz.reviewed(2)
    leader = signed_in("lz.leader")

    assert 'href="/recommendations"' in leader.get("/inbox").text
    assert f'href="{LANZHOU}"' in leader.get("/recommendations").text
    assert f'href="{LANZHOU}"' in leader.get(f"/case/{first}").text
    task = leader.get(f"/task/{lz.about(second).task('m_recommend')}").text
    assert f'href="{LANZHOU}"' in task
    assert "名额 3 个，已占用 1 个" in task
    assert f'href="{LANZHOU}"' not in leader.get(f"/case/{second}").text, "nothing is recommended there yet"
    assert f'href="{LANZHOU}"' not in signed_in("app01").get(f"/case/{first}").text
    page = leader.get(LANZHOU).text
    for told in (
        UNIT,
        CODE,
        "水泥制造",
        "76.74",
        "能效居行业前列。",
        "绿色工厂：名额 3 个，已占用 1 个，剩余 2 个",
    ):
        assert told in page


def test_the_province_finds_all_tables_from_the_case_of_the_batch(lz, signed_in):
    lz.deploy("batch")
    case = lz.story.start("batch", by="prov.officer", values={"wanted_year": 2026}).case_id

    assert 'href="/recommendations"' in signed_in("prov.leader").get(f"/case/{case}").text


def test_the_sealed_letter_that_came_along_stands_in_the_table_with_its_digest(lz, signed_in):
    task = lz.about(lz.reviewed(1)).claim("m_recommend", "lz.leader").task("m_recommend")
    leader = signed_in("lz.leader")

    answer = leader.post(f"/task/{task}", {**LETTER, "annexes": (io.BytesIO(PAPER), "盖章推荐函.pdf")})

    assert answer.status_code in (302, 303)
    (letter,) = leader.api("GET", f"/recommendation/{BATCH}/620100").json["letters"]
    annex = {"name": "盖章推荐函.pdf", "sha256": hashlib.sha256(PAPER).hexdigest()}
    assert letter["rows"][0]["annexes"] == [annex]
    assert "盖章推荐函.pdf" in leader.get(LANZHOU).text
    assert annex["sha256"] in leader.get(f"{LANZHOU}/letter.json?no={NO}").text


def test_a_leader_sees_the_table_as_it_would_go_out(lz, signed_in):
    task = lz.about(lz.reviewed(2)).claim("m_recommend", "lz.leader").task("m_recommend")
    draft = {"opinion": "草稿中的推荐意见。", "order": 7}
    lz.story.commands.save_draft(task, draft, actor=lz.story.person("lz.leader"), revision=0)

    leader, province = (signed_in(person).get(LANZHOU).text for person in ("lz.leader", "prov.officer"))

    for told in ("待推荐（预览，尚未报出）", "兰州西固石化新材料有限公司", "草稿中的推荐意见。", "76.74"):
        assert told in leader
    assert f'href="/task/{task}"' in leader
    assert "待推荐" not in province, "what is not recommended yet is the authority's own business"


def test_a_letter_and_its_files_say_the_same(lz, signed_in):
    lz.recommended(2, order=2, contact='=HYPERLINK("http://x")', opinion="+1\n-2")
    lz.recommended(1, order=1)
    officer = signed_in("lz.officer")

    page = officer.get(f"{LANZHOU}/letter?no={NO}").text
    text = officer.get(f"{LANZHOU}/letter.json?no={NO}")
    table = officer.get(f"{LANZHOU}/table.csv?no={NO}")
    told = officer.api("GET", f"/recommendation/{BATCH}/620100").json

    (letter,) = told["letters"]
    assert hashlib.sha256(text.data).hexdigest() == letter["sha256"]
    for word in (
        letter["sha256"],
        LETTER["document_no"],
        UNIT,
        "绿色工厂 2 家。",
        "2026年6月10日",
        "（印章）",
    ):
        assert word in page
    assert table.data.startswith("\ufeff".encode())
    head, *rows = csv.reader(io.StringIO(table.data.decode("utf-8-sig")))
    assert [dict(zip(head, row, strict=True))["单位名称"] for row in rows] == [
        row["unit"] for row in letter["rows"]
    ]
    second = dict(zip(head, rows[1], strict=True))
    assert second["联系人及电话"] == '\'=HYPERLINK("http://x")'
    assert second["推荐意见"].startswith("'+1")
    assert (second["统一社会信用代码"], second["核实得分"]) == ("91620104MA9158513P", "76.74")
    assert told["quotas"] == [
        {"track": "gf", "places": 3, "taken": 2, "cases": sorted(row["case"] for row in letter["rows"])}
    ]
    assert officer.get(f"{LANZHOU}/table.csv").data == table.data, "there is but one letter"


def test_the_past_is_told_as_it_was(lz, signed_in):
    lz.recommended(1)
    lz.story.clock.move("P2D")
    lz.recommended(2)
    officer = signed_in("lz.officer")

    for moment, count in (("2026-03-02", 1), ("2026-03-04T09:00", 2), ("2026-03-01", 0), ("gestern", 2)):
        told = officer.get(f"{LANZHOU}/table.csv?as_of={moment}").data.decode().count(LETTER["document_no"])
        assert told == count, moment
    told = officer.api("GET", f"/recommendation/{BATCH}/620100?asOf=2026-03-03T00:00:00%2B08:00")
    assert [len(letter["rows"]) for letter in told.json["letters"]] == [1]
    assert "截至 2026年3月3日" in officer.get(f"{LANZHOU}?as_of=2026-03-02").text
    refused = officer.api("GET", f"/recommendation/{BATCH}/620100?asOf=gestern")
    assert refused.status_code == 422


def test_nobody_else_learns_anything(lz, app, signed_in):
    lz.recommended(1)
    places = ("", f"/letter?no={NO}", f"/letter.json?no={NO}", "/table.csv")

    for person in ("jyg.leader", "dee", "expert1"):
        visitor = signed_in(person)
        assert [visitor.get(LANZHOU + place).status_code for place in places] == [404] * 4, person
        assert visitor.api("GET", f"/recommendation/{BATCH}/620100").status_code == 404
        assert UNIT not in visitor.get("/recommendations").text
        assert visitor.api("GET", "/recommendation").json["items"] == []
    assert signed_in("app01").get(LANZHOU).status_code == 403
    assert Visitor(app).get(LANZHOU).status_code in (302, 303, 401)
    province = signed_in("prov.officer")
    assert [province.get(LANZHOU + place).status_code for place in places] == [200] * 4
    assert province.get(f"{LANZHOU}/letter?no=none").status_code == 404
    assert province.get(f"/recommendations/{BATCH}/999999").status_code == 404
    province.post("/language", {"language": "en", "next": "/"})
    assert "Ninth batch" in province.get(LANZHOU).text
    assert [one["recommended"] for one in province.api("GET", "/recommendation").json["items"]] == [1]


def test_a_refusal_for_want_of_a_place_is_told_on_the_page_and_keeps_what_was_typed(lz, signed_in):
    cases = [lz.recommended(number) for number in (1, 2, 3)]
    task = lz.about(lz.reviewed(4)).claim("m_recommend", "lz.leader").task("m_recommend")
    leader = signed_in("lz.leader")

    answer = leader.post(f"/task/{task}", {**LETTER, "opinion": "第四家的推荐意见。"})

    assert answer.status_code == 409
    assert "推荐名额为 3 个，已推荐 3 个" in answer.text
    assert all(case in answer.text for case in cases)
    assert "第四家的推荐意见。" in answer.text
    said = leader.api("POST", f"/task/{task}/complete", {"outcome": "recommended_up", "values": LETTER})
    assert (said.status_code, said.json["code"], said.json["cases"]) == (409, "QUOTA_USED_UP", cases)


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  -2", "'  -2"),
        ("＝1", "'＝1"),
        ("\t=1", "'\t=1"),
        ("0931-8481234", "0931-8481234"),
        ("916201007939221334", "\t916201007939221334"),
        (-5, "-5"),
        (None, ""),
    ],
)
def test_no_cell_is_a_formula_and_no_code_is_rounded(value, cell):
    assert spreadsheet.written(["a"], [[value]]).decode("utf-8-sig").split("\r\n")[1].strip('"') == cell


@pytest.mark.browser
@pytest.mark.slow
def test_the_pages_read_well_and_print_on_a4(lz, app, signed_in, chromium, tmp_path):
    lz.recommended(1, order=1)
    lz.recommended(2, order=2)
    lz.reviewed(3)
    cookie = signed_in("lz.leader").client.get_cookie("tidu_session").value
    with browser.served(app) as address:
        for width in (1366, 390):
            size = {"width": width, "height": 844}
            context = chromium.new_context(base_url=address, locale="zh-CN", viewport=size)
            context.add_cookies([{"name": "tidu_session", "value": cookie, "url": address}])
            page = context.new_page()
            for name, where in (
                ("list", "/recommendations"),
                ("sender", LANZHOU),
                ("letter", f"{LANZHOU}/letter?no={NO}"),
            ):
                assert page.goto(where).status == 200
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (where, width)
                page.evaluate(browser.AXE.read_text("utf-8") + ";0")
                found = page.evaluate("only => axe.run(document, {runOnly: only})", RULES)["violations"]
                page.screenshot(path=tmp_path / f"{width}-{name}.png", full_page=True)
                assert [(one["id"], one["nodes"][0]["target"]) for one in found] == [], (where, width)
            printed = page.pdf(prefer_css_page_size=True, path=tmp_path / f"{width}.pdf")
            assert printed.count(b"/MediaBox") == 2, "the letter is one page, its annex another"
            context.close()
