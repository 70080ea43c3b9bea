"""Messages in every order with those who wait for them: early, late, twice, for two; and a signal to many
whose bearer is killed on the way."""

from __future__ import annotations

import random
import subprocess
import sys
from itertools import permutations

import sqlalchemy as sa

from tests.reliability.doors import everything_is_sound
from tests.reliability.installation import CHECKOUT
from tests.workflows.letters import KEYED, House, hearer, sender, thrower, waiter
from workflows.store.tables import jobs

ACTS = ("a waits", "b waits", "to a", "to b")


def test_a_message_finds_its_receiver_in_whatever_order_both_come(story):
    house = House(story).deploy(sender(KEYED), waiter(KEYED))
    for number, order in enumerate(permutations(ACTS)):
        begun = {}
        for act in order:
            word, who = act.split()[0], act.split()[-1]
            key = f"{(who if word == 'to' else word)}-{number}"
            process = "sender" if word == "to" else "waiter"
            begun[act] = house.start(process, key=key, word=act)
            story.work()
        for _ in range(4):  # who was told that nobody waits yet asks again, each time a little later
            story.pass_time("PT5M")

        assert [house.status(begun[act]) for act in ("to a", "to b")] == ["completed"] * 2, order
        for who in ("a", "b"):
            waiting = begun[f"{who} waits"]
            assert house.of(waiting).waiting() == ["after"], order
            assert house.variables(waiting)["said"] == f"to {who}", order
            assert house.of(waiting).entries().count("MessageReceived") == 1, order
    everything_is_sound(story.database)


def test_two_messages_to_one_receiver_are_one_heard_and_one_for_a_person_to_look_at(story):
    house = House(story).deploy(sender(KEYED), waiter(KEYED))
    waiting = house.start("waiter", key="K")
    sent = [house.start("sender", key="K", word=word) for word in ("first", "second")]
    story.work()
    for _ in range(15):
        story.pass_time("PT7H")

    assert house.of(waiting).entries().count("MessageReceived") == 1
    assert sorted(house.status(case) for case in sent) == ["active", "completed"]
    (left,) = [case for case in sent if house.status(case) == "active"]
    assert len(house.of(left).incidents()) == 1
    everything_is_sound(story.database)


def test_a_signal_whose_bearer_is_killed_again_and_again_reaches_everybody_once(story, campaign):
    receivers, kills = campaign.times(25, 1_000), campaign.times(4, 25)
    house = House(story).deploy(thrower(), hearer())
    waiting = [house.start("hearer") for _ in range(receivers)]
    throwing = house.start("thrower", word="hello")
    late = house.start("hearer")
    dice = random.Random(7)

    died = bearers(story, [dice.randint(2, receivers // kills) for _ in range(kills)])

    assert died == ["killed"] * kills
    heard_before = sum(house.of(case).entries().count("SignalReceived") for case in waiting)
    story.clock.move("P1D")
    story.work()
    heard = [house.of(case).entries().count("SignalReceived") for case in waiting]
    assert heard == [1] * receivers
    assert 0 < heard_before < receivers
    assert house.of(late).waiting() == []
    assert story.rows(jobs, jobs.c.state == "waiting") == []
    assert house.of(throwing).jobs() == []
    everything_is_sound(story.database)
    campaign.tell(
        "corner 16",
        kills=kills,
        receivers=receivers,
        heard_before_the_last_bearer=heard_before,
        heard_twice_or_never=sum(count != 1 for count in heard),
    )


def bearers(story, moments):
    """Workers one after the other, each killed at its so-manyth commit; what became of each."""
    url = story.database.url.render_as_string(hide_password=False)
    told = subprocess.run(
        [sys.executable, "-m", "tests.reliability.dying_worker", url, story.clock().isoformat()],
        input="\n".join(map(str, moments)),
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert told.returncode == 0, told.stderr
    return told.stdout.split()


def test_a_worker_that_is_not_killed_says_so(story):
    """The tale above is only one if the blows fall."""
    House(story).deploy(thrower())

    assert bearers(story, [1_000]) == ["ended"]
    with story.database.connect() as connection:
        assert list(connection.execute(sa.select(jobs))) == []
