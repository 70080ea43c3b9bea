"""One process owner at the browser for all trips."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.interchange.editing import Owner, owner_at_work


@pytest.fixture(scope="module")
def owner(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Owner]:
    with owner_at_work(chromium, tmp_path_factory.mktemp("interchange")) as owner:
        yield owner
