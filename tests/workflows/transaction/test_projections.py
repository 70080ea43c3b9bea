"""Read models and snapshots are disposable: what the journal says again is what was there."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from engine import journal, replay
from engine.errors import Rejected
from engine.tables import snapshots
from engine.values import to_json
from tests.story import Story
from workflows.library.catalog import Catalog
from workflows.services.registry import written_tables
from workflows.store.tables import READ_MODELS
from workflows.transaction.projections import rebuild

PEOPLE = ("app01", "lz.officer", "lz.officer2", "lz.leader", "dee", "amr", "prov.officer")
OUTCOMES = {"check": ("accepted", "returned"), "review": ("agreed", "refused")}


def everything(story: Story) -> dict[str, list[tuple]]:
    """Every row of every read model, in the order of its key."""
    tables = dict.fromkeys([*READ_MODELS, *written_tables()])
    with story.database.connect().execution_options(reading=True) as connection:
        return {
            table.name: [
                tuple(row)
                for row in connection.execute(sa.select(table).order_by(*table.primary_key.columns))
            ]
            for table in tables
        }


def a_busy_season(story: Story) -> Story:
    story.start().do("check", "lz.officer", outcome="returned", opinion="缺少年报").do("fix", "app01", days=9)
    story.do("check", "lz.officer2", outcome="accepted").claim("review", "lz.leader").pass_time("P4D")
    story.complete("review", "lz.leader", outcome="agreed").do("ecology", "dee").do("market", "amr").work()
    story.message("ministry_result", "prov.officer", result="listed")
    story.start(by="app02").message("withdraw", "app02", reason="项目取消")
    story.start(by="app01").claim("check", "lz.officer")
    story.commands.suspend_case(story.case_id, "等待补充材料核实", actor=story.person("lz.leader"))
    return story


def test_a_rebuild_changes_nothing_that_a_query_can_see(story):
    before = everything(a_busy_season(story))

    with story.database.begin() as connection:
        assert rebuild(connection, Catalog(story.database)) == 3

    after = everything(story)
    assert {name: rows for name, rows in after.items() if rows != before[name]} == {}
    assert len(before["tasks"]) > 5


def test_what_was_lost_from_the_read_models_comes_back(story):
    before = everything(a_busy_season(story))
    with story.database.begin() as connection:
        for table in READ_MODELS:
            connection.execute(sa.delete(table))

    with story.database.begin() as connection:
        rebuild(connection, story.catalog)

    assert everything(story) == before


def test_deleting_the_snapshots_changes_nothing(story):
    a_long_correspondence(story, rounds=8)
    with story.database.connect() as connection:
        kept = connection.scalar(sa.select(sa.func.count()).select_from(snapshots))
    before = story.case().state()

    with story.database.begin() as connection:
        replay.forget_all(connection)

    assert kept == 1
    assert story.case().state() == before


def kept(story: Story) -> list[int]:
    with story.database.connect() as connection:
        return list(connection.scalars(sa.select(snapshots.c.seq).order_by(snapshots.c.seq)))


def test_a_case_that_is_over_needs_no_snapshot(story):
    a_long_correspondence(story, rounds=9)
    assert len(kept(story)) == 1

    story.commands.terminate_case(story.case_id, "企业已注销登记", actor=story.person("prov.officer"))

    assert kept(story) == []
    assert story.case().status == "terminated"
    assert all(proof.ok for proof in story.history.verify_all())


def test_a_very_long_history_keeps_snapshots_to_look_back_by(story):
    story.start()
    for _ in range(280):
        story.claim("check", "lz.officer").release("check", "lz.officer")

    lasting, newest = kept(story)
    assert 500 <= lasting < 510
    assert 550 <= newest <= len(story.entries())
    with story.database.begin() as connection:
        seen = [replay.at(connection, story.case_id, seq, story.catalog).state() for seq in (490, 530)]
        replay.forget_all(connection)
        again = [replay.at(connection, story.case_id, seq, story.catalog).state() for seq in (490, 530)]
    assert seen == again


def a_long_correspondence(story: Story, *, rounds: int) -> None:
    story.start()
    for _ in range(rounds):
        story.do("check", "lz.officer", outcome="returned", opinion="请补正").do("fix", "app01", days=2)


def test_a_spoilt_snapshot_is_not_believed(story):
    a_long_correspondence(story, rounds=8)
    before = story.case().state()

    with story.database.begin() as connection:
        connection.execute(sa.update(snapshots).values(digest="0" * 64))

    assert story.case().state() == before
    assert story.claimed("check", "lz.officer").assignee == "lz.officer"


def test_a_refused_command_leaves_no_trace(story):
    story.start().claim("check", "lz.officer")
    before, entries = everything(story), story.entries()

    for values in ({"outcome": "nonsense"}, {"outcome": "accepted", "extra": 1}, {}):
        with pytest.raises(Rejected):
            story.complete("check", "lz.officer", values)

    assert (everything(story), story.entries()) == (before, entries)


@pytest.mark.parametrize("seed", range(3))
def test_what_the_journal_tells_is_what_was_live_after_any_walk(story, seed):
    walk(story, random.Random(seed), steps=40)

    with story.database.connect().execution_options(reading=True) as connection:
        for case_id in journal.case_ids(connection):
            live = story.commands.live.take(connection, case_id)
            told = replay.load(connection, case_id, Catalog(story.database))
            assert told.execution.digest() == live.execution.digest()
            assert told.standing == live.standing
            assert to_json(told.variables) == to_json(live.variables)
            assert replay.verify(connection, case_id, story.catalog) == ()


def walk(story: Story, chance: random.Random, *, steps: int) -> None:
    """Anybody tries anything; what is refused is refused."""
    story.start()
    acts: list[Callable[[], object]] = [
        lambda: story.start(by=chance.choice(("app01", "app02"))),
        lambda: story.claim(chance.choice(story.waiting()), chance.choice(PEOPLE)),
        lambda: story.claim(chance.choice(story.waiting()), chance.choice(PEOPLE)),
        lambda: complete_something(story, chance),
        lambda: complete_something(story, chance),
        lambda: story.release(chance.choice(story.waiting()), chance.choice(PEOPLE)),
        lambda: story.pass_time(chance.choice(("PT5H", "P2D"))),
        lambda: story.message("withdraw", "app01") if chance.random() < 0.1 else None,
        lambda: story.message("ministry_result", "prov.officer", result=chance.randrange(9)),
    ]
    for _ in range(steps):
        try:
            chance.choice(acts)()
        except (Rejected, IndexError):
            continue


def complete_something(story: Story, chance: random.Random) -> None:
    element = chance.choice(story.waiting())
    values: dict[str, object] = (
        {"days": chance.randrange(1, 9)} if element == "fix" else {"opinion": "见附件"}
    )
    if element in OUTCOMES:
        values["outcome"] = chance.choice(OUTCOMES[element])
    holder = story.case().open_task(story.task(element)).assignee or chance.choice(PEOPLE)
    story.complete(element, holder, values)
