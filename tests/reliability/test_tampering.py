"""What a forger with the database in hand can do to the record, and where verification says it was done."""

from __future__ import annotations

import copy
import random

import orjson
import pytest
import sqlalchemy as sa

from engine import journal as chain
from engine.tables import journal, snapshots
from workflows.tables import cases


@pytest.fixture
def told(story):
    """A case that went all its way, with a timer, a decision, jobs and a message; behind it another."""
    story.start(by="app02").do("check", "lz.officer", outcome="returned", opinion="缺报表")
    other = story.case_id
    story.start().do("check", "lz.officer", outcome="accepted").pass_time("P4D")
    story.do("review", "lz.leader", outcome="agreed").do("ecology", "dee", opinion="无异议")
    story.do("market", "amr", opinion="无异议").work()
    story.message("ministry_result", "prov.officer", result="同意")
    story.other = other
    story.record = {case_id: rows_of(story, case_id) for case_id in (story.case_id, other)}
    assert story.case().is_over
    return story


def rows_of(story, case_id):
    query = sa.select(journal).where(journal.c.case_id == case_id).order_by(journal.c.seq)
    with story.database.connect().execution_options(reading=True) as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def found(story, rows, case_id=None):
    """What verification finds when these rows stand for the case: code and entry of the first finding."""
    case_id = case_id or story.case_id
    store(story, case_id, rows)
    try:
        proof = story.history.verify(case_id)
        assert all(finding.case_id == case_id for finding in proof.findings)
        return (proof.findings[0].code, proof.findings[0].seq) if proof.findings else None
    finally:
        store(story, case_id, story.record[case_id])


def store(story, case_id, rows):
    with story.database.begin() as connection:
        connection.execute(sa.delete(journal).where(journal.c.case_id == case_id))
        if rows:
            connection.execute(journal.insert(), rows)


def positions(rows, number, seed=7):
    """The first, the last, and some between."""
    places = random.Random(seed)
    return sorted({0, len(rows) - 1, *places.sample(range(len(rows)), min(number, len(rows)))})


def changed(text, place):
    """The text with another sign at one place."""
    return text[:place] + ("1" if text[place] != "1" else "2") + text[place + 1 :]


def copied(story):
    return copy.deepcopy(story.record[story.case_id])


def chained(rows):
    """The rows with every digest computed again, as somebody who owns the database can."""
    previous = chain.START
    for row in rows:
        previous = row["digest"] = chain.digest(previous, row["body"])
    return rows


def test_nothing_is_found_where_nothing_was_done(told):
    assert found(told, copied(told)) is None


def test_one_changed_byte_of_any_text_is_found_at_its_entry(told, often):
    places = random.Random(11)
    for index in range(len(told.record[told.case_id])):
        for _ in range(often("positions")):
            rows = copied(told)
            rows[index]["body"] = changed(rows[index]["body"], places.randrange(len(rows[index]["body"])))

            assert found(told, rows) == ("V-CHAIN-BREAK", index + 1)


def test_one_changed_byte_of_any_digest_is_found_at_its_entry(told, often):
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


def test_a_deleted_entry_is_found_also_when_those_behind_it_move_up(told, often):
    for index in positions(copied(told)[:-1], often("positions")):
        rows = copied(told)
        del rows[index]
        for row in rows[index:]:
            row["seq"] -= 1

        assert found(told, rows) == ("V-CHAIN-BREAK", index + 1)


def test_an_inserted_entry_is_found_at_its_place(told, often):
    for index in positions(copied(told), often("positions")):
        rows = copied(told)
        for row in rows[index:]:
            row["seq"] += 1
        rows.insert(index, {**rows[0], "seq": index + 1, "body": rows[0]["body"].replace("app01", "app09")})

        assert found(told, rows) == ("V-CHAIN-BREAK", index + 1)


def test_an_entry_added_at_the_end_is_found(told):
    rows = copied(told)
    rows.append({**rows[-1], "seq": len(rows) + 1})

    assert found(told, rows) == ("V-CHAIN-BREAK", len(rows))


def test_two_swapped_entries_are_found_at_the_first(told, often):
    for index in positions(copied(told)[:-1], often("positions")):
        rows = copied(told)
        rows[index]["seq"], rows[index + 1]["seq"] = rows[index + 1]["seq"], rows[index]["seq"]

        assert found(told, rows) == ("V-CHAIN-BREAK", index + 1)


def test_a_renumbered_entry_is_found_where_it_is_missing(told, often):
    for index in positions(copied(told)[:-1], often("positions")):
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


def test_verification_gives_a_finding_never_a_fault_whatever_was_put_in_place(told, often):
    """Anything at all in the place of a value, and the whole chain computed anew."""
    dice = random.Random(13)
    odd = [None, True, 0, -1, 1.5, "", "x", [], {}, [None], {"@": 1}, "9999-99-99T00:00:00Z", 10**15]
    for _ in range(40 * often("positions")):
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


def mutated(value, dice, odd):
    if isinstance(value, dict) and value and dice.random() < 0.8:
        key = dice.choice(sorted(value))
        return {**value, key: mutated(value[key], dice, odd)}
    if isinstance(value, list) and value and dice.random() < 0.8:
        place = dice.randrange(len(value))
        return [mutated(one, dice, odd) if i == place else one for i, one in enumerate(value)]
    return dice.choice(odd)


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
