"""Programs are killed at the worst moments: what was acknowledged stays, and nothing happens twice."""

from __future__ import annotations

import random
import time
from collections import Counter

import orjson
import sqlalchemy as sa

from engine.tables import journal
from tests.conftest import START
from tests.reliability.dumps import dump
from tests.reliability.installation import Installation
from tests.reliability.load import Load
from workflows.demo.papers import Papers
from workflows.library.catalog import Catalog
from workflows.proof.evidence import Store, evidence_of
from workflows.reading.history import History
from workflows.store.tables import idempotency, operations
from workflows.transaction.projections import rebuild

CLIENTS = 6
VICTIMS = ("a server process",) * 14 + ("the worker",) * 4 + ("the server", "everything")
"""One process of several dies most often, in life as here; it also costs the least to replace."""
LONGEST_PAUSE = 0.15
"""Seconds from the next thing that got done to the blow."""

PATIENCE = 120.0


class Killer:
    """Kills at moments that a seed decides, and starts again what does not start by itself."""

    def __init__(self, house: Installation, seed: int) -> None:
        self.house = house
        self.dice = random.Random(seed)
        self.server = house.serve()
        self.worker = house.start("worker")
        self.killed: Counter[str] = Counter()

    def strike(self) -> None:
        victim = self.dice.choice(VICTIMS)
        if victim == "a server process":
            eventually(lambda: self.server.kill_a_child(self.dice), "the server has no processes")
        if victim in ("the worker", "everything"):
            self.worker.kill()
            self.worker = self.house.start("worker")
        if victim in ("the server", "everything"):
            self.server.kill()
            self.server = self.house.start("serve", "--port", str(self.house.port), "--workers", "2")
        self.killed[victim] += 1

    def end(self) -> None:
        for program in (self.server, self.worker):
            program.kill()


def eventually(look, complaint):
    """What `look` sees as soon as it sees anything."""
    deadline = time.monotonic() + PATIENCE
    while not (seen := look()):
        assert time.monotonic() < deadline, complaint
        time.sleep(0.02)
    return seen


def test_kills_of_server_and_worker_lose_nothing_and_double_nothing(installation, campaign):
    kills = campaign.times(50, 1_000)
    killer = Killer(installation, seed=7)
    load = Load(installation, clients=CLIENTS, seed=7)
    load.begin()
    try:
        for _ in range(kills):
            before = len(load.completed)
            eventually(lambda before=before: len(load.completed) > before, "nothing gets done any more")
            time.sleep(killer.dice.uniform(0, LONGEST_PAUSE))
            killer.strike()
        installation.wait_for_server()
        load.end()
    finally:
        killer.end()

    assert load.surprises == []
    assert killer.killed.total() == kills
    assert len(load.completed) > kills
    counts = nothing_is_lost_or_doubled(installation, load)
    campaign.tell(
        "R2" if installation.is_postgres else "R1",
        kills=killer.killed.total(),
        of_all_at_once=killer.killed["everything"],
        **counts,
        answers_repeated=load.repeated,
        cases_verified=everything_is_sound(installation),
    )


def nothing_is_lost_or_doubled(installation, *loads):
    """What the clients' books and the database differ in, which must be nothing; the counts of it.

    The loads are all that was ever done there.
    """
    counts = books_and_database(installation, loads)
    differ = {name: counts[name] for name in ("lost", "doubled", "unrecorded", "unremembered")}
    assert set(differ.values()) == {0}, differ
    return counts


def books_and_database(installation, loads):
    bodies = [orjson.loads(row.body) for row in installation.rows(sa.select(journal.c.body))]
    done = [body for body in bodies if body["type"] == "TaskCompleted"]
    written = Counter(
        (body["data"]["task_id"], body["actor"], body["data"]["values"]["opinion"]) for body in done
    )
    written.update(body["case"] for body in bodies if body["type"] == "CaseStarted")
    told = Counter((c.task_id, c.by, c.opinion) for load in loads for c in load.completed)
    told.update(case for load in loads for case in load.started)
    recorded = Counter(row.action for row in installation.rows(sa.select(operations.c.action)))
    keys = [row.key for row in installation.rows(sa.select(idempotency.c.key))]
    return {
        "acknowledged": told.total(),
        "lost": (told - written).total(),
        "doubled": (written - told).total(),
        "unrecorded": written.total() - recorded["complete"] - recorded["start"],
        "unremembered": len(done) - sum(key.startswith("done-") for key in keys),
    }


def everything_is_sound(installation):
    """Every case verifies, and the read models are what the journal says."""
    with installation.opened() as database:
        if database.dialect.name == "sqlite":
            with database.connect() as connection:
                assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        library = Catalog(database)
        proofs = list(History(database, library).verify_all())
        assert [proof for proof in proofs if not proof.ok] == []
        seen = dump(database)
        with database.begin() as connection:
            rebuild(connection, library)
        assert dump(database) == seen
    return len(proofs)


def test_a_season_that_was_killed_can_be_played_again(installation, campaign):
    assert installation.tidu("init").returncode == 0
    dice = random.Random(7)
    kills = campaign.times(1, 20)
    for _ in range(kills):
        before = entries(installation)
        season = installation.start("demo", "--cases", "8", "--seed", "7")
        eventually(lambda before=before: entries(installation) > before, "the season never began")
        time.sleep(dice.uniform(0, 2))
        season.kill()
        everything_is_sound(installation)

    again = installation.tidu("demo", "--cases", "3", "--seed", "7")

    assert again.returncode == 0, again.stderr
    cases = everything_is_sound(installation)
    assert cases >= 3
    campaign.tell("R2" if installation.is_postgres else "R1", kills_of_the_season=kills, cases_verified=cases)


def test_evidence_of_an_application_that_was_killed_before_it_began_is_taken_up_again(database, tmp_path):
    papers = Papers(database, Store(tmp_path))
    named = {"paper-1": "报告.pdf", "paper-2": "照片.pdf"}
    papers.enter({"paper-1": "报告.pdf"}, case_id="", by="app01", now=START)

    papers.enter(named, case_id="GF-1", by="app01", now=START)

    with database.connect() as connection:
        assert {paper.evidence_id for paper in evidence_of(connection, "GF-1")} == set(named)


def entries(installation):
    ((number,),) = installation.rows(sa.select(sa.func.count()).select_from(journal))
    return number
