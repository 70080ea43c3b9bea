"""R26: whatever clients were told about a task, through several processes, can have happened one by one."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from threading import local

import pytest
import sqlalchemy as sa

from engine.errors import Rejected
from tests.engine.drawing import process
from tests.reliability.doors import doors, everything_is_sound
from tests.reliability.linear import UNKNOWN, Call, is_linearizable
from tests.workflows.letters import House
from tests.workflows.test_races import crowd_of
from workflows.actors.policy import SYSTEM
from workflows.store.tables import tasks

RECEIVERS = ("lz.officer", "lz.officer2")
CLIENTS = 4
VERBS = ("claim", "claim", "release", "transfer", "complete")
CALLS = 3
REASON = "按规定办理此事"
OFFICERS = "municipal_officer@620100"


class Broken(Exception):
    """The connection broke before the commit was through."""


class Client:
    """Somebody who asks for things at random and writes down what came of it."""

    def __init__(self, actor, clock, dice, breaks):
        self.actor, self.clock, self.dice, self.breaks = actor, clock, dice, breaks
        self.calls = []

    def work(self, door, task):
        for _ in range(CALLS):
            verb, to = self.dice.choice(VERBS), self.dice.choice(RECEIVERS)
            self.breaks.now = self.dice.random() < 0.1
            is_lost = self.dice.random() < 0.1
            began = next(self.clock)
            outcome = self._ask(door, task, verb, to)
            told = UNKNOWN if is_lost else outcome
            made = Call(verb=verb, by=self.actor.id, to=to, began=began, ended=next(self.clock), outcome=told)
            self.calls.append(made)

    def _ask(self, door, task, verb, to):
        acts = {
            "claim": lambda: door.claim_task(task, actor=self.actor),
            "release": lambda: door.release_task(task, actor=self.actor),
            "transfer": lambda: door.transfer_task(task, to, reason=REASON, actor=self.actor),
            "complete": lambda: door.complete_task(task, {}, actor=self.actor),
        }
        try:
            answer = acts[verb]()
        except Rejected as refused:
            facts = refused.facts
            return refused.code, facts.get("completed_by", facts.get("assignee"))
        except Broken:
            return UNKNOWN
        return "done", getattr(answer, "assignee", self.actor.id)


@pytest.fixture
def breaks():
    """Says, in each thread, whether its next commit breaks."""
    return local()


def test_what_clients_were_told_of_a_task_can_have_happened_one_by_one(story, campaign, breaks):
    House(story).deploy(process("told").start().user("only", OFFICERS).end())
    officers = [*(story.person(who) for who in RECEIVERS), *crowd_of(CLIENTS - len(RECEIVERS))]
    histories = campaign.times(100, 5_000)  # on each database
    told, explained = Counter(), Counter()

    def break_if_told(_):
        if getattr(breaks, "now", False):
            breaks.now = False
            raise Broken

    with doors(story, CLIENTS) as entrances:
        for number in range(CLIENTS):
            sa.event.listen(entrances[number]._database, "commit", break_if_told)
        for seed in range(histories):
            begun = story.commands.start_case("told", {}, actor=SYSTEM, unit="u01")
            story.case_id, task = begun.case_id, begun.tasks[0].task_id
            clock = itertools.count()
            clients = [Client(who, clock, random.Random(f"{seed}/{who.id}"), breaks) for who in officers]
            entrances.at_once([lambda door, one=one, task=task: one.work(door, task) for one in clients])
            history = [call for client in clients for call in client.calls]
            (row,) = story.rows(tasks)
            looked = row["state"], row["assignee"]
            history.append(Call(verb="look", by="", began=next(clock), ended=next(clock), outcome=looked))
            explained[is_linearizable(history)] += 1
            assert explained[False] == 0, history
            told.update(call.outcome[0] for call in history)

    assert min(told["done"], told["unknown"], told["TASK_ALREADY_CLAIMED"], told["TASK_COMPLETED"]) > 0
    everything_is_sound(story.database)
    campaign.tell(
        "R26",
        histories=explained.total(),
        calls=sum(told.values()),
        answers_unknown=told["unknown"],
        not_linearizable=explained[False],
    )
