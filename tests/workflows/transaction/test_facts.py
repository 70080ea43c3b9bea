"""What the rules are told of a case at hand is what they would be told by the lists."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from engine.tables import journal
from workflows.commands import Commands
from workflows.library.catalog import Catalog
from workflows.store.tables import tasks
from workflows.transaction import facts

EYES = ("app01", "app02", "lz.officer", "lz.leader", "ts.officer", "prov.officer", "auditor")


def told_alike(story):
    """How many answers were the same, for every waiting task and many eyes."""
    compared = 0
    with story.database.connect().execution_options(reading=True) as look:
        case = story.commands.live.take(look, story.case_id)
        for person in EYES:
            eyes = story.person(person)
            assert facts.live_case_facts(look, case, eyes) == facts.case_facts(look, story.case_id, eyes)
            for task_id in case.standing.tasks:
                live = facts.live_task_facts(look, case, task_id, eyes)
                assert live == facts.task_facts(look, task_id, eyes)
                compared += 1
    return compared


def test_the_case_at_hand_and_the_lists_say_the_same_all_along(story):
    story.start()
    assert told_alike(story)
    story.claim("check", "lz.officer")
    assert told_alike(story)
    story.complete("check", by="lz.officer", values={"opinion": "材料齐全"}, outcome="accepted")
    assert told_alike(story)
    story.claim("review", "lz.leader")
    story.commands.suspend_case(story.case_id, "等待企业补正材料", actor=story.person("lz.leader"))
    assert told_alike(story)


def test_a_task_that_no_longer_waits_is_looked_up_in_the_lists(story):
    story.start().claim("check", "lz.officer")
    done = story.task("check")
    story.complete("check", by="lz.officer", values={"opinion": "材料齐全"}, outcome="accepted")

    with story.database.connect().execution_options(reading=True) as look:
        case = story.commands.live.take(look, story.case_id)
        assert facts.live_task_facts(look, case, done, story.person("lz.officer")) is None
        assert facts.task_facts(look, done).state == "completed"


@pytest.fixture
def elsewhere(story):
    """The door of another process on the same database."""
    return Commands(story.database, Catalog(story.database), clock=story.clock)


def test_a_case_that_another_process_moved_is_caught_up_and_not_read_anew(story, elsewhere, monkeypatch):
    story.start()
    check = story.task("check")
    elsewhere.claim_task(check, actor=story.person("lz.officer"))
    elsewhere.complete_task(
        check, {"outcome": "accepted", "opinion": "材料齐全"}, actor=story.person("lz.officer")
    )
    at_hand = story.commands.live._cases[story.case_id]
    before = at_hand.head.seq

    story.claim("review", "lz.leader")

    assert story.commands.live._cases[story.case_id] is at_hand
    assert at_hand.head.seq > before + 2
    assert story.history.verify(story.case_id).ok


def test_a_case_at_hand_that_the_journal_contradicts_is_read_anew(story):
    story.start().claim("check", "lz.officer")
    at_hand = story.commands.live._cases[story.case_id]
    with story.database.begin() as connection:
        last = (journal.c.case_id == story.case_id) & (journal.c.seq == at_hand.head.seq)
        connection.execute(sa.delete(journal).where(last))

    with story.database.connect() as look:
        read = story.commands.live.take(look, story.case_id)

    assert read is not at_hand
    assert read.head.seq == at_hand.head.seq - 1


def test_a_refusal_is_about_the_case_as_it_stands_now(story, elsewhere):
    """The process that refuses had the task as free; another gave it away and took it back."""
    story.start()
    check = story.task("check")
    elsewhere.claim_task(check, actor=story.person("lz.officer"))
    elsewhere.release_task(check, actor=story.person("lz.officer"))

    assert story.commands.claim_task(check, actor=story.person("lz.officer2")).assignee == "lz.officer2"
    with story.database.connect() as look:
        assert look.scalar(sa.select(tasks.c.assignee).where(tasks.c.task_id == check)) == "lz.officer2"
