"""A process that dies at any step of a command leaves the old state or the new one, never one between."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from secrets import token_hex

import orjson
import pytest
import sqlalchemy as sa

from engine.tables import journal
from tests.engine.drawing import inputs, process
from tests.reliability.dying import START, Hands
from tests.reliability.installation import CHECKOUT
from tests.reliability.test_kills import everything_is_sound
from tests.workflows.letters import KEYED, sender, waiter
from workflows.actors.policy import SYSTEM
from workflows.library.packages import DRAWING, read_files
from workflows.store.tables import idempotency, notifications, operations

MOMENTS = 60
"""More than a command of a person has."""

LEAST = 25
"""Moments before the commit, at least."""

DUE = 6
"""So many timers, jobs or letters wait for a worker that dies at every step."""

NOTE = inputs(to="=applicant", template='="decided"')

STEPS_OF_ALL = (
    "before begin",
    "after workflows.transaction.projections.project",
    "after engine.replay.snapshots_of",
    "before Page.write",
    "before commit",
)

WRITES = {
    "start": ("start", "CaseStarted"),
    "claim": ("claim", "TaskClaimed"),
    "complete": ("complete", "TaskCompleted"),
    "withdraw": ("message", "MessageReceived"),
}
"""What each act of a person is recorded as, and what it writes into the journal."""


@pytest.fixture
def hands(installation):
    """Hands in this very process, over the same database."""
    with installation.opened() as database:
        yield Hands(database=database)


def things_for(act, hands, number=MOMENTS):
    """What it is done to: keys of requests, free tasks, tasks in hand, cases."""
    if act == "start":
        return [f"key-{token_hex(8)}" for _ in range(number)]
    found = []
    for _ in range(number):
        started = hands.commands.start_case("small_review", {"days": 3}, actor=hands.applicant)
        if act == "complete":
            hands.commands.claim_task(started.tasks[0].task_id, actor=hands.officer)
        found.append(started.case_id if act == "withdraw" else started.tasks[0].task_id)
    return found


def deaths(installation, act, things):
    """Thing → the moment at which its process died, or `answered`; those left over are not told of."""
    told = subprocess.run(
        [sys.executable, "-m", "tests.reliability.dying", installation.url, act],
        input="\n".join(things),
        cwd=CHECKOUT,
        env=installation.environment(),
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert told.returncode == 0, told.stderr
    lines = (line.partition(" ") for line in told.stdout.splitlines())
    return {thing: moment for thing, _, moment in lines}


def bodies(installation, kind):
    found = installation.rows(sa.select(journal.c.body).where(journal.c.body.contains(f'"type":"{kind}"')))
    return [orjson.loads(row.body) for row in found]


def done(installation, act):
    """The things that were done, as the kept answers say; journal and operation records say the same."""
    action, kind = WRITES[act]
    query = sa.select(idempotency.c.key, idempotency.c.answer)
    kept = {row.key: row.answer["case_id"] for row in installation.rows(query)}
    recorded = installation.rows(sa.select(operations.c.case_id).where(operations.c.action == action))
    written = [body["case"] for body in bodies(installation, kind)]
    assert Counter(row.case_id for row in recorded) == Counter(written)
    assert set(kept.values()) <= set(written)
    return kept, Counter(written)


@pytest.mark.parametrize("act", WRITES)
def test_dying_at_any_step_leaves_all_or_nothing(installation, hands, campaign, act):
    for _ in range(campaign.times(1, 20)):
        things = things_for(act, hands)
        before, _ = done(installation, act)
        died = deaths(installation, act, things)
        assert list(died.values())[-1] == "answered"
        kept, written = done(installation, act)

        new = {thing for thing in died if thing in kept}
        assert sum(written.values()) == len(kept), "something was done whose answer was not kept"
        assert kept.keys() - before.keys() == new
        assert {died[thing] for thing in new} == {
            "before Commits._settle",
            "after Commits._settle",
            "answered",
        }
        old = [died[thing] for thing in died if thing not in new]
        assert len(old) >= LEAST
        assert set(STEPS_OF_ALL) <= set(old)
        for thing in died:  # whoever was not answered asks again
            getattr(hands, act)(thing)
        kept, written = done(installation, act)
        assert died.keys() <= kept.keys()
        assert set(written.values()) == {1}
        campaign.tell("R5", moments=len(died), old_state=len(old), new_state=len(new), between=0)
    everything_is_sound(installation)


# --- a worker -----------------------------------------------------------------------------------------


def deploy(hands, *drawings):
    with hands.database.begin() as connection:
        for drawing in drawings:
            package = read_files({DRAWING: drawing.xml})
            hands.library.deploy(connection, package, by="owner", at=START)


def reviews_that_are_late(hands):
    for thing in things_for("complete", hands, DUE):
        hands.complete(thing)


def notes_to_send(hands):
    deploy(hands, process("noting").start().job("note", "notice.send", NOTE).end())
    for _ in range(DUE):
        hands.commands.start_case("noting", {"applicant": "app01"}, actor=SYSTEM, unit="u01")


def letters_on_their_way(hands):
    deploy(hands, sender(KEYED), waiter(KEYED))
    for place in range(DUE):
        for role in ("waiter", "sender"):
            values = {"key": f"K{place}", "word": "hello"}
            hands.commands.start_case(role, values, actor=SYSTEM, unit="u01")


DUTIES = {
    "timers": (reviews_that_are_late, "TimerFired", DUE),
    "jobs": (notes_to_send, "JobSucceeded", DUE),
    "letters": (letters_on_their_way, "MessageReceived", 0),
}
"""What waits for the worker, the entry that says it was done, and how many notices come of it."""


@pytest.mark.parametrize("duty", DUTIES)
def test_a_worker_that_dies_at_any_step_has_done_a_thing_or_not(installation, hands, campaign, duty):
    prepare, kind, notices = DUTIES[duty]
    for turn in range(1, 1 + campaign.times(1, 20)):
        hands.now = START
        prepare(hands)
        died = deaths(installation, "work", [str(number) for number in range(1, 400)])
        everything_is_sound(installation)
        assert list(died.values())[-1] == "answered"
        assert set(STEPS_OF_ALL) <= set(died.values())

        hands.work(str(len(died) + 1))

        assert set(Counter(body["case"] for body in bodies(installation, kind)).values()) == {1}
        assert len(bodies(installation, kind)) == turn * DUE
        assert len(bodies(installation, "JobSucceeded")) == turn * DUE
        assert installation.rows(sa.select(sa.func.count()).select_from(notifications)) == [(turn * notices,)]
        campaign.tell("R5", moments=len(died), done_twice=0, forgotten=0)
