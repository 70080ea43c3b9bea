"""Officers at a steady rate for hours, while programs are killed: nothing is lost, and nothing piles up.

Two servers and two workers on one PostgreSQL. Of one pair a process is killed again and again; the other is
left in peace, so that its memory can be looked at. What the store takes is looked at case by case.

`python -m tests.reliability.soak --hours 1` (`make soak HOURS=1`) tells what came of it as JSON.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TypeVar

import sqlalchemy as sa

from tests import postgres
from tests.conftest import furnished, new_database
from tests.reliability.installation import Installation, Program
from tests.reliability.load import Load
from tests.reliability.test_kills import Killer, books_and_database
from workflows.store.tables import cases

T = TypeVar("T")
CLIENTS = 8
MOST_GROWTH = 10
"""Per cent, of memory and of what the store takes for a case."""

LOOKS = 40
STORE = "SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class WHERE relkind = 'r'"


@dataclass
class Watch:
    """Looks at the memory of programs and at the size of the store, all along."""

    house: Installation
    programs: Sequence[Program]
    memory: list[int] = field(default_factory=list)
    store: list[tuple[int, int]] = field(default_factory=list)

    def look(self) -> None:
        """Bytes of memory; bytes of the store and the cases in it."""
        pids = [pid for program in self.programs for pid in (program.group, *program.children())]
        self.memory.append(sum(map(_resident, pids)))
        with self.house.opened() as database, database.connect().execution_options(reading=True) as looking:
            number = looking.scalar(sa.select(sa.func.count()).select_from(cases)) or 0
            self.store.append((looking.scalar(sa.text(STORE)) or 0, number))

    def figures(self) -> dict[str, int]:
        """How it stands at the end, and how it grew: per cent between the second quarter and the last, for
        in the first all that is kept at hand is fetched."""
        second, last = quarters(self.memory)[1::2]
        early, late = (_by_case(quarter) for quarter in quarters(self.store)[1::2])
        return {
            "memory_megabytes": round(median(last) / 2**20),
            "memory_growth_percent": growth(median(second), median(last)),
            "store_kilobytes_per_case": round(late / 1024),
            "store_growth_percent": growth(early, late),
        }


def quarters(looks: Sequence[T]) -> list[Sequence[T]]:
    """Four parts of one length; what is over belongs to the first. At least two looks in each."""
    length = len(looks) // 4
    assert length > 1, f"{len(looks)} looks are too few"
    over = len(looks) - 4 * length
    return [looks[: over + length], *(looks[over + n * length :][:length] for n in (1, 2, 3))]


def growth(before: float, after: float) -> int:
    """Per cent."""
    return round(100 * (after / before - 1))


def _by_case(quarter: Sequence[tuple[int, int]]) -> float:
    (bytes_before, cases_before), *_, (bytes_after, cases_after) = quarter
    return (bytes_after - bytes_before) / max(1, cases_after - cases_before)


def _resident(pid: int) -> int:
    try:
        told = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):  # it has just gone
        return 0
    return next((int(line.split()[1]) * 1024 for line in told.splitlines() if line.startswith("VmRSS")), 0)


def soak(house: Installation, *, seconds: float, rate: float, every: float, seed: int = 31) -> dict[str, int]:
    """Let people complete `rate` tasks a second for so long, and kill a process about `every` so many
    seconds; then verify everything. Answers what came of it."""
    peaceful, dice = house.beside(), random.Random(seed)
    loads = [
        Load(one, clients=CLIENTS // 2, seed=number, pace=2 * CLIENTS / rate)
        for number, one in enumerate((house, peaceful))
    ]
    with peaceful.served() as server:
        worker, killer = peaceful.start("worker"), Killer(house, seed)
        try:
            house.wait_for_server()
            watch = Watch(peaceful, (server, worker))
            for load in loads:
                load.begin()
            _strike_and_look(killer, watch, dice, seconds, every)
            house.wait_for_server()
            for load in loads:
                load.end()
        finally:
            worker.kill()
            killer.end()
    surprises = [surprise for load in loads for surprise in load.surprises]
    assert surprises == [], surprises[:3]
    verified = json.loads(house.tidu("verify", "--all", "--json").stdout)
    return {
        "minutes": round(seconds / 60),
        "kills": killer.killed.total(),
        "completions": sum(len(load.completed) for load in loads),
        **books_and_database(house, loads),
        "cases_verified": verified["ok"],
        "found_by_verify": len(verified["findings"]),
        **watch.figures(),
    }


def _strike_and_look(killer: Killer, watch: Watch, dice: random.Random, seconds: float, every: float) -> None:
    began = time.monotonic()
    strikes_at, looks_at = began + every, began + seconds / LOOKS
    while len(watch.memory) < LOOKS:
        if (now := time.monotonic()) >= strikes_at:
            killer.strike()
            strikes_at = now + every * dice.uniform(0.5, 1.5)
        if now >= looks_at:
            watch.look()
            looks_at += seconds / LOOKS
        time.sleep(0.02)


def is_sound(counts: dict[str, int]) -> bool:
    """Whether nothing was lost, doubled or found."""
    wrong = ("lost", "doubled", "unrecorded", "unremembered", "found_by_verify")
    return not any(counts[what] for what in wrong)


def is_steady(counts: dict[str, int]) -> bool:
    """Whether nothing piles up; a run of minutes or more can tell."""
    return all(counts[what] < MOST_GROWTH for what in ("memory_growth_percent", "store_growth_percent"))


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, default=1)
    parser.add_argument("--rate", type=float, default=20, help="tasks completed in a second")
    parser.add_argument("--every", type=float, default=20, help="seconds between two kills")
    asked = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="tidu-soak-") as folder, postgres.server(fsync="on") as server:
        house = Installation(Path(folder), new_database(server, "soak"))
        furnished(house.url)
        house.deploy("small_review")
        counts = soak(house, seconds=3600 * asked.hours, rate=asked.rate, every=asked.every)
    print(json.dumps(counts))
    return int(not (is_sound(counts) and is_steady(counts)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
