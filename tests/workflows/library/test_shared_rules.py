"""The rules of a batch stand once in the library; a case names them and replays with the very same."""

from __future__ import annotations

import orjson
import pytest
import sqlalchemy as sa

from engine import journal as chain
from engine import replay
from engine.case.case import Case
from engine.errors import NotFound
from engine.events import Cause, DecisionMade, Entry, entry_of
from engine.tables import journal
from engine.values import to_json
from tests.processes import drawn
from workflows.library.catalog import Catalog
from workflows.reading.history import History
from workflows.register.batches import find_batch
from workflows.store.tables import blobs, cases, migrate
from workflows.workshop.play import Theatre


@pytest.fixture
def told(story):
    """A case on its way, with a decision of its rules behind it."""
    story.start().do("check", "lz.officer", outcome="accepted", opinion="齐全")
    return story.do("review", "lz.leader", outcome="agreed")


def entries_of(story):
    with story.database.connect() as connection:
        return [line.entry() for line in chain.read(connection, story.case_id)]


def named(story):
    """The digest under which the case's rules stand."""
    return entries_of(story)[0].event.shared["rules"]["digest"]


def rules_of_batch(story):
    with story.database.connect() as connection:
        return find_batch(connection, "2026-1").rules


def spoil(story, digest):
    """One parameter is another number, where all cases look it up."""
    with story.database.begin() as connection:
        mine = blobs.c.digest == digest
        content = connection.scalar(sa.select(blobs.c.content).where(mine))
        rules = orjson.loads(content)
        rules["days"]["gf_m5"] += 1
        connection.execute(sa.update(blobs).where(mine).values(content=chain.canonical(rules).encode()))


def lose(story, digest):
    """What cases look up is gone."""
    with story.database.begin() as connection:
        connection.execute(sa.delete(blobs).where(blobs.c.digest == digest))


def test_the_first_entry_names_the_rules_and_does_not_carry_them(told):
    begun = entries_of(told)[0]

    assert "rules" not in begun.event.values
    assert begun.event.shared["rules"] == {
        "id": "gansu-2026",
        "version": 1,
        "effective_from": "2026-01-01",
        "digest": rules_of_batch(told).shared.digest,
    }
    assert len(chain.canonical(begun.body())) < 2_000


def test_what_cases_share_stands_once(told):
    told.start(by="app02").start(by="app09")

    with told.database.connect() as connection:
        contents = [bytes(content) for content in connection.scalars(sa.select(blobs.c.content))]
    assert len([content for content in contents if b'"gf_m5"' in content]) == 1


def test_a_case_is_told_every_rule_at_every_moment(told):
    rules = rules_of_batch(told).context

    assert told.case().variables["rules"] == rules
    assert told.history.state(told.case_id, 1).variables["rules"]["days"] == rules["days"]


def test_a_decision_names_the_rules_it_was_made_by(theatre_of_green_factory):
    theatre, case_id = theatre_of_green_factory
    entries = theatre.history.entries(case_id)
    made = [entry.event for entry in entries if isinstance(entry.event, DecisionMade)]
    by_rules = [one for one in made if "rules" in one.shared]

    assert len(by_rules) > 5
    assert not any("rules" in one.inputs for one in by_rules)
    assert not any("gf_m5" in str(one.data()) for one in made)
    shown = theatre.history.state(case_id, len(entries)).standing.decisions
    assert {one.inputs["rules"]["id"] for one in shown if "rules" in one.inputs} == {"gansu-2026"}
    assert theatre.history.verify(case_id).ok


@pytest.fixture(scope="module")
def theatre_of_green_factory():
    """The green factory to its national title."""
    theatre, example = Theatre(), "green_factory/straight_to_national"
    played = theatre.play(drawn.ROOT / "green_factory", drawn.examples()[example])
    return theatre, played.case_id


def test_a_case_that_goes_on_from_a_snapshot_names_its_rules_too(theatre_of_green_factory):
    theatre, case_id = theatre_of_green_factory
    with theatre.database.connect() as connection, theatre.library.over(connection):
        entries = theatre.history.entries(case_id)
        half = replay.at(connection, case_id, last_of_a_command(entries), theatre.library)
        definition, calendar, held = half.definition, half.calendar, half._shared
        state = orjson.loads(orjson.dumps(half.state()))
        restored = Case.of(state, definition, calendar, head=half.head, shared=held)
        for entry in entries[half.seq :]:
            restored.relive(entry)
        restored.end_of_replay()

    assert any(isinstance(e.event, DecisionMade) and e.event.shared for e in entries[half.seq :])


