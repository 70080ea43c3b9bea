"""Making checkpoints: positions for what is new, one key, one maker at a time, nothing in the way of work."""

from __future__ import annotations

import os
import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa

from engine import journal
from engine.errors import WrongState
from engine.proof import positions
from engine.proof.notes import read_checkpoint
from engine.proof.tree import BLOCK, is_consistent, root_of_inclusion
from engine.tables import positions as order
from workflows.proof.checkpoints import records
from workflows.proof.checkpoints.comparing import compare
from workflows.proof.checkpoints.keyring import Keyring
from workflows.proof.checkpoints.taking import Checkpoints
from workflows.store.tables import cases

SEED = bytes(range(32))
PLACE = "tidu.example.org"


@pytest.fixture
def taking(story, tmp_path):
    made = Checkpoints(story.database, Keyring(tmp_path / "checkpoints"), clock=story.clock)
    made.begin(SEED, place=PLACE)
    return made


def entries(story):
    with story.database.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(journal.journal)) or 0


def placed(story):
    with story.database.connect() as connection:
        return [(stand.position, stand.case_id, stand.seq) for stand in positions.stands(connection)]


def test_work_gives_no_positions_a_checkpoint_does(story, taking):
    story.start().do("check", "lz.officer", outcome="accepted")
    assert placed(story) == []

    taken = taking.take()

    assert taken.checkpoint.size == taken.added == entries(story) == len(placed(story))
    assert placed(story) == [(n, story.case_id, n + 1) for n in range(taken.added)]
    assert read_checkpoint(taken.note, taking.ring.verifiers()) == taken.checkpoint


def test_positions_once_given_stay_and_new_entries_come_behind(story, taking):
    story.start()
    first_case = story.case_id
    taking.take()
    before = placed(story)
    story.start()
    taking.take()
    middle = placed(story)
    story.case_id = first_case
    story.do("check", "lz.officer", outcome="accepted")
    taken = taking.take()

    after = placed(story)
    assert after[: len(middle)] == middle
    assert middle[: len(before)] == before
    assert [place for place, *_ in after] == list(range(taken.checkpoint.size))
    assert {case_id for _, case_id, _ in after[len(middle) :]} == {first_case}


def test_each_checkpoint_begins_with_the_one_before_and_holds_every_entry(story, taking):
    taken = []
    for _ in range(3):
        story.start().do("check", "lz.officer", outcome="accepted")
        taken.append(taking.take().checkpoint)

    with story.database.connect() as connection:
        tree = positions.tree(connection)
        new = taken[-1]
        for old in taken:
            assert is_consistent(old.size, old.root, new.size, new.root, tree.consistency(old.size))
        for place in positions.places(connection, story.case_id):
            path = tree.inclusion(place.position)
            assert root_of_inclusion(place.leaf, place.position, new.size, path) == new.root


def test_where_nothing_is_new_the_last_checkpoint_stands(story, taking):
    story.start()
    first = taking.take()

    again = taking.take()

    assert (again.note, again.added) == (first.note, 0)
    with story.database.connect() as connection:
        assert [record.note for record in records.kept(connection)] == [first.note]


def test_an_empty_journal_has_a_checkpoint_too(story, taking):
    assert taking.take().checkpoint.size == 0
    assert compare(story.database, taking.ring).findings == ()


def test_the_worker_takes_one_when_it_is_time(story, taking, tmp_path):
    every = timedelta(minutes=5)
    story.start()
    assert taking.take_if_due(every) is not None
    story.start()
    story.clock.move("PT4M")
    assert taking.take_if_due(every) is None
    story.clock.move("PT1M")
    assert taking.take_if_due(every).checkpoint.size == entries(story)

    without = Checkpoints(story.database, Keyring(tmp_path / "nothing"), clock=story.clock)
    assert without.take_if_due(every) is None
    with pytest.raises(WrongState, match="tidu init"):
        without.take()


def test_the_key_is_for_nobody_else_and_is_made_once(story, taking):
    folder = taking.ring.folder
    assert os.stat(folder / "key").st_mode & 0o777 == 0o600
    first = (folder / "key").read_text()

    assert taking.begin(bytes(32), place=PLACE) == taking.ring.signer().verifier
    assert (folder / "key").read_text() == first
    assert [key.until for key in taking.ring.verifiers()] == [None]


def test_a_list_of_keys_that_was_lost_is_written_again(taking):
    (taking.ring.folder / "keys").unlink()

    key = taking.begin(SEED, place=PLACE)

    assert taking.ring.verifiers() == (key,)


def test_a_new_key_goes_on_with_the_journal_and_ends_the_old(story, taking):
    story.start()
    old = taking.take()
    story.start()
    before = taking.take().checkpoint.size

    key = taking.renew(bytes(32), place=PLACE)
    story.start()
    taken = taking.take()

    assert [one.until for one in taking.ring.verifiers()] == [before, None]
    assert taken.checkpoint.origin == key.name != old.checkpoint.origin
    assert compare(story.database, taking.ring, [old.note, taken.note]).findings == ()


