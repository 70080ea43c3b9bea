"""What a forger with the database in hand can do to the record, and where verification says it was done."""

from __future__ import annotations

import copy
import random

import orjson
import sqlalchemy as sa

from engine import journal as chain
from engine.tables import snapshots
from tests.reliability.forging import chained, changed, copied, found, mutated, positions
from workflows.store.tables import cases


def test_nothing_is_found_where_nothing_was_done(told):
    assert found(told, copied(told)) is None


def test_one_changed_byte_of_any_text_is_found_at_its_entry(told, campaign):
    places = random.Random(11)
    for index in range(len(told.record[told.case_id])):
        for _ in range(campaign.times(3, 50)):
            rows = copied(told)
            rows[index]["body"] = changed(rows[index]["body"], places.randrange(len(rows[index]["body"])))

            assert found(told, rows) == ("V-CHAIN-BREAK", index + 1)


def test_one_changed_byte_of_any_digest_is_found_at_its_entry(told, campaign):
    places = random.Random(12)
    for index in range(len(told.record[told.case_id])):
        rows = copied(told)
        rows[index]["digest"] = changed(rows[index]["digest"], places.randrange(64))

        assert found(told, rows) == ("V-CHAIN-BREAK", index + 1)


def test_a_deleted_entry_is_found_at_its_place(told):
    for index in range(len(told.record[told.case_id])):
        rows = copied(told)
        del rows[index]

        assert found(told, rows) == ("V-CHAIN-BREAK", index + 1)


def test_a_deleted_entry_is_found_also_when_those_behind_it_move_up(told, campaign):
    for index in positions(copied(told)[:-1], campaign.times(3, 50)):
        rows = copied(told)
        del rows[index]
        for row in rows[index:]:
            row["seq"] -= 1

        assert found(told, rows) == ("V-CHAIN-BREAK", index + 1)


def test_an_inserted_entry_is_found_at_its_place(told, campaign):
    for index in positions(copied(told), campaign.times(3, 50)):
        rows = copied(told)
        for row in rows[index:]:
            row["seq"] += 1
        rows.insert(index, {**rows[0], "seq": index + 1, "body": rows[0]["body"].replace("app01", "app09")})

        assert found(told, rows) == ("V-CHAIN-BREAK", index + 1)


def test_an_entry_added_at_the_end_is_found(told):
    rows = copied(told)
    rows.append({**rows[-1], "seq": len(rows) + 1})

    assert found(told, rows) == ("V-CHAIN-BREAK", len(rows))


def test_two_swapped_entries_are_found_at_the_first(told, campaign):
    for index in positions(copied(told)[:-1], campaign.times(3, 50)):
        rows = copied(told)
        rows[index]["seq"], rows[index + 1]["seq"] = rows[index + 1]["seq"], rows[index]["seq"]

        assert found(told, rows) == ("V-CHAIN-BREAK", index + 1)


def test_a_renumbered_entry_is_found_where_it_is_missing(told, campaign):
    for index in positions(copied(told)[:-1], campaign.times(3, 50)):
        rows = copied(told)
        rows[index]["seq"] += 10_000

        assert found(told, rows) == ("V-CHAIN-BREAK", index + 1)


def test_entries_copied_to_another_case_are_found_there(told):
    rows = copied(told)
    theirs = copy.deepcopy(told.record[told.other])
    borrowed = {**rows[len(theirs)], "case_id": told.other, "seq": len(theirs) + 1}

    assert found(told, [*theirs, borrowed], told.other) == ("V-CHAIN-BREAK", len(theirs) + 1)
    whole = [{**row, "case_id": told.other} for row in rows]
    assert found(told, whole, told.other) == ("V-CHAIN-BREAK", 1)


def test_a_cut_tail_is_found_by_what_the_lists_have_seen_even_where_the_chain_cannot_know(told):
    """A chain alone says nothing about what once stood behind its end."""
    whole = len(told.record[told.case_id])
    assert found(told, []) == ("V-CHAIN-BREAK", 0)
    for kept in range(1, whole):
        assert found(told, copied(told)[:kept]) == ("V-CHAIN-BREAK", kept + 1)


