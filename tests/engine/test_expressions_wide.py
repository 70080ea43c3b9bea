"""Dates, times and durations beyond Python's own: years outside 1 to 9999, nanoseconds."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidInput
from engine.expressions.budget import ExpressionError
from engine.expressions.feel import parse
from engine.expressions.scope import text_of
from engine.expressions.wide import at_zone, day_of, distance, key, ordinal, plus
from engine.temporal import YearsMonths, add_months
from engine.values import to_json

WIDE: dict[str, str] = {
    'date("-0044-03-15")': "-0044-03-15",
    'date("999999999-12-31")': "999999999-12-31",
    'date("1000000000-01-01")': "null",
    "date(-2017, 2, 29)": "null",
    "date(12000, 2, 29)": "12000-02-29",
    'date("10000-01-01").weekday': "6",
    'day of week(date("10000-01-01"))': "Saturday",
    'day of year(date("-0004-12-31"))': "366",
    'week of year(date("12024-01-01"))': "1",
    'last day of month(date("12000-02-01"))': "29",
    '@"-0044-03-15" < @"0001-01-01"': "true",
    '@"10000-01-01" > @"9999-12-31"': "true",
    '@"-0044-03-15" = date(-44, 3, 15)': "true",
    '@"10000-01-01" in [@"9999-12-31"..@"10000-01-02"]': "true",
    'max([@"10000-01-01", @"2026-01-01"])': "10000-01-01",
    '@"9999-12-31" + @"P1D"': "10000-01-01",
    '@"10000-01-01" - @"P1D"': "9999-12-31",
    '@"9999-11-30" + @"P3M"': "10000-02-29",
    '@"10000-01-01" - @"9999-12-01"': "P31D",
    '@"-0001-01-01" - @"0001-01-01"': "-P731D",
    'years and months duration(@"-0044-03-15", @"2026-03-14")': "P2069Y11M",
    'for d in @"9999-12-31"..@"10000-01-01" return d.year': "[9999, 10000]",
    'date and time("99999-12-31T11:22:33")': "99999-12-31T11:22:33",
    'date and time("99999-12-31T11:22:33Z").year': "99999",
    'date(date and time("-2017-12-31T11:22:33"))': "-2017-12-31",
    'time(date and time("-2017-12-31T11:22:33"))': "11:22:33",
    'date and time(@"10000-01-01", @"10:00:00Z")': "10000-01-01T10:00:00Z",
    '@"9999-12-31T23:00:00-02:00" = @"10000-01-01T01:00:00Z"': "true",
    '@"9999-12-31T23:59:59Z" + @"PT1S"': "10000-01-01T00:00:00Z",
    '@"12026-06-30T12:00:00@Europe/Paris".time offset': "PT2H",
    '@"-2026-06-30T12:00:00@Europe/Paris".timezone': "Europe/Paris",
    'date and time(@"12026-06-30T12:00:00Z", "Asia/Shanghai")': "12026-06-30T20:00:00@Asia/Shanghai",
    'time("10:00:00.123456789")': "10:00:00.123456789",
    'time("10:00:00.1234567890")': "10:00:00.123456789",
    'time("10:00:00.123456000")': "10:00:00.123456",
    'time("10:00:00.123456789").second': "0.123456789",
    "time(10, 0, 1.000000001)": "10:00:01.000000001",
    'time(10, 0, 1.000000001, @"PT8H")': "10:00:01.000000001+08:00",
    '@"10:00:00.000000002" > @"10:00:00.000000001"': "true",
    '@"10:00:00.000000001+01:00" = @"09:00:00.000000001Z"': "true",
    '@"10:00:00.000000001" < @"10:00:00Z"': "null",
    '@"10:00:00.000000002" - @"10:00:00.000000001"': "PT0.000000001S",
    '@"23:59:59.999999999" + @"PT0.000000001S"': "00:00:00",
    '@"2026-01-01T00:00:00.000000001@Asia/Shanghai" + @"PT1H"': "2026-01-01T01:00:00.000000001@Asia/Shanghai",
    'duration("PT0.000000001S")': "PT0.000000001S",
    'duration("-P1DT2H3M4.123456789S")': "-P1DT2H3M4.123456789S",
    'duration("PT1.000000001S").seconds': "1.000000001",
    'duration("PT0.000000001S") * 1000': "PT0.000001S",
    'duration("PT0.000000002S") / 2': "PT0.000000001S",
    'duration("PT0.000000002S") / duration("PT0.000000001S")': "2",
    '-duration("PT0.000000001S")': "-PT0.000000001S",
    'abs(duration("-PT0.000000001S"))': "PT0.000000001S",
    'duration("PT0.0000000005S") + 1': "temporal.range",
    'is(@"10:00:00.000000001Z", @"10:00:00.000000001Z")': "true",
    'is(@"12026-01-01T10:00:00Z", @"12026-01-01T10:00:00+00:00")': "true",
    'is(@"12026-01-01T10:00:00Z", @"12026-01-01T12:00:00+02:00")': "false",
    '@"12026-01-01" instance of date': "true",
    '@"999999999-12-31" + @"P1D"': "null",
}


@pytest.mark.parametrize("text", WIDE)
def test_what_is_beyond_pythons_own_is_computed_alike(text: str) -> None:
    try:
        found = text_of(parse(text).evaluate({}))
    except ExpressionError as error:
        found = error.name

    assert found == WIDE[text]


@pytest.mark.parametrize("text", ['@"12026-01-01"', '@"10:00:00.123456789"', '@"PT0.000000001S"'])
def test_it_lives_only_while_an_expression_runs(text: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be stored"):
        to_json(parse(text).evaluate({}))


ZONES = st.sampled_from([None, UTC, timezone(timedelta(hours=8)), ZoneInfo("Europe/Paris")])
MOMENTS = st.datetimes(*(datetime.combine(date(year, 1, 1), time()) for year in (1900, 2500)))
SPANS = st.timedeltas(timedelta(days=-9000), timedelta(days=9000))


@given(st.dates(), SPANS, st.integers(-500, 500))
def test_days_are_counted_as_python_counts_them(day: date, span: timedelta, months: int) -> None:
    assert day_of(ordinal(day)) == day
    if 60 < ordinal(day) + span.days < 3_600_000 and 50 < day.year < 9900:
        assert plus(day, span) == (datetime.combine(day, time()) + span).date()
        assert plus(day, YearsMonths(months)) == add_months(day, months)


@given(MOMENTS, ZONES, MOMENTS, SPANS)
def test_moments_are_added_as_python_adds_them(
    one: datetime, zone: Any, other: datetime, span: timedelta
) -> None:
    one, other = one.replace(tzinfo=zone), other.replace(tzinfo=zone)
    there = one.astimezone(UTC) if zone else one

    later = there + span
    assert plus(one, span) == (later.astimezone(zone) if zone else later)
    assert distance(one, other) == there - (other.astimezone(UTC) if zone else other)


@given(st.integers(-(10**11), 10**11), st.integers(-(10**11), 10**11))
def test_every_day_has_a_number_and_comes_back(number: int, distance_in_days: int) -> None:
    day = day_of(number)
    moved = plus(day, timedelta(days=distance_in_days % 10**8))

    assert ordinal(day) == number
    assert plus(moved, -timedelta(days=distance_in_days % 10**8)) == day
    assert (key(day) < key(moved)) == (ordinal(day) < ordinal(moved))


@given(st.integers(10_000, 99_999), ZONES.filter(bool), ZONES.filter(bool))
def test_a_moment_stays_the_same_in_another_zone(year: int, zone: Any, other: Any) -> None:
    moment = parse(f'@"{year}-07-01T12:00:00.000000001Z"').evaluate({})

    assert key(at_zone(at_zone(moment, zone), other)) == key(moment)
