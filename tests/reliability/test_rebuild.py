"""Read models and snapshots are disposable: thrown away and made again, nobody can tell the difference."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait

import pytest
import sqlalchemy as sa

from engine.tables import metadata, snapshots
from tests.reliability.dumps import VISIBLE, dump, record
from tests.reliability.installation import Installation
from workflows.reading.history import CaseQuery
from workflows.reading.lists import QUEUES, TaskQuery
from workflows.store.tables import READ_MODELS
from workflows.transaction import projections

PEOPLE = ("app01", "app02", "lz.officer", "lz.leader", "ts.officer", "dee", "amr", "prov.officer", "expert1")


@pytest.fixture
def lived_in(story):
    """Cases in every state: waiting, suspended, with an incident, withdrawn, terminated, completed."""
    story.start(by="app02", values={"days": 1})
    story.start().do("check", "lz.officer", outcome="returned", opinion="缺年报")
    story.commands.suspend_case(story.case_id, "等待司法鉴定结论", actor=story.person("prov.officer"))
    story.start().message("withdraw", "app01", reason="不再申请")
    story.start()
    story.commands.terminate_case(story.case_id, "企业已注销登记", actor=story.person("prov.officer"))
    story.start().do("check", "lz.officer", outcome="accepted").pass_time("P4D")
    story.do("review", "lz.leader", outcome="agreed").do("ecology", "dee", opinion="无异议")
    story.do("market", "amr", opinion="无异议").work()
    story.message("ministry_result", "prov.officer", result="同意")
    for _ in range(25):
        story.start(by="app02")
        story.claim("check", "lz.officer").release("check", "lz.officer").claim("check", "lz.officer2")
        story.commands.transfer_task(
            story.task("check"), "lz.officer", reason="请你接手办理", actor=story.person("lz.officer2")
        )
    for _ in range(25):
        story.release("check", "lz.officer").claim("check", "lz.officer")
    return story


def visible(story):
    """What people see in their inboxes and lists, through the rooms that show it."""
    seen = []
    for person in PEOPLE:
        actor = story.person(person)
        for queue in QUEUES:
            seen.append((person, queue, story.inbox.tasks(actor, TaskQuery(queue=queue, limit=100))))
        seen.append((person, story.history.find(CaseQuery(limit=200), actor)))
    return repr(seen)


def rebuilt(story) -> None:
    with story.database.begin() as connection:
        projections.rebuild(connection, story.catalog)


def test_a_rebuild_changes_nothing_that_a_query_can_see(lived_in):
    rows, pages, entries = dump(lived_in.database), visible(lived_in), record(lived_in.database)
    assert all(rows[table] for table in ("cases", "tasks", "candidates", "timers", "jobs", "notifications"))

    rebuilt(lived_in)

    assert dump(lived_in.database) == rows
    assert visible(lived_in) == pages
    assert record(lived_in.database) == entries


def test_what_happens_during_a_rebuild_is_in_the_read_models_behind_it(lived_in):
    task, officer = lived_in.task("check"), lived_in.person("lz.officer")
    with ThreadPoolExecutor(1) as pool:
        with lived_in.database.begin() as connection:
            projections.rebuild(connection, lived_in.catalog)
            meanwhile = pool.submit(lived_in.commands.release_task, task, actor=officer)
            wait([meanwhile], timeout=0.5)  # time to come as far as it can
        meanwhile.result(timeout=60)
    rows = dump(lived_in.database)

    rebuilt(lived_in)

    assert dump(lived_in.database) == rows


def test_a_rebuild_leaves_alone_what_no_journal_tells(lived_in):
    """Drafts, records, answers, people: whatever is not made of the journal stays as it was."""
    lived_in.commands.save_draft(
        lived_in.task("check"), {"opinion": "写到一半"}, actor=lived_in.person("lz.officer"), revision=0
    )
    made = {table.name for table in (*VISIBLE, snapshots)}
    kept = tuple(table for table in metadata.sorted_tables if table.name not in made)
    rows = dump(lived_in.database, kept)
    assert all(rows[name] for name in ("journal", "drafts", "operations", "definitions", "persons"))

    rebuilt(lived_in)

    assert dump(lived_in.database, kept) == rows


def test_a_rebuild_mends_whatever_was_done_to_the_read_models(lived_in):
    rows = dump(lived_in.database)
    with lived_in.database.begin() as connection:
        for table in READ_MODELS:
            connection.execute(sa.delete(table).where(table.c.case_id < "SR-2026-000006"))

    rebuilt(lived_in)

    assert dump(lived_in.database) == rows


def test_without_its_snapshots_every_case_loads_and_goes_on_the_same_way(lived_in):
    with lived_in.database.begin() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(snapshots)) > 0
        with_snapshot = lived_in.case().state()
        connection.execute(sa.delete(snapshots))
    lived_in.commands.live.clear()

    assert lived_in.case().state() == with_snapshot
    lived_in.complete("check", "lz.officer", outcome="accepted")
    assert lived_in.is_waiting_at("review")
    assert all(proof.ok for proof in lived_in.history.verify_all())


def test_the_command_rebuilds_a_season_unseen(installation: Installation):
    """All that a real season leaves behind: designations, evaluators' projects, decisions, notices."""
    assert installation.tidu("init").returncode == 0
    assert installation.tidu("demo", "--cases", "3", "--seed", "7").returncode == 0
    with installation.opened() as database:
        rows, entries = dump(database), record(database)
        assert len(rows["cases"]) >= 3
        assert rows["decisions"]
        assert rows["notifications"]

        done = installation.tidu("rebuild")

        assert (done.returncode, done.stdout.strip()) == (0, f"{len(rows['cases'])} cases rebuilt")
        assert dump(database) == rows
        assert record(database) == entries
