"""What released code wrote is read, replayed and made into read models by the code of today."""

from __future__ import annotations

from configparser import ConfigParser
from contextlib import suppress

import orjson
import pytest
import sqlalchemy as sa

from engine import journal
from engine.errors import ReplayMismatch
from engine.events import entry_of
from tests.golden import house, seen
from tests.house import tree
from tests.reliability.dumps import dump
from workflows.library.catalog import Catalog
from workflows.store.tables import READ_MODELS, cases
from workflows.transaction import projections

ENOUGH = 200
"""Histories of every release, at least."""

SINCE = {"places"}
"""Read models of what no release so far knew of."""


@pytest.fixture(scope="module", params=house.releases())
def golden(request):
    """The set of a release."""
    return house.read(request.param)


@pytest.fixture(scope="module")
def kept(golden, tmp_path_factory):
    """A house that holds it."""
    opened = house.opened(golden, f"sqlite:///{tmp_path_factory.mktemp('golden') / 'tidu.db'}")
    yield opened
    opened.dispose()


def test_every_history_of_a_release_replays_to_what_was_seen_at_every_cause(golden, kept, campaign):
    library = Catalog(kept)
    causes = entries = 0
    for told in golden.histories:
        bodies = [orjson.loads(body) for body in told.bodies]
        assert [journal.canonical(body) for body in bodies] == list(told.bodies)
        assert house.chained(told.bodies)[-1] == told.head
        lived = [entry_of(body) for body in bodies]
        found = {seq: seen.digest(case) for seq, case in seen.relived(lived, library)}
        assert found == told.seen, told.case
        causes, entries = causes + len(found), entries + len(lived)

    assert len(golden.histories) >= ENOUGH
    campaign.tell(
        "R16", histories=len(golden.histories), entries=entries, states_compared=causes, different=0
    )


def test_a_house_of_a_release_gets_the_read_models_of_today(golden, kept):
    library = Catalog(kept)
    with kept.begin() as connection:
        assert projections.rebuild(connection, library) == len(golden.histories)

    with kept.connect() as connection:
        found = {row.case_id: row for row in connection.execute(sa.select(cases))}
    lengths = {told.case: len(told.bodies) for told in golden.histories}
    assert {case_id: row.seq for case_id, row in found.items()} == lengths
    assert {row.status for row in found.values()} >= {"active", "completed", "terminated"}
    told = {name for name, rows in dump(kept).items() if rows}
    assert told >= {table.name for table in READ_MODELS} - SINCE | {"designations", "cultivation"}


def test_the_set_holds_nearly_everything_that_a_journal_can_hold(golden):
    kinds = {orjson.loads(body)["type"] for told in golden.histories for body in told.bodies}

    assert len(kinds) >= 28


def test_the_release_that_this_is_has_its_set():
    told = ConfigParser()
    told.read(tree.ROOT / "setup.cfg", encoding="utf-8")

    assert told["metadata"]["version"] in house.releases(), "run `make golden`"


def test_a_set_that_is_there_is_never_written_again(golden):
    with pytest.raises(FileExistsError):
        house.write(golden)


def test_another_answer_in_a_history_would_be_noticed(golden, kept):
    told = next(t for t in golden.histories if any('"type":"TaskCompleted"' in body for body in t.bodies))
    bodies = [orjson.loads(body) for body in told.bodies]
    done = next(body for body in bodies if body["type"] == "TaskCompleted")
    done["data"]["values"] |= {"forged": True}

    assert house.chained(tuple(map(journal.canonical, bodies)))[-1] != told.head
    assert states([entry_of(body) for body in bodies], kept) != told.seen


def states(entries, kept):
    """What is seen at every cause, as far as the model agrees."""
    found = {}
    with suppress(ReplayMismatch):
        for seq, case in seen.relived(entries, Catalog(kept)):
            found[seq] = seen.digest(case)
    return found
