"""R8: many want one task at the same moment, through several processes: one gets it, all others learn who."""

from __future__ import annotations

from engine.errors import Rejected, WrongState
from tests.engine.drawing import process
from tests.reliability.doors import doors, everything_is_sound
from tests.workflows.letters import House
from tests.workflows.test_races import crowd_of
from workflows.actors.policy import SYSTEM
from workflows.store.tables import operations, tasks

CLIENTS = 16
DOORS = 4
OFFICERS = "municipal_officer@620100"


def fresh_task(story):
    """A case that waits at its only task; the id of the task."""
    begun = story.commands.start_case("tiny", {}, actor=SYSTEM, unit="u01")
    story.case_id = begun.case_id
    return begun.tasks[0].task_id


def test_of_sixteen_who_claim_a_task_at_once_one_gets_it_and_fifteen_learn_who_and_when(story, campaign):
    House(story).deploy(process("tiny").start().user("only", OFFICERS).end())
    races = campaign.times(250, 10_000)  # on each database
    crowd = crowd_of(CLIENTS)
    won = lost = 0

    with doors(story, DOORS) as entrances:
        for _ in range(races):
            task = fresh_task(story)
            answers = entrances.at_once(
                [lambda door, who=who, task=task: door.claim_task(task, actor=who) for who in crowd]
            )
            winners = [answer for answer in answers if not isinstance(answer, Rejected)]
            losers = [answer for answer in answers if isinstance(answer, WrongState)]
            (winner,) = winners
            held = {(loser.code, loser.facts["assignee"], loser.facts["claimed_at"]) for loser in losers}
            assert held == {("TASK_ALREADY_CLAIMED", winner.assignee, story.clock().isoformat())}
            assert story.entries().count("TaskClaimed") == 1
            assert [row["assignee"] for row in story.rows(tasks)] == [winner.assignee]
            assert [row["actor"] for row in story.rows(operations) if row["action"] == "claim"] == [
                winner.assignee
            ]
            won, lost = won + len(winners), lost + len(losers)

    assert (won, lost) == (races, races * (CLIENTS - 1))
    everything_is_sound(story.database)
    campaign.tell("R8", races=races, winners=won, losers_told_who_and_when=lost, two_winners=won - races)