def last_of_a_command(entries):
    """A place half-way where a snapshot could have been taken."""
    middle = len(entries) // 2
    return next(e.seq - 1 for e in entries[middle:] if isinstance(e.event, Cause))


def test_an_older_case_that_carries_its_rules_is_read_and_is_in_the_very_same_state(told):
    now, entries = told.case(), entries_of(told)
    rewrite(told, [carrying(entries[0].body(), now.variables["rules"]), *(full(e) for e in entries[1:])])

    older = told.case()

    assert told.history.verify(told.case_id).ok
    assert older.beginning.shared == {}
    assert older.execution.digest() == now.execution.digest()
    assert repr(older.variables) == repr(now.variables)


def test_an_older_case_whose_decisions_carry_the_rules_is_read_too(theatre_of_green_factory):
    theatre, case_id = theatre_of_green_factory
    with theatre.database.connect() as connection, theatre.library.over(connection):
        now = replay.load(connection, case_id, theatre.library)
    rules = to_json(now.variables["rules"])
    first, *others = (entry.body() for entry in theatre.history.entries(case_id))
    bodies = [carrying(first, now.variables["rules"]), *(in_full(body, rules) for body in others)]

    older = Case(entry_of(bodies[0]), now.definition, now.calendar)
    for body in bodies:
        older.relive(entry_of(body))
    older.end_of_replay()

    assert len(chain.canonical(bodies)) > 60_000 + len(chain.canonical([first, *others]))
    assert older.execution.digest() == now.execution.digest()


def in_full(body, rules):
    """A decision as it was written before its inputs could be named."""
    return {**body, "data": decided_in_full(body["data"], rules)} if body["type"] == "DecisionMade" else body


def decided_in_full(told, rules):
    carried = dict.fromkeys(told.get("shared", ()), rules)
    required = [decided_in_full(one, rules) for one in told.get("required", ())]
    kept = {name: value for name, value in told.items() if name != "shared"}
    return {**kept, "inputs": {**told["inputs"], **carried}, "required": required}


def carrying(body, rules):
    """The first entry as it was written before rules were shared."""
    data = {**body["data"], "values": {**body["data"]["values"], "rules": to_json(rules)}}
    return {**body, "data": {name: value for name, value in data.items() if name != "shared"}}


def full(entry: Entry):
    """An entry as it was written before fields could be left out."""
    return {**entry.body(), "data": entry.event.data()}


def rewrite(story, bodies):
    """Another history for the case, soundly chained."""
    rows, previous = [], chain.START
    for seq, body in enumerate(bodies, start=1):
        text = chain.canonical(body)
        previous = chain.digest(previous, text)
        rows.append({"case_id": story.case_id, "seq": seq, "body": text, "digest": previous})
    with story.database.begin() as connection:
        connection.execute(sa.delete(journal).where(journal.c.case_id == story.case_id))
        connection.execute(journal.insert(), rows)


def test_a_changed_parameter_is_found_at_the_entry_that_names_it(told):
    spoil(told, named(told))

    for house in (told.history, History(told.database, Catalog(told.database))):
        findings = house.verify(told.case_id).findings
        assert {(f.case_id, f.code, f.seq) for f in findings} == {(told.case_id, "V-ARTEFACT", 1)}
        assert named(told)[:16] in findings[0].detail


def test_no_case_goes_on_with_changed_rules(told):
    """Without a snapshot and after a start of the program: with both it goes on with what was right."""
    spoil(told, named(told))

    with told.database.connect() as connection, pytest.raises(NotFound, match="rules"):
        replay.load(connection, told.case_id, Catalog(told.database))


def test_no_case_begins_by_rules_that_are_not_there(told):
    lose(told, named(told))
    later = type(told)(told.database, told.clock)

    with pytest.raises(NotFound, match="rules"):
        later.start(by="app02")

    with told.database.connect() as connection:
        assert list(connection.scalars(sa.select(cases.c.case_id))) == [told.case_id]


def test_rules_that_are_tried_out_stand_beside_the_others(told):
    batch = named(told)
    told.start(by="app02", rules={"days.gf_m5": 9})

    assert named(told) != batch
    assert told.case().variables["rules"]["days"]["gf_m5"] == 9
    assert told.history.verify(told.case_id).ok


def test_an_older_database_gets_the_rules_of_its_batches(told):
    lose(told, named(told))
    with told.database.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0004'")

    migrate(told.database)

    assert told.history.verify(told.case_id).ok
