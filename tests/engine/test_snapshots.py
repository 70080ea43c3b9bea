"""A case is the same whether it is run again from its first entry or taken from any snapshot."""

from __future__ import annotations

import logging
import random

import pytest
import sqlalchemy as sa

from engine import journal, replay
from engine.case.case import Case
from engine.events import Cause, Entry
from engine.journal import START, Head
from engine.tables import journal as stored
from engine.tables import snapshots
from tests.engine.drawing import WeekDays
from tests.engine.wild import Life, wild

LONGEST = 40
EMPTY = Head(seq=0, digest=START)
DAMAGES = {
    "damaged": lambda row, dice: {"state": flipped(row.state, dice)},
    "cut short": lambda row, dice: {"state": row.state[: dice.randrange(len(row.state))]},
    "of another format": lambda row, dice: {"format": row.format + dice.choice((-1, 1))},
    "of another journal": lambda row, dice: {"digest": journal.digest(row.digest, "{}")},
}


class Drawings:
    """Where the random drawings are looked up: by the seed that a case is pinned to."""

    def definition(self, pins, process):
        return wild(int(pins["seed"]))

    def calendar(self, calendar_id):
        assert calendar_id == WeekDays.id
        return WeekDays()


LIBRARY = Drawings()


def lived(seed: int) -> tuple[Entry, ...]:
    life = Life(wild(seed), seed, pins={"seed": str(seed)})
    while life.step() and life.case.seq < LONGEST:
        pass
    return life.case.fresh


def states(entries: tuple[Entry, ...]) -> dict[int, dict]:
    """The state behind every command, by the last entry of it: run from the beginning, in one go."""
    case = Case(entries[0], wild(int(entries[0].event.pins["seed"])), WeekDays())
    found = {}
    for entry, following in zip(entries, (*entries[1:], None), strict=True):
        case.relive(entry)
        if following is None or isinstance(following.event, Cause):
            found[entry.seq] = case.state()
    return found


def keep(connection, case_id: str, seq: int) -> None:
    """A snapshot of the case as it stood at that entry."""
    case = replay.at(connection, case_id, seq, LIBRARY)
    for row in replay.snapshots_of(case, since=0):
        connection.execute(snapshots.insert().values(**row))


def flipped(state: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(len(state))
    return state[:place] + bytes([state[place] ^ 1 << dice.randrange(8)]) + state[place + 1 :]


def nothing_before(connection, seq: int):
    """Without the entries before it only the snapshot can tell; undone by the caller."""
    undo = connection.begin_nested()
    connection.execute(sa.delete(stored).where(stored.c.seq < seq))
    return undo


class Kept:
    """A history in a database, with two snapshots of it, until the caller rolls back."""

    def __init__(self, connection, seed: int) -> None:
        self.connection, self.dice = connection, random.Random(seed)
        entries = lived(seed)
        self.case_id, self.states = entries[0].case_id, states(entries)
        self.end = entries[-1].seq
        journal.append(connection, entries, after=EMPTY)
        self.older, self.newer = sorted(self.dice.sample([seq for seq in self.states if seq < self.end], 2))
        for seq in (self.older, self.newer):
            keep(connection, self.case_id, seq)

    def load(self):
        return replay.load(self.connection, self.case_id, LIBRARY).state()

    def at(self, seq: int):
        return replay.at(self.connection, self.case_id, seq, LIBRARY).state()

    def spoil(self, how: str) -> None:
        """Something happens to the newer snapshot."""
        mine = (snapshots.c.case_id == self.case_id) & (snapshots.c.seq == self.newer)
        row = self.connection.execute(sa.select(snapshots).where(mine)).one()
        values = DAMAGES[how](row, self.dice)
        self.connection.execute(sa.update(snapshots).where(mine).values(**values))


def test_a_case_is_the_same_from_its_journal_and_from_any_snapshot(database, campaign):
    histories = campaign.times(200, 2_000) // (1 if database.dialect.name == "sqlite" else 10)
    compared = 0
    with database.connect() as connection:
        for seed in range(histories):
            kept = Kept(connection, seed)
            undo = nothing_before(connection, kept.newer)
            assert kept.load() == kept.states[kept.end]
            undo.rollback()
            for seq in kept.dice.sample(sorted(kept.states), 2):
                assert kept.at(seq) == kept.states[seq]
            replay.forget_all(connection)
            assert kept.load() == kept.states[kept.end]
            compared += 4
            connection.rollback()
    campaign.tell("R15", histories=histories, states_compared=compared, different=0)


@pytest.mark.parametrize("how", DAMAGES)
def test_a_snapshot_that_cannot_be_trusted_is_passed_over_and_told_of(database, campaign, caplog, how):
    """The one before it is used instead: what stands before that is not asked for."""
    caplog.set_level(logging.INFO, "tidu.replay")
    histories = campaign.times(12, 120) // (1 if database.dialect.name == "sqlite" else 4)
    with database.connect() as connection:
        for seed in range(histories):
            kept = Kept(connection, seed)
            kept.spoil(how)
            caplog.clear()
            undo = nothing_before(connection, kept.older)
            assert kept.load() == kept.states[kept.end]
            undo.rollback()
            assert f"snapshot of case {kept.case_id} at entry {kept.newer} is not used" in caplog.text
            connection.rollback()
    campaign.tell("R15", spoilt_snapshots=histories, believed=0)


@pytest.mark.parametrize("seed", range(3))
def test_every_place_of_a_history_can_be_reached_from_a_snapshot_at_every_other(database, seed):
    entries = lived(seed)
    case_id, whole = entries[0].case_id, states(entries)
    with database.connect() as connection:
        journal.append(connection, entries, after=EMPTY)
        for seq in (place for place in whole if place < entries[-1].seq):
            keep(connection, case_id, seq)
            undo = nothing_before(connection, seq)
            for later in (place for place in whole if place >= seq):
                assert replay.at(connection, case_id, later, LIBRARY).state() == whole[later]
            undo.rollback()
        connection.rollback()
