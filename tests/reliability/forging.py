"""The tools of a forger who has the database in hand."""

from __future__ import annotations

import copy
import random

import sqlalchemy as sa

from engine import journal as chain
from engine.proof.positions import stands
from engine.tables import blocks, journal
from engine.tables import positions as order
from workflows.proof.checkpoints.records import checkpoints
from workflows.store.tables import cases


def rows_of(story, case_id):
    query = sa.select(journal).where(journal.c.case_id == case_id).order_by(journal.c.seq)
    with story.database.connect().execution_options(reading=True) as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def found(story, rows, case_id=None):
    """What verification finds when these rows stand for the case: code and entry of the first finding."""
    case_id = case_id or story.case_id
    store(story, case_id, rows)
    story.tried += 1
    try:
        proof = story.history.verify(case_id)
        story.caught += not proof.ok
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


def mutated(value, dice, odd):
    if isinstance(value, dict) and value and dice.random() < 0.8:
        key = dice.choice(sorted(value))
        return {**value, key: mutated(value[key], dice, odd)}
    if isinstance(value, list) and value and dice.random() < 0.8:
        place = dice.randrange(len(value))
        return [mutated(one, dice, odd) if i == place else one for i, one in enumerate(value)]
    return dice.choice(odd)


# --- with the order of positions and the lists in hand too ------------------------------------------------


def lists_follow(story, case_id):
    """The list of cases knows no more entries than the journal."""
    with story.database.begin() as connection:
        last = connection.scalar(sa.select(sa.func.max(journal.c.seq)).where(journal.c.case_id == case_id))
        connection.execute(sa.update(cases).where(cases.c.case_id == case_id).values(seq=last or 0))


def order_follows(story):
    """The order of positions is that of the journal as it is now, as if it had always been."""
    with story.database.begin() as connection:
        stood = [stand for stand in stands(connection) if stand.now is not None]
        rows = [
            {"position": place, "case_id": one.case_id, "seq": one.seq, "last": one.seq, "leaves": one.now}
            for place, one in enumerate(stood)
        ]
        connection.execute(sa.delete(order))
        connection.execute(sa.delete(blocks))
        connection.execute(order.insert(), rows)


def run_of(connection, position):
    """The row in which a position stands."""
    first = sa.select(sa.func.max(order.c.position)).where(order.c.position <= position).scalar_subquery()
    return connection.execute(sa.select(order).where(order.c.position == first)).one()


def cut_order(story, size):
    """Only the first `size` positions were ever given."""
    with story.database.begin() as connection:
        connection.execute(sa.delete(order).where(order.c.position >= size))
        run = run_of(connection, size)
        kept = min(size - run.position, run.last - run.seq + 1)
        change = sa.update(order).where(order.c.position == run.position)
        connection.execute(change.values(last=run.seq + kept - 1, leaves=bytes(run.leaves)[: kept * 32]))


def everything(story):
    """All that a restore puts back: the tables of journal, order and checkpoints."""
    with story.database.connect().execution_options(reading=True) as connection:
        tables = (journal, order, blocks, checkpoints, cases)
        return {
            table: [dict(row) for row in connection.execute(sa.select(table)).mappings()] for table in tables
        }


def put_back(story, kept):
    with story.database.begin() as connection:
        for table, rows in kept.items():
            connection.execute(sa.delete(table))
            if rows:
                connection.execute(table.insert(), rows)
