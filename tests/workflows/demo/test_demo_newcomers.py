"""Newcomers are many, distinct, well-formed and able to sign in; asking again adds nobody."""

from __future__ import annotations

import sqlalchemy as sa

from tests.conftest import START
from workflows.actors.people import check_password, find_person, units
from workflows.demo.newcomers import PARK, enrol
from workflows.register.batches import is_uscc


def test_newcomers_are_distinct_and_well_formed(database):
    with database.begin() as connection:
        assert enrol(connection, 340, password="tidu-demo", now=START) == 300
        rows = connection.execute(sa.select(units.c.name, units.c.uscc)).all()

    assert len(rows) == len({row.name for row in rows}) == len({row.uscc for row in rows}) == 340
    assert all(is_uscc(row.uscc) for row in rows)


def test_asking_again_adds_nobody(database):
    with database.begin() as connection:
        enrol(connection, 45, password="tidu-demo", now=START)

        assert enrol(connection, 45, password="tidu-demo", now=START) == 0


def test_a_newcomer_applies_for_the_own_unit(database):
    with database.begin() as connection:
        enrol(connection, 41, password="tidu-demo", now=START)

        assert check_password(connection, "app41", "tidu-demo", now=START).actor
        assert find_person(connection, "app41").groups == {"applicant@u41"}


def test_more_parks_are_enrolled_like_the_shipped_ones(database):
    with database.begin() as connection:
        assert enrol(connection, 20, password="tidu-demo", now=START, kind=PARK) == 20
        rows = connection.execute(sa.select(units.c.name, units.c.uscc).where(units.c.kind == "park")).all()

    assert len(rows) == len({row.name for row in rows}) == len({row.uscc for row in rows}) == 24
    assert all(is_uscc(row.uscc) and row.uscc.startswith("12") for row in rows)
