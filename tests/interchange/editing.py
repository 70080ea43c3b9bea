"""A process owner with a drawing of another tool: imports it, opens it, saves it, takes it back."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests import browser
from tests.journeys.surfer import PASSWORD, Surfer
from web.app import create_app
from web.settings import Settings
from workflows.actors.people import load_organisations
from workflows.library.packages import DRAWING
from workflows.store.tables import migrate

MORNING = datetime(2026, 3, 2, 1, tzinfo=UTC)
JSON = "application/json"


class Clock:
    """A second later whenever somebody looks."""

    def __init__(self) -> None:
        self.now = MORNING

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@dataclass(frozen=True, kw_only=True)
class Trip:
    """A file on its way: the draft's address, its bytes as imported and as the editor saved them, findings.

    `findings` are (severity, rule, element, sentence) as the draft's check tells them, `told` what the
    editor says of what it cannot keep.
    """

    address: str
    imported: bytes
    saved: bytes
    findings: list[tuple[str, str, str, str]]
    told: str


class Owner:
    """The process owner at work; every trip ends with the draft discarded."""

    def __init__(self, chromium: Browser, base: str) -> None:
        self.surfer = Surfer(chromium, base, "owner")
        self.page: Page = self.surfer.page

    def travel(self, path: Path) -> Trip:
        """Import the file, open it, save it unchanged. Raises AssertionError if it is not imported."""
        address = self.import_file(path)
        imported = self.download(address)
        self.page.locator("#canvas .djs-container").wait_for()
        self.save()
        findings = self.page.request.post(
            f"{address}/validate", data="{}", headers={"X-CSRFToken": self._token(), "Content-Type": JSON}
        ).json()["problems"]
        told = self.page.locator("[data-unkept]")
        trip = Trip(
            address=address,
            imported=imported,
            saved=self.download(address),
            findings=[(f["severity"], f["rule"], f["element"], f["text"]) for f in findings],
            told=told.inner_text() if told.count() else "",
        )
        self.discard(address)
        return trip

    def import_file(self, path: Path) -> str:
        """Upload the file in the catalogue; answers the address of the draft."""
        self.page.goto("/editor/")
        self.page.locator("details summary").first.click()
        self.page.set_input_files("#package", path)
        self.page.locator("form[action$='/editor/import'] button").click()
        self.page.wait_for_load_state()
        said = self.page.locator("main").inner_text()
        assert self.page.url.endswith("/draft"), f"{path.name} was not imported: {said}"
        return self.page.url

    def save(self) -> None:
        """Save what is on the screen, and wait until the server says that it has it."""
        self.page.keyboard.press("Control+s")
        expect(self.page.locator("[data-save-status]")).to_contain_text("已保存", timeout=20_000)

    def download(self, address: str) -> bytes:
        """The drawing in the package that the draft's page offers."""
        archive = self.page.request.get(f"{address}/export.zip").body()
        with zipfile.ZipFile(io.BytesIO(archive)) as package:
            name = next(name for name in package.namelist() if name.endswith(DRAWING))
            return package.read(name)

    def discard(self, address: str) -> None:
        """Away with the draft."""
        self.page.goto(address)
        revision = self.page.locator("input[name=revision]").first.input_value()
        self.page.request.post(
            f"{address}/discard",
            form={"csrf_token": self._token(), "revision": revision, "reason": "只为检查往返一致"},
        )

    def _token(self) -> str:
        return str(self.page.locator("meta[name=csrf-token]").get_attribute("content"))


@contextmanager
def owner_at_work(chromium: Browser, folder: Path) -> Iterator[Owner]:
    """A house with an empty library in `folder`, and its process owner at the browser."""
    settings = Settings(
        data_dir=folder,
        database_url=f"sqlite:///{folder / 'tidu.db'}",
        secret_key="only for the tests of this house, 32 and more",
    )
    app: Any = create_app(settings, clock=Clock())
    rooms = app.extensions["tidu"]
    migrate(rooms.database)
    with rooms.database.begin() as connection:
        load_organisations(connection, password=PASSWORD, now=MORNING)
    with browser.served(app) as base:
        owner = Owner(chromium, base)
        yield owner
        owner.surfer.close()
    rooms.database.dispose()
