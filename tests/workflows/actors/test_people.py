"""People: who they are, what they were granted, passwords that count failures, tokens that end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from engine.errors import InvalidInput, NotAllowed, NotFound
from engine.tables import metadata
from workflows.actors import people, tokens
from workflows.store.tables import open_database

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
YEAR = timedelta(days=365)
SECRET = "s" * 32


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    address = tmp_path_factory.mktemp("people") / "people.sqlite"
    database = open_database(f"sqlite:///{address}")
    with database.begin() as connection:
        metadata.create_all(connection)
        people.load_organisations(connection, password="tidu-demo", now=NOW)
    yield database
    database.dispose()


@pytest.fixture
def connection(database):
    with database.connect() as connection:
        change = connection.begin()
        yield connection
        change.rollback()


def test_the_demonstration_has_everybody_the_drawings_ask_for(connection):
    short = ["lz", "jyg", "jc", "by", "ts", "ww", "zy", "pl", "jq", "qy", "dx", "ln", "lx", "gn", "lzxq"]
    wanted = [f"{a}.{who}" for a in short for who in ("county", "officer", "officer2", "leader", "water")]
    wanted += ["prov.officer", "prov.officer2", "prov.leader", "dee", "dem", "amr", "dwr"]
    wanted += [f"expert{n}" for n in range(1, 10)] + ["eval1", "eval2"]
    wanted += ["owner", "approver", "auditor", "admin"] + [f"app{n:02}" for n in range(1, 41)]

    there = set(connection.execute(sa.select(people.persons.c.id)).scalars())

    assert there == set(wanted)


def test_an_officer_stands_in_the_group_of_the_authority(connection):
    officer = people.find_person(connection, "lzxq.officer2")

    assert officer.groups == {"municipal_officer@620171"}
    assert (officer.level, officer.authority, officer.roles) == ("municipal", "620171", frozenset())


def test_an_applicant_belongs_to_the_unit_of_the_same_number(connection):
    applicant = people.find_person(connection, "app01")

    assert (applicant.unit, applicant.authority, applicant.groups) == ("u01", "620100", {"applicant@u01"})


def test_everybody_has_a_chinese_name_of_their_own_and_a_latin_one(connection):
    rows = connection.execute(sa.select(people.persons.c.name, people.persons.c.name_en)).all()

    assert len({name for name, _ in rows}) == len(rows)
    assert all(2 <= len(name) <= 4 and not name.isascii() and " " in english for name, english in rows)


def test_the_members_of_a_group_are_found(connection):
    assert [person.id for person in people.people_in(connection, "expert")] == [
        f"expert{n}" for n in range(1, 10)
    ]


def test_an_unknown_person_is_not_found(connection):
    with pytest.raises(NotFound):
        people.find_person(connection, "nobody")


def test_loading_twice_changes_nothing_and_keeps_passwords(connection):
    people.set_password(connection, "admin", "another password", now=NOW)
    before = connection.execute(sa.select(sa.func.count()).select_from(people.grants)).scalar_one()

    people.load_organisations(connection, password="tidu-demo", now=NOW)

    assert before == connection.execute(sa.select(sa.func.count()).select_from(people.grants)).scalar_one()
    assert people.check_password(connection, "admin", "another password", now=NOW).actor.id == "admin"


def test_the_right_password_lets_in(connection):
    assert people.check_password(connection, "lz.officer", "tidu-demo", now=NOW).actor.id == "lz.officer"


def test_a_wrong_password_and_an_unknown_person_get_the_same_answer(connection):
    wrong = people.check_password(connection, "lz.officer", "wrong", now=NOW)
    unknown = people.check_password(connection, "nobody", "wrong", now=NOW)

    assert wrong == unknown
    assert wrong.code == "BAD_CREDENTIALS"


def test_after_five_failures_even_the_right_password_waits(connection):
    codes = [people.check_password(connection, "dee", "wrong", now=NOW).code for _ in range(5)]

    assert codes == ["BAD_CREDENTIALS"] * 4 + ["ACCOUNT_LOCKED"]
    locked = people.check_password(connection, "dee", "tidu-demo", now=NOW + 14 * MINUTE)
    assert (locked.actor, locked.locked_until) == (None, NOW + 15 * MINUTE)
    assert people.check_password(connection, "dee", "tidu-demo", now=NOW + 15 * MINUTE).actor.id == "dee"


def test_success_forgets_the_failures_before(connection):
    for _ in range(4):
        people.check_password(connection, "dee", "wrong", now=NOW)
    people.check_password(connection, "dee", "tidu-demo", now=NOW)

    assert people.check_password(connection, "dee", "wrong", now=NOW).code == "BAD_CREDENTIALS"


def test_a_new_password_opens_a_locked_account(connection):
    for _ in range(5):
        people.check_password(connection, "dee", "wrong", now=NOW)
    people.set_password(connection, "dee", "fresh password", now=NOW)

    assert people.check_password(connection, "dee", "fresh password", now=NOW).actor.id == "dee"
    assert people.check_password(connection, "dee", "tidu-demo", now=NOW).code == "BAD_CREDENTIALS"


def test_a_disabled_account_keeps_its_secret(connection):
    people.disable_account(connection, "dee", disabled=True)

    assert people.check_password(connection, "dee", "tidu-demo", now=NOW).code == "ACCOUNT_DISABLED"
    assert people.check_password(connection, "dee", "wrong", now=NOW).code == "BAD_CREDENTIALS"


@pytest.mark.parametrize("password", ["short", "x" * 201])
def test_a_password_has_a_sensible_length(connection, password):
    with pytest.raises(InvalidInput):
        people.set_password(connection, "dee", password, now=NOW)


def test_the_stored_password_is_an_argon2id_hash(connection):
    stored = connection.execute(sa.select(people.accounts.c.password)).scalars().first()

    assert stored.startswith("$argon2id$")


@pytest.mark.parametrize(
    ("person", "role"),
    [
        ("admin", "auditor"),
        ("admin", "process_owner"),
        ("auditor", "approver"),
        ("owner", "administrator"),
        ("approver", "auditor"),
    ],
)
def test_administration_rules_and_audit_never_meet_in_one_account(connection, person, role):
    with pytest.raises(NotAllowed) as refused:
        people.grant(connection, person, role=role, by="prov.leader", now=NOW)

    assert refused.value.code == "SOD"
    assert role not in people.find_person(connection, person).roles


def test_a_role_given_up_makes_room_for_another(connection):
    assert people.revoke(connection, "owner", role="process_owner") is True

    people.grant(connection, "owner", role="auditor", by="admin", now=NOW)

    assert people.find_person(connection, "owner").roles == {"auditor"}
    assert people.revoke(connection, "owner", role="process_owner") is False


def test_a_group_is_granted_and_taken_away(connection):
    people.grant(connection, "lz.officer", group="expert", by="admin", now=NOW)
    assert "expert" in people.find_person(connection, "lz.officer").groups

    people.revoke(connection, "lz.officer", group="expert")
    assert "expert" not in people.find_person(connection, "lz.officer").groups


def test_nobody_grants_to_themselves(connection):
    with pytest.raises(NotAllowed) as refused:
        people.grant(connection, "admin", group="provincial_leader", by="admin", now=NOW)

    assert refused.value.code == "SELF_GRANT"


def test_an_unknown_role_is_refused(connection):
    with pytest.raises(InvalidInput):
        people.grant(connection, "lz.officer", role="emperor", by="admin", now=NOW)


def token(connection, **changes):
    facts = {"token_id": "t1", "secret": SECRET, "name": "reporting", "scopes": ["cases.read"]}
    times = {"now": NOW, "expires_at": NOW + YEAR}
    return tokens.issue_token(connection, "prov.officer", **(facts | times | changes))


def test_a_token_stands_for_its_person_with_its_scopes(connection):
    text = token(connection)

    actor, scopes = tokens.check_token(connection, text, now=NOW)

    assert (actor.id, scopes) == ("prov.officer", {"cases.read"})


def test_of_a_token_only_the_digest_is_kept(connection):
    token(connection)

    assert SECRET not in str(connection.execute(sa.select(tokens.tokens)).all())


@pytest.mark.parametrize(
    "text", ["", "tidu_t1_" + "x" * 32, "tidu_t2_" + SECRET, SECRET, "tidu_t1_é" + SECRET]
)
def test_a_wrong_token_is_not_known(connection, text):
    token(connection)

    with pytest.raises(NotAllowed) as refused:
        tokens.check_token(connection, text, now=NOW)

    assert refused.value.code == "TOKEN_INVALID"


def refusal(connection, text, now=NOW):
    with pytest.raises(NotAllowed) as refused:
        tokens.check_token(connection, text, now=now)
    return refused.value.code


def test_a_token_ends_by_time_by_revocation_and_with_its_account(connection):
    text = token(connection)

    assert refusal(connection, text, NOW + YEAR) == "TOKEN_EXPIRED"
    people.disable_account(connection, "prov.officer", disabled=True)
    assert refusal(connection, text) == "ACCOUNT_DISABLED"
    people.disable_account(connection, "prov.officer", disabled=False)
    tokens.revoke_token(connection, "t1", person="prov.officer", now=NOW)
    assert refusal(connection, text) == "TOKEN_REVOKED"
    assert [t.revoked_at for t in tokens.tokens_of(connection, "prov.officer")] == [NOW]


def test_nobody_revokes_another_persons_token(connection):
    token(connection)

    with pytest.raises(NotFound):
        tokens.revoke_token(connection, "t1", person="admin", now=NOW)


@pytest.mark.parametrize("changes", [{"secret": "short"}, {"expires_at": NOW}, {"token_id": "a_b"}])
def test_a_weak_or_dead_token_is_not_issued(connection, changes):
    with pytest.raises(InvalidInput):
        token(connection, **changes)