def test_a_tail_cut_together_with_the_lists_is_beyond_the_chain_unless_it_cuts_a_step_in_two(told):
    """The limit of what the database can prove about itself; a checkpoint kept elsewhere goes further."""
    events = [orjson.loads(row["body"])["type"] for row in told.record[told.case_id]]
    last_cause = max(i for i, kind in enumerate(events) if kind == "MessageReceived")
    with told.database.begin() as connection:
        connection.execute(sa.update(cases).where(cases.c.case_id == told.case_id).values(seq=last_cause))

    assert found(told, copied(told)[:last_cause]) is None
    assert found(told, copied(told)[: last_cause + 1]) == ("V-REPLAY-DIVERGE", last_cause + 2)


def test_a_forger_who_chains_anew_is_caught_at_every_consequence(told):
    """Consequences must follow from causes, whatever the digests say."""
    caught = 0
    for index, row in enumerate(told.record[told.case_id]):
        body = orjson.loads(row["body"])
        if body["type"] in ("TaskCreated", "ElementPassed", "JobCreated", "TimerSet", "DecisionMade"):
            body["data"]["element"] = "forged"
            rows = copied(told)
            rows[index]["body"] = chain.canonical(body)
            assert found(told, chained(rows)) == ("V-REPLAY-DIVERGE", index + 1)
            caught += 1
    assert caught > 15


def test_verification_gives_a_finding_never_a_fault_whatever_was_put_in_place(told, campaign):
    """Anything at all in the place of a value, and the whole chain computed anew."""
    dice = random.Random(13)
    odd = [None, True, 0, -1, 1.5, "", "x", [], {}, [None], {"@": 1}, "9999-99-99T00:00:00Z", 10**15]
    for _ in range(40 * campaign.times(3, 50)):
        rows = copied(told)
        row = dice.choice(rows)
        row["body"] = chain.canonical(mutated(orjson.loads(row["body"]), dice, odd))

        found(told, chained(rows))  # some changes of causes are consistent; none may be a fault
    for text in ("", "[]", "null", "7", '"x"', "{}", "{", '{"case":1}'):
        for index in (0, 3):
            rows = copied(told)
            rows[index]["body"] = text
            code, seq = found(told, chained(rows))
            assert (code, seq) == ("V-CHAIN-BREAK", index + 1)


def test_a_spoilt_snapshot_is_not_believed(story):
    """Snapshots only save time: what cannot be trusted is worked out from the journal again."""
    story.start()
    for _ in range(30):
        story.claim("check", "lz.officer").release("check", "lz.officer")
    with story.database.connect() as connection:
        kept = connection.execute(sa.select(snapshots)).one()
    sound = story.case().state()

    for place in (5, len(kept.state) // 2, len(kept.state) - 5):
        spoilt = kept.state[:place] + bytes([kept.state[place] ^ 1]) + kept.state[place + 1 :]
        with story.database.begin() as connection:
            connection.execute(sa.update(snapshots).values(state=spoilt))

        assert story.case().state() == sound


def test_a_text_that_is_spelled_otherwise_is_found_whoever_chained_it(told):
    """Names given twice, keys in another order, blanks: readers differ about what such a text says."""
    for index, row in enumerate(told.record[told.case_id]):
        body = row["body"]
        for other in (
            '{"actor":"somebody",' + body[1:],
            body[:-1] + ',"v":1}',
            orjson.dumps(dict(reversed(orjson.loads(body).items()))).decode(),
            body.replace(":", ": ", 1),
        ):
            rows = copied(told)
            rows[index]["body"] = other

            assert found(told, chained(rows)) == ("V-CHAIN-BREAK", index + 1)


def test_a_first_entry_that_names_no_versions_is_a_finding_never_a_fault(told):
    for odd in (None, [], {}, 7, "x", {"small_review": {}}, {"small_review": None}, {"small_review": [1]}):
        rows = copied(told)
        body = orjson.loads(rows[0]["body"])
        body["data"]["pins"] = odd
        rows[0]["body"] = chain.canonical(body)

        code, seq = found(told, chained(rows))
        assert (code, seq) in (("V-REPLAY-DIVERGE", 1), ("V-ARTEFACT", 1))
