"""Letters from case to case: to whom they go, once, whoever carries them and however often it is tried."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from engine.definition.shapes import MESSAGE_JOB
from engine.errors import NotAllowed, WrongState
from tests.engine.drawing import MESSAGE, extension, inputs, message, process
from tests.workflows.letters import KEYED, House, begun, post, sender, waiter
from workflows.actors.policy import SYSTEM
from workflows.commands import Commands
from workflows.library.catalog import Catalog
from workflows.store.leases import lease_jobs
from workflows.store.tables import idempotency
from workflows.transaction.projections import rebuild
from workflows.work import deliveries
from workflows.work.deliveries import Deliveries, NobodyThere, Unclear
from workflows.work.worker import LEASE, Worker

OF_ITS_OWN = KEYED.replace("=key", "=case.id")


@pytest.fixture
def house(story):
    return House(story)


def test_a_message_reaches_the_case_that_waits_for_it(house):
    house.deploy(sender(), waiter())
    waiting = house.start("waiter")
    sending = house.start("sender", word="hello", secret="x")
    assert house.status(sending) == "active"

    house.story.work()

    assert house.status(sending) == "completed"
    assert house.of(waiting).waiting() == ["after"]
    assert house.variables(waiting)["said"] == "hello"
    assert "secret" not in house.variables(waiting)
    told = house.story.history.entries(waiting)
    (received,) = [e.event for e in told if type(e.event).__name__ == "MessageReceived"]
    assert received.job_id == house.job(sending).job_id
    (done,) = [e.event for e in house.story.history.entries(sending) if "Succeeded" in type(e.event).__name__]
    assert done.result == {"delivered": [waiting]}


def test_the_key_that_the_sender_sees_chooses_among_the_waiting(house):
    house.deploy(sender(KEYED), waiter(KEYED))
    first, second = house.start("waiter", key="K1"), house.start("waiter", key="K2")

    house.start("sender", key="K2", word="hello")
    house.story.work()

    assert (house.of(first).waiting(), house.of(second).waiting()) == ([], ["after"])


def test_a_key_that_is_the_number_of_a_waiting_case_means_that_case(house):
    house.deploy(sender(KEYED), waiter(OF_ITS_OWN), waiter(KEYED, "other"))
    named = house.start("waiter")
    other = house.start("other", key=named)

    house.start("sender", key=named, word="hello")
    house.story.work()

    assert (house.of(named).waiting(), house.of(other).waiting()) == (["after"], [])


def test_a_message_that_nobody_waits_for_begins_a_case_of_the_same_unit(house):
    house.deploy(sender(), begun())
    sending = house.start("sender", word="hello")

    house.story.work()

    (case,) = house.cases_of("begun")
    assert house.of(case).waiting() == ["work"]
    assert house.row(case).unit_id == house.row(sending).unit_id
    assert house.variables(case)["said"] == "hello"
    assert house.variables(case)["case"] == {"id": case}
    assert house.story.history.verify(case).ok
    assert house.story.history.verify(sending).ok


def campaign(about):
    mapped = extension(inputs(about=f'="{about}"'))
    return process("campaign").define(MESSAGE).start().throw("t", mapped + message("m")).end()


def test_a_sender_about_no_unit_says_which_unit_the_case_that_it_begins_is_about(house):
    house.deploy(campaign(about="u02"), begun())

    house.story.commands.start_case("campaign", {}, actor=SYSTEM)
    house.story.work()

    (case,) = house.cases_of("begun")
    assert house.row(case).unit_id == "u02"
    assert house.variables(case)["unit"]["id"] == "u02"
    assert house.story.history.verify(case).ok


def test_a_sender_about_a_unit_begins_cases_of_no_other(house):
    house.deploy(campaign(about="u02"), begun())

    house.start("campaign")
    house.story.work()

    (case,) = house.cases_of("begun")
    assert house.row(case).unit_id == "u01"


def test_nobody_starts_by_hand_what_a_message_begins(house):
    house.deploy(begun())
    applicant = house.story.person("app01")

    with pytest.raises(NotAllowed) as refused:
        house.story.commands.start_case("begun", {}, actor=applicant)
    assert refused.value.code == "NOT_STARTER"
    with pytest.raises(WrongState) as refused:
        house.start("begun")
    assert refused.value.code == "NO_PLAIN_START"


def test_who_waits_goes_before_who_could_begin(house):
    house.deploy(sender(), waiter(), begun())
    waiting = house.start("waiter")

    house.start("sender", word="hello")
    house.story.work()

    assert house.of(waiting).waiting() == ["after"]
    assert house.cases_of("begun") == []


def test_a_message_to_nobody_is_tried_again_until_somebody_waits(house):
    house.deploy(sender(), waiter())
    sending = house.start("sender", word="hello")
    house.story.work()
    assert "nobody waits" in house.job(sending).message
    waiting = house.start("waiter")

    house.story.pass_time("PT1M")

    assert house.status(sending) == "completed"
    assert house.of(waiting).waiting() == ["after"]


def test_a_message_to_nobody_becomes_an_incident_in_the_end_and_can_be_mended(house):
    house.deploy(sender(), begun("other"))
    house.deploy(process("other").start("os").end("oe"))
    sending = house.start("sender", word="hello")
    for _ in range(15):
        house.story.pass_time("PT7H")
    (incident,) = house.of(sending).incidents()

    house.deploy(begun())
    house.story.commands.resolve_incident(incident, reason="流程现已发布", actor=SYSTEM)
    house.story.work()

    assert house.status(sending) == "completed"
    assert len(house.cases_of("begun")) == 1


def test_a_message_that_could_be_meant_for_several_is_an_incident_at_once(house):
    house.deploy(sender(), waiter())
    house.start("waiter"), house.start("waiter")
    sending = house.start("sender", word="hello")

    house.story.work()

    assert len(house.of(sending).incidents()) == 1
    assert "correlation key" in house.job(sending).message
    with pytest.raises(Unclear):
        post(house).deliver(house.job(sending), house.story.clock())


def test_a_case_that_stands_still_gets_its_message_when_it_goes_on(house):
    house.deploy(sender(), waiter())
    waiting = house.start("waiter")
    house.story.commands.suspend_case(waiting, "等待补充材料", actor=SYSTEM)
    sending = house.start("sender", word="hello")
    house.story.work()
    assert (house.status(sending), house.job(sending).attempts) == ("active", 1)

    house.story.commands.resume_case(waiting, "材料已补充完整", actor=SYSTEM)
    house.story.pass_time("PT1M")

    assert house.status(sending) == "completed"


# --- once, whoever carries it -------------------------------------------------------------------------


def test_a_repeated_delivery_has_one_effect(house):
    """The worker died after the receiver's commit; another finds the job open, days later."""
    house.deploy(sender(), begun(), waiter())
    first, sending = house.start("waiter"), house.start("sender", word="hello")
    told = post(house).deliver(house.job(sending), house.story.clock())
    second = house.start("waiter")
    house.story.clock.move("P30D")
    house.story.work()

    assert told == {"delivered": [first]}
    assert house.status(sending) == "completed"
    assert house.of(second).waiting() == []
    assert house.cases_of("begun") == []
    assert house.of(first).entries().count("MessageReceived") == 1


