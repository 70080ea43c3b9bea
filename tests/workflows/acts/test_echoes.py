"""Letters that letters set off: they end in an incident, unless somebody or a wait stands between."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from engine.errors import NotAllowed
from tests.engine.drawing import SIGNAL, SIGNAL_EVENT, message, process, timer
from tests.workflows.letters import House
from workflows.store.tables import echoes, incidents
from workflows.transaction.projections import rebuild
from workflows.work.worker import Worker

MOST = 12
BALLS = '<bpmn:message id="mi" name="ping"/><bpmn:message id="mo" name="pong"/>'


@pytest.fixture
def house(story):
    story.worker = Worker(story.database, story.commands, clock=story.clock, echoes=MOST)
    return House(story)


def player(own, *, hits, waits_for):
    """A process that hits the ball back whenever it comes; `ping` has the first stroke."""
    drawing = process(own).define(BALLS).start()
    if own == "ping":
        drawing.throw("serve", message(hits))
    drawing.gateway("exclusive", "again").catch("wait", message(waits_for)).throw("hit", message(hits))
    drawing.gateway("exclusive", "tired", default="tired__again").to("again")
    return drawing.at("tired", "1 = 2").end()


def breeder(throws=1, before=""):
    """A process that is begun by the signal it throws, so many times."""
    drawing = process("breeder").define(SIGNAL).start().gateway("exclusive", "meet")
    if before:
        drawing.catch("rest", timer(before))
    for number in range(throws):
        drawing.throw(f"t{number}", SIGNAL_EVENT)
    drawing.user("stay").end()
    return drawing.start("on", SIGNAL_EVENT).to("meet")


def told(house, case):
    with house.story.database.connect() as connection:
        query = sa.select(incidents).where(incidents.c.case_id == case, incidents.c.resolved_at.is_(None))
        return connection.execute(query).all()


def test_two_cases_that_answer_each_other_without_end_are_stopped_by_an_incident(house):
    house.deploy(player("ping", hits="mi", waits_for="mo"), player("pong", hits="mo", waits_for="mi"))
    waiting = house.start("pong")
    beginning = house.start("ping")

    house.story.work()

    received = [house.of(case).entries().count("MessageReceived") for case in (waiting, beginning)]
    assert sum(received) == MOST + 1  # the first letter is nobody's echo
    (incident,) = [*told(house, waiting), *told(house, beginning)]
    assert "Endless: message" in incident.message
    assert "at most 12" in incident.message
    assert house.story.history.verify(waiting).ok
    assert house.story.history.verify(beginning).ok


def test_a_person_who_looked_lets_the_letter_go_on_as_a_first_one(house):
    house.deploy(player("ping", hits="mi", waits_for="mo"), player("pong", hits="mo", waits_for="mi"))
    house.start("pong"), house.start("ping")
    house.story.work()
    (incident,) = [
        row for case in (*house.cases_of("ping"), *house.cases_of("pong")) for row in told(house, case)
    ]

    with pytest.raises(NotAllowed):
        house.story.commands.resolve_incident(
            incident.incident_id, reason="我已经看过了", actor=house.story.person("app01")
        )
    admin = house.story.person("admin")
    house.story.commands.resolve_incident(incident.incident_id, reason="确认可以继续发送", actor=admin)
    house.story.work()

    received = sum(
        house.of(case).entries().count("MessageReceived")
        for case in ("ping", "pong")
        for case in house.cases_of(case)
    )
    assert received == 2 * (MOST + 1)


@pytest.mark.parametrize("throws", [1, 2])
def test_a_signal_that_begins_the_process_that_throws_it_is_stopped(house, throws):
    """However many each case throws: what counts is what the first one has set off."""
    house.deploy(breeder(throws))
    house.start("breeder")

    house.story.work()
    house.story.pass_time("PT1M")

    assert MOST <= len(house.cases_of("breeder")) - 1 <= throws * (MOST + 2)
    assert any(told(house, case) for case in house.cases_of("breeder"))
    assert all(house.story.history.verify(case).ok for case in house.cases_of("breeder"))


def test_a_rest_of_a_minute_begins_anew_and_a_shorter_one_does_not(house):
    house.deploy(breeder(before="PT1M"))
    house.start("breeder")
    for _ in range(2 * MOST):
        house.story.pass_time("PT1M")
    assert len(house.cases_of("breeder")) == 2 * MOST + 1
    assert not any(told(house, case) for case in house.cases_of("breeder"))


def test_a_rest_of_no_length_is_none(house):
    house.deploy(breeder(before="PT1S"))
    house.start("breeder")

    for _ in range(2 * MOST):
        house.story.pass_time("PT1S")

    assert len(house.cases_of("breeder")) <= MOST + 2
    assert any(told(house, case) for case in house.cases_of("breeder"))


def test_what_was_counted_survives_a_restart_and_a_rebuild(house):
    """The origin is in the journal, and the count in no read model."""
    house.deploy(breeder(before="PT30S"))
    house.start("breeder")
    for _ in range(MOST):
        house.story.pass_time("PT30S")
        house.story.commands.live.clear()
    with house.story.database.begin() as connection:
        rebuild(connection, house.story.catalog)
        assert len(connection.execute(sa.select(echoes)).all()) == 1

    for _ in range(MOST):
        house.story.pass_time("PT30S")

    assert len(house.cases_of("breeder")) <= MOST + 2
