"""The moment at which the register's tests happen, and where the data lie."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
TODAY = date(2026, 3, 2)
BPMN = Path(__file__).parents[3] / "bpmn"
