"""The years of the demonstration: what is different in their rule sets, and the days of their batches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

START = datetime(2024, 6, 21, 1, tzinfo=UTC)
"""The day after the provincial rule was issued (F1)."""
END = datetime(2026, 11, 20, 10, tzinfo=UTC)
"""Where the clock stops: Friday 20 November 2026, 18:00 in Gansu."""

DRAFTER, SECOND = "owner", "approver"


@dataclass(frozen=True, kw_only=True)
class Statute:
    """The rule set of a year: when it is drafted, and what it says otherwise than what it is copied from.
    The indicator table is that of GB/T 36132-2025 throughout: the product has none of the 2018 edition (F57).

    A second person approves it a few days later; `since` is the first day on which it holds.
    """

    rules: str
    year: int
    drafted: datetime
    approved: datetime
    since: date
    changes: Mapping[str, Mapping[str, Any]]
    reason: str


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A batch of the province; its applicants begin in the `days` after it `opens`."""

    batch: str
    rules: str
    year: int
    begun: datetime
    opens: datetime
    days: int
    calendar: str
    name: str
    name_en: str
    apply_until: str
    recommend_until: str
    meeting_on: str
    meeting: int
    share: Decimal

    def called(self) -> dict[str, Any]:
        """What its call says of its own."""
        kept = ("name", "name_en", "apply_until", "recommend_until", "meeting_on")
        told = {name: getattr(self, name) for name in kept}
        number = self.meeting * 7 + 3
        return {
            "batch_id": self.batch,
            "year": self.year,
            "rules_id": self.rules,
            "calendar": self.calendar,
            "publicity_days": 5,
            "document_no": f"甘工信函〔{self.begun.year}〕{number}号",
            **told,
        }


STATUTES = (
    Statute(
        rules="gansu-2024",
        year=2024,
        drafted=datetime(2024, 6, 21, 2, tzinfo=UTC),
        approved=datetime(2024, 6, 25, 2, tzinfo=UTC),
        since=date(2024, 8, 1),
        changes={
            "tracks.national": {"value": ["gf", "sc", "gp"], "inferred": True, "source": "F33"},
            "switches.sc_national_open": {"value": True, "inferred": True, "source": "F33"},
            "switches.national_third_party_report": {"value": True, "inferred": True, "source": "F51"},
            "switches.last_five_percent_national": {"value": False, "inferred": True, "source": "F54"},
        },
        reason="首个年度：国家级供应链类别开放，申报仍附第三方评价报告，尚无末位百分之五规则（推定）。",
    ),
    Statute(
        rules="gansu-2025",
        year=2025,
        drafted=datetime(2024, 12, 2, 2, tzinfo=UTC),
        approved=datetime(2024, 12, 5, 2, tzinfo=UTC),
        since=date(2025, 1, 1),
        changes={"dates.national": {"value": "10-28", "inferred": False, "source": "F53"}},
        reason="国家级只受理工厂和园区，不再要求第三方评价报告，汇总截止推迟至10月28日。",
    ),
    Statute(
        rules="gansu-2026",
        year=2026,
        drafted=datetime(2025, 12, 1, 2, tzinfo=UTC),
        approved=datetime(2025, 12, 4, 2, tzinfo=UTC),
        since=date(2026, 1, 1),
        changes={"dates.apply": {"value": "12-31", "inferred": True, "source": "G1"}},
        reason="改用GB/T 36132-2025；第二批次申报延至年底（推定）。",
    ),
)

BATCHES = {
    -1: Batch(
        batch="2024-1",
        rules="gansu-2024",
        year=2024,
        begun=datetime(2024, 7, 1, 1, tzinfo=UTC),
        opens=datetime(2024, 7, 9, 1, tzinfo=UTC),
        days=42,
        calendar="cn-2025-1",
        name="甘肃省2024年度绿色制造梯度培育第一批",
        name_en="Gansu green manufacturing 2024, first batch",
        apply_until="2024-08-30",
        recommend_until="2024-10-31",
        meeting_on="2024-12-23",
        meeting=12,
        share=Decimal("0.25"),
    ),
    -2: Batch(
        batch="2025-1",
        rules="gansu-2025",
        year=2025,
        begun=datetime(2025, 2, 17, 1, tzinfo=UTC),
        opens=datetime(2025, 3, 3, 1, tzinfo=UTC),
        days=50,
        calendar="cn-2025-1",
        name="甘肃省2025年度绿色制造梯度培育第一批",
        name_en="Gansu green manufacturing 2025, first batch",
        apply_until="2025-05-30",
        recommend_until="2025-07-31",
        meeting_on="2025-09-22",
        meeting=10,
        share=Decimal("0.85"),
    ),
    -3: Batch(
        batch="2026-1",
        rules="gansu-2026",
        year=2026,
        begun=datetime(2026, 3, 2, 2, tzinfo=UTC),
        opens=datetime(2026, 3, 2, 1, tzinfo=UTC),
        days=50,
        calendar="cn-2026-1",
        name="甘肃省2026年度绿色制造梯度培育第一批",
        name_en="Gansu green manufacturing 2026, first batch",
        apply_until="2026-05-31",
        recommend_until="2026-06-30",
        meeting_on="2026-08-24",
        meeting=9,
        share=Decimal(1),
    ),
    -4: Batch(
        batch="2026-2",
        rules="gansu-2026",
        year=2026,
        begun=datetime(2026, 8, 17, 1, tzinfo=UTC),
        opens=datetime(2026, 9, 1, 1, tzinfo=UTC),
        days=79,
        calendar="cn-2026-1",
        name="甘肃省2026年度绿色制造梯度培育第二批",
        name_en="Gansu green manufacturing 2026, second batch",
        apply_until="2026-12-31",
        recommend_until="2027-01-29",
        meeting_on="2027-03-22",
        meeting=3,
        share=Decimal(1),
    ),
    -5: Batch(
        batch="2027-1",
        rules="gansu-2026",
        year=2027,
        begun=datetime(2026, 11, 16, 10, tzinfo=UTC),
        opens=datetime(2027, 3, 1, 1, tzinfo=UTC),
        days=50,
        calendar="cn-2026-1",
        name="甘肃省2027年度绿色制造梯度培育第一批",
        name_en="Gansu green manufacturing 2027, first batch",
        apply_until="2027-05-31",
        recommend_until="2027-06-30",
        meeting_on="2027-08-23",
        meeting=9,
        share=Decimal(1),
    ),
}
"""By the number of the province's case, among those of the units, which count from 0."""

AUTUMN, SPRING, DRAFTED = -4, -3, -5

SETTLED = datetime(2026, 8, 20, 10, tzinfo=UTC)
"""From here on nobody takes a title away: the last meeting has counted what stands."""


def statute_of(batch: Batch) -> Statute:
    """The rule set that a batch is called with."""
    return next(statute for statute in STATUTES if statute.rules == batch.rules)
