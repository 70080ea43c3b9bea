"""The public register: everybody may ask, for any day; certificates print the same; nothing else is told."""

from __future__ import annotations

from datetime import date

import pytest

from tests import browser
from workflows.register import bans, batches, evaluators, rule_sets, titles, units, years

TODAY = date(2026, 3, 2)
GIVEN, RENAMED, REMOVED = date(2024, 5, 6), date(2025, 3, 1), date(2025, 9, 1)
OLD, NEW = "兰州兰岭水泥有限公司", "兰岭绿色建材有限公司"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
TITLE = "GF-2024-000001-gf-provincial"


@pytest.fixture
def register(app):
    """u01 is a provincial factory with a new name, u02 was removed, u03 saves water for three years."""
    rooms = app.extensions["tidu"]
    with rooms.database.begin() as connection:
        rule_sets.load_rule_sets(connection, now=rooms.clock())
        batches.load_batches(connection, now=rooms.clock())
        given = {"title": "绿色工厂", "title_en": "Green factory", "document": "甘工信发〔2024〕9号"}
        given |= {"decided_on": GIVEN, "body": "甘肃省工业和信息化厅", "track": "gf", "level": "provincial"}
        for unit, more in (
            ("u01", {}),
            ("u02", {}),
            ("u03", {"track": "we", "valid_years": 3, "document": "甘工信发〔2024〕10号"}),
            ("u03", {"level": "municipal", "case_id": "GF-2024-000009"}),
        ):
            number = more.get("case_id") or f"GF-2024-00000{unit[-1]}"
            facts = {"case_id": number, "unit": unit} | given | more
            titles.record_designation(
                connection, designation_id=f"{number}-{facts['track']}-{facts['level']}", **facts
            )
        names = {"name": NEW, "name_en": "Lanling Green", "previous": OLD, "previous_en": "Lanling Cement"}
        units.record_rename(connection, case_id="CH-1", number=2, unit="u01", since=RENAMED, **names)
        gone = {"case_id": "RM-1", "unit": "u02", "ground": "false_data", "document": "甘工信发〔2025〕3号"}
        titles.record_removal(connection, ["GF-2024-000002-gf-provincial"], on=REMOVED, **gone)
        bans.record_ban(connection, number=2, since=REMOVED, years=3, **gone)
        code = {"case_id": "GC-1", "number": 2, "unit": "u01", "year": 2025, "valid_until": None}
        years.record_green_code(connection, code="2025-AB12", grade="A", since=GIVEN, **code)
        sanction = {"case_id": "EV-1", "number": 2, "evaluator": "ev1", "ground": "false_report"}
        evaluators.record_sanction(
            connection, kind="not_accepted", since=GIVEN, until=date(2027, 5, 6), **sanction
        )
        return {
            unit: units.find_unit(connection, unit, on=TODAY)["uscc"] for unit in ("u01", "u02", "u03", "u04")
        }


def test_the_register_is_there_without_an_account(visitor, register):
    page = visitor.get("/register").text

    assert "截至2026年3月2日 周一，共 3 项有效称号。" in page
    assert NEW in page
    assert f'href="/register/unit/{register["u01"]}"' in page
    assert visitor.get("/").status_code in (200, 303)
    assert 'href="/register"' in visitor.get("/notices").text


QUESTIONS = [
    (f"q={NEW[:4]}", [NEW], []),
    (f"q={OLD}", [NEW], []),
    (f"q={OLD}&on=2025-02-28", [OLD], [NEW]),
    ("q=100%25", ["没有查到"], [NEW]),
    ("q=_", ["没有查到"], [NEW]),
    ("track=we", ["省级工业节水型企业"], ["省级绿色工厂</td>"]),
    ("level=municipal", ["共 1 项"], [NEW]),
    ("authority=620200", ["共 0 项"], [NEW]),
    ("authority=x&level=y&track=z&first=-1&on=yesterday", ["共 3 项"], []),
    ("on=2024-05-05", ["共 0 项"], [NEW, OLD]),
    ("on=2024-05-06", ["共 4 项", OLD], [NEW]),
    ("on=2025-08-31", ["共 4 项"], []),
    ("on=2025-09-01", ["共 3 项"], []),
    ("on=2027-05-06", ["共 3 项", "2027-05-06"], []),
    ("on=2027-05-07", ["共 2 项"], []),
]


