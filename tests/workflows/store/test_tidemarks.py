"""What was acknowledged is remembered beside the database, and a database that lost it is not written to."""

from __future__ import annotations

import os

import pytest
import sqlalchemy as sa

from engine.errors import WrongState
from engine.tables import journal
from tests.conftest import START
from workflows.commands import Commands
from workflows.library.catalog import Catalog
from workflows.store import tidemarks
from workflows.store.tidemarks import Mark, open_tidemarks
from workflows.transaction.results import Idempotency

AGREED = {"outcome": "accepted", "opinion": "材料齐全"}


PID = os.getpid()


@pytest.fixture
def marked(story, tmp_path):
    """A house whose processes keep marks; `story.commands` is the first of them."""
    story.folder = tmp_path / "tidemarks"
    story.commands = process(story, "first")
    return story


def process(story, name):
    """One more process of the house, with connections of its own."""
    story.database.dispose()
    marks = open_tidemarks(story.folder, name)
    return Commands(story.database, Catalog(story.database), clock=story.clock, tidemarks=marks)


def waiting(story):
    """A new case whose first task the officer holds; the task's id."""
    return story.start().claim("check", "lz.officer").task("check")


def lose(story, behind):
    """The database forgets the entries of the story's case behind `behind`."""
    where = (journal.c.case_id == story.case_id) & (journal.c.seq > behind)
    with story.database.begin() as connection:
        return connection.execute(sa.delete(journal).where(where)).rowcount


def lost(story):
    with story.database.connect() as connection:
        return open_tidemarks(story.folder, "looking").lost(connection)


def count(story):
    with story.database.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(journal))


def test_a_database_that_has_everything_is_worked_with(marked):
    task = waiting(marked)

    again = process(marked, "second")

    assert again.complete_task(task, AGREED, actor=marked.person("lz.officer")).state == "COMPLETED"
    assert lost(marked) == ()


@pytest.mark.parametrize("name", ["first", "another"])
def test_a_database_that_lost_an_acknowledged_entry_is_not_written_to(marked, name):
    task = waiting(marked)
    gone = lose(marked, behind=3)
    before = count(marked)

    with pytest.raises(WrongState) as refused:
        process(marked, name).complete_task(task, AGREED, actor=marked.person("lz.officer"))

    assert refused.value.code == "DATABASE_BEHIND"
    assert marked.case_id in str(refused.value)
    assert count(marked) == before
    (one,) = lost(marked)
    assert (one.case_id, one.after, one.number) == (marked.case_id, 3, gone)


def test_a_case_that_is_gone_is_lost_as_a_whole(marked):
    waiting(marked)
    gone = lose(marked, behind=0)

    (one,) = lost(marked)

    assert (one.after, one.upto) == (0, gone)


def test_other_entries_in_the_place_of_the_acknowledged_ones_are_told_apart(marked):
    marked.start()
    kept = count(marked)
    marked.claim("check", "lz.officer")
    with marked.database.begin() as connection:
        last = (journal.c.case_id == marked.case_id) & (journal.c.seq > kept)
        connection.execute(sa.update(journal).where(last).values(digest="another"))

    (one,) = lost(marked)

    assert one.after == kept


def test_a_repeated_answer_is_an_acknowledgement_too(marked):
    """The first answer may never have arrived: who asks again is told of success by this process."""
    task = waiting(marked)
    once = Idempotency(key="once", request_digest="d")
    officer = marked.person("lz.officer")
    unmarked = Commands(marked.database, Catalog(marked.database), clock=marked.clock)
    done = unmarked.complete_task(task, AGREED, actor=officer, idempotency=once)
    marked.commands.complete_task(task, AGREED, actor=officer, idempotency=once)

    lose(marked, behind=done.seq - 1)

    assert [one.upto for one in lost(marked)] == [done.seq]


def test_what_was_refused_is_not_marked(marked):
    waiting(marked)
    marks = (marked.folder / f"first-{PID}.marks").read_bytes()

    with pytest.raises(WrongState):
        marked.commands.resume_case(marked.case_id, "why not", actor=marked.person("prov.leader"))

    assert (marked.folder / f"first-{PID}.marks").read_bytes() == marks


def test_a_line_that_a_power_cut_tore_counts_for_nothing(marked):
    task = waiting(marked)
    with (marked.folder / f"first-{PID}.marks").open("ab") as file:
        file.write(b'{"at":"2026')

    done = process(marked, "second").complete_task(task, AGREED, actor=marked.person("lz.officer"))

    assert done.state == "COMPLETED"


def test_a_file_that_grows_large_is_laid_behind_and_still_counts(marked, monkeypatch):
    monkeypatch.setattr(tidemarks, "LARGEST", 100)
    waiting(marked)
    lose(marked, behind=0)

    assert {file.name for file in marked.folder.iterdir()} == {f"first-{PID}.marks", f"first-{PID}.earlier"}
    assert [one.after for one in lost(marked)] == [0]


def test_files_of_processes_long_gone_are_swept_once_the_newest_is_proven(marked):
    task = waiting(marked)
    process(marked, "second").complete_task(task, AGREED, actor=marked.person("lz.officer"))
    long_ago = (marked.folder / f"second-{PID}.marks").stat().st_mtime - 3 * tidemarks.DAY
    os.utime(marked.folder / f"first-{PID}.marks", (long_ago, long_ago))

    process(marked, "third").start_case("small_review", {"days": 3}, actor=marked.person("app01"))

    assert {file.name for file in marked.folder.iterdir()} == {f"second-{PID}.marks", f"third-{PID}.marks"}


def test_numbers_that_were_given_are_not_given_again(marked):
    first = marked.start().case_id
    lose(marked, behind=0)
    with marked.database.begin() as connection:
        connection.execute(sa.delete(tidemarks.case_numbers))
        marks = open_tidemarks(marked.folder, "looking")
        marks.step_over(connection)
    marks.lay_aside(marked.clock())

    started = process(marked, "second").start_case("small_review", {"days": 3}, actor=marked.person("app01"))

    assert int(started.case_id[-6:]) == int(first[-6:]) + 1
    assert lost(marked) == ()


def test_a_disk_without_room_for_marks_stops_nobody(marked):
    task = waiting(marked)
    (marked.folder / f"first-{PID}.marks").unlink()
    (marked.folder / f"first-{PID}.marks").mkdir()

    done = marked.commands.complete_task(task, AGREED, actor=marked.person("lz.officer"))

    assert done.state == "COMPLETED"


def test_a_process_that_forked_keeps_marks_of_its_own(tmp_path):
    """The last mark of a file counts: two processes that shared one would hide each other's."""
    marks = open_tidemarks(tmp_path, "host")
    mark = Mark(at="2026-03-02T01:00:00.000000Z", case_id="C-1", seq=1, digest="x")
    marks.note([mark], START)

    child = os.fork()
    if child == 0:
        marks.note([mark, mark], START)
        os._exit(0)
    os.waitpid(child, 0)

    told = {file.name: len(file.read_text().splitlines()) for file in tmp_path.iterdir()}
    assert told == {f"host-{PID}.marks": 1, f"host-{child}.marks": 2}
