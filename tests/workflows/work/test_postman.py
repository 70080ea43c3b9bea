"""What lies ready is carried out at least once, in turn, and never for ever in vain."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa

from engine.errors import InvalidInput, WrongState
from tests.workflows.outgoing import BUSY, GONE, SENT, Others, letting_out, lying_ready, postman, subscribed
from workflows.store.leases import take
from workflows.store.tables import leases, operations
from workflows.transaction.outbox import outbox
from workflows.work import dispatches
from workflows.work.postman import LEASE, MOST_ATTEMPTS, Posted, Receipt


@pytest.fixture
def house(story):
    """A house with a server of others, `a`, that is told of cases and of tasks that are claimed."""
    letting_out(story)
    subscribed(story, "a", "bpm.case.started.v1", "bpm.task.claimed.v1")
    return story


@pytest.fixture
def others():
    return Others()


def states(house):
    return [row["state"] for row in lying_ready(house)]


def log(house, key):
    with house.database.connect().execution_options(reading=True) as connection:
        return dispatches.attempts_of(connection, key)


def worn_out(house, others):
    """Try until nobody tries any more; how often it was tried."""
    carrying = postman(house, others)
    for _ in range(MOST_ATTEMPTS + 3):
        carrying.tick()
        house.clock.move("PT8H")
    return len(others.came)


def test_what_lies_ready_is_sent_once_and_logged(house, others):
    house.start()

    assert postman(house, others).tick() == Posted(sent=1)
    assert postman(house, others).tick() == Posted()

    (row,) = lying_ready(house)
    assert (row["state"], row["attempts"]) == ("sent", 1)
    (line,) = log(house, others.came[0].key)
    assert (line.outcome, line.status, line.at) == ("sent", "204", house.clock())


def test_what_fails_is_tried_again_after_growing_pauses_under_the_same_key(house, others):
    house.start()
    others.answers["a"] = BUSY
    carrying = postman(house, others)

    carrying.tick()
    carrying.tick()
    assert len(others.came) == 1
    house.clock.move(timedelta(seconds=12))
    carrying.tick()
    house.clock.move(timedelta(seconds=12))
    carrying.tick()
    assert len(others.came) == 2
    house.clock.move(timedelta(seconds=12))
    others.answers["a"] = SENT
    carrying.tick()

    assert len(others.came) == 3
    assert len(set(others.keys())) == 1
    assert [line.status for line in log(house, others.came[0].key)] == ["503", "503", "204"]
    assert states(house) == ["sent"]


def test_attempts_are_bounded_and_then_a_person_has_it_sent_again(house, others):
    house.start()
    others.answers["a"] = BUSY
    assert worn_out(house, others) == MOST_ATTEMPTS
    (row,) = lying_ready(house)
    assert (row["state"], row["trouble"]) == ("failed", "503: come back later")

    others.answers["a"] = SENT
    with house.database.begin() as connection:
        dispatches.retry(connection, others.came[0].key, actor=house.person("admin"), now=house.clock())
    postman(house, others).tick()

    assert states(house) == ["sent"]
    assert len(set(others.keys())) == 1
    assert house.operations()[-1] == "dispatch.retry"


def test_who_says_never_again_is_not_asked_again_until_a_person_gives_it_up(house, others):
    house.start()
    others.answers["a"] = GONE
    assert worn_out(house, others) == 1
    key = others.came[0].key

    with house.database.begin() as connection:
        told = {"actor": house.person("admin"), "now": house.clock()}
        with pytest.raises(InvalidInput):
            dispatches.give_up(connection, key, reason="no", **told)
        dispatches.give_up(connection, key, reason="对方系统已停用", **told)
        with pytest.raises(WrongState):
            dispatches.retry(connection, key, **told)

    assert states(house) == ["given_up"]


def test_one_server_that_is_away_keeps_nobody_else_waiting(house, others):
    subscribed(house, "b", "bpm.case.started.v1")
    for _ in range(30):
        house.start()
    others.answers["a"] = BUSY

    posted = postman(house, others).tick()

    assert posted == Posted(sent=30, failed=1)
    assert len(others.keys("b")) == 30
    assert len(others.keys("a")) == 1


def test_a_server_is_told_of_a_case_in_the_order_of_its_entries(house, others):
    house.start().claim("check", "lz.officer")
    others.answers["a"] = BUSY
    carrying = postman(house, others)
    carrying.tick()
    house.clock.move("PT1M")
    others.answers["a"] = SENT

    carrying.tick()

    told = [one.content["type"] for one in others.came]
    assert told == ["bpm.case.started.v1", "bpm.case.started.v1", "bpm.task.claimed.v1"]


def test_what_failed_for_good_holds_back_only_its_own_case(house, others):
    house.start().claim("check", "lz.officer")
    others.answers["a"] = GONE
    carrying = postman(house, others)
    carrying.tick()
    others.answers["a"] = SENT
    house.start()

    carrying.tick()

    assert sorted(states(house)) == ["failed", "sent", "waiting"]


def test_a_sender_that_breaks_is_a_failed_attempt_and_stops_no_other(house, others):
    subscribed(house, "b", "bpm.case.started.v1")
    house.start()

    def breaking(dispatch):
        if dispatch.outlet == "a":
            raise ZeroDivisionError("a fault of ours")
        return others(dispatch)

    posted = postman(house, breaking).tick()

    assert posted == Posted(sent=1, failed=1)
    (row,) = lying_ready(house, outbox.c.outlet == "a")
    assert row["trouble"] == "ZeroDivisionError: a fault of ours"


def test_what_a_stranger_answers_is_kept_short_and_storable(house, others):
    house.start()
    others.answers["a"] = Receipt(is_sent=False, status="500", answer="\x00" + "长" * 5_000)

    postman(house, others).tick()

    assert log(house, others.came[0].key)[0].answer == "长" * 500


def test_two_postmen_at_once_send_everything_once(house, others):
    for _ in range(20):
        house.start()
    both = Barrier(2)

    def carry(name):
        both.wait(60)
        return postman(house, others, name=name).tick().sent

    with ThreadPoolExecutor(2) as crowd:
        assert sum(crowd.map(carry, ["one", "two"])) == 20
    postman(house, others).tick()

    assert len(others.came) == len(set(others.keys())) == 20


def test_who_overslept_logs_what_was_sent_and_decides_nothing(house, others):
    house.start()

    def falling_asleep(dispatch):
        house.clock.move(2 * LEASE)
        assert postman(house, others, name="successor").tick().sent == 1
        return BUSY

    postman(house, falling_asleep, name="sleeper").tick()

    assert states(house) == ["sent"]
    assert [line.outcome for line in log(house, others.came[0].key)] == ["failed", "sent"]


def test_what_is_leased_is_left_alone(house, others):
    house.start()
    (row,) = lying_ready(house)
    with house.database.begin() as connection:
        terms = {"holder": "other", "now": house.clock(), "span": LEASE}
        take(connection, [(row["case_id"], row["number"])], **terms)

    assert postman(house, others).tick() == Posted()
    house.clock.move(LEASE)
    assert postman(house, others).tick() == Posted(sent=1)


def test_a_channel_nobody_sends_by_waits(house, others):
    house.start()
    carrying = postman(house, others)
    carrying._send.pop("webhook")

    assert carrying.tick() == Posted()
    assert states(house) == ["waiting"]


# --- how long it is kept -------------------------------------------------------------------------------


def kept(house, table):
    with house.database.connect().execution_options(reading=True) as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(table))


def ended(house):
    house.commands.terminate_case(house.case_id, "重复立案，予以终止", actor=house.person("lz.leader"))


def test_the_log_of_a_case_that_goes_on_is_never_swept(house, others):
    house.start()
    postman(house, others).tick()

    house.pass_time("P9000D")

    assert kept(house, outbox) == 1
    assert len(log(house, others.came[0].key)) == 1


def test_the_log_of_a_case_that_is_over_is_swept_in_time_and_an_operation_tells_it(house, others):
    house.start()
    postman(house, others).tick()
    ended(house)
    house.pass_time("P360D")
    assert kept(house, outbox) == 1

    house.pass_time("P10D")

    assert (kept(house, outbox), kept(house, leases)) == (0, 0)
    with house.database.connect() as connection:
        swept = connection.execute(
            sa.select(operations.c.actor, operations.c.new).where(operations.c.action == "dispatch.sweep")
        ).one()
    assert tuple(swept) == ("system", {"dispatches": 1})


def test_what_could_not_leave_is_never_swept(house, others):
    house.start()
    others.answers["a"] = GONE
    postman(house, others).tick()
    ended(house)

    house.pass_time("P9000D")

    assert states(house) == ["failed"]
