"""Small processes that write to each other, and a house with cases of them."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from tests.engine.drawing import MESSAGE, SIGNAL, SIGNAL_EVENT, extension, inputs, message, process
from workflows.actors.policy import SYSTEM
from workflows.library.packages import DRAWING, read_files
from workflows.store.tables import cases, jobs
from workflows.work.deliveries import Deliveries

KEYED = '<bpmn:message id="m" name="answer">' + extension('<zeebe:subscription correlationKey="=key"/>')
KEYED += "</bpmn:message>"


def sender(define=MESSAGE, own="sender"):
    mapped = extension(inputs(said="=word"))
    return process(own).define(define).start().throw("t", mapped + message("m")).end()


def waiter(define=MESSAGE, own="waiter"):
    return process(own).define(define).start("ws").catch("c", message("m")).user("after").end("we")


def begun(own="begun"):
    return process(own).define(MESSAGE).start("bs", message("m")).user("work").end("be")


def thrower():
    mapped = extension(inputs(said="=word"))
    return process("thrower").define(SIGNAL).start().throw("t", mapped + SIGNAL_EVENT).user("on").end()


def hearer(own="hearer"):
    return process(own).define(SIGNAL).start("hs").catch("c", SIGNAL_EVENT).user("heard").end("he")


class House:
    """Cases of several small processes."""

    def __init__(self, story):
        self.story = story

    def deploy(self, *drawings):
        with self.story.database.begin() as connection:
            for drawing in drawings:
                package = read_files({DRAWING: drawing.xml})
                self.story.catalog.deploy(connection, package, by="owner", at=self.story.clock())
        return self

    def start(self, process, **values):
        """A case, and time goes on a little."""
        case = self.story.commands.start_case(process, values, actor=SYSTEM, unit="u01").case_id
        self.story.clock.move(timedelta(seconds=1))
        return case

    def status(self, case):
        return self.row(case).status

    def row(self, case):
        with self.story.database.connect() as connection:
            return connection.execute(sa.select(cases).where(cases.c.case_id == case)).one()

    def cases_of(self, process):
        query = sa.select(cases.c.case_id).where(cases.c.process_id == process)
        with self.story.database.connect() as connection:
            return list(connection.scalars(query.order_by(cases.c.case_id)))

    def of(self, case):
        """The story told about this case."""
        self.story.case_id = case
        return self.story

    def variables(self, case):
        return self.of(case).case().variables

    def job(self, case):
        with self.story.database.connect() as connection:
            return connection.execute(sa.select(jobs).where(jobs.c.case_id == case)).one()


def post(house):
    return Deliveries(house.story.database, house.story.catalog, house.story.commands)
