"""Scenario D: how fast a history proves itself, is run again, and shows a case as it stood.

Histories of several lengths are written by the engine itself, page after page of corrections; the live case
that wrote them is what replay must come to, byte for byte. One changed letter must be found where it stands.
The peers have no such thing; the whole story of a case of scenario A is told by ours and by them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

import orjson
import sqlalchemy as sa

from bench import form, lines, machine, process
from bench.house import LOOP, NOW, House
from bench.lines import Line
from bench.order import Order
from bench.peers import java
from bench.scenarios import stories
from bench.stores import Store, environment, opened
from bench.subjects.serve import spread
from engine import journal, replay
from engine.case.case import Case
from engine.events import Who
from engine.tables import journal as entries
from engine.tables import snapshots
from workflows.reading.history import History
from workflows.store.rows import Pending

LENGTHS = (20, 1_000, 100_000)
WRITTEN = 20_000
"""Entries of the shorter histories together: so many cases of each length."""

BATCH = replay.SNAPSHOT_EVERY
"""Entries that are appended at once, and a snapshot behind them: no more often than the door leaves one."""

EARLY, LATE = 6, 600
"""Rounds of correction between which a completion must not become dearer."""

ENOUGH = 200
"""Live cases in memory at once, to weigh one."""

BY = Who(actor="app01", on_behalf_of=None)
Loads = dict[str, list[float]]


@dataclass(frozen=True, kw_only=True)
class Written:
    """Histories of one length: case ids, entries of each, the live case behind the last, what rounds took."""

    cases: tuple[str, ...]
    entries: int
    live: Case
    rounds: tuple[float, ...]

    @property
    def every(self) -> int:
        return len(self.cases) * self.entries


def run(order: Order) -> Iterator[Line]:
    """A line for each length of history and round."""
    with opened(order.store) as store:
        env = environment(store, calibrate=order.calibrate)
        house = House(store.create("bench_audit"))
        for length in order.sizes or LENGTHS:
            written = _write(house, length, order)
            store.settle("bench_audit")
            for turn in range(1, order.rounds + 1):
                yield _measured(store, house, written, order, length=length, turn=turn, env=env)
        house.close()
        for kind in dict.fromkeys(("ours", *order.subjects)):
            if kind == "ours" or kind in java.ENGINES:
                yield from stories.told(store, kind, order, env)


def _measured(
    store: Store,
    house: House,
    written: Written,
    order: Order,
    *,
    length: int,
    turn: int,
    env: Mapping[str, Any],
) -> Line:
    others = machine.Foreign(machine.OWN, *filter(None, [store.server_pid]))
    process.forget_peak(machine.OWN)
    with house.reading() as connection:
        chain = _seconds(lambda: _chain(connection, written))
        verified: list[Any] = []
        both = _seconds(lambda: verified.extend(_verified(connection, house, written)))
        rerun = _seconds(lambda: _rerun(house, written))
        loads = _loads(connection, house, written)
        again = replay.load(connection, written.cases[-1], house.library)
    found = _tampered(house, written)
    same = _text(again) == _text(written.live)
    oracle = {"ok": same and not verified and found == _middle(written), "events": written.every, "double": 0}
    return lines.line(
        "D",
        "ours",
        store=store.label,
        params={"events_per_case": length, "cases": len(written.cases), "payload": order.payload},
        round=turn,
        rate={
            "chain_events_s": round(written.every / chain),
            "verify_events_s": round(written.every / both),
            "rerun_events_s": round(written.every / rerun),
        },
        lat_ms={**{name: spread(taken) for name, taken in loads.items()}, **_rework(written)},
        memory_kib=_memory(house, written),
        peak_rss_mb=round(process.peak_mib(machine.OWN), 1),
        oracle={**oracle, "tamper_found_at": found, "state_equal": same},
        env={**env, "foreign_cpu": others.cores()},
    )


# --- what is written ---------------------------------------------------------------------------------


def _write(house: House, length: int, order: Order) -> Written:
    """Cases corrected until their journals have at least so many entries."""
    number = order.cases or max(1, WRITTEN // length)
    ids = tuple(f"BL-{length}-{n:06}" for n in range(number))
    for case_id in ids:
        live, rounds = _corrected(house, case_id, length, order.payload)
    return Written(cases=ids, entries=live.seq, live=live, rounds=tuple(rounds))


def _corrected(house: House, case_id: str, length: int, payload: int) -> tuple[Case, list[float]]:
    """One case, correction after correction; how long each took the engine, in milliseconds."""
    pages = form.pages(payload)
    rounds: list[float] = []
    case = _started(house, case_id)
    while case.seq < length:
        task_id = next(reversed(case.standing.tasks))
        page = {**pages[len(rounds) % form.POOL], "again": True}
        begin = time.perf_counter()
        case.complete_task(task_id, page, by=BY, now=NOW)
        rounds.append(1000 * (time.perf_counter() - begin))
        if len(case.fresh) > BATCH:
            _keep(house, case)
    _keep(house, case)
    return case, rounds


def _started(house: House, case_id: str) -> Case:
    with house.database.begin() as connection:
        pins = house.library.pins(connection, LOOP, NOW)
        definition = house.library.start_definition(connection, pins, LOOP)
        calendar = house.library.calendar(house.library.calendar_id)
    return Case.start(case_id, definition, calendar, pins=pins, values={}, by=BY, now=NOW)


def _keep(house: House, case: Case) -> None:
    before, rows = case.head.seq, Pending()
    with house.database.begin() as connection:
        case.appended(journal.append(connection, case.fresh, after=case.head))
        if replay.is_snapshot_due(case, since=before):
            rows.sweep(snapshots, {"case_id": case.case_id, "lasting": False}, None)
            rows.add(snapshots, *replay.snapshots_of(case, since=before))
        rows.write(connection)


# --- what is measured --------------------------------------------------------------------------------


def _seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def _chain(connection: sa.Connection, written: Written) -> None:
    """Every digest made again from the stored text, as somebody outside would."""
    for case_id in written.cases:
        previous = journal.START
        for line in journal.read(connection, case_id):
            previous = journal.digest(previous, line.body)
            if previous != line.digest:
                raise RuntimeError(f"the chain of {case_id} breaks at {line.seq}")


def _verified(connection: sa.Connection, house: House, written: Written) -> list[Any]:
    cases = written.cases
    return [found for case_id in cases for found in replay.verify(connection, case_id, house.library)]


def _rerun(house: House, written: Written) -> None:
    """Every case from its first entry, as if nobody had kept a snapshot."""
    with house.database.connect() as connection:
        replay.forget_all(connection)
        for case_id in written.cases:
            replay.at(connection, case_id, written.entries, house.library)
        connection.rollback()


def _loads(connection: sa.Connection, house: House, written: Written) -> Loads:
    """Milliseconds to the case as it stands, as it stood half-way, and as an auditor is shown it."""
    sample = written.cases[:: max(1, len(written.cases) // 20)]
    history = History(house.database, house.library)
    acts: dict[str, Callable[[str], object]] = {
        "load": lambda case_id: replay.load(connection, case_id, house.library),
        "as_of_middle": lambda case_id: replay.at(connection, case_id, _middle(written), house.library),
        "as_of_end": lambda case_id: replay.at(connection, case_id, written.entries - 1, house.library),
        "page_of_middle": lambda case_id: history.state(case_id, _middle(written)),
        "timeline": lambda case_id: history.timeline(case_id),
    }
    return {
        name: [1000 * _seconds(lambda act=act, case_id=case_id: act(case_id)) for case_id in sample]
        for name, act in acts.items()
    }


def _text(case: Case) -> bytes:
    """All that a case is; the names within a context stand in the order of the journal's text."""
    return orjson.dumps(case.state(), option=orjson.OPT_SORT_KEYS)


