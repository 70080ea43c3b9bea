"""What every number of a season is: an application of some year, or something of life after the title."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from engine.execution.execution import WorkingDays
from workflows.demo.chance import Chance
from workflows.demo.habits import office_moment
from workflows.demo.waiting import DESKS, desk_of
from workflows.demo.years import AUTUMN, BATCHES, SPRING

APPLY, FILL = "apply", "fill"
"""An application that is filed in any case, and one that is filed if there is room for it."""

LATELY, LATELY_DAYS = datetime(2026, 10, 12, 1, tzinfo=UTC), 8
"""When those begin that shall wait at somebody's desk in November."""

CAST = (
    *("apply.-1",) * 6,
    *("removal", "reapply", "rename_banned", "reapply_renamed"),
    *("plan", "cultivation", "rename", "complaint", "re_evaluation"),
    *("apply.-2", "apply.-1", "apply.-2", "apply.-3", "apply.-1"),
)
"""What comes first, so that a small season has something of everything."""

TRACKS = ("gf", "we", "gf", "gp", "sc", "wp")
"""For which titles the first ones apply; they go straight as far as the examples do."""

CYCLE = (
    *("apply.-1", "fill", "apply.-2", "fill", "fill", "apply.-3", "apply.-1", "fill") * 5,
    *("apply.-1", "fill", "apply.-2", "cultivation", "fill", "change", "apply.-2", "fill") * 2,
    *("apply.-1", "fill", "fill", "complaint", "apply.-3", "re_evaluation", "fill", "plan"),
    *("apply.-1", "fill", "fill", "cultivation", "removal", "reapply", "fill", "fill"),
    *("apply.-1", "fill", "fill", "rename", "fill", "merger", "fill", "apply.-1"),
)
"""What comes then, again and again."""

WHEN = {
    "plan": ((datetime(2025, 1, 6, 1, tzinfo=UTC), 18), (datetime(2026, 1, 5, 1, tzinfo=UTC), 18)),
    "cultivation": ((datetime(2024, 9, 2, 1, tzinfo=UTC), 90), (datetime(2025, 6, 2, 1, tzinfo=UTC), 120)),
    "removal": ((datetime(2025, 1, 6, 1, tzinfo=UTC), 14), (datetime(2025, 11, 3, 1, tzinfo=UTC), 40)),
    "reapply": ((datetime(2026, 3, 9, 1, tzinfo=UTC), 20),),
    "rename_banned": ((datetime(2025, 6, 9, 1, tzinfo=UTC), 20),),
    "reapply_renamed": ((datetime(2026, 4, 6, 1, tzinfo=UTC), 20),),
    "rename": ((datetime(2025, 5, 6, 1, tzinfo=UTC), 150), (datetime(2026, 2, 24, 1, tzinfo=UTC), 60)),
    "change": ((datetime(2025, 5, 6, 1, tzinfo=UTC), 150), (datetime(2026, 2, 24, 1, tzinfo=UTC), 60)),
    "merger": ((datetime(2025, 5, 6, 1, tzinfo=UTC), 120),),
    "complaint": ((datetime(2025, 4, 7, 1, tzinfo=UTC), 180), (datetime(2026, 1, 12, 1, tzinfo=UTC), 120)),
    "re_evaluation": (
        (datetime(2025, 5, 12, 1, tzinfo=UTC), 120),
        (datetime(2026, 1, 12, 1, tzinfo=UTC), 60),
    ),
}
"""From when on each kind happens, and for how many days; a kind's cases take turns with the spans."""


RESERVED = (
    (datetime(2025, 3, 3, tzinfo=UTC), 42),
    (datetime(2026, 3, 3, tzinfo=UTC), 36),
    (datetime(2026, 8, 31, tzinfo=UTC), 8),
)
"""Until the campaigns of the yearly reports have begun, and until autumn, so many of a hundred cases are left
to what follows."""


@dataclass(frozen=True, kw_only=True)
class Intent:
    """What one number means to do: its kind, the batch it applies in, and its place among its kind."""

    number: int
    kind: str
    batch: int = 0
    place: int = 0

    @property
    def applies(self) -> bool:
        """Whether it is an application by a unit that has not been heard of."""
        return self.kind in (APPLY, FILL)


def intents(cases: int) -> list[Intent]:
    """What each of so many numbers means to do."""
    seen: Counter[str] = Counter()
    planned = []
    for number, slot in zip(range(cases), _slots(), strict=False):
        kind, _, batch = slot.partition(".")
        planned.append(Intent(number=number, kind=kind, batch=int(batch or AUTUMN), place=seen[kind]))
        seen[kind] += 1
    return planned


def is_cast(number: int) -> bool:
    """Whether it is one of the first applications of 2024, which everybody deals with at once."""
    first = len(DESKS) + 1
    return first <= number < first + len(TRACKS)


def is_bound(number: int) -> bool:
    """Whether it takes place whatever came before: what every season shows, however small."""
    return number <= len(DESKS) + len(CAST)


def reserved(cases: int, at: datetime) -> int:
    """How many of the cases are left to what letters begin later."""
    return next((cases * percent // 100 for until, percent in RESERVED if at < until), 0)


def moment(intent: Intent, calendar: WorkingDays, chance: Chance) -> datetime:
    """When it is begun, in office hours."""
    own = chance.about("beginning", intent.number)
    if desk_of(intent.number):
        day = LATELY + timedelta(days=own.below(LATELY_DAYS))
    elif intent.applies:
        batch = BATCHES[intent.batch]
        soon = intent.number == 0 or is_cast(intent.number)
        day = batch.opens + timedelta(days=0 if soon else 1 + own.below(batch.days - 1))
    else:
        spans = WHEN[intent.kind]
        since, days = spans[intent.place % len(spans)]
        day = since + timedelta(days=own.below(days))
    return office_moment(day, 1, calendar, own)


def _slots() -> Iterator[str]:
    yield f"{APPLY}.{SPRING}"
    for _ in DESKS:
        yield f"{APPLY}.{AUTUMN}"
    yield from CAST
    while True:
        yield from CYCLE
