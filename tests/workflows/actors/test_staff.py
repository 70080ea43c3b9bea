"""People are added with what they may do, within the separation of duties."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.errors import InvalidInput, NotAllowed, NotFound, WrongState
from tests.conftest import START
from workflows.actors.people import check_password, disable_account, set_password
from workflows.actors.staff import add_person, change_grants, everybody, load_bodies, owner_of
from workflows.actors.tokens import issue_token

MARA = {"name": "马兰", "level": "municipal", "authority": "620100"}


@pytest.fixture
def office(database):
    with database.begin() as connection:
        yield connection


def test_a_new_person_has_groups_and_roles(office):
    person = add_person(office, "mara", **MARA, groups=["municipal_officer@620100"], now=START)

    assert person.groups == {"municipal_officer@620100"}
    assert person.authority == "620100"


@pytest.mark.parametrize(
    ("person", "changed", "refusal"),
    [
        ("lz.officer", {}, WrongState),
        ("Mara!", {}, InvalidInput),
        ("mara", {"level": "king"}, InvalidInput),
        ("mara", {"name": " "}, InvalidInput),
        ("mara", {"authority": "999999"}, NotFound),
        ("mara", {"unit": "u999"}, NotFound),
        ("mara", {"roles": ["auditor", "administrator"]}, NotAllowed),
        ("mara", {"roles": ["emperor"]}, InvalidInput),
    ],
)
def test_a_person_who_does_not_fit_is_refused(office, person, changed, refusal):
    with pytest.raises(refusal):
        add_person(office, person, **{**MARA, **changed}, now=START)


def test_grants_are_given_and_taken(office):
    add_person(office, "mara", **MARA, groups=["a"], roles=["auditor"], now=START)

    person = change_grants(
        office, "mara", groups=["b"], roles=["approver"], taken=["a", "auditor"], now=START
    )

    assert (person.groups, person.roles) == ({"b"}, {"approver"})


def test_the_state_of_an_account_is_listed(office):
    for name in ("anna", "bert", "cleo", "dora"):
        add_person(office, name, **MARA, now=START)
    for name in ("bert", "cleo", "dora"):
        set_password(office, name, "long-enough", now=START)
    for _ in range(5):
        check_password(office, "cleo", "wrong-guess", now=START)
    disable_account(office, "dora", disabled=True)

    states = {entry.person.id: entry.account for entry in everybody(office, now=START)}

    assert [states[name] for name in ("anna", "bert", "cleo", "dora")] == [
        "none",
        "open",
        "locked",
        "disabled",
    ]


def test_a_token_has_an_owner(office):
    later = START + timedelta(days=1)
    given = {"secret": "s" * 40, "name": "robot", "scopes": [], "now": START, "expires_at": later}
    issue_token(office, "lz.officer", token_id="t1", **given)

    assert owner_of(office, "t1") == "lz.officer"
    with pytest.raises(NotFound):
        owner_of(office, "t2")


def test_loading_the_bodies_again_changes_nothing(office):
    load_bodies(office)
    load_bodies(office)

    assert add_person(office, "mara", **MARA, now=START)
