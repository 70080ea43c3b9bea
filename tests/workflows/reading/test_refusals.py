"""A refusal tells which rule refused, and by which facts, from the decisions that were journalled."""

from __future__ import annotations

from workflows.library.annotations import Annotation
from workflows.reading.moments import Decision, Standing
from workflows.reading.refusals import refusals_of

RULES = {
    name: Annotation(decision="资格", row=row, text="", clause="F37", is_inferred=False)
    for row, name in enumerate(("r1", "r2", "r3"), start=1)
}


def decided(element, value, *matched, seq=1):
    return Decision(seq=seq, element=element, decision=element, inputs={}, matched=matched, value=value)


def refused(*decisions, status="completed"):
    return refusals_of(Standing(status=status, decisions=list(decisions)), RULES)


def because(words):
    return {"refusal": {"zh": words, "en": words.upper()}}


def test_the_rule_that_refused_is_told_with_its_row_and_its_words():
    (one,) = refused(decided("judge", because("banned until 2029-03-02"), "r2", seq=7))

    assert (one.seq, one.element, one.rule, one.row, one.clause) == (7, "judge", "r2", 2, "F37")
    assert (one.zh, one.en) == ("banned until 2029-03-02", "BANNED UNTIL 2029-03-02")


def test_of_a_list_every_rule_tells_its_own_reason():
    made = decided("grounds", [because("a"), {"refusal": None}, because("c")], "r1", "r2", "r3")

    assert [(one.rule, one.zh) for one in refused(made)] == [("r1", "a"), ("r3", "c")]


def test_a_rule_that_admits_refuses_nothing():
    assert not refused(decided("judge", {"admissible": True, "refusal": None}, "r3"))
    assert not refused(decided("score", [1, 2], "r1"), decided("nothing", None))


def test_what_was_mended_before_the_end_refuses_nothing():
    before, after = decided("grounds", [because("a")], "r1", seq=3), decided("grounds", [], seq=9)

    assert not refused(before, after)
    assert [one.zh for one in refused(after, before)] == ["a"]


def test_a_case_that_goes_on_was_not_refused():
    assert not refused(decided("judge", because("a"), "r1"), status="active")


def test_a_rule_that_nobody_knows_any_more_keeps_its_words():
    (one,) = refused(decided("judge", because("a"), "gone"))

    assert (one.rule, one.row, one.clause) == ("gone", 0, "")
