"""An issued designation notice: anybody reads its three tables and computes their digest again."""

from __future__ import annotations

import hashlib
import re

import pytest

from tests import browser
from tests.processes.test_notices import FIRST, REFUSED, RENAMED, Year
from tests.web.conftest import Visitor
from tests.web.test_draft_lists import RULES, app, clock

__all__ = ("app", "clock")


@pytest.fixture
def year(story):
    return Year(story)


@pytest.fixture
def batch(year):
    """A batch whose tables are frozen: somebody new, removed and renamed; nobody has issued the notice."""
    year.removal(REFUSED, "form_refused")
    year.rename(RENAMED, "兰州榆中绿色乳业有限公司")
    return year.to_the_notice("2026-2")


def test_anybody_reads_the_three_tables_once_the_notice_is_issued(app, year, batch):
    visitor, there = Visitor(app), f"/notices/designations/{batch}"
    assert [visitor.get(address).status_code for address in (there, f"{there}/text")] == [404, 404]
    assert "目前没有印发的认定文件" in visitor.get("/notices").text

    year.issue(batch, FIRST)

    page, download = visitor.get(there).text, visitor.get(f"{there}/text")
    digest = year.about(batch).case().variables["tables"]["digest"]
    assert f'href="{there}"' in visitor.get("/notices").text
    assert re.findall(r"\b[0-9a-f]{64}\b", page) == [digest]
    assert hashlib.sha256(download.data).hexdigest() == digest
    assert (
        download.headers["Content-Disposition"] == f'attachment; filename="designation-notice-{batch}.json"'
    )
    new, removed, renamed = (page[page.index(f"<h2>{head}") :] for head in ("新认定", "移出", "更名"))
    assert "兰州兰岭水泥有限公司" in new[: len(new) - len(removed)]
    gone = removed[: len(removed) - len(renamed)]
    for told in ("兰州红古炭素制品有限公司", "未按时填报动态管理表", FIRST):
        assert told in gone
    for told in ("兰州榆中绿色乳业有限公司", "兰州榆中乳业有限公司"):
        assert told in renamed
    assert "RM-" not in page + download.text, "whose case it is, is nobody's business"


@pytest.mark.browser
@pytest.mark.slow
def test_the_notice_reads_well_on_a_desk_and_on_a_phone(app, year, batch, chromium, tmp_path):
    year.issue(batch, FIRST)
    with browser.served(app) as address:
        for width in (1366, 390):
            size = {"width": width, "height": 844}
            context = chromium.new_context(base_url=address, locale="zh-CN", viewport=size)
            page = context.new_page()
            page.goto(f"/notices/designations/{batch}")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
            page.evaluate(browser.AXE.read_text("utf-8") + ";0")
            found = page.evaluate("only => axe.run(document, {runOnly: only})", RULES)["violations"]
            page.screenshot(path=tmp_path / f"{width}.png", full_page=True)
            assert [(one["id"], one["nodes"][0]["target"]) for one in found] == [], width
            context.close()
