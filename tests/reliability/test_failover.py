"""A primary dies and its standby takes over: nothing is lost where the standby was waited for, and where it
was not, the house notices what is missing and writes nothing until an operator has looked."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from engine.tables import journal
from tests import networks, postgres
from tests.conftest import furnished, new_database
from tests.reliability.installation import Installation
from tests.reliability.load import START, Load
from tests.reliability.test_kills import eventually, everything_is_sound, nothing_is_lost_or_doubled
from web.app import wall_clock
from workflows.actors.people import find_person
from workflows.transaction.results import Idempotency

pytestmark = [pytest.mark.postgres, pytest.mark.long]

CANCEL_THE_WAITING = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
CLIENTS = 6
KEPT = ("wal_keep_size=256MB",)


class Pair:
    """Two servers, one of which follows the other, and a house that knows both."""

    def __init__(self, leader: postgres.Server, follower: postgres.Server) -> None:
        self.leader = leader
        self.follower = follower
        self.hosts = (leader, follower)

    def address(self, database: str) -> str:
        """Whichever of the two can be written to."""
        places = ",".join(server.place for server in self.hosts)
        ports = ",".join(str(server.port) for server in self.hosts)
        where = f"host={places}&port={ports}&target_session_attrs=read-write"
        return f"postgresql+psycopg://tidu@/{database}?{where}"

    def wait_for_follower(self) -> None:
        """From now on no commit is answered before the follower has it."""
        self.leader.ask("ALTER SYSTEM SET synchronous_standby_names = 'follower'")
        self.leader.ask("SELECT pg_reload_conf()")
        eventually(lambda: self._replication("sync_state") == "sync", "the follower is not waited for")

    def catch_up(self) -> None:
        """Wait until the follower has all that was written so far."""
        here = self.leader.ask("SELECT pg_current_wal_lsn()::text")
        eventually(
            lambda: self.follower.ask(f"SELECT pg_last_wal_replay_lsn() >= '{here}'"), "it never caught up"
        )

    def swap(self) -> None:
        """The leader dies, the follower leads; it may have been down meanwhile."""
        self.leader.kill()
        if self.follower.process.poll() is not None:
            self.follower.start()
        self.follower.promote()
        self.leader, self.follower = self.follower, self.leader

    def rebuild(self) -> None:
        """The one that died comes back as the new follower."""
        self.follower.follow(self.leader, "follower")
        self.follower.start()

    def _replication(self, column: str) -> str:
        return self.leader.ask(
            f"SELECT {column} FROM pg_stat_replication WHERE application_name = 'follower'"
        )


@contextmanager
def pair(leads: dict[str, Any] | None = None, follows: dict[str, Any] | None = None) -> Iterator[Pair]:
    """Two servers that were told where to run."""
    with postgres.running(settings=KEPT, **(leads or {})) as leader:
        furnished(new_database(leader.address, "house"))
        with leader.standby("follower", **(follows or {})) as follower:
            yield Pair(leader, follower)


@pytest.fixture
def servers() -> Iterator[Pair]:
    if reason := postgres.unavailable():
        pytest.skip(reason)
    with pair() as both:
        yield both


@pytest.fixture
def house(servers, tmp_path):
    made = Installation(tmp_path, servers.address("house"))
    made.deploy("small_review")
    for person in ("app01", "lz.officer"):
        made.token(person)
    return made


def test_where_the_standby_is_waited_for_a_failover_loses_nothing(servers, house, campaign):
    failovers = campaign.times(1, 5)
    servers.wait_for_follower()
    load = Load(house, clients=CLIENTS, seed=23)
    programs = [house.serve(), house.start("worker")]
    load.begin()
    try:
        for number in range(failovers):
            if number:
                servers.rebuild()
                servers.wait_for_follower()
            something_gets_done(load)
            servers.swap()
            something_gets_done(load)
        load.end()
        assert programs[0].process.poll() is None
    finally:
        for program in programs:
            program.kill()

    assert load.surprises == []
    nothing_is_lost_or_doubled(house, load)
    campaign.tell(
        "R23",
        failovers_with_a_standby_waited_for=failovers,
        completions_acknowledged=len(load.completed),
        lost=0,
        cases_verified=everything_is_sound(house),
    )


def test_a_primary_that_vanishes_without_a_word_is_given_up(tmp_path, campaign):
    """Nothing is closed and nothing refused: packets go out and none comes back. The standby is promoted."""
    if reason := postgres.unavailable() or networks.unavailable():
        pytest.skip(reason)
    with (
        networks.network() as network,
        pair({"host": network.host, "inside": network.inside}, {"host": "127.0.0.1"}) as servers,
    ):
        house = Installation(tmp_path, servers.address("house"))
        house.deploy("small_review")
        servers.wait_for_follower()
        load = Load(house, clients=CLIENTS, seed=27)
        with house.served():
            load.begin()
            something_gets_done(load)
            network.cut()
            began = time.monotonic()
            servers.follower.promote()
            something_gets_done(load)
            waited = time.monotonic() - began
            load.end()

        assert load.surprises == []
        nothing_is_lost_or_doubled(house, load)
        campaign.tell(
            "R23",
            primaries_that_vanished=1,
            seconds_until_work_went_on=round(waited),
            completions_acknowledged=len(load.completed),
            lost=0,
            cases_verified=everything_is_sound(house),
        )


def test_a_commit_whose_waiting_somebody_ended_is_not_acknowledged(servers, house, campaign):
    """PostgreSQL says that it is done, and warns that the standby does not have it: nobody is told of success
    before the same request finds it there."""
    blows = campaign.times(1, 20)
    servers.wait_for_follower()
    with house.rooms(wall_clock) as (commands, _), house.opened() as database:
        with database.connect() as connection:
            applicant = find_person(connection, "app01")
        for number in range(blows):
            once = Idempotency(key=f"once-{number}", request_digest="d")

            def start(once=once):
                return commands.start_case("small_review", {"days": 3}, actor=applicant, idempotency=once)

            servers.follower.stop()
            for _ in range(2):  # who asks again waits for the follower as well
                with ThreadPoolExecutor(1) as pool:
                    asked = pool.submit(start)
                    eventually(lambda: servers.leader.ask(CANCEL_THE_WAITING), "nobody waits for it")
                    with pytest.raises(sa.exc.OperationalError, match="canceling wait"):
                        asked.result(60)
            servers.follower.start()
            assert start().replayed

    campaign.tell("R23", waits_ended_by_hand=blows, acknowledged_without_the_standby=0)


def test_where_it_is_not_the_house_stops_and_tells_what_is_missing(servers, house, campaign):
    failovers = campaign.times(1, 5)
    gaps = entries = 0
    programs = [house.serve(), house.start("worker")]
    try:
        for number in range(failovers):
            if number:
                servers.rebuild()
            entries += one_gap(servers, house)
            gaps += 1
    finally:
        for program in programs:
            program.kill()

    campaign.tell(
        "R23",
        failovers_with_commits_missing=failovers,
        gaps_noticed=gaps,
        entries_missing_and_told=entries,
        cases_verified=everything_is_sound(house),
    )


def one_gap(servers: Pair, house: Installation) -> int:
    """A failover that loses two acknowledged acts; how many entries the operator accepts to miss."""
    kept = started(house)
    servers.catch_up()
    servers.follower.stop()
    claim(house, kept)
    gone = started(house)
    servers.swap()

    eventually(
        lambda: (
            house.ask("GET", "/readyz").body == {"missing": "acknowledged entries", "status": "unavailable"}
        ),
        house.told(),
    )
    before = entries_of(house)
    refused = house.api("POST", START, {"values": {"days": 3}}, by="app01")
    assert (refused.status, refused.body["code"]) == (503, "DATABASE_BEHIND")
    assert house.api("GET", f"/process-instance/{kept['id']}", by="app01").status == 200
    assert entries_of(house) == before

    told = json.loads(house.tidu("gap", "show", "--json").stdout)
    assert {case["case_id"]: case["after"] for case in told["cases"]} == {
        kept["id"]: kept["seq"],
        gone["id"]: 0,
    }
    assert house.tidu("gap", "accept", "--reason", "the standby lacked them").returncode == 0

    eventually(lambda: house.ask("GET", "/readyz").status == 200, house.told())
    assert started(house)["id"] > gone["id"]
    claim(house, kept)
    return told["entries"]


def started(house: Installation) -> dict:
    answer = house.api("POST", START, {"values": {"days": 3}}, by="app01")
    assert answer.status == 201, answer.body
    return answer.body


def claim(house: Installation, case: dict) -> None:
    assert house.api("POST", f"/task/{case['tasks'][0]['id']}/claim", by="lz.officer").status == 204


def entries_of(house: Installation) -> int:
    ((number,),) = house.rows(sa.select(sa.func.count()).select_from(journal))
    return number


def something_gets_done(load: Load) -> None:
    before = len(load.completed)
    eventually(lambda: len(load.completed) > before + CLIENTS, f"nothing gets done: {load.house.told()}")
