"""The programs of the house by a clock that somebody moves.

`python -m tests.reliability.by_hand FILE serve …` is `tidu serve …` by the clock in the file.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from web.app import create_app, put_together
from web.cli import house, main, serving
from web.settings import Settings

TICK = 0.2
"""Seconds: where months pass in minutes, a worker looks more often."""


class ClockInAFile:
    """The moment that stands in a file; whoever keeps the file moves the time of everybody who reads it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self) -> datetime:
        return datetime.fromisoformat(self.path.read_text(encoding="ascii"))

    def move(self, to: datetime) -> None:
        """It is `to` now."""
        draft = self.path.with_suffix(".new")
        draft.write_text(to.isoformat(), encoding="ascii")
        os.replace(draft, self.path)


def with_haste(settings: Settings, **more: Any) -> Any:
    return put_together(dataclasses.replace(settings, tick_seconds=TICK), **more)  # type: ignore[arg-type]


if __name__ == "__main__":
    clock = ClockInAFile(Path(sys.argv[1]))
    serving.create_app = partial(create_app, clock=clock)  # type: ignore[assignment]
    house.put_together = partial(with_haste, clock=clock)  # type: ignore[assignment]
    sys.exit(main.main(sys.argv[2:]))