def test_a_question_is_answered_as_of_its_day(visitor, register):
    for asked, found, absent in QUESTIONS:
        page = visitor.get(f"/register?{asked}")

        assert page.status_code == 200
        assert [text for text in found if text not in page.text] == [], asked
        assert [text for text in absent if text in page.text] == [], asked


def test_a_unit_that_lost_its_title_is_told_to_have_none(visitor, register):
    page = visitor.get(f"/register?q={register['u02']}").text

    assert "：截至该日没有有效称号。" in page
    assert "截至该日没有" not in visitor.get(f"/register?q={register['u04']}").text


def test_a_units_page_tells_titles_names_and_code(visitor, register):
    page = visitor.get(f"/register/unit/{register['u01']}").text

    for told in (NEW, OLD, "省级绿色工厂", "甘工信发〔2024〕9号", "曾用名", "2025-03-01", "2025-AB12", TITLE):
        assert told in page
    assert f"/register/certificate/{TITLE}.pdf" in page
    earlier = visitor.get(f"/register/unit/{register['u01']}?on=2025-02-28").text
    assert (NEW in earlier, OLD in earlier, "certificate" in earlier) == (False, True, False)


def test_a_removed_unit_shows_why_and_since_when_and_nothing_of_its_ban(visitor, register):
    page = visitor.get(f"/register/unit/{register['u02']}").text

    assert "该单位没有有效称号" in page
    assert "2025-09-01，提供虚假材料或数据" in page
    assert "2028" not in page
    assert "有效" in visitor.get(f"/register/unit/{register['u02']}?on=2025-08-31").text


def test_who_never_bore_a_title_is_nobodys_business(visitor, register):
    for unit in (register["u04"], "nobody", f"{register['u01']}?on=2024-05-05"):
        assert visitor.get(f"/register/unit/{unit}").status_code == 404


def test_changes_between_two_days_are_listed_with_their_documents(visitor, register):
    page = visitor.get("/register/changes?level=provincial&since=2024-01-01&until=2025-12-31").text

    assert page.count("共 3 项") == 1
    assert page.count("共 1 项") == 2
    assert "提供虚假材料或数据" in page
    only = visitor.get(
        "/register/changes?level=provincial&since=2024-01-01&until=2025-12-31&document=甘工信发〔2025〕3号"
    ).text
    assert [only.count("共 0 项"), only.count("共 1 项")] == [2, 1]
    assert "共 0 项" in visitor.get("/register/changes?level=nowhere&since=x&until=y").text


def test_a_certificate_is_a_pdf_of_the_same_bytes_for_the_same_facts(visitor, register, clock):
    first = visitor.get(f"/register/certificate/{TITLE}.pdf")
    clock.move(days=30)
    again = visitor.get(f"/register/certificate/{TITLE}.pdf")

    assert first.status_code == 200
    assert first.mimetype == "application/pdf"
    assert first.data.startswith(b"%PDF-")
    assert first.data == again.data


def test_the_font_is_inside_the_certificate(visitor, register):
    data = visitor.get(f"/register/certificate/{TITLE}.pdf").data

    assert b"NotoSerifSC" in data
    assert b"/FontFile2" in data
    assert len(data) < 100_000


def test_there_is_no_certificate_of_what_does_not_stand(visitor, register):
    for title, status in (("GF-2024-000002-gf-provincial", 409), ("GF-2024-000009-we-provincial", 404)):
        assert visitor.get(f"/register/certificate/{title}.pdf").status_code == status


def test_a_certificate_ends_with_the_last_day_of_the_title(visitor, register, clock):
    address = "/register/certificate/GF-2024-000003-we-provincial.pdf"
    clock.move(days=(date(2027, 5, 6) - TODAY).days)
    assert visitor.get(address).status_code == 200

    clock.move(days=1)
    assert visitor.get(address).status_code == 409


