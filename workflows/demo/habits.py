"""How people in the demonstration behave: when they work, how fast, and what they tend to decide."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta, timezone

from engine.definition.model import Outcome
from engine.execution.execution import WorkingDays
from workflows.demo.chance import Chance
from workflows.demo.years import SETTLED

SHANGHAI = timezone(timedelta(hours=8))
OPENS, OFFICE_MINUTES = time(9), 8 * 60

STYLES = {"primary": 880, "secondary": 80, "danger": 40}
"""How often out of a thousand a button of each style is pressed, shared among the buttons of the style."""

MESSAGES = {"withdrawal": 2, "objection": 12, "reconsideration": 40}
"""Per cent of the moments at which something may be said that it is said; other messages never."""

LAST_LIST = datetime(2026, 4, 1, tzinfo=UTC)
LISTED = "list_published"
"""What the province tells those whose title ends with the list of the last year, before its last meeting."""

ENDING = frozenset(("rm_decide", "rm_confirm", "ch_merge", "ch_decide"))
"""What may end a title."""

LATE, FORGOTTEN = 6, 3
"""Per cent of tasks with a deadline that are done a little late, or lie for weeks."""


def said(message: str, at: datetime) -> int:
    """Per cent of the moments at which it may be said that it is."""
    if message == LISTED:
        return 100 if at >= LAST_LIST else 0
    return MESSAGES.get(message, 0)


def may_still_be_said(message: str, at: datetime) -> bool:
    """Whether it does not upset what the last meeting counts upon: from then on nobody withdraws or objects,
    and no title ends."""
    return at <= SETTLED if message in (LISTED, "objection", "withdrawal") else True


def office_moment(after: datetime, days: int, calendar: WorkingDays, chance: Chance) -> datetime:
    """A moment in office hours, so many working days after `after`; for none, a little later."""
    if days == 0:
        return after + timedelta(minutes=chance.between(5, 90))
    day = calendar.add(after, days)[0].astimezone(SHANGHAI).date()
    opening = datetime.combine(day, OPENS, SHANGHAI)
    return (opening + timedelta(minutes=chance.below(OFFICE_MINUTES))).astimezone(UTC)


def days_taken(allowed: int | None, chance: Chance) -> int:
    """Working days until a task is done, of so many allowed."""
    if allowed is None or allowed < 1:
        return chance.between(0, 3)
    if chance.happens(FORGOTTEN):
        return allowed + chance.between(8, 20)
    if chance.happens(LATE):
        return allowed + chance.between(1, 4)
    return chance.between(allowed * 3 // 10, max(allowed * 9 // 10, 1))


def pressed(outcomes: Sequence[Outcome], chance: Chance) -> str | None:
    """The button that is pressed; None where there is none."""
    if not outcomes:
        return None
    alike: dict[str, int] = {}
    for outcome in outcomes:
        alike[outcome.style] = alike.get(outcome.style, 0) + 1
    return chance.weighted({o.value: STYLES.get(o.style, 80) // alike[o.style] for o in outcomes})
