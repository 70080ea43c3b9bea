"""However long a case goes round, it stays as small as it was, and it ends only where the drawing ends."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from engine import events as ev
from engine.case.case import Case
from engine.events import Who
from tests.engine.drawing import NOW, WeekDays, process, timer
from tests.engine.models import FAMILY, Walk
from tests.engine.wild import Life, wild

ANA = Who(actor="ana")
YEAR_OF_HOURS = 8760


def rework():
    """Submit and correct, until it is right."""
    drawing = process("rework").start().user("submit").gateway("exclusive", "g", default="g__correct")
    drawing.at("g", "=ok").end().at("g").user("correct").to("submit")
    return drawing.read()


def poll():
    """Look every hour whether the answer is there."""
    drawing = process("poll").start().catch("wait", timer("PT1H")).script("look", "=polls + 1", "polls")
    drawing.gateway("exclusive", "g", default="g__wait").at("g", "=polls >= 8760").end().at("g").to("wait")
    return drawing.read()


class Rounds:
    """A case, and what every round of it cost: live tokens, size of its snapshot, journal entries."""

    def __init__(self, definition, **values):
        self.case = Case.start("C", definition, WeekDays(), pins={}, values=values, by=ANA, now=NOW)
        self.costs: list[tuple[int, int, int]] = []

    def measured(self):
        """A round is over."""
        tokens = len(self.case.execution._workflow.numbers)
        size = len(json.dumps(self.case.execution.snapshot()))
        self.costs.append((tokens, size, len(self.case.fresh)))
        self.case.appended(self.case.head)

    def assert_flat(self, growth=12):
        """No round costs more than the tenth, but for the digits of what is counted."""
        tokens, size, entries = self.costs[10]
        for later in self.costs[11:-1]:
            assert (later[0], later[2]) == (tokens, entries)
            assert later[1] <= size + growth

    def do(self, element, **values):
        (task,) = self.case.standing.tasks.values()
        assert task.element == element
        self.case.claim_task(task.id, by=ANA, now=NOW)
        self.case.complete_task(task.id, values, by=ANA, now=NOW)


@pytest.mark.parametrize("rounds", [400, 1000, 5000])
def test_a_case_that_is_corrected_again_and_again_reaches_its_end_at_the_same_cost(campaign, rounds):
    """SpiffWorkflow as it comes loses the task after 500 rounds: its tree is then 1,000 deep."""
    went = Rounds(rework())
    for _ in range(rounds):
        went.do("submit", ok=False)
        went.do("correct")
        went.measured()

    assert next(iter(went.case.standing.tasks.values())).round == rounds + 1
    went.do("submit", ok=True)

    assert went.case.status == "completed"
    assert went.case.fresh[-1].event.ends == ("end",)
    went.assert_flat()
    campaign.tell("R32", rounds=rounds, ended_without_an_end=0)


def test_an_hourly_poll_for_a_year_reaches_its_end_at_the_same_cost(campaign):
    """SpiffWorkflow as it comes calls this case completed after 250 hours, without an end event."""
    went = Rounds(poll(), polls=0)
    for hour in range(1, YEAR_OF_HOURS + 1):
        (one,) = went.case.standing.timers.values()
        assert datetime.fromisoformat(one.due_at) == NOW + timedelta(hours=hour)
        went.case.fire_timer(one.id, by=ANA, now=NOW + timedelta(hours=hour))
        if hour < YEAR_OF_HOURS:
            went.measured()

    assert went.case.status == "completed"
    assert went.case.fresh[-1].event.ends == ("end",)
    assert went.case.variables == {"polls": YEAR_OF_HOURS}
    went.assert_flat()
    campaign.tell("R32", rounds=YEAR_OF_HOURS, ended_without_an_end=0)


# --- a case ends only where the drawing ends ----------------------------------------------------------


def ends_passed(case, since):
    """End events of any level that the journal has passed since an entry."""
    kinds = {own: element.kind for own, element in case.definition.elements.items()}
    passed = [e.event.element for e in case.fresh[since:] if isinstance(e.event, ev.ElementPassed)]
    return [element for element in passed if kinds[element] == "endEvent"]


def test_a_random_case_that_is_completed_has_reached_an_end_and_any_other_waits(campaign):
    """Completed says: an end event was passed by the very command that completed it. Until then
    something waits for somebody: a task, a timer, a job, an incident, a message or a condition."""
    statuses = set()
    lives, completed = campaign.times(60, 1_000), 0
    for seed in range(lives):
        life = Life(wild(seed), seed)
        moving, since = True, 0
        while moving and len(life.case.fresh) < 400:
            case, standing = life.case, life.case.standing
            statuses.add(case.status)
            if case.status == "completed":
                assert isinstance(case.fresh[-1].event, ev.CaseCompleted)
                assert case.fresh[-1].event.ends or ends_passed(case, since)
            else:
                waits = (standing.tasks, standing.timers, standing.jobs, standing.incidents, case.awaited())
                conditions = case.execution._workflow.watching
                assert case.status == "active"
                assert any(waits) or conditions
            since = len(life.case.fresh)
            moving = life.step()
        completed += life.case.status == "completed"
    assert statuses == {"active", "completed"}
    campaign.tell("R32", walks=lives, completed=completed, completed_without_an_end=0)


@pytest.mark.parametrize("make", FAMILY)
def test_a_case_of_the_family_that_is_completed_has_passed_an_end(make):
    """Perhaps before its last command: a discriminator may swallow the last token."""
    definition = make()
    kinds = {own: element.kind for own, element in definition.elements.items()}
    for seed in range(25):
        hand = Walk(seed)
        execution = hand.start(definition)
        told = execution.drain()
        while (command := hand.choose(execution)) is not None and execution.status == "active":
            told += hand.do(execution, command)
        if execution.status == "completed":
            assert any(kinds.get(getattr(signal, "element", "")) == "endEvent" for signal in told)


def test_a_case_ended_by_hand_says_who_and_why():
    life = Life(wild(4), 4)

    life.case.suspend(reason="an audit", by=ANA, now=life.now)
    assert life.case.status == "suspended"
    life.case.terminate(reason="withdrawn", by=ANA, now=life.now)

    ended = [e for e in life.case.fresh if isinstance(e.event, ev.CaseTerminated)]
    assert life.case.status == "terminated"
    assert [(e.who.actor, e.event.reason) for e in ended] == [("ana", "withdrawn")]
    assert not any(isinstance(e.event, ev.CaseCompleted) for e in life.case.fresh)
