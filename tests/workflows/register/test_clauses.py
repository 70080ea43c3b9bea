"""Clauses: whatever is referred to is there, and no article is named that nobody has read."""

from __future__ import annotations

import re

from tests.workflows.register.parts import BPMN
from workflows.register.clauses import STATUSES, clauses
from workflows.register.rules import load_rules


def test_every_clause_a_drawing_or_a_parameter_names_is_there():
    drawn = set()
    for path in BPMN.glob("*/*.bpmn"):
        for names in re.findall(r'name="clause"\s+value="([^"]*)"', path.read_text("utf-8")):
            drawn |= set(re.findall(r"[FG][0-9]+", names))
    named = {p.source for p in load_rules().parameters.values() if re.fullmatch(r"[FG][0-9]+", p.source)}

    assert drawn
    assert sorted((drawn | named) - set(clauses())) == []


def test_of_the_provincial_rule_no_article_beyond_the_second_is_named():
    provincial = {clause.article for clause in clauses().values() if clause.source.id.startswith("gansu")}

    assert provincial == {None, "第一条", "第二条"}


def test_a_clause_speaks_two_languages_and_says_how_it_is_known():
    for clause in clauses().values():
        assert not clause.text("zh").isascii()
        assert clause.text("en").isascii()
        assert clause.status in STATUSES
    proposal = clauses()["G1"]
    assert (proposal.known("zh"), proposal.known("en")) == ("本系统建议", "a proposal of this system")


def test_a_changed_text_has_another_digest():
    digests = {clause.digest for clause in clauses().values()}

    assert len(digests) == len(clauses())


def test_what_is_inferred_from_elsewhere_is_not_called_settled():
    known = clauses()
    settled = [p for p in load_rules().parameters.values() if not p.inferred and p.source in known]

    assert settled
    assert [p.key for p in settled if known[p.source].status == "proposal"] == []
