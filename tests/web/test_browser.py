"""What only a real browser shows: the editors, replay by keyboard, autosave, contrast, no refused styles."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests import browser
from workflows.library.packages import read_folder

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DRAWN = Path(__file__).parent.parent.parent / "bpmn" / "objection_handling"
HOME = "/editor/objection_handling"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture
def served(app):
    rooms = app.extensions["tidu"]
    with rooms.database.begin() as connection:
        rooms.catalog.deploy(connection, read_folder(DRAWN), by="system", at=datetime(2026, 1, 1, tzinfo=UTC))
    with browser.served(app) as address:
        yield address


class Window:
    """A page somebody is signed in to; `complaints` collects what the console says."""

    def __init__(self, chromium, address, person):
        self.context = chromium.new_context(
            base_url=address, locale="zh-CN", viewport={"width": 1440, "height": 900}
        )
        self.page = self.context.new_page()
        self.complaints = []
        self.page.on("console", lambda said: self._hear(said.type, said.text))
        self.page.on("pageerror", lambda error: self._hear("error", str(error)))
        self.page.on("dialog", lambda dialog: dialog.accept())
        self.page.goto("/login")
        self.page.fill("[name=account]", person)
        self.page.fill("[name=password]", "tidu-demo")
        self.page.locator("main form button").last.click()
        self.page.wait_for_url(lambda url: "/login" not in url)

    def _hear(self, kind, text):
        if kind in ("error", "warning"):
            self.complaints.append(text)

    def sees(self, text):
        self.page.get_by_text(text).first.wait_for()

    def shows(self, place, text):
        """Waits until the place holds the text; scripts of the test may not be evaluated by the page."""
        from playwright.sync_api import expect

        expect(self.page.locator(place).first).to_contain_text(text, timeout=10_000)

    def accessibility(self):
        """Rule and first place of everything axe finds."""
        self.page.evaluate(browser.AXE.read_text("utf-8") + ";0")
        found = self.page.evaluate("only => axe.run(document, {runOnly: only})", RULES)
        return [(finding["id"], finding["nodes"][0]["target"]) for finding in found["violations"]]


@pytest.fixture
def window(chromium, served):
    opened = []

    def open_window(person):
        opened.append(Window(chromium, served, person))
        return opened[-1]

    yield open_window
    for one in opened:
        one.context.close()


def begin_draft(owner):
    owner.page.goto(HOME)
    owner.page.get_by_role("button", name=re.compile("新建草稿")).click()
    owner.page.locator("#outline [data-element=obj_register]").wait_for()


def test_a_drawing_is_changed_through_its_outline_and_saved_by_itself(window):
    owner = window("owner")
    begin_draft(owner)

    owner.page.locator("#outline [data-element=obj_register]").click()
    owner.page.get_by_role("button", name="追加").click()

    owner.shows("[data-save-status]", "第 2 稿")
    owner.page.locator("#problems .is-error").first.wait_for()
    owner.page.keyboard.press("F8")
    assert owner.page.evaluate("document.activeElement.closest('[data-problem]') !== null")
    assert owner.complaints == []


def test_what_the_engine_finds_stands_beside_its_element_in_the_reader_s_language(window):
    owner = window("owner")
    begin_draft(owner)
    owner.page.locator("#outline [data-element=obj_register]").click()
    owner.page.get_by_role("button", name="追加").click()

    sign = owner.page.locator(".tidu-finding.is-error").first
    sign.wait_for()

    assert re.search(r"错误: .*没有流出的顺序流.*\(flow\.dead_end\)", sign.get_attribute("title"))
    listed = owner.page.locator("#problems .is-error", has_text="引擎 · flow.dead_end").first
    assert "没有流出的顺序流" in listed.inner_text()
    assert owner.complaints == []


def test_a_change_is_told_in_the_words_of_the_owner(window):
    owner = window("owner")
    begin_draft(owner)
    owner.page.locator("#outline [data-element=obj_register]").click()
    owner.page.locator("#properties").get_by_text("通用", exact=True).click()
    name = owner.page.locator("#properties [name=name]")
    before = name.input_value()

    name.fill("登记异议（新）")
    owner.page.keyboard.press("Control+s")

    owner.shows("#changes", f"名称：{before} → 登记异议（新）")


def test_every_property_group_opens_under_the_strict_policy(window):
    owner = window("owner")
    begin_draft(owner)
    owner.page.locator("#outline [data-element=obj_register]").click()

    for header in owner.page.locator("#properties .bio-properties-panel-group-header-title").all():
        header.click()
    owner.page.locator("#properties .cm-editor").first.wait_for()

    assert owner.complaints == []


def test_two_windows_meet_without_losing_anything(window):
    first, second = window("owner"), window("owner")
    begin_draft(first)
    second.page.goto(f"{HOME}/draft")
    for one, name in ((first, "甲"), (second, "乙")):
        one.page.locator("#outline [data-element=obj_register]").click()
        one.page.locator("#properties").get_by_text("通用", exact=True).click()
        one.page.locator("#properties [name=name]").fill(name)
        one.page.keyboard.press("Control+s")
        one.shows("[data-save-status]", re.compile("已保存|未保存："))

    second.sees("用我的覆盖")
    second.page.get_by_role("button", name="用我的覆盖").click()

    second.shows("[data-save-status]", "第 3 稿")


def test_the_table_and_the_form_editor_open_quietly(window):
    owner = window("owner")
    begin_draft(owner)

    owner.page.goto(f"{HOME}/draft/decision/objection_admissibility")
    owner.page.locator(".tjs-table").wait_for()
    owner.page.goto(f"{HOME}/draft/form/obj_register")
    owner.page.locator(".fjs-form-editor .fjs-form-field").first.wait_for()

    assert owner.complaints == []


def test_an_auditor_walks_a_case_by_keyboard(window, application):
    auditor = window("auditor")
    auditor.page.goto(f"/audit/{application}?seq=1")
    auditor.page.locator("#replay-diagram .tidu-diagram-canvas, #replay-diagram .alert").first.wait_for()

    auditor.page.keyboard.press("ArrowRight")
    auditor.page.wait_for_url("**/*seq=2")
    auditor.page.keyboard.press("End")
    auditor.shows("#replay-sentence", "待办理")
    auditor.page.keyboard.press("Home")
    auditor.shows("#replay-sentence", "第 1 步")

    assert auditor.complaints == []


def test_what_an_officer_types_is_kept(window, check_task):
    officer = window("lz.officer")
    officer.page.goto(f"/task/{check_task}")
    officer.page.get_by_role("button", name=re.compile("认领")).first.click()
    officer.page.locator("textarea[name=opinion]").fill("缺少能耗台账")
    officer.page.keyboard.press("Tab")
    officer.sees("已保存")

    officer.page.goto(f"/task/{check_task}")

    assert officer.page.locator("textarea[name=opinion]").input_value() == "缺少能耗台账"
    assert officer.complaints == []


def test_single_keys_rest_while_somebody_types(window, check_task):
    officer = window("lz.officer")
    officer.page.goto("/inbox?queue=claimable")
    officer.page.keyboard.press("/")
    officer.page.keyboard.type("jkc?")

    assert officer.page.locator("input[type=search]").input_value() == "jkc?"
    assert officer.page.locator("dialog[open]").count() == 0


@pytest.mark.parametrize(
    ("person", "address"),
    [
        ("owner", "/editor/"),
        ("owner", HOME),
        ("auditor", "/audit/"),
        ("auditor", "/audit/{case}"),
        ("auditor", "/audit/{case}/verification"),
        ("auditor", "/audit/{case}/bundle"),
        ("auditor", "/audit/checkpoints"),
        ("lz.officer", "/inbox?queue=claimable"),
        ("lz.officer", "/task/{task}"),
        ("app01", "/apply"),
    ],
)
def test_a_page_is_accessible(window, app, application, check_task, person, address):
    checkpoints = app.extensions["tidu"].checkpoints
    checkpoints.begin(bytes(32), place="tidu.example.org")
    checkpoints.take()
    visitor = window(person)
    visitor.page.goto(address.format(case=application, task=check_task))
    visitor.page.wait_for_load_state("networkidle")

    assert visitor.accessibility() == []
    assert visitor.complaints == []


def test_a_rule_set_is_drafted_on_pages_that_everybody_can_use(window):
    owner = window("owner")
    owner.page.goto("/rules/")
    owner.page.get_by_text("新建草稿").click()
    owner.page.get_by_role("button", name="建立草稿").click()
    found = {}
    for group in ("quota", "departments", "tracks", "annual"):
        owner.page.goto(f"/rules/set/gansu-2027/1?group={group}")
        found[group] = owner.accessibility()
    for address in ("/rules/compare?before=gansu-2026:1&after=guangdong-2026:1", "/rules/coverage"):
        owner.page.goto(address)
        found[address] = owner.accessibility()
    owner.page.goto("/rules/documents/miit-2024")
    owner.page.locator("#F36 summary", has_text="修订").click()
    found["amend"] = owner.accessibility()

    assert {place: problems for place, problems in found.items() if problems} == {}
    assert owner.complaints == []


def test_a_rule_set_is_submitted_in_a_dialog_that_asks_why(window):
    owner = window("owner")
    owner.page.goto("/rules/")
    owner.page.get_by_text("新建草稿").click()
    owner.page.get_by_role("button", name="建立草稿").click()
    owner.page.goto("/rules/set/gansu-2027/1?group=publicity")
    owner.page.locator("#p-publicity-municipal").fill("7")
    owner.page.get_by_role("button", name="保存本组").click()
    owner.sees("已保存。")

    owner.page.get_by_role("link", name="提交审核").click()
    owner.page.locator("dialog[open] textarea").fill("按2027年度通知调整")
    owner.page.locator("dialog[open] button.btn-primary").click()

    owner.sees("已提交，等待另一人批准。")
    assert owner.complaints == []
