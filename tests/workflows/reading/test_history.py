"""What happened, told again: time line, a case as it stood at entry n, and what proves it."""

from __future__ import annotations

import io

import pytest
import sqlalchemy as sa

from engine.errors import NotFound
from engine.tables import journal
from workflows.actors.people import persons
from workflows.actors.policy import sees
from workflows.proof.evidence import Paper, Store, store
from workflows.reading.history import CaseQuery, History
from workflows.store.tables import blobs, cases
from workflows.transaction.facts import case_facts


@pytest.fixture
def told(story):
    """A case that was returned once, is late, and waits for two departments."""
    story.start().do("check", "lz.officer", outcome="returned", opinion="缺年报").do("fix", "app01", days=9)
    story.do("check", "lz.officer", outcome="accepted", opinion="齐全").pass_time("P4D")
    return story.do("review", "lz.leader", outcome="agreed")


def found(story, person, **query):
    page = story.history.find(CaseQuery(**query), story.person(person))
    return [line.row["unit_id"] for line in page.items]


def test_every_entry_is_a_sentence_in_both_languages(told):
    timeline = told.history.timeline(told.case_id)

    assert [event.seq for event in timeline] == list(range(1, len(told.entries()) + 1))
    assert all(event.sentence and event.sentence_zh for event in timeline)
    assert not any(event.type in event.sentence for event in timeline)
    assert timeline[0].sentence_zh.endswith("发起了案件（小型评审）。")
    assert {event.lane for event in timeline} == {"people", "process", "services"}


def test_a_part_of_the_time_line_can_be_asked_for(told):
    assert [event.seq for event in told.history.timeline(told.case_id, after=3, upto=5)] == [4, 5]


def test_a_case_is_shown_as_it_stood(told):
    entries = told.entries()
    completed = entries.index("TaskCompleted") + 1

    before = told.history.state(told.case_id, completed - 1)
    at = told.history.state(told.case_id, completed)
    last = told.history.state(told.case_id, len(entries))

    assert before.standing.active == ("check",)
    assert "opinion" not in before.variables
    assert at.changed["opinion"] == (None, "缺年报")
    assert last.variables["days"] == 9
    assert last.standing.active == ("ecology", "market")
    assert last.standing.done["check"] == 2
    assert last.standing.flows["decided_fix"] == 1


def test_who_held_what_is_shown_at_each_moment(told):
    claimed = told.entries().index("TaskClaimed") + 1

    (task,) = told.history.state(told.case_id, claimed).standing.tasks.values()

    assert (task.state, task.assignee) == ("claimed", "lz.officer")


def test_there_is_no_entry_before_the_first_or_behind_the_last(told):
    for seq in (0, -1, 9999):
        with pytest.raises(NotFound):
            told.history.state(told.case_id, seq)
    with pytest.raises(NotFound):
        told.history.timeline("SR-2026-999999")


def test_each_finds_the_cases_they_may_see(story):
    story.start(by="app01").start(by="app02").start(by="app09")

    assert sorted(found(story, "prov.officer")) == ["u01", "u02", "u09"]
    assert sorted(found(story, "auditor")) == ["u01", "u02", "u09"]
    assert sorted(found(story, "lz.officer")) == ["u01", "u02"]
    assert found(story, "app02") == ["u02"]
    assert found(story, "dee") == []
    assert found(story, "admin") == []


def test_the_list_shows_exactly_the_cases_the_policy_lets_one_see(told):
    told.start(by="app02").claim("check", "lz.officer").start(by="app09").message("withdraw", "app09")
    with told.database.connect() as connection:
        everybody = list(connection.scalars(sa.select(persons.c.id)))
        known = {case_id: case_facts(connection, case_id) for case_id in _all_cases(connection)}

    for person in everybody:
        actor = told.person(person)
        page = told.history.find(CaseQuery(limit=200), actor)
        listed = {line.row["case_id"] for line in page.items}
        assert listed == {case_id for case_id, case in known.items() if sees(actor, case)}, person


def _all_cases(connection):
    return list(connection.scalars(sa.select(cases.c.case_id)))


def test_a_department_finds_the_case_it_is_asked_about(told):
    assert found(told, "dee") == ["u01"]
    told.do("ecology", "dee")
    assert found(told, "dee") == ["u01"]


def test_cases_are_found_by_words_and_filters(story):
    story.start(by="app01").start(by="app02").message("withdraw", "app02")

    assert found(story, "auditor", status="completed") == ["u02"]
    assert found(story, "auditor", outcome="withdrawn") == ["u02"]
    assert found(story, "auditor", q=story.case_id) == ["u02"]
    assert found(story, "auditor", since=story.clock().replace(year=2027)) == []
    assert found(story, "auditor", incident=True) == []


def test_a_found_case_tells_where_it_stands(told):
    (line,) = told.history.find(CaseQuery(), told.person("auditor")).items

    assert [step[0] for step in line.steps] == ["ecology", "market"]


def test_a_sound_case_is_proved(told):
    proof = told.history.verify(told.case_id)

    assert (proof.code, proof.ok, proof.entries) == ("V-OK", True, len(told.entries()))
    assert [one.case_id for one in told.history.verify_all()] == [told.case_id]


def test_one_changed_byte_is_found_at_its_entry(told):
    with told.database.begin() as connection:
        body = connection.scalar(sa.select(journal.c.body).where(journal.c.seq == 5))
        spoilt = body.replace("缺年报", "缺月报")
        assert spoilt != body
        connection.execute(sa.update(journal).where(journal.c.seq == 5).values(body=spoilt))

    (finding,) = told.history.verify(told.case_id).findings

    assert (finding.code, finding.seq) == ("V-CHAIN-BREAK", 5)


def test_a_missing_entry_is_found(told):
    with told.database.begin() as connection:
        connection.execute(sa.delete(journal).where(journal.c.seq == 4))

    assert told.history.verify(told.case_id).code == "V-CHAIN-BREAK"


def test_a_case_whose_journal_is_gone_is_found(told):
    with told.database.begin() as connection:
        connection.execute(sa.delete(journal))

    (proof,) = told.history.verify_all()

    assert (proof.case_id, proof.code) == (told.case_id, "V-CHAIN-BREAK")


def test_a_changed_drawing_is_found(told):
    with told.database.begin() as connection:
        connection.execute(sa.update(blobs).values(content=b"<evil/>"))

    assert "V-ARTEFACT" in {finding.code for finding in told.history.verify(told.case_id).findings}


def test_a_changed_read_model_does_not_touch_the_proof(told):
    with told.database.begin() as connection:
        connection.execute(sa.update(cases).values(outcome="designated"))

    assert told.history.verify(told.case_id).ok


def test_operation_records_tell_who_did_what_and_why(told):
    told.commands.suspend_case(told.case_id, "等待司法鉴定结论", actor=told.person("prov.officer"))

    last = told.history.operations(told.case_id)[-1]

    assert (last["actor"], last["action"], last["reason"]) == ("prov.officer", "suspend", "等待司法鉴定结论")


def test_a_damaged_file_is_found(told, tmp_path):
    files = Store(tmp_path)
    with told.database.begin() as connection:
        paper = store(
            connection,
            files,
            io.BytesIO(b"%PDF-1.7\n"),
            Paper(name="年报.pdf"),
            evidence_id="e1",
            case_id=told.case_id,
            by="app01",
            now=told.clock(),
        )
    history = History(told.database, told.catalog, files=files)
    assert history.verify(told.case_id).ok

    files.path(paper.digest).unlink()

    assert history.verify(told.case_id).code == "V-ATTACHMENT"
