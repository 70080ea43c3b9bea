"""The signs an operator looks at: schema, durability, library, a worker that does not run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from engine.errors import WrongState
from workflows.store.leases import defer, set_aside, take
from workflows.store.tables import cases, incidents, migrate, open_database, timers
from workflows.work.condition import examine, is_current, require_durable

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
RUNNING = cases.insert().values(
    case_id="c", pins={}, marks=[], status="active", started_at=NOW, updated_at=NOW
)


@pytest.fixture
def bare(tmp_path):
    database = open_database(f"sqlite:///{tmp_path / 'tidu.db'}")
    yield database
    database.dispose()


def well(database) -> dict[str, bool]:
    return {sign.name: sign.ok for sign in examine(database, now=NOW)}


def test_a_bare_database_lacks_its_schema(bare):
    assert not is_current(bare)
    assert well(bare) == {"database": True, "schema": False}


def test_a_fresh_database_lacks_only_its_library(bare):
    migrate(bare)

    assert is_current(bare)
    assert well(bare) == {
        "database": True,
        "schema": True,
        "durability": True,
        "library": False,
        "worker": True,
        "set aside": True,
        "outbox": True,
        "incidents": True,
    }


@pytest.mark.postgres
def test_a_server_that_a_power_cut_destroys_is_told_of(postgres_database):
    sign = next(sign for sign in examine(postgres_database[0], now=NOW) if sign.name == "durability")

    assert (sign.ok, sign.detail) == (False, "a power cut destroys it: off are fsync")


@pytest.mark.parametrize(("late", "fine"), [(timedelta(minutes=9), True), (timedelta(minutes=11), False)])
def test_a_timer_long_due_tells_that_no_worker_runs(bare, late, fine):
    migrate(bare)
    with bare.begin() as connection:
        connection.execute(RUNNING)
        connection.execute(
            timers.insert().values(case_id="c", timer_id="c.1", state="set", due_at=NOW - late)
        )

    assert well(bare)["worker"] is fine


@pytest.mark.parametrize("status", ["suspended", "terminated"])
def test_a_timer_of_a_case_that_stands_still_is_not_late(bare, status):
    migrate(bare)
    with bare.begin() as connection:
        connection.execute(RUNNING, {"status": status})
        row = {"case_id": "c", "timer_id": "c.1", "state": "set", "due_at": NOW - timedelta(days=1)}
        connection.execute(timers.insert().values(**row))

    assert well(bare)["worker"]


def test_what_is_tried_again_is_not_late_and_what_was_set_aside_is_told(bare):
    migrate(bare)
    with bare.begin() as connection:
        connection.execute(RUNNING)
        row = {"case_id": "c", "timer_id": "c.1", "state": "set", "due_at": NOW - timedelta(days=1)}
        connection.execute(timers.insert().values(**row))
        (lease,) = take(connection, [("c", "c.1")], holder="w", now=NOW, span=timedelta(minutes=1))
        defer(connection, lease, until=NOW + timedelta(hours=1), trouble="poison")
    assert (well(bare)["worker"], well(bare)["set aside"]) == (True, True)

    with bare.begin() as connection:
        set_aside(connection, lease, now=NOW, trouble="poison")

    assert (well(bare)["worker"], well(bare)["set aside"]) == (True, False)


def test_an_open_incident_is_told(bare):
    migrate(bare)
    with bare.begin() as connection:
        connection.execute(incidents.insert().values(case_id="c", incident_id="c.1", raised_at=NOW))

    assert well(bare)["incidents"] is False


def test_a_database_whose_commits_are_not_durable_is_refused(tmp_path):
    careless = sa.create_engine(f"sqlite:///{tmp_path / 'x.db'}")

    @sa.event.listens_for(careless, "connect")
    def hurry(connection, _record):
        connection.execute("PRAGMA synchronous = OFF")

    with pytest.raises(WrongState) as refused:
        require_durable(careless)

    assert refused.value.code == "NOT_DURABLE"
    careless.dispose()
