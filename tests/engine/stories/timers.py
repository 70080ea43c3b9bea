"""What timers say, and when they fire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from SpiffWorkflow.bpmn.exceptions import WorkflowTaskException
from SpiffWorkflow.bpmn.specs.event_definitions.timer import TimerEventDefinition

from engine.definition.moments import period_of
from tests.engine.drawing import NOW, play, process, timer
from tests.engine.stories.telling import rules, stock, story


def stock_after(text, start):
    parsed = TimerEventDefinition.parse_iso_duration(text)
    return start + TimerEventDefinition.get_timedelta_from_start(parsed, start)


@story("bare durations")
def _():
    drawing = process().start().catch("t", timer("P14D")).end()
    with pytest.raises(WorkflowTaskException):
        stock(drawing)

    assert play(drawing).open("Timed")[2].due_at == NOW + timedelta(days=14)


@story("cycles after downtime")
def _():
    drawing = process().start().user("a").end()
    drawing.boundary("b", "a", timer('"R5/PT1H"', "Cycle"), interrupting=False).user("remind").end("e")
    other = stock(drawing)
    other.pass_time(NOW + timedelta(hours=10))
    for _ in range(5):
        other.pass_time(NOW + timedelta(hours=10))
    ours = play(drawing)
    now, n = NOW + timedelta(hours=10), ours.n("b", "Timed")
    ours.execution.fire(n, now=now, missed=ours.execution.missed(n, now=now))

    assert other.waiting()["/remind"] > 1
    assert [t.element for t in ours.execution._workflow.numbers.values() if t.awaits] == ["a", "remind"]


@story("month ends")
def _():
    start = datetime(2026, 1, 31, 1, tzinfo=UTC)

    assert stock_after("P1M", start) == datetime(2026, 3, 3, 1, tzinfo=UTC)
    assert period_of("P1M").after(start) == datetime(2026, 2, 28, 1, tzinfo=UTC)


@story("leap years")
def _():
    start = datetime(2028, 2, 29, 1, tzinfo=UTC)

    assert stock_after("P1Y", start) == datetime(2029, 3, 1, 1, tzinfo=UTC)
    assert period_of("P1Y").after(start) == datetime(2029, 2, 28, 1, tzinfo=UTC)


@story("negative durations")
def _():
    drawing = process().start().catch("t", timer("-PT5S")).end()

    assert rules(drawing) == {"timer.value"}


@story("a duration as a date")
def _():
    drawing = process().start().catch("t", timer('"P1D"', "Date")).end()
    with pytest.raises(TypeError):
        stock(drawing)

    assert rules(drawing) == {"timer.value"}


@story("naive moments")
def _():
    drawing = process().start().catch("t", timer('"2026-05-01T09:00:00"', "Date")).end()

    assert stock(drawing).workflow.waiting_events()
    assert rules(drawing) == {"timer.value"}


@story("cycles that never let go")
def _():
    drawing = process().start().user("a").end().boundary("b", "a", timer("R/PT0S", "Cycle")).end("e")

    assert rules(drawing) == {"timer.value"}
