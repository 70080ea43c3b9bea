"""Timers: what was missed while nobody was awake, what a timer may say, and what is refused."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import events as ev
from engine.case.case import Case
from engine.definition.model import check_definition
from engine.definition.moments import NoMoment, period_of
from engine.errors import ReplayMismatch, WrongState
from engine.temporal import moment
from tests.engine.drawing import NOW, extension, play, process, timer
from tests.engine.test_case import CLOCK, again, started

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
ALL = extension('<zeebe:properties><zeebe:property name="catch_up" value="all"/></zeebe:properties>')


def reminded(text, form="Cycle", extra=""):
    """A task with a reminder beside it."""
    drawing = process("leave").start().user("work").end()
    drawing.boundary("remind", "work", extra + timer(text, form), interrupting=False)
    return drawing.script("tell", "=1", "told").end("told_end")


def wake(case: Case, now: datetime) -> list[int]:
    """Fire what is due until nothing is, as the worker does; the missed moments of each firing."""
    missed = []
    while due := [t for t in case.standing.timers.values() if datetime.fromisoformat(t.due_at) <= now]:
        case.fire_timer(due[0].id, by=CLOCK, now=now)
        missed += [e.event.missed for e in case.fresh if isinstance(e.event, ev.TimerFired)][-1:]
    return missed


def next_due(case: Case) -> timedelta | None:
    """When the timer is due next, counted from the start of the case."""
    return next((datetime.fromisoformat(t.due_at) - NOW for t in case.standing.timers.values()), None)


# --- downtime -----------------------------------------------------------------------------------------

AWAY = {
    "1 minute": timedelta(minutes=1),
    "1 hour": timedelta(hours=1),
    "10 days": timedelta(days=10),
    "400 days": timedelta(days=400),
}
DOWNTIME = [
    # what is drawn, how long the house was away, missed moments of each firing, days of the next due moment
    (("P1D", "Duration"), "1 minute", [0], None),
    (("P1D", "Duration"), "1 hour", [0], None),
    (("P1D", "Duration"), "10 days", [0], None),
    (("P1D", "Duration"), "400 days", [0], None),
    (("R3/P1D", "Cycle"), "1 minute", [0], 2),
    (("R3/P1D", "Cycle"), "1 hour", [0], 2),
    (("R3/P1D", "Cycle"), "10 days", [2], None),
    (("R3/P1D", "Cycle"), "400 days", [2], None),
    (("R/P1D", "Cycle"), "1 minute", [0], 2),
    (("R/P1D", "Cycle"), "1 hour", [0], 2),
    (("R/P1D", "Cycle"), "10 days", [9], 11),
    (("R/P1D", "Cycle"), "400 days", [399], 401),
]


@pytest.mark.parametrize(("drawn", "away", "missed", "due"), DOWNTIME)
def test_after_downtime_a_timer_fires_once_and_goes_on_on_its_own_grid(drawn, away, missed, due):
    case = started(reminded(*drawn))
    asleep = NOW + DAY - timedelta(seconds=30)

    assert wake(case, asleep + AWAY[away]) == missed

    assert next_due(case) == (None if due is None else timedelta(days=due))
    assert case.variables == {"told": 1}
    assert again(case).state() == case.state()


def test_five_daily_reminders_after_ten_days_off_are_one_that_says_four_were_missed():
    case = started(reminded("R5/P1D"))

    assert wake(case, NOW + 10 * DAY) == [4]
    assert next_due(case) is None
    assert case.status == "active"


def test_a_cycle_that_was_never_late_fires_as_often_as_drawn():
    case = started(reminded("R5/P1D"))

    assert [wake(case, NOW + days * DAY) for days in range(1, 8)] == [[0]] * 5 + [[], []]


def test_a_model_can_ask_for_every_missed_moment():
    case = started(reminded("R5/P1D", extra=ALL))

    assert wake(case, NOW + 10 * DAY) == [0, 0, 0, 0, 0]
    assert again(case).state() == case.state()


def test_month_ends_stay_on_the_grid_over_missed_months():
    case = started(reminded("R/2026-01-31T09:00:00+08:00/P1M"))

    assert wake(case, datetime(2026, 5, 2, tzinfo=UTC)) == [3]
    assert next(iter(case.standing.timers.values())).due_at == "2026-05-31T01:00:00.000000Z"


def test_a_start_that_repeats_beside_a_level_collapses_too():
    handler = process("h").start("hs", timer("R/PT1H", "Cycle"), isInterrupting="false").end("he")
    case = started(process("leave").start().user("work").end().event_sub("h", handler))

    assert wake(case, NOW + timedelta(days=400)) == [9599]
    assert again(case).state() == case.state()


def test_an_interrupting_cycle_ends_with_its_first_firing_and_missed_nothing():
    drawing = process("leave").start().user("work").end()
    drawing.boundary("stop", "work", timer("R/P1D", "Cycle")).end("stopped")
    case = started(drawing)

    assert wake(case, NOW + 10 * DAY) == [0]
    assert case.status == "completed"


def test_an_old_journal_whose_missed_moments_fired_one_by_one_still_replays():
    case = started(reminded("R3/P1D"))
    for _ in range(3):
        (its_id,) = case.standing.timers
        fired = ev.TimerFired(timer_id=its_id, due_at=case.standing.timers[its_id].due_at)
        case._happen(fired, by=CLOCK, now=NOW + 10 * DAY)

    assert again(case).state() == case.state()


def test_more_missed_than_had_passed_is_found_in_replay():
    case = started(reminded("R5/P1D"))
    (its_id,) = case.standing.timers
    wake(case, NOW + 3 * DAY)
    forged = ev.TimerFired(timer_id=its_id, due_at=moment(NOW + DAY), missed=4)
    place = next(i for i, e in enumerate(case.fresh) if isinstance(e.event, ev.TimerFired))
    case._fresh[place] = ev.Entry(
        case_id=case.case_id, seq=place + 1, at=case.fresh[place].at, who=CLOCK, event=forged
    )

    with pytest.raises(ReplayMismatch):
        again(case)


def test_a_cycle_ends_where_the_calendar_ends():
    case = started(reminded("R/P4000Y"))

    assert wake(case, NOW.replace(year=6500)) == [0]
    assert next_due(case) is None


def test_a_cycle_of_centuries_keeps_its_period():
    case = started(reminded("R/P40000D"))

    assert wake(case, NOW + timedelta(days=40_000)) == [0]
    assert next_due(case) == timedelta(days=80_000)


# --- every duration ends --------------------------------------------------------------------------------


def test_whatever_a_duration_says_it_is_over_at_its_moment_and_not_before(campaign):
    dice, number = random.Random(7), campaign.times(200, 20_000)
    for _ in range(number):
        text = f"PT{dice.choice((1, 60, 3600, 10**6, 10**9)) * dice.random():.6f}S"
        text = dice.choice((text, f"P{dice.randrange(400)}M", f"P{dice.randrange(9)}Y{dice.randrange(99)}D"))
        case = started(process().start().catch("t", timer(text)).end())
        (its_id,) = case.standing.timers
        due = datetime.fromisoformat(case.standing.timers[its_id].due_at)
        if due > NOW:
            with pytest.raises(WrongState):
                case.fire_timer(its_id, by=CLOCK, now=due - timedelta(microseconds=1))
        case.fire_timer(its_id, by=CLOCK, now=due)
        assert case.status == "completed", text
    campaign.tell("R19", durations=number, fired_early=0, never_fired=0)


# --- what a timer may say -----------------------------------------------------------------------------

WRONG = {
    "weeks with months": ("P1M2W", "Duration"),
    "nothing after P": ("P", "Duration"),
    "nothing after T": ("P1DT", "Duration"),
    "a negative duration": ("-PT5S", "Duration"),
    "an exponent": ("PT1E12H", "Duration"),
    "a day that does not exist": ("2026-02-30T09:00:00+08:00", "Date"),
    "29 February of a common year": ("2027-02-29T09:00:00+08:00", "Date"),
    "a leap second": ("2016-12-31T23:59:60Z", "Date"),
    "an hour too many": ("2026-03-01T25:00:00Z", "Date"),
    "an unknown zone": ("2026-03-01T09:00:00@Mars/Olympus", "Date"),
    "a naive moment": ("2026-03-01T09:00:00", "Date"),
    "a date without a time": ("2026-03-01", "Date"),
    "a week date": ("2026-W10-1T09:00:00Z", "Date"),
    "a duration where a date stands": ("P14D", "Date"),
    "a date where a duration stands": ("2026-03-01T09:00:00Z", "Duration"),
    "a cycle where a duration stands": ("R3/P1D", "Duration"),
    "a cycle without a period": ("R3/", "Cycle"),
    "minus one repetitions": ("R-1/P1D", "Cycle"),
    "no repetition at all": ("R0/P1D", "Cycle"),
    "more than once a second": ("R/PT0.5S", "Cycle"),
    "a cycle with a naive anchor": ("R3/2026-03-01T09:00:00/P1D", "Cycle"),
    "beyond the calendar": ("P9000Y", "Duration"),
    "more days than there are": ("P999999999D", "Duration"),
    "a wrong text in FEEL": ('"P1X"', "Duration"),
    "a wrong duration in FEEL": ('=duration("P1M2W")', "Duration"),
    "a negative duration in FEEL": ('=duration("-PT5S")', "Duration"),
    "a naive moment in FEEL": ('=date and time("2026-03-01T09:00:00")', "Date"),
    "a number in FEEL": ("=14", "Duration"),
    "full-width digits": ("P１D", "Duration"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_fixed_time_that_is_none_is_refused_at_deploy(what):
    text, form = WRONG[what]
    drawing = process().start().catch("t", timer(text, form)).end()

    (problem,) = [p for p in check_definition(drawing.sources()) if p.severity == "error"]

    assert problem.element == "t"
    assert problem.rule in ("timer.value", "expression.syntax")
    assert all((problem.message, problem.message_zh))


@pytest.mark.parametrize("form", ["Date", "Duration", "Cycle"])
def test_a_timer_that_says_nothing_is_refused_at_deploy(form):
    drawing = process().start().catch("t", timer("", form)).end()

    assert [p.rule for p in check_definition(drawing.sources())] == ["timer.missing"]


COMPUTED = {
    "null": (None, "Duration"),
    "an empty text": ("", "Duration"),
    "weeks with months": ("P1M2W", "Duration"),
    "a negative duration": ("-PT5S", "Duration"),
    "an exponent": ("PT1E12H", "Duration"),
    "a day that does not exist": ("2026-02-30T09:00:00Z", "Date"),
    "a leap second": ("2016-12-31T23:59:60Z", "Date"),
    "an unknown zone": ("2026-03-01T09:00:00@Mars/Olympus", "Date"),
    "a naive moment": ("2026-03-01T09:00:00", "Date"),
    "a number": (14, "Duration"),
    "a list": ([1], "Date"),
    "an absurd cycle": ("R/PT0S", "Cycle"),
    "beyond the calendar": ("P9000Y", "Duration"),
}


@pytest.mark.parametrize("what", COMPUTED)
def test_a_computed_time_that_is_none_is_an_incident_that_can_be_mended(what):
    value, form = COMPUTED[what]
    drawing = process().start().user("a").end().boundary("t", "a", timer("=when", form)).end("late")
    good = {"Date": "2026-03-03T09:00:00+08:00", "Duration": "P1D", "Cycle": "R3/P1D"}[form]

    played = play(drawing, when=value)

    assert (played.failed, played.status) == (["t:TIMER"], "active")
    (failure,) = [s for s in played.told if type(s).__name__ == "Failed"]
    assert failure.message
    assert played.retry(failure.n, when=good).later(days=1).status == "completed"


def test_a_bare_text_and_feel_mean_the_same():
    texts = ["P14D", '"P14D"', '=duration("P14D")', "=when", '=duration("P13D") + duration("P1D")', "P2W"]
    due = [
        play(process().start().catch("t", timer(text)).end(), when="P14D").open("Timed")[2].due_at
        for text in texts
    ]

    assert due == [NOW + 14 * DAY] * len(texts)


CATCH_UP = {
    "a word nobody knows": (ALL.replace('"all"', '"some"'), "R3/P1D", "Cycle", False),
    "a single firing": (ALL, "P1D", "Duration", False),
    "an interrupting cycle": (ALL, "R3/P1D", "Cycle", True),
}


@pytest.mark.parametrize("what", CATCH_UP)
def test_catching_up_is_refused_where_it_means_nothing(what):
    extra, text, form, interrupting = CATCH_UP[what]
    drawing = process().start().user("a").end()
    drawing.boundary("t", "a", extra + timer(text, form), interrupting=interrupting).end("late")

    assert [(p.element, p.rule) for p in check_definition(drawing.sources())] == [("t", "timer.catch_up")]


# --- laws ---------------------------------------------------------------------------------------------

UNITS = "YMDTHMS"


def written(parts: list[int], weeks: int) -> str:
    """A duration as ISO 8601 writes it."""
    if weeks:
        return f"P{weeks}W"
    days = "".join(f"{n}{unit}" for n, unit in zip(parts[:3], "YMD", strict=True) if n)
    clock = "".join(f"{n}{unit}" for n, unit in zip(parts[3:], "HMS", strict=True) if n)
    return f"P{days}" + (f"T{clock}" if clock else "")


def test_any_duration_is_due_after_its_beginning_and_in_order(campaign):
    """Certain durations that never fire, or fire early, are what other engines had to repair."""

    @settings(max_examples=campaign.times(300, 100_000), deadline=None, database=None, derandomize=True)
    @given(
        st.lists(st.integers(0, 400), min_size=6, max_size=6),
        st.integers(0, 3).flatmap(lambda n: st.integers(0, 600) if n == 0 else st.just(0)),
        st.integers(0, 5 * 10**7).map(lambda minutes: datetime(2000, 1, 1, tzinfo=UTC) + minutes * MINUTE),
        st.integers(1, 15),
    )
    def law(parts, weeks, start, times):
        text = written(parts, weeks)
        if text == "P":
            with pytest.raises(NoMoment):
                period_of(text)
            return
        period = period_of(text)
        assert period_of(str(period)) == period
        first, later = period.after(start, times), period.after(start, times + 1)
        assert start < first < later
        assert period.count(start, first) == times
        assert period.count(start, later - timedelta(microseconds=1)) == times

    law()
