"""Mistakes with rules: approved by their author, changed after approval, in force too soon, stale unseen."""

from __future__ import annotations

from tests.planted.fault import Change, Fault

SETS = "tests/workflows/workshop/test_rule_sets.py::"
COVERAGE = "tests/workflows/workshop/test_coverage.py::"
ROOM = "workflows/workshop/rules/"

RULED = (
    Fault(
        name="an-author-approves-the-own-rules",
        story="Whoever drafted a rule set also answers for it.",
        changes=(
            Change(
                ROOM + "sets.py",
                """\
            demand(may_approve(actor, before))
            _in_state(before, "submitted")
            now = self._clock()
""",
                """\
            _in_state(before, "submitted")
            now = self._clock()
""",
            ),
        ),
        noticed_by=(f"{SETS}test_a_second_person_approves_and_the_author_does_not[sqlite]",),
    ),
    Fault(
        name="approved-rules-change",
        story="A rule set is edited after cases were accepted under it.",
        changes=(Change(ROOM + "sets.py", 'if now.state == "approved":', 'if now.state == "settled":'),),
        noticed_by=(f"{SETS}test_an_approved_set_never_changes[sqlite]",),
    ),
    Fault(
        name="rules-in-force-too-soon",
        story="A rule set governs cases from its approval on, not from the day it says.",
        changes=(
            Change(
                "workflows/register/rule_sets.py",
                '    .where(rule_sets.c.effective_from <= sa.bindparam("day"))\n',
                "    .where(rule_sets.c.effective_from.is_not(None))\n",
            ),
        ),
        noticed_by=(f"{SETS}test_without_a_batch_the_set_of_the_day_governs[sqlite]",),
    ),
    Fault(
        name="an-amended-clause-nobody-notices",
        story="A text changes, and the elements that carry it out look as if they still did.",
        changes=(
            Change(
                ROOM + "coverage.py",
                "get(clause.id, clause.digest) != clause.digest",
                "get(clause.id, clause.digest) is None",
            ),
        ),
        noticed_by=(f"{COVERAGE}test_an_amended_clause_makes_the_elements_that_name_it_stale[sqlite]",),
    ),
)
