"""A person at a browser: signs in, finds a task, claims it, fills the form, presses the outcome."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

PASSWORD = "tidu-demo"
ROW = re.compile(r"(?P<list>.+)\[\d+\]\.")
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


class Surfer:
    """One person's browser. Everything it does a person could do with mouse and keyboard."""

    def __init__(self, browser: Browser, base: str, person: str) -> None:
        self.person = person
        self.base = base
        self.context = browser.new_context(
            base_url=base,
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            viewport={"width": 1440, "height": 1000},
        )
        self.context.set_default_timeout(15_000)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self._sign_in()

    def _hear(self, message: Any) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            self.complaints.append(message.text)

    def _sign_in(self) -> None:
        self.page.goto("/login")
        self.page.fill("#account", self.person)
        self.page.fill("#password", PASSWORD)
        self.page.click("form[action='/login'] button.btn-primary")
        expect(self.page.locator("form[action='/logout']")).to_be_visible()

    # --- applying -------------------------------------------------------------------------------------

    def apply(self, process: str, values: dict[str, Any]) -> str:
        """File an application and answer the case's number."""
        self.page.goto("/apply")
        self.page.click(f"a[href='/apply/{process}']")
        self.fill(values)
        self.press("form[enctype] button[data-primary]")
        self.page.goto("/cases/mine")
        return str(self.page.locator("#main a[href^='/case/']").first.get_attribute("href")).split("/")[-1]

    # --- working --------------------------------------------------------------------------------------

    def open_task(self, case_id: str, waiting: Sequence[Any]) -> None:
        """Find one of these tasks in the inbox by the case's number; claim it if it is free."""
        for queue in ("mine", "claimable"):
            self.page.goto(f"/inbox?queue={queue}&q={case_id}")
            for task in waiting:
                row = self.page.locator(f"[id='task-{task.task_id}']")
                if row.count():
                    return self._open_row(row)
        raise AssertionError(f"{self.person} finds no {waiting[0].element} of {case_id} in the inbox")

    def _open_row(self, row: Locator) -> None:
        row.locator("a[data-open]").click()
        self.page.wait_for_selector("[data-panel=form]")
        claim = self.page.locator("form[action$='/claim'] button")
        if claim.count():
            claim.first.click()
        self.page.wait_for_selector("form[data-draft-url]")

    def complete(self, case_id: str, waiting: Sequence[Any], values: dict[str, Any]) -> None:
        """Do the whole task as drawn: open, claim, fill, press."""
        self.open_task(case_id, waiting)
        self.fill({key: value for key, value in values.items() if key != "outcome"})
        outcome = values.get("outcome")
        self.press(
            f"button[name=outcome][value='{outcome}']" if outcome else "form[data-draft-url] [data-primary]"
        )

    def press(self, button: str) -> None:
        """Press a button of the form and see that nothing was refused."""
        self._follow(button)
        self._nothing_refused()

    def _follow(self, button: str) -> None:
        """Press what leads to another page, and be there."""
        with self.page.expect_navigation():
            self.page.click(button)

    def _nothing_refused(self) -> None:
        refused = self.page.locator("#errors, .alert-danger")
        assert not refused.count(), f"{self.person}: {refused.first.inner_text()}"

    # --- filling --------------------------------------------------------------------------------------

    def fill(self, values: dict[str, Any]) -> None:
        """Type every value where its label stands; a row that is not there yet is added first."""
        missing = [pair for pair in _flat(values) if not self._fill_one(*self._with_row(*pair))]
        for name, value in missing:  # asked only after another answer is known: it appears by itself
            if self._appears(name):
                self._fill_one(name, value)
        for picker in self.page.locator("form[data-draft-url] input[type=file]").all():
            picker.set_input_files({"name": "证明材料.pdf", "mimeType": "application/pdf", "buffer": PDF})

    def _appears(self, name: str) -> bool:
        try:
            self.page.locator(f"form [name='{name}']").first.wait_for(timeout=3_000)
        except PlaywrightTimeout:
            return False
        return True

    def _with_row(self, name: str, value: Any) -> tuple[str, Any]:
        row = ROW.match(name)
        if row and not self.page.locator(f"[name^='{row[0]}']").count():
            add = f"button[name=_add][value='{row['list']}']"
            if self.page.locator(add).count():
                self._follow(add)
        return name, value

    def _fill_one(self, name: str, value: Any) -> bool:
        """Whether there was such an input; what is only shown to this person has none."""
        inputs = self.page.locator(f"form [name='{name}']:not([type=file])")
        if not inputs.count():
            return False
        kind = inputs.first.evaluate("one => one.type || one.tagName.toLowerCase()")
        chosen = value if isinstance(value, list) else [value]
        match kind:
            case "checkbox" if isinstance(value, bool):
                inputs.first.set_checked(value)
            case "radio" | "checkbox":
                for one in chosen:
                    self.page.check(f"form [name='{name}'][value='{one}']")
            case "select-one" | "select-multiple":
                inputs.first.select_option([str(one) for one in chosen])
            case "hidden":
                pass
            case _:
                inputs.first.fill(str(value))
        return True

    def close(self) -> None:
        self.context.close()


def example(process: str, name: str) -> dict[str, Any]:
    """A played example of a package."""
    path = Path(__file__).parents[2] / "bpmn" / process / "examples" / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def _flat(values: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        path = f"{name}.{key}" if name else key
        if _is_rows(value):
            for number, row in enumerate(value):
                yield from _flat(row, f"{path}[{number}]")
        elif isinstance(value, dict):
            yield from _flat(value, path)
        else:
            yield path, value
