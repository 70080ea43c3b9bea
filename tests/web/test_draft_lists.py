"""A published draft list: anybody reads it without an account, and computes its digest again."""

from __future__ import annotations

import hashlib
import re

import pytest

from tests import browser
from tests.conftest import START
from tests.processes.test_batch import Season
from tests.story import Clock
from tests.web.conftest import Visitor
from web.app import create_app
from web.settings import Settings

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
UNIT = "兰州兰岭水泥有限公司"


@pytest.fixture
def clock():
    """The clock that stories move."""
    return Clock(START)


@pytest.fixture
def season(story):
    return Season(story)


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
    yield app
    app.extensions["tidu"].database.dispose()


@pytest.fixture
def batch(season):
    """A batch whose list is frozen, with one unit listed and one not; nobody has published it yet."""
    case = season.opened("2026-2")
    season.candidate("u01", score=90, batch="2026-2")
    season.candidate("u02", score=80, batch="2026-2")
    season.meets(case, "selected", "not_selected")
    return case


def test_anybody_reads_a_published_list_and_computes_its_digest(app, season, batch):
    season.publishes(batch)
    visitor = Visitor(app)

    board = visitor.get("/notices").text
    page = visitor.get(f"/notices/lists/{batch}").text
    download = visitor.get(f"/notices/lists/{batch}/text")

    digest = season.about(batch).case().variables["draft"]["digest"]
    assert f'href="/notices/lists/{batch}"' in board
    assert "甘肃省2026年度第二批" in board
    assert re.findall(r"\b[0-9a-f]{64}\b", page) == [digest]
    assert hashlib.sha256(download.data).hexdigest() == digest
    assert download.headers["Content-Disposition"] == f'attachment; filename="draft-list-{batch}.json"'
    for told in (UNIT, "绿色工厂", "兰州市", "2026年5月14日", "https://gxt.example/9"):
        assert told in page
    assert "白银" not in page, "who is not listed is nobody's business"


def test_a_list_stays_as_it_was_published(app, season, batch):
    season.publishes(batch)
    before = Visitor(app).get(f"/notices/lists/{batch}/text").data
    season.about(batch).pass_time("P8D")
    season.settle()
    season.notifies(batch)

    assert season.about(batch).case().is_over
    assert Visitor(app).get(f"/notices/lists/{batch}/text").data == before
    assert UNIT in Visitor(app).get(f"/notices/lists/{batch}").text


def test_a_frozen_list_is_nobodys_business_before_somebody_publishes_it(app, season, batch):
    visitor = Visitor(app)

    assert "目前没有已公示的拟定名单" in visitor.get("/notices").text
    for there in (batch, "XX-2026-000001"):
        for address in (f"/notices/lists/{there}", f"/notices/lists/{there}/text"):
            assert visitor.get(address).status_code == 404, address


def test_no_other_case_shows_a_list(app, season, story, batch):
    season.publishes(batch)
    unit = season.about(batch).case().variables["candidates"][0]["case"]

    assert Visitor(app).get(f"/notices/lists/{unit}").status_code == 404


@pytest.mark.browser
@pytest.mark.slow
def test_the_list_reads_well_on_a_desk_and_on_a_phone(app, season, batch, chromium, tmp_path):
    season.publishes(batch)
    with browser.served(app) as address:
        for width in (1366, 390):
            size = {"width": width, "height": 844}
            context = chromium.new_context(base_url=address, locale="zh-CN", viewport=size)
            page = context.new_page()
            for where in (f"/notices/lists/{batch}", "/notices"):
                page.goto(where)
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (where, width)
                page.evaluate(browser.AXE.read_text("utf-8") + ";0")
                found = page.evaluate("only => axe.run(document, {runOnly: only})", RULES)["violations"]
                page.screenshot(path=tmp_path / f"{width}{where.count('/')}.png", full_page=True)
                assert [(one["id"], one["nodes"][0]["target"]) for one in found] == [], (where, width)
            context.close()
