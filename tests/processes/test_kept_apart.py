"""After the title as before it, nobody decides on what they handled, unless somebody else allows it once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import sqlalchemy as sa

from engine.errors import NotAllowed
from tests.processes import drawn
from workflows.actors.people import find_person, grant
from workflows.actors.policy import Actor
from workflows.store.tables import tasks
from workflows.workshop.play import Theatre

CHAINS = [
    ("ren_check", "ren_decide"),
    ("rm_examine", "rm_decide"),
    ("re_review", "re_decide"),
    ("ch_review", "ch_decide"),
    ("ar_review", "ar_opine"),
    ("arc_consolidate", "arc_report"),
    ("inv_investigate", "inv_decide"),
    ("evo_review", "evo_decide"),
    ("cdp_revise", "cdp_approve"),
    ("bat_meeting", "bat_publish"),
]
"""What is done first, and what nobody who did it does then."""

REASON = "别无合适人选，经集体研究同意"


class House(Theatre):
    """A theatre that stops before a task, and people of it."""

    def up_to(self, handled: str, decided: str) -> str:
        """Who did the one in the first example in which the other comes after it; there it stops."""
        for example in drawn.examples().values():
            steps = example["steps"]
            done = [step.get("do") for step in steps]
            if handled in done and decided in done[done.index(handled) :]:
                first = done.index(handled)
                end = done.index(decided, first)
                answers = [step for step in steps if "job" in step]
                acts = [step for step in steps[:end] if "job" not in step]
                self.play(drawn.ROOT / example["process"], {**example, "steps": [*answers, *acts]})
                return str(steps[first]["by"])
        raise AssertionError(f"no example does {handled} and then {decided}")

    def waiting(self, element: str, *, after: str, by: str) -> Mapping[str, Any]:
        """The task of an element in a case in which the person did another before."""
        theirs = sa.select(tasks.c.case_id).where(tasks.c.element == after, tasks.c.completed_by == by)
        query = sa.select(tasks).where(tasks.c.element == element, tasks.c.state == "ready")
        with self.database.connect() as connection:
            return connection.execute(query.where(tasks.c.case_id.in_(theirs)).limit(1)).mappings().one()

    def lead(self, person: str, group: str) -> Actor:
        """The person, who is one of the group as well, as in a small office."""
        with self.database.begin() as connection:
            grant(connection, person, group=group, by="system", now=self.time())
            return find_person(connection, person)


@pytest.fixture
def house() -> House:
    """One for each chain: who leads as well in one would be chosen for other tasks in the next."""
    return House()


@pytest.mark.parametrize(("handled", "decided"), CHAINS)
def test_who_handled_does_not_decide_unless_somebody_else_allows_it(
    house: House, handled: str, decided: str
) -> None:
    by = house.up_to(handled, decided)
    task = house.waiting(decided, after=handled, by=by)
    actor = house.lead(by, task["groups"][0])
    second = house.lead("prov.leader" if by != "prov.leader" else "dem", "provincial_leader")

    with pytest.raises(NotAllowed) as refused:
        house.commands.claim_task(task["task_id"], actor=actor)
    assert refused.value.code == "SOD"
    told = refused.value.facts
    assert (told["conflict"], told["conflicting_element"]) == ("review_approval", handled)
    assert f"不能办理【{task['name']}】" in told["message_zh"]
    assert actor.name in told["message_zh"]

    house.commands.override_conflict(task["task_id"], "review_approval", by, reason=REASON, actor=second)
    assert house.commands.claim_task(task["task_id"], actor=actor).assignee == by
