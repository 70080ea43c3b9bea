"""A season that a running installation carries while its processes are killed, one every few seconds.

Four web processes and two workers, on one PostgreSQL. The people of `tidu demo` act over HTTP; timers and
jobs are the workers'. Programs and people go by one clock, which stands until all of a day's work is done.

`python -m tests.reliability.siege --cases 2000` (`make siege N=2000`) tells what came of it as JSON.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa

from engine.errors import InvalidInput, Rejected
from engine.tables import journal
from tests import postgres
from tests.conftest import new_database
from tests.reliability.by_hand import ClockInAFile
from tests.reliability.installation import Answer, Installation
from workflows.actors.people import persons
from workflows.actors.policy import SYSTEM, Actor
from workflows.commands import Commands
from workflows.demo.furnish import furnish
from workflows.demo.season import Season
from workflows.demo.years import END, START
from workflows.library.catalog import Catalog
from workflows.proof.evidence import Store
from workflows.store.tables import jobs, open_database, timers
from workflows.transaction.results import Result

SERVERS, WORKERS, PLAYERS = 4, 2, 4
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
PAUSE = 0.05
UNANSWERED = (0, 502, 503)
PATIENCE = 300.0
"""Seconds that the workers may take over a day's work before something is wrong."""


class Fortress(Installation):
    """A house whose programs go by a clock that we keep."""

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__(folder, url)
        self.clock = ClockInAFile(folder / "clock")
        self.clock.move(START)
        self.main = ("tests.reliability.by_hand", str(self.clock.path))


class ThroughTheDoors:
    """People act over HTTP, and never let go of an unanswered request."""

    def __init__(self, house: Fortress, name: str, outside: Commands) -> None:
        """`outside` is how the system is told what comes from outside, such as the ministry's result."""
        self.house = house
        self.name = name
        self.outside = outside
        self.asked = self.repeated = self.unanswered = 0
        self.done: Counter[str] = Counter()

    def start_case(
        self, process: str, values: Any, *, actor: Actor, unit: str | None, batch: str | None
    ) -> Result:
        about = {"unit": unit, "batch": batch}
        body = {"values": values, **{name: told for name, told in about.items() if told is not None}}
        answer = self._ask(f"/process-definition/key/{process}/start", body, actor)
        self.done[answer.body["id"]] += 1
        return Result(case_id=answer.body["id"], seq=answer.body["seq"], status=answer.body["status"])

    def claim_task(self, task_id: str, *, actor: Actor) -> object:
        return self._ask(f"/task/{task_id}/claim", None, actor)

    def complete_task(self, task_id: str, values: Any, *, actor: Actor) -> object:
        told = dict(values)
        outcome = {"outcome": told.pop("outcome")} if told.get("outcome") else {}
        answer = self._ask(f"/task/{task_id}/complete", {"values": told, **outcome}, actor)
        self.done[task_id] += 1
        return answer

    def receive_message(self, case_id: str, message: str, values: Any, *, actor: Actor) -> object:
        if actor == SYSTEM:
            return self.outside.receive_message(case_id, message, values, actor=actor)
        body = {"messageName": message, "values": values}
        return self._ask(f"/process-instance/{case_id}/messages", body, actor)

    def _ask(self, path: str, body: Any, actor: Actor) -> Answer:
        self.asked += 1
        key = f"{self.name}-{self.asked}"
        while (
            answer := self.house.api("POST", path, body, by=actor.id, Idempotency_Key=key)
        ).status in UNANSWERED:
            self.unanswered += 1
            time.sleep(PAUSE)
        self.repeated += "Idempotency-Replayed" in answer.headers
        if answer.status == 422:
            raise InvalidInput(f"{path}: {answer.body}")
        if answer.status in (403, 404, 409, 410):
            raise Rejected(f"{path}: {answer.body}", code=answer.body["code"])
        assert answer.status < 400, f"{path}: {answer.status} {answer.body}"
        return answer


class Besiegers:
    """They kill a process of the house every few seconds, and start again what nobody else does."""

    def __init__(self, house: Fortress, *, every: float) -> None:
        self.house = house
        self.every = every
        self.dice = random.Random(3)
        self.killed: Counter[str] = Counter()
        self.server = house.serve(workers=SERVERS)
        self.workers = [house.start("worker") for _ in range(WORKERS)]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._strike_again_and_again, daemon=True)

    def __enter__(self) -> Besiegers:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.go_away()
        for program in (self.server, *self.workers):
            program.kill()

    def go_away(self) -> None:
        """No more blows; the house stands as it is."""
        self._over.set()
        self._thread.join(60)

    def _strike_again_and_again(self) -> None:
        for number in itertools.count(1):
            if self._over.wait(self.every * self.dice.uniform(0.5, 1.5)):
                return
            if number % (SERVERS + WORKERS) < WORKERS:
                self._kill_a_worker()
            else:
                self._kill_a_server_process()

    def _kill_a_worker(self) -> None:
        place = self.dice.randrange(WORKERS)
        self.workers[place].kill()
        self.workers[place] = self.house.start("worker")
        self.killed["workers"] += 1

    def _kill_a_server_process(self) -> None:
        self.killed["server_processes"] += self.server.kill_a_child(self.dice)