def test_many_who_make_checkpoints_while_others_work_make_one_order(story, taking):
    """Makers and workers at once, on their own connections: no gap, none twice, every note consistent."""
    notes, faults = [], []
    story.deploy("small_review")

    def make():
        try:
            notes.extend(taking.take().note for _ in range(6))
        except Exception as error:
            faults.append(error)

    def work():
        try:
            for _ in range(5):
                story.commands.start_case("small_review", {"days": 3}, actor=story.person("app01"))
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=task) for task in (make, make, work, work)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    notes.append(taking.take().note)

    assert faults == []
    assert [place for place, *_ in placed(story)] == list(range(entries(story)))
    assert compare(story.database, taking.ring, notes).findings == ()


def test_whole_blocks_are_kept_and_spare_the_leaves(story, taking):
    """More entries than any case here has, written as lines: the tree does not ask what they say."""
    line = {"body": "{}", "digest": "d"}
    count = 2 * BLOCK + 100
    with story.database.begin() as connection:
        rows = [{"case_id": "BIG-1", "seq": seq, **line} for seq in range(1, count + 1)]
        connection.execute(journal.journal.insert(), rows)
        assert positions.extend(connection, ["BIG-1"]) == count
        kept = connection.scalars(sa.text("SELECT block FROM blocks ORDER BY block")).all()
        with_blocks = positions.tree(connection)
        plain = positions.Tree(count, lambda start, stop: positions._leaves(connection, start, stop))

        assert kept == [0, 1]
        assert with_blocks.root() == plain.root()
        assert with_blocks.inclusion(BLOCK + 3) == plain.inclusion(BLOCK + 3)


def test_a_block_that_somebody_changed_signs_nothing(story, taking):
    line = {"body": "{}", "digest": "d"}
    with story.database.begin() as connection:
        rows = [{"case_id": "BIG-1", "seq": seq, **line} for seq in range(1, BLOCK + 11)]
        connection.execute(journal.journal.insert(), rows)
        positions.extend(connection, ["BIG-1"])
    taking.take()
    with story.database.begin() as connection:
        connection.execute(sa.text("UPDATE blocks SET root = :zero"), {"zero": bytes(32)})

    with pytest.raises(WrongState, match="are not those of the last checkpoint"):
        taking.take()


def test_a_position_that_is_gone_signs_nothing(story, taking):
    story.start()
    story.start()
    taking.take()
    with story.database.begin() as connection:
        connection.execute(sa.delete(order).where(order.c.position == 0))

    with pytest.raises(WrongState) as refused:
        taking.take()

    assert refused.value.code == "POSITIONS_BROKEN"


def test_a_note_written_before_a_crash_is_remembered_by_the_database_afterwards(story, taking):
    """The note is on disk before the database knows of it; what was lost between is made good."""
    story.start()
    note = taking.take().note
    with story.database.begin() as connection:
        connection.execute(sa.delete(records.checkpoints))

    assert taking.take().note == note
    with story.database.connect() as connection:
        assert [record.note for record in records.kept(connection)] == [note]


def test_what_another_house_signed_is_no_fault_of_ours(story, taking, tmp_path):
    """A database restored on a machine without the key remembers checkpoints nobody there can verify."""
    story.start()
    note = taking.take().note
    elsewhere = Keyring(tmp_path / "elsewhere")

    assert compare(story.database, elsewhere).findings == ()
    assert [f.code for f in compare(story.database, elsewhere, [note]).findings] == ["V-CHECKPOINT-KEY"]
    key = (taking.ring.folder / "keys").read_text()
    assert compare(story.database, elsewhere, [note], keys=key).findings == ()


def test_lists_written_anew_give_nobody_another_position(story, taking):
    story.start()
    taking.take()
    before = placed(story)
    with story.database.begin() as connection:
        connection.execute(sa.update(cases).values(seq=0))
    taking.take()

    assert placed(story) == before


def test_entries_written_together_share_a_row_and_long_runs_are_cut(story, taking):
    line = {"body": "{}", "digest": "d"}
    with story.database.begin() as connection:
        rows = [{"case_id": "BIG-1", "seq": seq, **line} for seq in range(1, 151)]
        connection.execute(journal.journal.insert(), rows)
        positions.extend(connection, ["BIG-1"])
        found = connection.execute(sa.select(order.c.position, order.c.seq, order.c.last)).all()

    assert [tuple(row) for row in found] == [(0, 1, 64), (64, 65, 128), (128, 129, 150)]


def test_a_maker_that_dies_at_any_statement_leaves_an_order_that_the_next_one_goes_on_with(story, taking):
    """The statement that fails is the last thing the maker did."""
    story.deploy("small_review")
    for deadly in range(40):
        story.commands.start_case("small_review", {"days": 3}, actor=story.person("app01"))
        if not died(story.database, taking, deadly):
            break
        taken = taking.take()

        assert [place for place, *_ in placed(story)] == list(range(taken.checkpoint.size))
        assert compare(story.database, taking.ring, [taken.note]).findings == ()
    assert 8 < deadly < 40


def died(database, taking, deadly):
    """Whether making a checkpoint came as far as statement number `deadly`, which raised."""
    seen = 0

    def fail(*_):
        nonlocal seen
        seen += 1
        if seen > deadly:
            raise KeyboardInterrupt

    sa.event.listen(database, "before_cursor_execute", fail)
    try:
        taking.take()
    except KeyboardInterrupt:
        return True
    finally:
        sa.event.remove(database, "before_cursor_execute", fail)
    return False
