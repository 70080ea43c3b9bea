"""A worker is killed while it tells others: everything is told at least once, under a key that stays."""

from __future__ import annotations

import json
import random
from collections import Counter
from threading import Event

import sqlalchemy as sa

from tests.reliability.installation import LONG_AGO
from tests.reliability.test_kills import eventually
from tests.reliability.timed import alarm, begin, deploy
from tests.web.others import hook
from web.app import wall_clock
from workflows.actors.people import find_person
from workflows.commands import Commands
from workflows.library.catalog import Catalog
from workflows.store.tables import leases
from workflows.transaction.outbox import Outbox, delivery_log, outbox
from workflows.work.subscriptions import subscribe

TOLD = ("bpm.case.started.v1", "bpm.timer.set.v1")
HERE = {"TIDU_WEBHOOK_NETWORKS": "127.0.0.0/8", "TIDU_LOG": "CRITICAL"}


def cases_that_are_told(installation, url, number):
    """So many cases, two events of each for a server of others."""
    with installation.opened() as database:
        deploy(database, alarm("P400D", "Duration"))
        with database.begin() as connection:
            actor = find_person(connection, "admin")
            subscribe(connection, "wh1", url=url, events=TOLD, actor=actor, now=LONG_AGO)
        commands = Commands(database, Catalog(database), clock=wall_clock, outbox=Outbox(mail=False))
        return begin(commands, "alarm", number)


def waiting(installation):
    ((number,),) = installation.rows(sa.select(sa.func.count()).where(outbox.c.state == "waiting"))
    return number


def killed_while_it_sends(installation, others, *, after):
    """A worker that does not live to see the answer to call number `after`; its leases end."""
    asked, left = Event(), iter(range(after - 1, -1, -1))

    def hear(call):
        if next(left) == 0:
            asked.set()
            program.process.wait()

    others.heard = hear
    program = installation.start("worker", **HERE)
    assert asked.wait(120), installation.told()
    program.kill()
    others.heard = lambda call: None
    installation.change(sa.update(leases).values(until=LONG_AGO))


def test_a_worker_that_is_killed_while_it_tells_others_loses_nothing(installation, campaign):
    dice, kills = random.Random(7), campaign.times(2, 50)
    with hook() as others:
        cases = cases_that_are_told(installation, others.url(), 2 * kills + 6)
        for _ in range(kills):
            killed_while_it_sends(installation, others, after=dice.randint(1, 4))
        program = installation.start("worker", **HERE)
        try:
            eventually(lambda: not waiting(installation), "not everything was told")
        finally:
            program.kill()

    calls = others.calls
    bodies = {(call.headers["Idempotency-Key"], call.body) for call in calls}
    assert len(bodies) == len({key for key, _ in bodies}) == 2 * len(cases)
    told = [json.loads(call.body) for call in calls]
    first_heard = {event["id"]: place for place, event in reversed(list(enumerate(told)))}
    by_case = {case: sorted(p for i, p in first_heard.items() if i.startswith(f"{case}/")) for case in cases}
    assert all([told[place]["type"] for place in by_case[case]] == list(TOLD) for case in cases)
    assert len(calls) - len(bodies) <= kills
    lines = installation.rows(sa.select(delivery_log.c.case_id, delivery_log.c.number))
    assert set(Counter(tuple(line) for line in lines).values()) == {1}
    assert len(lines) == 2 * len(cases)
    campaign.tell(
        "P7", kills=kills, events=len(bodies), told=len(calls), told_again=len(calls) - len(bodies), lost=0
    )


def test_two_workers_tell_everything_once(installation, campaign):
    number = campaign.times(20, 500)
    with hook() as others:
        cases = cases_that_are_told(installation, others.url(), number)
        programs = [installation.start("worker", **HERE) for _ in range(2)]
        try:
            eventually(lambda: not waiting(installation), "not everything was told")
        finally:
            for program in programs:
                program.kill()

    keys = Counter(call.headers["Idempotency-Key"] for call in others.calls)
    assert len(keys) == 2 * len(cases)
    assert set(keys.values()) == {1}
    campaign.tell("P7", events=len(keys), told=len(others.calls), told_again=0, lost=0)
