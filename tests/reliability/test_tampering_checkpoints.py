"""What a forger who owns the whole database can do, and what a checkpoint that was kept elsewhere says of it.

The forger chains everything anew, corrects the lists, the order of positions and the database's own memory of
checkpoints. Only the note in the auditor's drawer stays as it is.
"""

from __future__ import annotations

import random
import unicodedata
from itertools import zip_longest

import orjson
import pytest
import sqlalchemy as sa

from engine import journal as chain
from engine.errors import WrongState
from engine.proof.notes import named
from engine.proof.positions import length
from engine.tables import positions as order
from tests.reliability.forging import (
    chained,
    copied,
    cut_order,
    everything,
    lists_follow,
    order_follows,
    positions,
    put_back,
    rows_of,
    run_of,
    store,
)
from workflows.proof.checkpoints.comparing import compare
from workflows.proof.checkpoints.records import checkpoints


def compared(story, *notes):
    """What the comparison with the notes (the drawer's unless told) finds."""
    found = compare(story.database, story.taking.ring, notes or story.drawer).findings
    story.tried += 1
    story.caught += bool(found)
    return [(f.code, f.case_id, f.seq) for f in found]


def edited(body, change):
    """The text of an entry after `change` worked on what it says."""
    said = orjson.loads(body)
    change(said)
    return chain.canonical(said)


def forge(story, rows, *, order_too=False):
    """Put rows in place of the case's, chained anew, and everything else that tells of them."""
    store(story, story.case_id, chained(rows))
    lists_follow(story, story.case_id)
    if order_too:
        order_follows(story)


def mended(story):
    store(story, story.case_id, story.record[story.case_id])
    lists_follow(story, story.case_id)


def test_a_journal_that_was_let_alone_extends_its_checkpoints_also_after_more_work(kept):
    assert compared(kept) == []
    kept.start(by="app03").do("check", "lz.officer", outcome="accepted")
    assert compared(kept) == []
    kept.drawer.append(kept.taking.take().note)
    assert compared(kept) == []


