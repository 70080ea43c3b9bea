"""Mistakes with designation notices: a change told twice, a removal that waits for ever."""

from __future__ import annotations

from tests.planted.fault import Change, Fault

PENDING = "tests/workflows/services/test_pending.py::"
STORY = "tests/processes/test_notices.py::"

OF_NOTICES = (
    Fault(
        name="a-change-told-twice",
        story="A notice names again what one before has named.",
        changes=(Change("workflows/register/pending.py", "if about not in known:", "if about:"),),
        noticed_by=(
            f"{PENDING}test_a_notice_names_what_waits_what_was_removed_and_what_was_renamed_each_once[sqlite]",
        ),
    ),
    Fault(
        name="a-removal-that-waits-for-ever",
        story="A removal that the day of the rules has carried out goes on waiting for a notice.",
        changes=(
            Change(
                "workflows/services/titles.py",
                "    pending.end_pending(connection, done.case_id, on=done.today)\n",
                "",
            ),
        ),
        noticed_by=(
            f"{STORY}test_the_day_of_the_rules_stays_and_a_batch_that_is_ended_names_nothing[sqlite]",
        ),
    ),
)
