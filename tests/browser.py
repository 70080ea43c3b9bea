"""A real browser for a test run: the machine's own Chromium, driven by Playwright; it downloads nothing."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

from werkzeug.serving import make_server

ROOT = Path(__file__).parent.parent
BUILT = ROOT / "web" / "static" / "dist" / "app.js"
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


def chromium() -> str | None:
    """The path of the machine's Chromium, None if it has none."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def unavailable() -> str:
    """Why no browser can be driven here; empty if one can."""
    if importlib.util.find_spec("playwright") is None:
        return "Playwright is not installed"
    if chromium() is None:
        return "there is no Chromium on this machine"
    if not BUILT.exists() or not AXE.exists():
        return "the browser parts are not built (npm ci --ignore-scripts && npm run build)"
    return ""


@contextmanager
def launched() -> Iterator[Any]:
    """A running browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The address at which `app` answers, in a thread of this process."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
