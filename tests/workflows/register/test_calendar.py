"""Working days: the published years, the vectors, the count told day by day."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import holidays
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import BadDefinition, InvalidInput, NotFound
from engine.execution.asking import Asker
from engine.expressions.budget import ExpressionError
from engine.expressions.feel import parse
from workflows.register.calendar import SHANGHAI, Pause, calendar_ids, load_calendar, read_calendar

CN = load_calendar("cn-2026-1")
DAYS = st.dates(date(2024, 1, 1), date(2027, 6, 30))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def due(start: str, days: int) -> str:
    return CN.add(at(start), days)[0].isoformat()


def test_the_term_before_spring_festival_counts_the_two_worked_saturdays():
    assert due("2026-02-13T16:00", 5) == "2026-02-27T18:00:00+08:00"

    told = CN.explain(at("2026-02-13T16:00"), 5)

    assert [day.day.isoformat() for day in told.counted] == [
        "2026-02-14",
        "2026-02-24",
        "2026-02-25",
        "2026-02-26",
        "2026-02-27",
    ]
    assert told.counted[0].reason == "春节调休上班"
    assert {day.reason for day in told.skipped} == {"春节"}
    assert len(told.skipped) == 9


def test_the_term_before_national_day_leaps_over_the_week():
    assert due("2026-09-29T09:00", 3) == "2026-10-09T18:00:00+08:00"


def test_one_working_day_is_not_twenty_four_business_hours():
    assert due("2026-03-02T23:59", 1) == "2026-03-03T18:00:00+08:00"
    assert due("2026-03-02T00:01", 1) == "2026-03-03T18:00:00+08:00"


@pytest.mark.parametrize(
    ("day", "working"),
    [
        ("2026-01-02", False),
        ("2026-01-04", True),
        ("2026-02-14", True),
        ("2026-02-15", False),
        ("2026-02-23", False),
        ("2026-02-28", True),
        ("2026-05-05", False),
        ("2026-05-09", True),
        ("2026-09-20", True),
        ("2026-10-07", False),
        ("2026-10-10", True),
        ("2026-10-11", False),
        ("2025-01-26", True),
        ("2024-02-18", True),
    ],
)
def test_the_published_days_are_as_the_notices_say(day, working):
    assert CN.is_working(date.fromisoformat(day)) is working


def test_every_day_of_three_years_agrees_with_an_independent_source():
    independent = holidays.country_holidays("CN", years=(2024, 2025, 2026))
    first = date(2024, 1, 1)

    differing = [
        day
        for day in (first + timedelta(days=n) for n in range(366 + 365 + 365))
        if CN.is_working(day) != independent.is_working_day(day)
    ]

    assert differing == []


def test_each_published_year_names_its_notice():
    told = {year.year: year.notice.number for year in CN.years.values() if year.notice}

    assert told == {
        2024: "国办发明电〔2023〕7号",
        2025: "国办发明电〔2024〕12号",
        2026: "国办发明电〔2025〕7号",
    }


def test_a_term_that_reaches_an_unpublished_year_is_provisional():
    assert CN.add(at("2026-12-04T10:00"), 15) == (at("2026-12-25T18:00"), False)
    assert CN.add(at("2026-12-20T10:00"), 20)[1] is True
    assert CN.explain(at("2026-12-20T10:00"), 20).sentences()[-1].endswith("结果为暂定。")


def test_a_year_the_calendar_does_not_hold_is_provisional_too():
    assert CN.add(at("2031-03-03T10:00"), 3) == (at("2031-03-06T18:00"), True)


def test_when_the_notice_arrives_the_new_version_moves_a_provisional_due_date():
    before = load_calendar("cn-2025-1").add(at("2026-02-13T16:00"), 5)
    after = CN.add(at("2026-02-13T16:00"), 5)

    assert before == (at("2026-02-20T18:00"), True)
    assert after == (at("2026-02-27T18:00"), False)


def test_a_stopped_clock_takes_out_only_the_working_days():
    start = at("2026-03-02T09:00")
    pause = Pause(since=date(2026, 3, 5), until=date(2026, 3, 10), reason="等待补正")

    told = CN.explain(start, 5, stopped=[pause])

    assert CN.explain(start, 5).due_at == at("2026-03-09T18:00")
    assert told.due_at == at("2026-03-13T18:00")
    assert [d.day.day for d in told.skipped if d.reason == "中止计时"] == [5, 6, 9, 10]
    assert [d.day.day for d in told.skipped if d.reason == "周末"] == [7, 8]


def test_while_the_clock_stands_still_there_is_no_due_date():
    told = CN.explain(at("2026-03-02T09:00"), 5, stopped=[Pause(since=date(2026, 3, 5))])

    assert told.due_at is None
    assert [day.day.day for day in told.counted] == [3, 4]
    assert "尚无到期日" in " ".join(told.sentences("zh"))
    assert "stands still" in " ".join(told.sentences("en"))


def test_a_pause_after_the_last_day_changes_nothing():
    told = CN.explain(at("2026-03-02T09:00"), 2, stopped=[Pause(since=date(2026, 3, 5))])

    assert told.due_at == at("2026-03-04T18:00")


def test_the_explanation_is_said_in_both_languages():
    told = CN.explain(at("2026-02-13T16:00"), 1)

    assert told.sentences("zh")[:3] == (
        "起算事件发生于2026-02-13，当日不计。",
        "期限为1个工作日。",
        "计入：2026-02-14（1，春节调休上班）。",
    )
    assert told.sentences("en")[-1] == "Calendar cn-2026-1: 国办发明电〔2025〕7号."


def test_a_moment_late_in_utc_already_lies_on_the_next_day_in_shanghai():
    assert CN.add(datetime(2026, 3, 2, 17, 0, tzinfo=UTC), 1)[0] == at("2026-03-04T18:00")


def test_zero_days_is_the_day_itself_or_the_next_working_day():
    assert due("2026-03-02T09:00", 0) == "2026-03-02T18:00:00+08:00"
    assert due("2026-03-07T09:00", 0) == "2026-03-09T18:00:00+08:00"


def test_a_reminder_lies_so_many_working_days_before():
    assert CN.minus(date(2026, 10, 9), 3) == date(2026, 9, 29)
    assert CN.add(at("2026-10-09T18:00"), -3)[0] == at("2026-09-29T18:00")


@given(day=DAYS, days=st.integers(1, 60))
def test_between_is_the_inverse_of_add(day, days):
    end = CN.add(datetime.combine(day, datetime.min.time(), SHANGHAI), days)[0].date()

    assert CN.between(day, end) == days
    assert CN.is_working(end)


@given(day=DAYS, days=st.integers(1, 60), hour=st.integers(0, 23))
def test_in_an_expression_both_directions_agree_for_dates_and_for_moments(day, days, hour):
    there_and_back = parse("working days between(start, add working days(start, n))")
    functions = Asker(CN, at("2026-03-02T09:00")).functions

    for start in (day, datetime.combine(day, time(hour), SHANGHAI)):
        assert there_and_back.evaluate({"start": start, "n": Decimal(days)}, functions=functions) == days


@pytest.mark.parametrize(
    "text",
    [
        'add working days(@"1800-01-01", 1)',
        'working days between(@"1800-01-01", @"2026-01-01")',
        'add working days(@"2026-01-01", 9999999)',
        'add working days(@"2026-01-01", -1)',
    ],
)
def test_an_expression_beyond_the_calendar_is_an_error_with_a_name(text):
    with pytest.raises(ExpressionError, match=r"calendar\.range"):
        parse(text).evaluate({}, functions=Asker(CN, at("2026-03-02T09:00")).functions)


@given(day=DAYS, days=st.integers(1, 60))
def test_between_is_the_inverse_of_counting_back(day, days):
    assert CN.between(day, CN.minus(day, days)) == -days


@given(first=DAYS, later=st.integers(0, 40), days=st.integers(0, 40), more=st.integers(0, 20))
def test_a_later_start_or_a_longer_term_is_never_due_earlier(first, later, days, more):
    start = datetime.combine(first, datetime.min.time(), SHANGHAI)

    assert CN.add(start, days)[0] <= CN.add(start + timedelta(days=later), days + more)[0]


@settings(max_examples=60)
@given(day=DAYS, days=st.integers(1, 30), since=st.integers(0, 50), length=st.integers(0, 30))
def test_a_pause_moves_the_due_date_by_exactly_the_working_days_in_it(day, days, since, length):
    start = datetime.combine(day, datetime.min.time(), SHANGHAI)
    stop = day + timedelta(days=since)
    pause = Pause(since=stop, until=stop + timedelta(days=length))

    told = CN.explain(start, days, stopped=[pause])
    counted = CN.between(day, told.due_at.date())
    paused = sum(1 for d in told.skipped if d.reason == "中止计时")

    assert counted - paused == days
    assert not any(pause.since <= d.day <= pause.until for d in told.counted)


@given(day=DAYS, days=st.integers(1, 60))
def test_the_explanation_without_pauses_says_what_add_says(day, days):
    start = datetime.combine(day, datetime.min.time(), SHANGHAI)
    told = CN.explain(start, days)

    assert (told.due_at, told.provisional) == CN.add(start, days)
    assert [d.number for d in told.counted] == list(range(1, days + 1))


@pytest.mark.parametrize("days", [True, 1.5, 2501, -2501])
def test_an_absurd_number_of_days_is_refused(days):
    with pytest.raises(InvalidInput):
        CN.add(at("2026-03-02T09:00"), days)


@pytest.mark.parametrize("moment", ["2026-03-02T09:00", "0001-01-01T00:00+08:00", "9999-12-31T23:59+00:00"])
def test_a_moment_without_zone_or_beyond_the_ages_is_refused(moment):
    with pytest.raises(InvalidInput):
        CN.add(datetime.fromisoformat(moment), 1)


def test_an_unknown_calendar_is_not_found_whatever_its_name():
    assert "cn-2026-1" in calendar_ids()
    for name in ("cn-1999", "../rules/gansu-2026", ""):
        with pytest.raises(NotFound):
            load_calendar(name)


def year(**changes: object) -> bytes:
    row = {
        "year": 2030,
        "published": True,
        "notice": {"title": "某通知", "number": None, "date": None},
        "holidays": [
            {
                "name": "元旦",
                "nameEn": "New Year",
                "from": "2030-01-01",
                "to": "2030-01-03",
                "working": ["2030-01-05"],
            }
        ],
    } | changes
    return json.dumps({"id": "x", "label": "", "labelEn": "", "years": [row]}).encode()


def test_a_notice_whose_number_is_unknown_stays_unknown():
    assert read_calendar(year()).years[2030].notice.number is None


@pytest.mark.parametrize(
    "changes",
    [
        {"notice": None},
        {"published": False},
        {"holidays": [{"name": "", "nameEn": "", "from": "2030-01-03", "to": "2030-01-01", "working": []}]},
        {
            "holidays": [
                {
                    "name": "",
                    "nameEn": "",
                    "from": "2030-01-01",
                    "to": "2030-01-01",
                    "working": ["2030-01-02"],
                }
            ]
        },
        {"year": 2040},
        {"holidays": 5},
    ],
)
def test_a_calendar_that_contradicts_itself_is_refused(changes):
    with pytest.raises(BadDefinition):
        read_calendar(year(**changes))
