"""Makes the golden set of the release that this is: `python -m tests.golden`; what is there already stays."""

from __future__ import annotations

import sys
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from importlib.metadata import version
from itertools import count
from typing import Any

import orjson
import sqlalchemy as sa

from engine import journal
from engine.case.standing import Task
from engine.definition.model import Sources
from engine.events import Who, entry_of
from tests.engine.models import FAMILY
from tests.engine.wild import FAMILY_VALUES, PERSON, SYSTEM, Life, Wild
from tests.golden import house, seen
from tests.golden.house import Golden, Told
from tests.processes import drawn
from workflows.commands import Commands
from workflows.library.packages import DRAWING, read_files
from workflows.store.tables import blobs, definitions
from workflows.work.worker import Worker
from workflows.workshop.play import BEGINNING, Stuck, Theatre
from workflows.workshop.played import Played

DRAWN = 130
LIVES = 10
TRIES = 60
LONGEST = 150
"""So many random drawings, so many lives of each drawing of the family, so many entries at most."""


class Busy(Life):
    """A life in which people also hand tasks on, leaders steer, and signals come from other cases."""

    def _possible(self) -> list[Any]:
        acts = super()._possible()
        for own, task in self.case.standing.tasks.items():
            held = self._delegated if task.owner else self._held
            acts.append(partial(held if task.assignee else self._claimed, own, task))
        acts += [partial(self._hear, signal) for signal in sorted(self.case.signals_awaited())]
        return [*acts, self._pause] if acts and self.chance.random() < 0.1 else acts

    def _complete(self, its_id: str) -> None:
        task = self.case.standing.tasks[its_id]
        if task.owner:
            self._delegated(its_id, task)
        elif task.assignee not in (None, PERSON.actor):
            self.case.transfer_task(its_id, PERSON.actor, reason="back to me", by=PERSON, now=self.now)
        else:
            super()._complete(its_id)

    def _claimed(self, its_id: str, task: Task) -> None:
        self.case.claim_task(its_id, by=PERSON, now=self.now)

    def _held(self, its_id: str, task: Task) -> None:
        by = Who(actor=task.assignee or "")
        match self.chance.randrange(3):
            case 0:
                self.case.release_task(its_id, by=by, now=self.now, reason="not mine")
            case 1:
                self.case.transfer_task(its_id, "bo", reason="on leave", by=by, now=self.now)
            case _:
                self.case.delegate_task(its_id, "cy", question="what do you say?", by=by, now=self.now)

    def _delegated(self, its_id: str, task: Task) -> None:
        by = Who(actor=task.assignee or "")
        self.case.resolve_task(its_id, "agreed", by=by, now=self.now)

    def _hear(self, signal: str) -> None:
        told = {"job_id": "OTHER-1.1", "origin": "OTHER-1.1"}
        self.case.hear_signal(signal, {"n": Decimal(4)}, **told, by=SYSTEM, now=self.now)

    def _pause(self) -> None:
        self.case.suspend(reason="an audit", by=PERSON, now=self.now)
        if self.chance.random() < 0.3:
            self.case.terminate(reason="withdrawn", by=PERSON, now=self.now)
        else:
            self.case.resume(reason="it is over", by=PERSON, now=self.now + timedelta(days=1))


class Scribe:
    """A house in memory whose cases are kept when the next example sweeps it."""

    def __init__(self) -> None:
        self.theatre = Theatre(check=lambda sources, forms: ())  # a random drawing has no forms
        self.told: list[Told] = []
        self._numbers = count(1)
        theatre = self.theatre
        theatre.commands = Commands(
            theatre.database, theatre.library, clock=theatre.time, new_case_id=self._number
        )
        theatre.worker = Worker(theatre.database, theatre.commands, clock=theatre.time)

    def _number(self, prefix: str, now: datetime) -> str:
        return f"{prefix}-{now.year}-{next(self._numbers):06d}"

    def play_examples(self) -> None:
        """Every example of every package."""
        for example in drawn.examples().values():
            self._play(example)
            with self.theatre.database.connect() as connection:
                for case_id in journal.case_ids(connection):
                    lines = [line.body for line in journal.read(connection, case_id)]
                    self.keep(case_id, lines)

    def _play(self, example: dict[str, Any]) -> Played:
        """Experts are drawn by lot from the number of the case: it has to be one that the example fits."""
        for _ in range(TRIES):
            with suppress(Stuck):
                return self.theatre.play(drawn.ROOT / example["process"], example)
        raise Stuck(f"{example['title']} fits none of {TRIES} numbers", code="STUCK")

    def live(self, case_id: str, made: Sources, number: int, **given: Any) -> None:
        """A life of a drawing, led by lot."""
        pins = self._deploy(made)
        library = self.theatre.library
        definition = library.definition(pins, made.process_id)
        calendar = library.calendar(library.calendar_id)
        life = Busy(definition, number, case_id=case_id, pins=pins, calendar=calendar, **given)
        while life.step() and life.case.seq < LONGEST:
            pass
        self.keep(case_id, [journal.canonical(entry.body()) for entry in life.case.fresh])

    def keep(self, case_id: str, bodies: list[str]) -> None:
        """One history, as it stands in the journal."""
        entries = [entry_of(orjson.loads(body)) for body in bodies]
        found = {seq: seen.digest(case) for seq, case in seen.relived(entries, self.theatre.library)}
        told = Told(case=case_id, bodies=tuple(bodies), head=house.chained(tuple(bodies))[-1], seen=found)
        self.told.append(told)

    def golden(self, release: str) -> Golden:
        """Everything that was kept, with the drawings that it needs."""
        with self.theatre.database.connect() as connection:
            kept = {row.digest: bytes(row.content).decode() for row in connection.execute(sa.select(blobs))}
            rows = connection.execute(sa.select(definitions)).mappings().all()
        versions = [
            {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}
            for row in rows
        ]
        return Golden(release=release, blobs=kept, definitions=versions, histories=self.told)

    def _deploy(self, made: Sources) -> dict[str, str]:
        """The version of every process of it."""
        packages = [read_files({DRAWING: text}, key) for key, text in made.bpmn.items()]
        with self.theatre.database.begin() as connection:
            terms = {"by": "golden", "at": BEGINNING}
            versions = [self.theatre.library.deploy(connection, one, **terms) for one in packages]
        return {version.key: version.id for version in versions}


def main() -> int:
    """Play, live, keep."""
    scribe = Scribe()
    scribe.play_examples()
    for seed in range(1, DRAWN + 1):
        scribe.live(f"WILD-{seed:04d}", Wild(seed).definition.sources, seed)
    for make in FAMILY:
        for seed in range(1, LIVES + 1):
            name = f"{make.__name__.upper()}-{seed:04d}"
            scribe.live(name, make().sources, seed, values=FAMILY_VALUES)
    path = house.write(scribe.golden(version("tidu")))
    print(f"{path.name}: {len(scribe.told)} histories, {path.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
