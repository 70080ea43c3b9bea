"""Behind PgBouncer every transaction gets another session: the house neither notices nor is weaker for it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from engine.errors import WrongState
from engine.tables import assert_durable, journal, require_certain
from tests import pgbouncer, postgres
from tests.conftest import furnished, new_database
from tests.reliability.installation import Installation
from tests.reliability.load import ROUTE
from tests.reliability.test_kills import everything_is_sound
from web.app import wall_clock
from workflows.actors.people import find_person
from workflows.commands import Commands
from workflows.library.catalog import Catalog
from workflows.store.tables import open_database
from workflows.store.tidemarks import open_tidemarks

pytestmark = pytest.mark.postgres

CLIENTS = 6


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[postgres.Server, str]]:
    """A server, and the address of a pooler before it. Under CI=true both must be there."""
    reason = postgres.unavailable() or ("" if pgbouncer.program() else "PgBouncer is not installed")
    if reason and os.environ.get("CI") == "true":
        pytest.fail(f"CI must test behind a pooler: {reason}")
    if reason:
        pytest.skip(reason)
    with postgres.running(fsync="off") as server, pgbouncer.before(server) as address:
        yield server, address


@pytest.fixture
def house(servers, tmp_path):
    server, address = servers
    name = f"pooled{abs(hash(tmp_path)):x}"
    furnished(new_database(server.address, name))
    made = Installation(tmp_path, address.format(database=name))
    made.deploy("small_review")
    return made


def test_people_work_behind_a_pooler_as_without_it(house, campaign):
    rounds = campaign.times(2, 20)
    with house.rooms(wall_clock) as (commands, _), house.opened() as database:
        with database.connect() as connection:
            actors = {who: find_person(connection, who) for who in ("app01", *dict(ROUTE))}
        done: list[str] = []

        def carry_cases():
            for _ in range(rounds):
                started = commands.start_case("small_review", {"days": 3}, actor=actors["app01"])
                waiting = [task.task_id for task in started.tasks]
                for person, outcome in ROUTE:
                    task = waiting.pop(0)
                    commands.claim_task(task, actor=actors[person])
                    values = {"opinion": "同意", **({"outcome": outcome} if outcome else {})}
                    completed = commands.complete_task(task, values, actor=actors[person])
                    waiting += [task.task_id for task in completed.next_tasks]
                    done.append(task)

        threads = [threading.Thread(target=carry_cases) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)

    assert len(done) == len(set(done)) == CLIENTS * rounds * len(ROUTE)
    campaign.tell("PgBouncer", completions=len(done), cases_verified=everything_is_sound(house))


def test_a_server_that_was_set_back_behind_the_pooler_is_noticed_at_once(house, tmp_path):
    """The pooler keeps its clients while it takes another server: a connection proves nothing."""
    with house.opened() as database:
        marks = open_tidemarks(tmp_path / "tidemarks", "one")
        commands = Commands(database, Catalog(database), clock=wall_clock, tidemarks=marks)
        with database.connect() as connection:
            applicant = find_person(connection, "app01")
        started = commands.start_case("small_review", {"days": 3}, actor=applicant)
        with database.begin() as connection:
            connection.execute(sa.delete(journal).where(journal.c.case_id == started.case_id))

        with pytest.raises(WrongState) as refused:
            commands.start_case("small_review", {"days": 3}, actor=applicant)

    assert refused.value.code == "DATABASE_BEHIND"


def test_a_server_behind_a_pooler_must_be_durable_by_itself(servers, house):
    server, _ = servers
    server.ask("ALTER ROLE tidu SET synchronous_commit = off")
    try:
        database = open_database(house.url)
        server.ask(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename = 'tidu' AND pid <> pg_backend_pid()"
        )
        with pytest.raises(RuntimeError, match="not durable"):
            assert_durable(database)
    finally:
        server.ask("ALTER ROLE tidu RESET synchronous_commit")


@pytest.mark.parametrize("pooled", [False, True])
def test_a_warning_of_the_server_leaves_a_commit_in_doubt(servers, house, pooled):
    server, _ = servers
    database = open_database(house.url if pooled else server.address.format(database="postgres"))
    with database.begin() as connection:
        info = connection.info
        connection.exec_driver_sql("DO $$ BEGIN RAISE WARNING 'the standby lacks it'; END $$")

    with pytest.raises(sa.exc.OperationalError, match="the standby lacks it"):
        require_certain(info)
    require_certain(info)  # it is told once
    database.dispose()


@pytest.mark.parametrize("said", ["session", "yes"])
def test_another_kind_of_pooling_is_not_guessed_at(said):
    with pytest.raises(ValueError, match="pooler=transaction"):
        open_database(f"postgresql://tidu@/x?pooler={said}")
