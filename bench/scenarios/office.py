"""Scenario B: an office over HTTP, from the list to the completion, at rates nobody waits for, and a race.

`max` is a closed loop of completions, ours beside bare Flask with the floor's tables behind it: what HTTP
leaves. `rate` is an open loop: list, open, claim, complete, timed from when it was due. `race` lets sixteen
officers claim one task.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import Any

import orjson
import sqlalchemy as sa

from bench import form, lines, machine
from bench.clients import Book, Client, at_once, on_schedule
from bench.house import CASE, DRAWN, NOW, House
from bench.lines import Line
from bench.order import Order
from bench.stores import Store, environment, opened
from bench.subjects.floor import Floor
from engine.tables import journal
from tests.reliability.installation import LANZHOU, Installation
from workflows.commands import Commands

OFFICERS, RACERS, CLIENTS = 10, 16, 8
RATES = (20, 50, 100, 200)
ARRIVALS = 200
WORKERS, THREADS = 2, 8
"""Processes and threads of both servers."""

GUNICORN = [
    *(sys.executable, "-m", "gunicorn", "--preload", "--no-control-socket", "--log-level", "warning"),
    *("--worker-class", "gthread", "--workers", str(WORKERS), "--threads", str(THREADS), "--bind"),
]
ACCEPT = {"outcome": "accepted", "values": {"opinion": "材料齐全。" * 40}}


def run(order: Order) -> Iterator[Line]:
    """In each round the maximum of ours and of bare Flask, each rate with each number of officers, a race."""
    with opened(order.store) as store:
        env = environment(store, calibrate=order.calibrate)
        with _ours(store, order) as office, _bare(store, order) as ceiling:
            for turn in range(1, order.rounds + 1):
                measuring = partial(_line, store, order, turn=turn)
                yield measuring(env, "ours", *office.maximum(), mode="max", clients=CLIENTS)
                yield measuring(env, "bare-flask", *ceiling.maximum(), mode="max", clients=CLIENTS)
                for officers in office.crowds:
                    for rate in order.sizes or RATES:
                        found = office.at_rate(rate, officers)
                        yield measuring(env, "ours", *found, mode="rate", rate=rate, officers=officers)
                yield measuring(env, "ours", *office.race(), mode="race", officers=RACERS)


Found = tuple[Book, dict[str, float], dict[str, Any], float]
"""What was noted, rates, the oracle, processors that others kept busy."""


def _line(
    store: Store, order: Order, env: Mapping[str, Any], subject: str, *found: Any, turn: int, **params: Any
) -> Line:
    book, rate, oracle, foreign = found
    return lines.line(
        "B",
        subject,
        store=store.label,
        params={"arrivals": order.cases or ARRIVALS, **params},
        round=turn,
        rate=rate,
        lat_ms=book.latencies(),
        answers=dict(book.ended),
        oracle={**oracle, "ok": oracle["ok"] and not book.broken},
        env={**env, "foreign_cpu": foreign},
    )


class Office:
    """Ours, served as operators serve it, with officers who may all do the same."""

    def __init__(self, store: Store, place: Installation, order: Order) -> None:
        self._store, self._place = store, place
        self._number = order.cases or ARRIVALS
        self.crowds = tuple(n for n in order.threads if n > 1) or (OFFICERS,)
        self._officers = [f"officer{number:03}" for number in range(max(*self.crowds, RACERS))]
        place.deploy("small_review")
        place.enrol(self._officers, LANZHOU, like="lz.officer")
        self._tokens = [place.token(person) for person in self._officers]
        self._applicant = place.token("app01")
        self._house = House(place.url)
        self._commands = Commands(self._house.database, self._house.library, clock=lambda: NOW)
        self._pages = count()

    def close(self) -> None:
        self._house.close()

    def maximum(self) -> Found:
        """Completions of a page of 2 kB by clients who never wait."""
        cases = self._started(CASE, {})
        book, others = Book(), self._others()

        def complete(client: Client, case: tuple[str, str], since: float) -> None:
            page = form.page(next(self._pages), "submit", 2000)
            path = f"/api/v1/task/{case[1]}/complete"
            answer = client.ask("POST", path, {"values": {**page, "points": 90}}, token=self._applicant)
            book.note("complete", since, answer.status)

        wall = at_once(self._place.port, CLIENTS, cases, complete)
        rate = {"completions_s": round(len(cases) / wall, 1)}
        return book, rate, self._oracle(cases), others.cores()

    def at_rate(self, rate: int, officers: int) -> Found:
        """List, open, claim, complete: so many a second."""
        cases = self._started("small_review", {"days": 3})
        book, others, turn = Book(), self._others(), count()

        def work(client: Client, _: Any, since: float) -> None:
            number = next(turn)
            token = self._tokens[number % officers]
            for attempt in range(RACERS):
                task, since = self._listed(client, book, token, number + attempt, since)
                answer = client.ask("POST", f"/api/v1/task/{task}/claim", token=token)
                since = book.note("claim", since, answer.status)
                if answer.status == 204:
                    break
            answer = client.ask("POST", f"/api/v1/task/{task}/complete", ACCEPT, token=token)
            book.note("complete", since, answer.status)

        wall = on_schedule(self._place.port, min(officers, 50), cases, work, rate=rate)
        told = {"completions_s": round(len(cases) / wall, 1)}
        return book, told, self._oracle(cases), others.cores()

    def _listed(self, client: Client, book: Book, token: str, place: int, since: float) -> tuple[str, float]:
        """A task from the first page, opened."""
        found = client.ask("GET", "/api/v1/task?queue=claimable&taskDefinitionKey=check", token=token)
        since = book.note("list", since, found.status)
        items = found.body["items"]
        task = items[place % len(items)]["id"]
        shown = client.ask("GET", f"/api/v1/task/{task}", token=token)
        return task, book.note("open", since, shown.status)

    def race(self) -> Found:
        """Sixteen officers at one task, again and again; then nothing is left open."""
        cases = self._started("small_review", {"days": 3})[: max(1, self._number // RACERS)]
        book, others = Book(), self._others()
        won: Counter[str] = Counter()

        def claim(client: Client, asked: tuple[str, str], since: float) -> None:
            answer = client.ask("POST", f"/api/v1/task/{asked[0]}/claim", token=asked[1])
            book.note("claim", since, answer.status)
            won[asked[0]] += answer.status == 204

        begin = time.perf_counter()
        for _, task in cases:
            at_once(self._place.port, RACERS, [(task, token) for token in self._tokens[:RACERS]], claim)
        rate = {"races_s": round(len(cases) / (time.perf_counter() - begin), 2)}
        lost = book.ended["claim 409"]
        fair = all(won[task] == 1 for _, task in cases) and lost == len(cases) * (RACERS - 1)
        oracle = {"ok": fair, "events": len(cases), "double": sum(won.values()) - len(cases)}
        return book, rate, oracle, others.cores()

    def _started(self, process: str, values: dict[str, Any]) -> list[tuple[str, str]]:
        """New cases with their first tasks."""
        applicant = self._house.person("app01")
        begun = [self._commands.start_case(process, values, actor=applicant) for _ in range(self._number)]
        return [(one.case_id, one.tasks[0].task_id) for one in begun]

    def _others(self) -> machine.Foreign:
        return machine.Foreign(machine.OWN, *filter(None, [self._store.server_pid]))

    def _oracle(self, cases: list[tuple[str, str]]) -> dict[str, Any]:
        """Each of these tasks was completed once and claimed at most once."""
        acts: Counter[tuple[str, str]] = Counter()
        asked = sa.select(journal.c.body).where(journal.c.case_id.in_([case for case, _ in cases]))
        for row in self._place.rows(asked):
            entry = orjson.loads(row.body)
            if entry["type"] in ("TaskClaimed", "TaskCompleted"):
                acts[entry["data"]["task_id"], entry["type"]] += 1
        done = [acts[task, "TaskCompleted"] for _, task in cases]
        double = sum(times - 1 for times in acts.values() if times > 1)
        return {"ok": done == [1] * len(cases) and not double, "events": sum(done), "double": double}


class Ceiling:
    """Bare Flask over the floor's tables."""

    def __init__(self, store: Store, floor: Floor, port: int, number: int) -> None:
        self._store, self._floor, self._port, self._number = store, floor, port, number
        self._first = count(0, number)

    def maximum(self) -> Found:
        first = next(self._first)
        cases = [self._floor.start(number) for number in range(first, first + self._number)]
        self._floor.release()
        book = Book()
        others = machine.Foreign(machine.OWN, *filter(None, [self._store.server_pid]))

        def complete(client: Client, case: str, since: float) -> None:
            page = form.page(int(case[2:]), "submit", 2000)
            book.note("complete", since, client.ask("POST", f"/complete/{case}", {"values": page}).status)

        wall = at_once(self._port, CLIENTS, cases, complete)
        done = book.ended["complete 200"]
        oracle = {"ok": done == len(cases), "events": done, "double": 0}
        return book, {"completions_s": round(len(cases) / wall, 1)}, oracle, others.cores()


@contextmanager
def _ours(store: Store, order: Order) -> Iterator[Office]:
    url, folder = store.create("bench_office"), store.folder / "office"
    folder.mkdir()
    House(url).close()
    place = Installation(folder, url)
    office = Office(store, place, order)
    with place.served(workers=WORKERS):
        yield office
    office.close()


@contextmanager
def _bare(store: Store, order: Order) -> Iterator[Ceiling]:
    url, folder = store.create("bench_bare"), store.folder / "bare"
    folder.mkdir()
    place = Installation(folder, url)
    floor = Floor(url, threads=1)
    served = subprocess.Popen(
        [*GUNICORN, f"127.0.0.1:{place.port}", f"bench.bare:app('{url}')"], cwd=DRAWN.parents[1]
    )
    try:
        place.wait_for_server()
        yield Ceiling(store, floor, place.port, order.cases or ARRIVALS)
    finally:
        served.terminate()
        served.wait()
        floor.release()
