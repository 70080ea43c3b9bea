"""No command touches two cases, and a table of a case is found by it: cases can be spread over servers."""

from __future__ import annotations

import pytest

from engine.tables import metadata
from tests.workflows.letters import KEYED, House, sender, waiter
from workflows.transaction.change import Change

KNOWN_WITHOUT = {
    "batches": "a round is for all cases; one of them may have opened it",
    "operations": "a record may be of no case",
    "evidence": "a file is uploaded before there is a case",
    "positions": "one order over the entries of all cases",
}
"""Tables that name a case and are not found by it, and why."""


@pytest.fixture
def touched(monkeypatch):
    """For each command that was done: the cases it wrote entries and rows of."""
    seen: list[set[str]] = []
    keep = Change.keep

    def look(change):
        entries = {line.case_id for line in change.lines}
        rows = {
            row["case_id"]
            for table, rows in change.rows._rows.items()
            if "case_id" in table.primary_key.columns
            for _, row in rows.values()
        }
        seen.append(entries | rows)
        keep(change)

    monkeypatch.setattr(Change, "keep", look)
    return seen


def test_every_table_of_a_case_has_the_case_in_its_key():
    named = {t.name for t in metadata.tables.values() if "case_id" in t.columns}
    found = {t.name for t in metadata.tables.values() if "case_id" in t.primary_key.columns}

    assert named - found == set(KNOWN_WITHOUT)


def test_a_review_from_beginning_to_end_touches_one_case_at_a_time(story, touched):
    story.start().do("check", "lz.officer", outcome="accepted")
    story.clock.move("P3D")
    story.worker.tick()
    story.start().claim("check", "lz.officer")

    assert len(touched) > 5
    assert [cases for cases in touched if len(cases) != 1] == []


def test_letters_between_cases_are_two_commands(story, touched):
    house = House(story)
    house.deploy(sender(KEYED), waiter(KEYED))
    waiting = house.start("waiter", key="K1")
    sending = house.start("sender", key="K1", word="hello")

    story.work()

    assert house.status(sending) == "completed"
    assert {waiting} in touched
    assert {sending} in touched
    assert [cases for cases in touched if len(cases) != 1] == []
