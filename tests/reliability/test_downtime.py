"""The house was away: what was due is done once, what was missed is counted, and no storm follows."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from tests.reliability.timed import begin, deploy, reminder
from workflows.work.worker import Ticked

DAY = timedelta(days=1)
AWAY = {
    "1 minute": timedelta(minutes=1),
    "1 hour": timedelta(hours=1),
    "10 days": timedelta(days=10),
    "400 days": timedelta(days=400),
}
DRAWN = {
    "one shot": (reminder("P1D", "Duration", "once"), 1),
    "three": (reminder("R3/P1D", "Cycle", "three"), 3),
    "daily": (reminder("R/P1D", "Cycle", "daily"), 10**6),
}
"""What is drawn, and how many moments it has."""


def firings(story, case_id):
    """How many later moments each firing used up."""
    entries = story.history.entries(case_id)
    return [e.event.missed for e in entries if type(e.event).__name__ == "TimerFired"]


@pytest.mark.parametrize("away", AWAY)
def test_after_downtime_every_timer_fires_once_and_says_what_was_missed(story, campaign, away):
    dice = random.Random(away)
    deploy(story.database, *(drawing for drawing, _ in DRAWN.values()))
    rounds = campaign.times(1, 50)
    for _ in range(rounds):
        cases = {name: begin(story.commands, d.process_id, 1)[0] for name, (d, _) in DRAWN.items()}
        asleep = DAY - timedelta(seconds=dice.uniform(0, 50))
        passed = (asleep + AWAY[away]) // DAY

        story.clock.move(asleep)
        assert story.work() == Ticked()
        story.clock.move(AWAY[away])
        assert story.work() == Ticked(timers=len(cases))
        assert story.work() == Ticked()

        for name, case_id in cases.items():
            moments = min(passed, DRAWN[name][1])
            assert firings(story, case_id) == [moments - 1], name
            assert story.history.verify(case_id).ok
            story.case_id = case_id
            assert bool(story.timers()) is (moments < DRAWN[name][1])
        story.clock.move(DAY)
        goes_on = sum(passed < most for _, most in DRAWN.values())
        assert story.work() == Ticked(timers=goes_on)
        for case_id in cases.values():
            story.commands.terminate_case(case_id, "本次演练结束", actor=story.person("lz.leader"))
    campaign.tell("R21", houses_away=rounds, timers=rounds * len(DRAWN), fired_twice=0, storms=0)
