"""Mistakes by which a conflict rule would bar nobody, or an override would last."""

from __future__ import annotations

from tests.planted.fault import Change, Fault

CONFLICTS = "tests/workflows/conflicts/test_conflicts.py::"
OVERRIDES = "tests/workflows/conflicts/test_overrides.py::"

OF_CONFLICTS = (
    Fault(
        name="conflict-not-asked-at-completion",
        story="Whoever comes to be barred while holding a task completes it all the same.",
        changes=(
            Change(
                "workflows/acts/task_acts.py",
                '    _demand_no_conflict(change, task, change.actor, "complete")\n',
                "",
            ),
        ),
        noticed_by=(
            f"{CONFLICTS}test_who_comes_to_be_barred_does_not_complete_what_they_hold[sqlite-handled_before]",
        ),
    ),
    Fault(
        name="chain-ends-with-the-drawing",
        story="A chain knows only the tasks of its own drawing: what was done in a called one bars nobody.",
        changes=(
            Change(
                "workflows/conflicts/kinds.py",
                "for element in definition.elements.values():",
                "for element in definition.drawing.shapes:",
            ),
        ),
        noticed_by=(
            f"{CONFLICTS}test_who_is_barred_neither_claims_nor_is_given_the_task"
            "[sqlite-handled_in_a_called_process]",
        ),
    ),
    Fault(
        name="override-outlives-the-hands",
        story="A task is released and claimed again: the override that was for one time holds for ever.",
        changes=(
            Change(
                "engine/case/obeying.py",
                """\
        case ev.TaskReleased(task_id=task_id):
            _leaves_hands(standing, task_id)
""",
                """\
        case ev.TaskReleased(task_id=task_id):
""",
            ),
        ),
        noticed_by=(f"{OVERRIDES}test_an_override_is_used_up_when_the_task_leaves_the_hands[sqlite]",),
    ),
    Fault(
        name="barred-person-allows-overrides",
        story="Two people who handled a case allow each other to decide it.",
        changes=(
            Change(
                "workflows/conflicts/judging.py",
                "or not actor.groups & set(groups) or grounds(at, actor, rule.id):",
                "or not actor.groups & set(groups):",
            ),
        ),
        noticed_by=(f"{OVERRIDES}test_who_is_barred_as_well_allows_nothing[sqlite]",),
    ),
)