def _middle(written: Written) -> int:
    return written.entries // 2


def _rework(written: Written) -> dict[str, dict[str, float]]:
    """What a completion took the engine in an early and in a late round of correction."""
    rounds = written.rounds
    if len(rounds) < LATE + EARLY:
        return {}
    around = {"rework_early": rounds[EARLY - 3 : EARLY + 3], "rework_late": rounds[LATE - 3 : LATE + 3]}
    return {name: {"p50": round(median(taken), 4)} for name, taken in around.items()}


def _memory(house: House, written: Written) -> dict[str, float]:
    """What a live case weighs, page and all, once there are enough of them to tell."""
    if len(written.cases) < ENOUGH:
        return {}
    before = process.proportional_mib(machine.OWN)
    with house.reading() as connection:
        live = [replay.load(connection, case_id, house.library) for case_id in written.cases]
    grown = process.proportional_mib(machine.OWN) - before
    return {"live_case": round(1024 * grown / len(live), 1)}


def _tampered(house: House, written: Written) -> int:
    """Where verification finds one changed letter half-way through a case; the letter is put back."""
    case_id, place = written.cases[-1], _middle(written)
    here = (entries.c.case_id == case_id) & (entries.c.seq == place)
    with house.database.begin() as connection:
        body = connection.execute(sa.select(entries.c.body).where(here)).scalar_one()
        forged = body[:-1] + ("]" if body.endswith("}") else "}")
        connection.execute(sa.update(entries).where(here).values(body=forged))
        findings = replay.verify(connection, case_id, house.library)
        connection.execute(sa.update(entries).where(here).values(body=body))
    return findings[0].seq if findings else 0