def test_statistics_by_authority_track_level_and_year(visitor, register):
    page = visitor.get("/register/statistics").text
    assert "共 3 项有效称号" in page
    assert "共 4 项有效称号" in visitor.get("/register/statistics?on=2024-06-01").text
    assert "共 3 项有效称号" in visitor.get("/register/statistics?year=2024").text

    lines = visitor.get("/register/statistics.csv?on=2024-06-01").text.splitlines()
    assert lines == [
        "\ufeffauthority,track,level,year,count",
        "兰州市,绿色工厂,市级,2024,1",
        "兰州市,绿色工厂,省级,2024,2",
        "兰州市,工业节水型企业,省级,2024,1",
    ]


def test_the_same_over_rest(visitor, register):
    def got(address):
        answer = visitor.get(f"/api/v1/register/{address}")
        assert answer.status_code == 200, answer.text
        return answer.json

    page = got("title?maxResults=2")
    assert (len(page["items"]), page["next"]) == (2, "2")
    assert got("title?on=2024-05-05")["items"] == []
    entry = got(f"unit/{register['u01']}")
    assert (entry["designated"], entry["name"], entry["earlierNames"]) == (
        True,
        NEW,
        [{"name": OLD, "until": "2025-03-01"}],
    )
    removed = got(f"unit/{register['u02']}")
    assert (removed["designated"], removed["titles"][0]["state"]) == (False, "removed")
    told = got("change?since=2024-01-01&until=2025-12-31&level=provincial")
    assert [len(told[kind]) for kind in ("new", "removed", "renamed")] == [3, 1, 1]
    assert sum(row["count"] for row in got("statistics")["items"]) == 3
    assert [track["id"] for track in got("track")["tracks"]] == ["gf", "sc", "gp", "we", "wp"]


def test_bodies_are_public_and_experts_are_not(visitor, signed_in, register):
    page = visitor.get("/register/bodies").text

    assert "不予受理" in page
    assert "2027-05-06" in page
    sources = visitor.get("/register/sources").text
    for told in (
        "甘工信发〔2024〕142号",
        "甘肃省2026年度绿色制造梯度培育第一批",
        "gansu-2026:1",
        "cn-2026-1",
        "现行",
    ):
        assert told in sources
    assert visitor.get("/register/experts").status_code == 303
    assert signed_in("app01").get("/register/experts").status_code == 403
    assert "专家名册" in signed_in("lz.officer").get("/register/experts").text


@pytest.mark.browser
@pytest.mark.slow
def test_the_pages_read_well_in_a_browser_and_by_keyboard_alone(app, chromium, register):
    addresses = ["/register", f"/register/unit/{register['u01']}", "/register/changes?since=2024-01-01"]
    addresses += ["/register/statistics", "/register/bodies", "/register/sources"]
    with browser.served(app) as address:
        for width in (1366, 390):
            size = {"width": width, "height": 844}
            context = chromium.new_context(base_url=address, locale="zh-CN", viewport=size)
            page, complaints = context.new_page(), []
            page.on("console", lambda said, heard=complaints: heard.append((said.type, said.text)))
            for where in addresses if width < 1000 else addresses[3:4]:
                page.goto(where)
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (where, width)
                page.evaluate(browser.AXE.read_text("utf-8") + ";0")
                found = page.evaluate("only => axe.run(document, {runOnly: only})", RULES)["violations"]
                assert [(one["id"], one["nodes"][0]["target"]) for one in found] == [], (where, width)
            page.goto("/register")
            page.locator("#q").focus()
            page.keyboard.type(OLD)
            page.keyboard.press("Enter")
            page.get_by_role("link", name=NEW).focus()
            page.keyboard.press("Enter")
            page.get_by_role("heading", name=NEW).wait_for()
            assert [text for kind, text in complaints if kind in ("error", "warning")] == []
            context.close()


def test_too_many_certificates_at_once_are_refused(visitor, register):
    answers = {visitor.get(f"/register/certificate/{TITLE}.pdf").status_code for _ in range(40)}

    assert answers == {200, 429}
