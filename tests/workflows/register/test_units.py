"""Names and mergers of units as of a day; bans, and whom they reach."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from engine.errors import NotFound
from tests.workflows.register.parts import TODAY
from workflows.actors.people import units as people
from workflows.register import bans, batches, units
from workflows.register.records import record_of

DAY = timedelta(days=1)
FIRST, SECOND = date(2026, 5, 1), date(2027, 2, 1)
OLD, NEW, NEWEST = "兰州兰岭水泥有限公司", "兰岭绿色建材有限公司", "兰岭集团有限公司"


def rename(connection, name, previous, since, number=1):
    names = {"name": name, "name_en": name, "previous": previous, "previous_en": previous}
    units.record_rename(
        connection, case_id=f"CH-{since}", number=number, unit="u01", document="公函1号", since=since, **names
    )


def merge(connection, unit, into, since):
    facts = {"case_id": f"M-{unit}", "number": 1, "titles": "carry", "since": since}
    units.record_merger(connection, unit=unit, into=into, **facts)


def ban(connection, unit="u01", **changes):
    facts = {"case_id": "RM-1", "number": 4, "unit": unit, "uscc": "", "ground": "F40", "years": 3}
    return bans.record_ban(connection, **(facts | {"since": FIRST} | changes))


def name_on(connection, on):
    return units.find_unit(connection, "u01", on=on)["name"]


@pytest.mark.parametrize("newest_first", [False, True])
def test_a_unit_is_called_what_it_was_called_on_the_day(connection, newest_first):
    told = [(NEW, OLD, FIRST), (NEWEST, NEW, SECOND)]
    for name, previous, since in reversed(told) if newest_first else told:
        rename(connection, name, previous, since)

    days = (FIRST - DAY, FIRST, FIRST + DAY, SECOND - DAY, SECOND, SECOND + DAY)
    assert [name_on(connection, on) for on in days] == [OLD, NEW, NEW, NEW, NEWEST, NEWEST]
    assert batches.unit_context(connection, "u01", on=FIRST)["name"] == NEW
    assert [row["previous"] for row in units.earlier_names(connection, "u01", on=SECOND)] == [NEW, OLD]
    assert [row["previous"] for row in units.earlier_names(connection, "u01", on=FIRST)] == [OLD]
    assert units.earlier_names(connection, "u01", on=FIRST - DAY) == ()


def test_of_two_renames_on_one_day_the_later_one_counts(connection):
    rename(connection, NEW, OLD, FIRST, number=9)
    rename(connection, NEWEST, NEW, FIRST, number=10)

    assert name_on(connection, FIRST) == NEWEST


def test_a_unit_is_found_by_its_credit_code_too(connection):
    known = units.find_unit(connection, "u01", on=TODAY)

    assert units.find_unit(connection, known["uscc"], on=TODAY) == known
    with pytest.raises(NotFound):
        units.find_unit(connection, "u99", on=TODAY)


def test_a_ban_begins_on_its_day_and_ends_on_the_day_it_names(connection):
    until = ban(connection)

    assert until == date(2029, 5, 1)
    barred = {on: bans.ban_of(connection, "u01", on=on) is not None for on in _around(FIRST, until)}
    assert list(barred.values()) == [False, True, True, True, False, False]
    told = {on: record_of(connection, "u01", on=on).banned_until for on in barred}
    assert [day == until for day in told.values()] == list(barred.values())
    assert bans.ban_of(connection, "u02", on=FIRST) is None


def _around(first, last):
    return (first - DAY, first, first + DAY, last - DAY, last, last + DAY)


def test_of_several_bans_the_longest_counts(connection):
    ban(connection, years=1)
    ban(connection, case_id="RM-2", years=3)

    assert bans.ban_of(connection, "u01", on=FIRST).until == date(2029, 5, 1)
    assert record_of(connection, "u01", on=FIRST).banned_until == date(2029, 5, 1)


def test_a_rename_does_not_shake_a_ban_off(connection):
    ban(connection)
    rename(connection, NEW, OLD, FIRST + DAY)

    assert bans.ban_of(connection, "u01", on=FIRST + 2 * DAY)


def test_a_ban_reaches_a_unit_that_was_entered_anew_under_the_same_credit_code(connection):
    known = connection.execute(sa.select(people).where(people.c.id == "u01")).mappings().one()
    ban(connection, uscc=known["uscc"])
    connection.execute(sa.delete(people).where(people.c.id == "u01"))
    connection.execute(sa.insert(people).values(**(dict(known) | {"id": "u77", "name": NEW})))

    assert bans.ban_of(connection, "u77", on=FIRST)
    assert record_of(connection, "u77", on=FIRST).banned_until == date(2029, 5, 1)


def test_a_ban_reaches_a_firm_that_only_its_credit_code_is_known_of(connection):
    ban(connection, unit="gone", uscc="91620100MA72XXXX1A")

    assert bans.ban_of(connection, "91620100MA72XXXX1A", on=FIRST)
    assert bans.ban_of(connection, "", on=FIRST) is None


def test_a_ban_goes_over_with_a_merger_from_its_day_on_however_far(connection):
    ban(connection)
    merge(connection, "u01", "u02", SECOND)
    merge(connection, "u02", "u03", SECOND + 10 * DAY)

    assert bans.ban_of(connection, "u02", on=SECOND - DAY) is None
    assert bans.ban_of(connection, "u02", on=SECOND).unit == "u01"
    assert bans.ban_of(connection, "u03", on=SECOND + 9 * DAY) is None
    assert bans.ban_of(connection, "u03", on=SECOND + 10 * DAY).unit == "u01"
    assert bans.ban_of(connection, "u03", on=date(2029, 5, 1)) is None
    assert bans.ban_of(connection, "u04", on=SECOND) is None
    assert units.absorbed(connection, "u03", on=SECOND + 10 * DAY) == {"u01", "u02", "u03"}


def test_a_ban_of_who_takes_another_in_does_not_reach_back(connection):
    ban(connection, unit="u02")
    merge(connection, "u01", "u02", FIRST)

    assert bans.ban_of(connection, "u01", on=FIRST) is None