def test_two_workers_carry_a_message_once(house):
    """One overslept its lease and goes on beside the other, each with doors of its own."""
    house.deploy(sender(), begun())
    sending = house.start("sender", word="hello")
    job = house.job(sending)
    doors = []
    for _ in range(4):
        catalog = Catalog(house.story.database)
        commands = Commands(house.story.database, catalog, clock=house.story.clock)
        doors.append(Deliveries(house.story.database, catalog, commands))

    with ThreadPoolExecutor(4) as crowd:
        told = list(crowd.map(lambda door: door.deliver(job, house.story.clock()), doors))

    assert len(house.cases_of("begun")) == 1
    assert {str(one) for one in told} == {str({"delivered": house.cases_of("begun")})}


def test_two_workers_at_once_deliver_everything_once(house):
    house.deploy(sender(), begun())
    sending = [house.start("sender", word=str(number)) for number in range(6)]
    workers = [
        Worker(
            house.story.database,
            Commands(house.story.database, Catalog(house.story.database), clock=house.story.clock),
            clock=house.story.clock,
            name=f"w{number}",
        )
        for number in range(2)
    ]

    with ThreadPoolExecutor(2) as crowd:
        list(crowd.map(lambda worker: worker.tick(), workers))
    house.story.clock.move(LEASE * 2)
    house.story.work()

    assert {house.status(case) for case in sending} == {"completed"}
    assert sorted(house.variables(case)["said"] for case in house.cases_of("begun")) == list("012345")


def test_an_answer_of_a_delivery_is_kept_while_others_are_forgotten(house):
    house.deploy(sender(), begun())
    house.start("sender", word="hello")
    house.story.work()

    house.story.pass_time("P30D")

    with house.story.database.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(idempotency)) == 1


# --- afterwards ---------------------------------------------------------------------------------------


def test_everything_can_be_rebuilt_from_the_journal(house):
    house.deploy(sender(), begun())
    sending = house.start("sender", word="hello")
    house.story.work()
    (case,) = house.cases_of("begun")
    before = (house.row(case), house.row(sending))

    with house.story.database.begin() as connection:
        rebuild(connection, house.story.catalog)
    house.story.commands.live.clear()

    assert (house.row(case), house.row(sending)) == before
    task = house.of(case).task("work")
    house.story.commands.claim_task(task, actor=SYSTEM)
    assert house.story.commands.complete_task(task, {}, actor=SYSTEM).status == "completed"


def test_who_carries_letters_says_why_it_could_not(house):
    house.deploy(sender())
    sending = house.start("sender", word="hello")
    job = house.job(sending)

    assert job.type == MESSAGE_JOB
    with pytest.raises(NobodyThere, match="answer"):
        post(house).deliver(job, house.story.clock())
    assert deliveries.GOING_ON == ("active", "suspended")


def test_a_lease_that_ended_lets_another_worker_carry_it_again(house):
    house.deploy(sender(), begun())
    sending = house.start("sender", word="hello")
    with house.story.database.begin() as connection:
        lease_jobs(connection, holder="dead", now=house.story.clock(), span=LEASE, limit=5)
    house.story.work()
    assert house.cases_of("begun") == []

    house.story.clock.move(LEASE + timedelta(seconds=1))
    house.story.work()

    assert house.status(sending) == "completed"
