"""Scenario G: how long after it is started a server answers and completes, empty, full, and after a kill.

The server is the program that operators start, asked over HTTP by clients of the API.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
import sqlalchemy as sa

from bench import bulk, lines, machine, process
from bench.candidates import Candidate
from bench.house import CASE, DRAWN, NOW
from bench.lines import Line
from bench.order import Order
from bench.peers import java
from bench.scenarios.throughput import WARM_JVM
from bench.stores import Store, Unavailable, environment, opened
from bench.subjects.ours import Ours
from engine.tables import journal
from tests.reliability.installation import Answer, Installation
from tests.reliability.load import Load
from workflows.library.packages import read_files

SIZES = (0, 100_000)
DEFINITIONS = 50
CLIENTS = 4
LOADED = 3.0
"""Seconds of load before the server is killed."""

PATIENCE = 300.0


def run(order: Order) -> Iterator[Line]:
    """For each number of stored cases a line for a start and one for a start after a kill; then the peers."""
    with opened(order.store) as store:
        env = environment(store, calibrate=order.calibrate)
        for size in order.sizes or SIZES:
            name = f"bench_cold_{size}"
            place = _installation(store, name, size)
            for turn in range(1, order.rounds + 1):
                yield _started(store, place, size=size, turn=turn, env=env)
                yield _killed(store, place, size=size, turn=turn, env=env)
        for kind in order.subjects:
            if kind in java.ENGINES:
                yield from _peer(store, kind, order, env)


def _installation(store: Store, name: str, size: int) -> Installation:
    """A house with so many finished cases and many definitions."""
    url = store.create(name)
    subject = Ours(url, threads=1)
    drawn = {str(path.relative_to(DRAWN / CASE)): path.read_bytes() for path in _files()}
    with subject.database.begin() as connection:
        for number in range(DEFINITIONS - 2 if size else 0):
            own = {**drawn, "process.bpmn": drawn["process.bpmn"].replace(b"bench_case", b"case_%d" % number)}
            own["bench_score.dmn"] = drawn["bench_score.dmn"]
            subject.library.deploy(connection, read_files(own), by="bench", at=NOW)
    if size:
        bulk.finished_cases(subject, size)
    subject.close()
    folder = store.folder / name
    folder.mkdir()
    place = Installation(folder, url)
    place.deploy("small_review")  # what the clients of the kill play
    for person in ("app01",):
        place.token(person)
    return place


def _files() -> list[Any]:
    return [path for path in (DRAWN / CASE).rglob("*") if path.is_file()]


def _started(store: Store, place: Installation, *, size: int, turn: int, env: Mapping[str, Any]) -> Line:
    others = machine.Foreign(machine.OWN, *filter(None, [store.server_pid]))
    begin = time.perf_counter()
    server = place.start("serve", "--port", str(place.port), "--workers", "1")
    try:
        ready = _until(place, "/readyz", begin)
        completed, done = _first_completion(place, begin)
        time.sleep(1)
        idle = process.proportional_mib(server.group)
    finally:
        server.kill()
    return _line(
        store,
        size=size,
        turn=turn,
        env={**env, "foreign_cpu": others.cores()},
        after="stop",
        lat_ms={"ready": {"p50": ready}, "first_completion": {"p50": completed}},
        rss_mb={"idle": round(idle, 1)},
        oracle={"ok": done.status == 200, "events": 0, "double": 0},
    )


def _until(place: Installation, path: str, begin: float) -> float:
    """Milliseconds from `begin` until the server says 200 there."""
    while place.ask("GET", path).status != 200:
        if time.perf_counter() - begin > PATIENCE:
            raise Unavailable(f"no answer within {PATIENCE} s: {place.told()}")
        time.sleep(0.005)
    return round(1000 * (time.perf_counter() - begin), 1)


def _first_completion(place: Installation, begin: float) -> tuple[float, Answer]:
    begun = place.api("POST", f"/process-definition/key/{CASE}/start", {"values": {}}, by="app01")
    (task,) = begun.body["tasks"]
    page = {"values": {"points": 90, "f01": "首件"}}
    done = place.api("POST", f"/task/{task['id']}/complete", page, by="app01")
    return round(1000 * (time.perf_counter() - begin), 1), done


def _killed(store: Store, place: Installation, *, size: int, turn: int, env: Mapping[str, Any]) -> Line:
    """Clients at work, the server killed under them and started again; what they were told must stand."""
    others = machine.Foreign(machine.OWN, *filter(None, [store.server_pid]))
    server = place.serve(workers=1)
    load = Load(house=place, clients=CLIENTS, seed=turn)
    load.begin()
    time.sleep(LOADED)
    server.kill()
    begin = time.perf_counter()
    server = place.start("serve", "--port", str(place.port), "--workers", "1")
    try:
        ready = _until(place, "/readyz", begin)
        load.end()
    finally:
        server.kill()
    return _line(
        store,
        size=size,
        turn=turn,
        env={**env, "foreign_cpu": others.cores()},
        after="kill -9 under load",
        lat_ms={"ready": {"p50": ready}},
        oracle=_nothing_lost(place, load),
    )


def _nothing_lost(place: Installation, load: Load) -> dict[str, Any]:
    """Every acknowledged completion stands in the journal, once."""
    found = Counter[str]()
    wanted = sa.select(journal.c.body).where(journal.c.case_id.in_(load.started))
    for row in place.rows(wanted):
        entry = orjson.loads(row.body)
        if entry["type"] == "TaskCompleted":
            found[entry["data"]["task_id"]] += 1
    lost = [done.task_id for done in load.completed if not found[done.task_id]]
    double = sum(times - 1 for times in found.values())
    return {
        "ok": not lost and not double and not load.surprises and bool(load.completed),
        "events": len(load.completed),
        "double": double,
        "lost": len(lost),
        "surprises": load.surprises[:3],
    }


def _peer(store: Store, kind: str, order: Order, env: Mapping[str, Any]) -> Iterator[Line]:
    """A Java engine booted on a schema that it made before."""
    try:
        first = Candidate(kind, store, threads=1)
        first.drive(min(order.warm or WARM_JVM, 20), threads=1, payload=order.payload)
        first.close()
        for turn in range(1, order.rounds + 1):
            others = machine.Foreign(machine.OWN, *filter(None, [store.server_pid]))
            begin = time.perf_counter()
            again = Candidate(kind, store, threads=1, url=first.url)
            ready = round(1000 * (time.perf_counter() - begin), 1)
            idle = round(process.proportional_mib(again.pid), 1)
            again.close()
            yield _line(
                store,
                size=0,
                turn=turn,
                env={**env, "foreign_cpu": others.cores()},
                after="stop",
                subject=again.name,
                lat_ms={"ready": {"p50": ready}},
                rss_mb={"idle": idle},
                oracle={"ok": True, "events": 0, "double": 0},
            )
    except Unavailable as reason:
        yield lines.missing("G", kind, str(reason), store=store.label, env=env)


def _line(
    store: Store,
    *,
    size: int,
    turn: int,
    env: Mapping[str, Any],
    after: str,
    subject: str = "ours",
    **measured: Any,
) -> Line:
    params = {"stored_cases": size, "after": after}
    return lines.line("G", subject, store=store.label, params=params, round=turn, env=env, **measured)