# Each is consistent with itself: the chain holds, and most of them replay.
FORGERIES = {
    "another actor": lambda body: edited(body, lambda said: said.update(actor="lz.officer2")),
    "another moment": lambda body: edited(body, lambda said: said.update(at="2026-01-01T00:00:00.000000Z")),
    "on behalf of another": lambda body: edited(body, lambda said: said.update({"for": "prov.leader"})),
    "one sign": lambda body: edited(body, lambda said: said["data"].update(note="\u00e9")),
    "spelled apart": lambda body: edited(
        body, lambda said: said["data"].update(note=unicodedata.normalize("NFD", "\u00e9"))
    ),
    "a whole number as a fraction": lambda body: body.replace(
        f'"seq":{orjson.loads(body)["seq"]}', '"seq":1.0'
    ),
    "keys in another order": lambda body: orjson.dumps(dict(reversed(orjson.loads(body).items()))).decode(),
    "a name twice": lambda body: body[:-1] + ',"v":1}',
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_chain_made_anew_over_a_changed_entry_is_found_at_that_entry(kept, forgery, campaign):
    for index in positions(copied(kept), campaign.times(3, 50)):
        rows = copied(kept)
        rows[index]["body"] = FORGERIES[forgery](rows[index]["body"])
        forge(kept, rows)

        assert compared(kept)[0] == ("V-CHECKPOINT-BREAK", kept.case_id, index + 1)
        mended(kept)


def deleted(rows, index, dice):
    del rows[index]
    return renumbered(rows)


def inserted(rows, index, dice):
    rows.insert(index, dict(dice.choice(rows)))
    return renumbered(rows)


def swapped(rows, index, dice):
    other = index - 1 if index else 1
    rows[index]["body"], rows[other]["body"] = rows[other]["body"], rows[index]["body"]
    return renumbered(rows)


def cut(rows, index, dice):
    return rows[: max(index, 1)]


def renumbered(rows):
    for seq, row in enumerate(rows, 1):
        row |= {"seq": seq, "body": edited(row["body"], lambda said, seq=seq: said.update(seq=seq))}
    return rows


@pytest.mark.parametrize("change", [deleted, inserted, swapped, cut], ids=lambda change: change.__name__)
def test_entries_taken_out_put_in_exchanged_or_cut_off_are_found_at_the_first(kept, change, campaign):
    dice = random.Random(5)
    for index in positions(copied(kept)[1:], campaign.times(3, 50)):
        rows = change(copied(kept), index, dice)
        forge(kept, rows)

        assert compared(kept)[0] == ("V-CHECKPOINT-BREAK", kept.case_id, first_difference(kept, rows))
        mended(kept)


def first_difference(story, rows):
    """The seq of the first entry that is another than it was."""
    pairs = zip_longest(rows, story.record[story.case_id], fillvalue={"body": None})
    return next(seq for seq, (now, was) in enumerate(pairs, 1) if now["body"] != was["body"])


def test_who_writes_the_order_anew_too_is_found_between_the_checkpoints_around(kept, campaign):
    """Nothing in the database tells any more; the notes say between which of them it was done."""
    kept.start(by="app03").do("check", "lz.officer", outcome="accepted")
    kept.drawer.append(kept.taking.take().note)
    kept.record[kept.case_id] = rows_of(kept, kept.case_id)
    backup = everything(kept)
    for index in positions(copied(kept), campaign.times(3, 50)):
        rows = copied(kept)
        rows[index]["body"] = FORGERIES["another actor"](rows[index]["body"])
        forge(kept, rows, order_too=True)

        assert compared(kept) == [("V-CHECKPOINT-BREAK", kept.case_id, 1)]
        put_back(kept, backup)


def test_who_writes_the_first_part_anew_is_found_at_its_beginning(kept):
    kept.start(by="app03")
    kept.drawer.append(kept.taking.take().note)
    kept.case_id = kept.other
    rows = copied(kept)
    rows[-1]["body"] = FORGERIES["another actor"](rows[-1]["body"])
    forge(kept, rows, order_too=True)

    ((code, case_id, seq),) = compared(kept)

    with kept.database.connect() as connection:
        first = connection.execute(sa.select(order).where(order.c.position == 0)).one()
    assert (code, case_id, seq) == ("V-CHECKPOINT-BREAK", first.case_id, first.seq)


def test_a_cut_order_is_a_gap(kept, campaign):
    """An older database, or one whose end was cut in every table."""
    backup = everything(kept)
    for size in positions(range(kept.whole - 1), campaign.times(3, 50)):
        cut_order(kept, size + 1)
        with kept.database.begin() as connection:
            connection.execute(sa.delete(checkpoints))

        assert compared(kept) == [("V-CHECKPOINT-GAP", "", 0)]
        put_back(kept, backup)


def test_the_gap_tells_what_is_known_and_what_is_there(kept):
    cut_order(kept, 10)

    (finding,) = compare(kept.database, kept.taking.ring, kept.drawer).findings

    assert finding.detail == (
        f"the checkpoint knows {kept.whole} entries, the database has 10: entries after position 10 are"
        f" missing ({kept.whole - 10} entries have no position yet)"
    )


def test_a_database_put_back_to_an_earlier_day_signs_nothing_until_somebody_has_looked(kept):
    backup, old = everything(kept), kept.drawer[0]
    kept.start(by="app03").do("check", "lz.officer", outcome="accepted")
    newer = kept.taking.take().note
    put_back(kept, backup)
    assert compared(kept, newer) == [("V-CHECKPOINT-GAP", "", 0)]
    assert compared(kept, old) == [("V-CHECKPOINT-GAP", "", 0)]  # the newest one lies beside the key

    with pytest.raises(WrongState, match="the last checkpoint knows") as refused:
        kept.taking.take()
    assert refused.value.code == "JOURNAL_WENT_BACK"
    with kept.database.connect() as connection:
        assert length(connection) == kept.whole

    kept.taking.renew(bytes(32), place="tidu.example.org")
    after = kept.taking.take()
    assert after.checkpoint.size == kept.whole
    assert compared(kept, after.note, old) == []
    assert [code for code, *_ in compared(kept, newer)] == ["V-CHECKPOINT-KEY", "V-CHECKPOINT-GAP"]


def test_numbers_given_again_after_a_restore_do_not_fill_the_gap(kept):
    """The new entries have the places of the lost ones, and are others."""
    backup = everything(kept)
    kept.start(by="app03")
    newer = kept.taking.take().note
    put_back(kept, backup)
    kept.commands.live.clear()
    kept.taking.renew(bytes(32), place="tidu.example.org")
    kept.start(by="app04").do("check", "lz.officer", outcome="accepted")
    kept.taking.take()

    assert [code for code, *_ in compared(kept, newer)] == ["V-CHECKPOINT-KEY", "V-CHECKPOINT-BREAK"]


def test_two_checkpoints_of_one_size_and_two_roots_are_a_split_view(kept):
    """Somebody with the stolen key shows one auditor this and another one that."""
    rows = copied(kept)
    rows[4]["body"] = FORGERIES["another actor"](rows[4]["body"])
    forge(kept, rows, order_too=True)
    with kept.database.begin() as connection:
        connection.execute(sa.delete(checkpoints))
    (kept.taking.ring.folder / "latest").unlink()
    second = kept.taking.take().note

    assert compared(kept, second) == []  # to the one who knows no other it looks sound
    assert [code for code, *_ in compared(kept, second, kept.drawer[0])] == [
        "V-CHECKPOINT-SPLIT",
        "V-CHECKPOINT-BREAK",
    ]


def test_an_old_checkpoint_shown_as_the_newest_hides_nothing_from_who_has_the_newer(kept):
    old = kept.drawer[0]
    kept.start(by="app03")
    newer = kept.taking.take().note
    with kept.database.begin() as connection:
        connection.execute(sa.delete(checkpoints).where(checkpoints.c.note == newer))
        connection.execute(sa.delete(order).where(order.c.position >= kept.whole))
    kept.taking.ring.remember(old)

    assert compared(kept, old) == []
    assert compared(kept, newer) == [("V-CHECKPOINT-GAP", "", 0)]


def test_a_changed_note_is_worth_nothing_wherever_it_lies(kept):
    note = kept.drawer[0]
    bigger = note.replace(f"\n{kept.whole}\n", f"\n{kept.whole + 1}\n")

    assert compared(kept, bigger) == [("V-CHECKPOINT-KEY", "", 0)]
    with kept.database.begin() as connection:
        connection.execute(sa.update(checkpoints).values(note=bigger))
    assert compared(kept) == [("V-CHECKPOINT-KEY", "", 0)]
    kept.taking.ring.remember(bigger)
    with pytest.raises(Exception, match="signature"):
        kept.taking.take()


def test_a_key_of_somebody_else_signs_for_nobody(kept):
    thief = named(bytes(32), "tidu.example.org")
    text = kept.drawer[0].partition("\n\n")[0] + "\n"

    assert compared(kept, thief.sign(text)) == [("V-CHECKPOINT-KEY", "", 0)]


def test_a_retired_key_signs_nothing_beyond_its_end(kept):
    stolen = kept.taking.ring.signer()
    kept.taking.renew(bytes(32), place="tidu.example.org")
    kept.start(by="app03")
    now = kept.taking.take().checkpoint
    forged = stolen.sign(now.text.replace(now.origin, stolen.name))

    assert compared(kept, kept.drawer[0]) == []
    assert compared(kept, forged) == [("V-CHECKPOINT-KEY", "", 0)]


@pytest.mark.parametrize("column", ["position", "leaves", "last"])
def test_the_order_itself_cannot_be_touched(kept, column, campaign):
    backup = everything(kept)
    for place in positions(range(kept.whole), campaign.times(3, 50)):
        with kept.database.begin() as connection:
            run = run_of(connection, place)
            at, leaves = (place - run.position) * 32, bytes(run.leaves)
            forged = {
                "position": kept.whole + 7,
                "leaves": leaves[:at] + bytes(32) + leaves[at + 32 :],
                "last": run.last + 100,
            }
            here = sa.update(order).where(order.c.position == run.position)
            connection.execute(here.values({column: forged[column]}))

        assert compared(kept) != []
        put_back(kept, backup)
