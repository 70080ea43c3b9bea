"""A session lives as long as it is used, and dies at once with the account behind it."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from engine.tables import metadata
from workflows.actors import people, sessions
from workflows.store.tables import open_database

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
TERMS = {"idle": timedelta(minutes=30), "longest": timedelta(hours=8)}
SECRET = "a secret of the cookie"


@pytest.fixture
def connection(tmp_path):
    database = open_database(f"sqlite:///{tmp_path / 'tidu.db'}")
    metadata.create_all(database)
    with database.begin() as connection:
        row = {"id": "mara", "name": "马拉", "level": "staff", "interests": []}
        connection.execute(sa.insert(people.persons).values(row))
        people.set_password(connection, "mara", "long enough", now=NOW - timedelta(days=1))
        sessions.begin(connection, SECRET, person="mara", now=NOW)
        yield connection
    database.dispose()


def holder(connection, after, secret=SECRET):
    found = sessions.find(connection, secret, now=NOW + after, **TERMS)
    return found and found[0].id


def test_a_session_is_its_persons(connection):
    assert holder(connection, timedelta(minutes=29)) == "mara"


def test_the_secret_itself_is_not_stored(connection):
    kept = connection.execute(sa.select(sessions.sessions.c.digest)).scalar_one()

    assert SECRET not in kept


def test_another_secret_opens_nothing(connection):
    assert holder(connection, timedelta(0), secret="another") is None


def test_an_idle_session_is_over(connection):
    assert holder(connection, timedelta(minutes=30)) is None


def test_a_used_session_lasts_eight_hours_and_not_longer(connection):
    for step in range(1, 33):
        sessions.see(connection, SECRET, now=NOW + step * timedelta(minutes=15))

    assert holder(connection, timedelta(hours=7, minutes=59)) == "mara"
    assert holder(connection, timedelta(hours=8)) is None


def test_an_ended_session_stays_ended(connection):
    sessions.end(connection, SECRET, now=NOW)
    sessions.see(connection, SECRET, now=NOW + timedelta(minutes=1))

    assert holder(connection, timedelta(minutes=1)) is None


def test_a_disabled_account_loses_its_sessions_at_once(connection):
    people.disable_account(connection, "mara", disabled=True)

    assert holder(connection, timedelta(minutes=1)) is None


def test_a_new_password_ends_older_sessions(connection):
    people.set_password(connection, "mara", "another one", now=NOW + timedelta(minutes=1))

    assert holder(connection, timedelta(minutes=2)) is None


def test_a_new_role_is_known_with_the_next_request(connection):
    people.grant(connection, "mara", role="auditor", by="root", now=NOW)

    actor, _ = sessions.find(connection, SECRET, now=NOW + timedelta(minutes=1), **TERMS)
    assert actor.roles == {"auditor"}


def test_a_busy_session_is_written_once_a_minute(connection):
    _, at_once = sessions.find(connection, SECRET, now=NOW + timedelta(seconds=59), **TERMS)
    _, later = sessions.find(connection, SECRET, now=NOW + timedelta(seconds=60), **TERMS)

    assert (at_once, later) == (False, True)
