"""Clauses: whatever is referred to is there, no article is named that nobody has read, texts change."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest

from engine.errors import InvalidInput, NotFound
from tests.workflows.register.parts import BPMN, NOW
from workflows.library.packages import read_folder
from workflows.library.references import STEP, references
from workflows.register.clauses import (
    NAME,
    STATUSES,
    amend,
    clauses,
    clauses_in,
    documents,
    documents_in,
)
from workflows.register.rules import load_rules, rule_set_ids

OTHERS = {"A-4", "C6", "RE-NOTICE", "RE-REVIEW", "RE-RECTIFY"}


def test_every_clause_an_element_or_a_rule_of_a_table_names_is_there():
    packages = [read_folder(path.parent) for path in sorted(BPMN.glob("*/process.bpmn"))]
    named = {name for package in packages for one in references(package) for name in one.clauses}

    assert len(named) > 20
    assert sorted(named - set(clauses())) == []


@pytest.mark.parametrize("rules", rule_set_ids())
def test_every_parameter_names_a_clause_or_a_step(rules):
    sources = {parameter.source for parameter in load_rules(rules).parameters.values()}

    assert sorted(s for s in sources - set(clauses()) - OTHERS if not STEP.fullmatch(s)) == []


def test_of_the_provincial_rule_no_article_beyond_the_second_is_named():
    provincial = {c.article for c in clauses().values() if c.document.startswith("gansu")}

    assert provincial == {None, "第一条", "第二条"}


def test_every_numbered_fact_has_a_clause():
    assert [f"F{n}" for n in range(1, 86) if f"F{n}" not in clauses()] == []


def test_a_clause_speaks_two_languages_and_says_how_it_is_known():
    for clause in clauses().values():
        assert not clause.text("zh").isascii()
        assert clause.text("en").isascii()
        assert clause.status in STATUSES
        assert re.fullmatch(NAME, clause.id)
    proposal = clauses()["G1"]
    assert (proposal.known("zh"), proposal.known("en")) == ("推定", "inferred")


def test_a_document_says_whether_it_binds_here_and_what_of_it_is_known():
    for document in documents().values():
        assert document.clauses
        assert document.known
        assert document.known_en.isascii()
    assert documents()["miit-2024"].binding is True
    assert documents()["guangdong-2024"].binding is False
    assert documents()["miit-2024"].effective_from == date(2024, 1, 19)


def test_a_clause_of_a_document_that_was_replaced_is_over():
    old = clauses()["F67"]

    assert old.is_over(date(2025, 12, 30)) is False
    assert old.is_over(date(2025, 12, 31)) is True
    assert clauses()["F57"].is_over(date(2026, 1, 1)) is False


def test_a_changed_text_has_another_digest():
    digests = {clause.digest for clause in clauses().values()}

    assert len(digests) == len(clauses())


def test_what_is_inferred_is_not_called_settled():
    known = clauses()
    settled = [p for p in load_rules().parameters.values() if not p.inferred and p.source in known]

    assert settled
    assert [p.key for p in settled if known[p.source].status == "inferred"] == []


def amended(connection, clause="F36", **other):
    said = {
        "document": "miit-2024",
        "article": "第十五条",
        "status": "read",
        "zh": "新文本",
        "en": "New text",
    }
    facts = {**said, "by": "owner", "reason": "部令修订", "at": NOW, **other}
    return amend(connection, clause, **facts)


def test_an_amended_clause_reads_otherwise_and_the_file_stays(connection):
    after = amended(connection)

    assert (after.zh, after.article, after.document) == ("新文本", "第十五条", "miit-2024")
    assert clauses_in(connection)["F36"] == after
    assert after.digest != clauses()["F36"].digest
    assert list(clauses_in(connection)) == list(clauses())


def test_the_newest_amendment_counts(connection):
    amended(connection)
    amended(connection, zh="再改", at=NOW + timedelta(days=1))

    assert clauses_in(connection)["F36"].zh == "再改"


def test_an_article_that_became_known_is_a_new_clause_of_its_document(connection):
    amended(connection, "F90", document="gansu-2024", article="第三条")

    document = documents_in(connection)["gansu-2024"]
    assert (document.clauses[-1].id, document.clauses[-1].article) == ("F90", "第三条")
    assert document.clauses[-1].effective_from == date(2024, 6, 20)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"document": "mars-2024"}, NotFound),
        ({"document": "gansu-2024"}, InvalidInput),
        ({"status": "guessed"}, InvalidInput),
        ({"zh": " "}, InvalidInput),
        ({"en": ""}, InvalidInput),
    ],
)
def test_an_amendment_that_cannot_be_changes_nothing(connection, change, refusal):
    with pytest.raises(refusal):
        amended(connection, **change)

    assert clauses_in(connection) == clauses()


@pytest.mark.parametrize("name", ["f90", "第三条", "F", "F1000", "F90 "])
def test_the_id_of_a_clause_is_no_article_number(connection, name):
    with pytest.raises(InvalidInput):
        amended(connection, name)
