"""The two yearly rounds of the demonstration: the one that ships with the product, and an autumn one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from engine.execution.execution import WorkingDays
from workflows.demo.chance import Chance
from workflows.demo.habits import office_moment
from workflows.demo.waiting import desk_of, is_model
from workflows.register.batches import find_batch, load_batches, open_batch, open_batches

END = datetime(2026, 11, 20, 10, tzinfo=UTC)
"""Where the clock stops: Friday 20 November 2026, 18:00 in Gansu."""


@dataclass(frozen=True, kw_only=True)
class Round:
    """A batch; its applicants begin in the `days` after it `opens`."""

    batch: str
    opens: datetime
    days: int


SPRING = Round(batch="2026-1", opens=datetime(2026, 3, 2, 1, tzinfo=UTC), days=50)
AUTUMN = Round(batch="2026-2", opens=datetime(2026, 9, 1, 1, tzinfo=UTC), days=79)
LATELY, LATELY_DAYS = datetime(2026, 10, 12, 1, tzinfo=UTC), 8
"""When those begin that shall wait at somebody's desk in November."""

SPRING_SHARE = 45
"""Per cent who apply in spring: they come through all levels; those of the autumn are still under way."""


def open_rounds(connection: sa.Connection) -> None:
    """Open both rounds, unless they are; the autumn's rules are the spring's, but applications stay open."""
    load_batches(connection, now=SPRING.opens)
    if AUTUMN.batch in {batch.id for batch in open_batches(connection)}:
        return
    spring = find_batch(connection, SPRING.batch)
    open_batch(
        connection,
        AUTUMN.batch,
        name="甘肃省2026年度绿色制造梯度培育第二批",
        name_en="Gansu green manufacturing 2026, second batch",
        rules=spring.rules.changed({"dates.apply": "12-31"}, version=spring.rules.version + 1),
        calendar=spring.calendar,
        by="system",
        now=AUTUMN.opens,
    )


def round_of(number: int, chance: Chance) -> Round:
    """The round of application `number`; the first, fully filled one is a spring application, those that
    stop at a desk are of the autumn."""
    if is_model(number):
        return AUTUMN if desk_of(number) else SPRING
    return SPRING if chance.about("round", number).happens(SPRING_SHARE) else AUTUMN


def beginning(number: int, calendar: WorkingDays, chance: Chance) -> datetime:
    """When application `number` is begun, in office hours."""
    round_ = round_of(number, chance)
    own = chance.about("beginning", number)
    day = round_.opens + timedelta(days=own.below(round_.days) if number else 0)
    if desk_of(number):
        day = LATELY + timedelta(days=own.below(LATELY_DAYS))
    return office_moment(day, 1, calendar, own)