def play(house: Fortress, *, cases: int, seed: int, step: timedelta) -> dict[str, int]:
    """The people's part, by several players. The clock goes on by a `step` or more once a step is done.
    Answers what they were told, and what the database says to it, as counts."""
    database = open_database(house.url, pool_size=2 * PLAYERS)
    shares = [
        range(cases)[place * cases // PLAYERS : (place + 1) * cases // PLAYERS] for place in range(PLAYERS)
    ]
    players = [_player(house, database, seed, share, cases) for share in shares]
    now = START
    with ThreadPoolExecutor(PLAYERS) as pool:
        while (due := _next_due(database, players, now)) is not None:
            now = min(max(due, now + step), END)
            house.clock.move(now)
            list(pool.map(lambda player, at=now: player[0].act(at), players))
            now = _let_the_workers_finish(house, database, now)
    database.dispose()
    return _summed_up(house, players)


def _player(
    house: Fortress, database: sa.Engine, seed: int, share: range, cases: int
) -> tuple[Season, ThroughTheDoors]:
    """The first of them also plays the province, and whatever letters begin."""
    library = Catalog(database)
    outside = Commands(database, library, clock=house.clock)
    doors = ThroughTheDoors(house, f"player{share.start}", outside)
    files = Store(house.folder / "evidence")
    facts: dict[str, Any] = {"files": files, "before": share.start, "leads": not share.start, "acting": doors}
    season = Season(database, library, seed=seed, **facts)
    season.plan(len(share), in_all=cases)
    return season, doors


def _next_due(database: sa.Engine, players: Any, now: datetime) -> datetime | None:
    """The next moment at which anything happens before the season ends."""
    planned = [season.next_planned for season, _ in players]
    found = [at for at in (*planned, _first_due(database)) if at is not None and at < END]
    return min(found) if found and now < END else None


def _first_due(database: sa.Engine) -> datetime | None:
    """What the workers have to do next."""
    waiting = sa.union_all(
        sa.select(sa.func.min(timers.c.due_at, type_=timers.c.due_at.type)).where(timers.c.state == "set"),
        sa.select(sa.func.min(jobs.c.next_at, type_=timers.c.due_at.type)).where(jobs.c.state == "waiting"),
    )
    with database.connect().execution_options(reading=True) as connection:
        return min((at for at in connection.scalars(waiting) if at is not None), default=None)


def _let_the_workers_finish(house: Fortress, database: sa.Engine, now: datetime) -> datetime:
    """Time creeps on, so that a killed worker's leases end, until nothing is due any more."""
    deadline = time.monotonic() + PATIENCE
    while (due := _first_due(database)) is not None and due <= now < END:
        assert time.monotonic() < deadline, f"the workers do not finish: {house.told()}"
        time.sleep(PAUSE)
        now += MINUTE
        house.clock.move(now)
    return now


def _summed_up(house: Fortress, players: Any) -> dict[str, int]:
    told: Counter[str] = Counter()
    for _, doors in players:
        told += doors.done
    written: Counter[str] = Counter()
    for row in house.rows(sa.select(journal.c.body)):
        body = orjson.loads(row.body)
        if body["type"] in ("CaseStarted", "TaskCompleted") and body["actor"] != SYSTEM.id:
            written[body["data"].get("task_id") or body["case"]] += 1
    return {
        "cases": sum(season.summary.cases for season, _ in players),
        "completions": sum(season.summary.completed for season, _ in players),
        "refused": sum(season.summary.refused for season, _ in players),
        "stuck": sum(len(season.summary.stuck) for season, _ in players),
        "requests": sum(doors.asked for _, doors in players),
        "unanswered": sum(doors.unanswered for _, doors in players),
        "repeated": sum(doors.repeated for _, doors in players),
        "lost": (told - written).total(),
        "doubled": (written - told).total(),
    }


def fortress(folder: Path, server: str, *, cases: int) -> Fortress:
    """A house of its own, set up for so many applications; everybody has a token."""
    house = Fortress(folder, new_database(server, "siege"))
    done = house.tidu("init")
    assert done.returncode == 0, done.stderr
    with house.opened() as database, database.begin() as connection:
        furnish(connection, cases, now=START)
        everybody = list(connection.scalars(sa.select(persons.c.id)))
    house.give_tokens(everybody)
    return house


def besiege(house: Fortress, *, cases: int, seed: int, every: float, step: timedelta) -> dict[str, int]:
    """Play a season while the besiegers are at work; then verify everything, by the command line."""
    with Besiegers(house, every=every) as besiegers:
        counts = play(house, cases=cases, seed=seed, step=step)
    found = house.tidu("verify", "--all", "--json")
    verified = json.loads(found.stdout)
    return {
        **{f"killed_{what}": times for what, times in sorted(besiegers.killed.items())},
        **counts,
        "verified": verified["ok"],
        "found_by_verify": len(verified["findings"]),
    }


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="siege", description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=300)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--every", type=float, default=3, help="seconds between two kills")
    asked = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="tidu-siege-") as folder, postgres.server(fsync="on") as server:
        house = fortress(Path(folder), server, cases=asked.cases)
        counts = besiege(house, cases=asked.cases, seed=asked.seed, every=asked.every, step=DAY)
    print(json.dumps(counts))
    return int(bool(counts["lost"] or counts["doubled"] or counts["stuck"] or counts["found_by_verify"]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
