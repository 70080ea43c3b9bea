"""Random drawings of everything our engine runs, and a hand that leads a case through one by lot.

SpiffWorkflow as it comes cannot read most of them (`tests.engine.stock` has those it can): here the
engine is compared with itself, stopped and started, in another process, in replay.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from engine.case.case import Case
from engine.definition.model import Definition
from engine.definition.shapes import DELIVERIES
from engine.events import Who
from tests.engine.drawing import (
    ERROR,
    ERROR_EVENT,
    ESCALATION,
    ESCALATION_EVENT,
    MESSAGE,
    NOW,
    Drawing,
    WeekDays,
    condition,
    for_each,
    message,
    process,
    timer,
)
from tests.engine.stock import Blocks

VALUES = {"x": Decimal(1), "true_": True, "people": ["ana", "bo", "cy"]}
FAMILY_VALUES = VALUES | {"n": Decimal(2), "yes": True, "people": ["x", "y", "z"], "loop": [Decimal(1)]}
"""What a case of `tests.engine.models` begins with."""

PERSON, SYSTEM = Who(actor="ana"), Who(actor="system")


MORE = ("sequence", "sequence", "race", "votes", "handled", "reminded", "escalated", "mended")


class Wild(Blocks):
    """Blocks, and waits, throws and catches that SpiffWorkflow as it comes does not know or gets wrong."""

    simple = (*Blocks.simple, "job", "message", "late")
    nested = (*Blocks.nested, *MORE * 2)
    alone = (*Blocks.alone, "inclusive")

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        for root in (MESSAGE, ERROR, ESCALATION):
            self.drawing.define(root)

    def outline(self, drawing: Drawing) -> Drawing:
        for _ in range(6):
            drawing = self.block(drawing, 3, in_loop=False)
        return drawing

    @property
    def definition(self) -> Definition:
        return self.drawing.read(self.called)

    def add_job(self, drawing: Drawing, depth: int, in_loop: bool) -> Drawing:
        return drawing.job(self.name("job"), "work")

    def add_message(self, drawing: Drawing, depth: int, in_loop: bool) -> Drawing:
        return drawing.catch(self.name("msg"), message("m"))

    def add_late(self, drawing: Drawing, depth: int, in_loop: bool) -> Drawing:
        return drawing.catch(self.name("late"), timer(self.chance.choice(("PT1H", "P2D", "P1M"))))

    def add_race(self, drawing: Drawing, depth: int, in_loop: bool) -> Drawing:
        race, join = self.name("race"), self.name("m")
        drawing.gateway("eventBased", race).catch(self.name("soon"), timer("PT5H"))
        self.block(drawing, depth, in_loop=in_loop).gateway("exclusive", join)
        return drawing.at(race).catch(self.name("come"), message("m")).to(join).at(join)

    def add_votes(self, drawing: Drawing, depth: int, in_loop: bool) -> Drawing:
        own, sequential = self.name("votes"), self.chance.random() < 0.5
        loop = for_each("=people", "p", results=f"v_{own}", result="=x", sequential=sequential)
        return drawing.user(own, inside=loop)

    def add_handled(self, drawing: Drawing, depth: int, in_loop: bool) -> Drawing:
        """A level with an event sub-process, which takes over or comes beside."""
        own, handler = self.name("l"), self.name("h")
        inner = self.block(process(own).start(f"{own}_start"), depth, in_loop=True).end(f"{own}_end")
        trigger = self.chance.choice((message("m"), timer("P1D"), condition("=x = 3")))
        takes_over = self.chance.random() < 0.5
        listening = process(handler).start(
            f"{handler}_start", trigger, isInterrupting=str(takes_over).lower()
        )
        inner.event_sub(handler, listening.user(f"{handler}_ask").end(f"{handler}_end"))
        return drawing.sub(own, inner)

    def add_reminded(self, drawing: Drawing, depth: int, in_loop: bool) -> Drawing:
        own, remind = self.name("u"), self.name("b")
        drawing.user(own)
        cycle = timer(self.chance.choice(("R3/P1D", "R/P1W", "R2/P1M")), "Cycle")
        drawing.boundary(remind, own, cycle, interrupting=False).script(self.name("s"), "=x", "reminded")
        return drawing.end(f"{remind}_end").at(own)

    def add_escalated(self, drawing: Drawing, depth: int, in_loop: bool) -> Drawing:
        own, told = self.name("l"), self.name("b")
        inner = process(own).start(f"{own}_start").throw(self.name("up"), ESCALATION_EVENT)
        drawing.sub(own, self.block(inner, depth, in_loop=in_loop).end(f"{own}_end"))
        drawing.boundary(told, own, ESCALATION_EVENT, interrupting=False).user(self.name("u"))
        return drawing.end(f"{told}_end").at(own)

    def add_mended(self, drawing: Drawing, depth: int, in_loop: bool) -> Drawing:
        own, caught, join = self.name("job"), self.name("b"), self.name("m")
        drawing.job(own, "work").gateway("exclusive", join)
        drawing.boundary(caught, own, ERROR_EVENT).user(self.name("u")).to(join)
        return drawing.at(join)

    def add_inclusive(self, drawing: Drawing, depth: int, in_loop: bool) -> Drawing:
        split, join, last = self.name("o"), self.name("q"), self.name("t")
        drawing.gateway("inclusive", split, default=f"{split}__{last}").at(split, "=x > 1")
        self.block(drawing, depth, in_loop=True).gateway("inclusive", join)
        self.block(drawing.at(split, "=x > 2"), depth, in_loop=True).to(join)
        return drawing.at(split).add("task", last).to(join).at(join)


@lru_cache(maxsize=64)
def wild(seed: int) -> Definition:
    """The random drawing of this seed."""
    return Wild(seed).definition


class Life:
    """A case led by lot: whatever waits may happen, time passes, sometimes the house sleeps for weeks."""

    def __init__(self, definition: Definition, seed: int, *, case_id: str = "", **given: Any) -> None:
        """`given` takes the place of what a case here begins with: values, pins, calendar."""
        self.chance = random.Random(seed)
        self.now = NOW
        told = {"calendar": WeekDays(), "pins": {}, "values": VALUES, **given}
        self.case = Case.start(case_id or f"C-{seed}", definition, **told, by=PERSON, now=NOW)

    def step(self) -> bool:
        """Let something happen; false if nothing can any more."""
        weeks = self.chance.random() < 0.2
        self.now += timedelta(days=self.chance.randrange(40)) if weeks else self._minutes()
        acts = self._possible()
        if not acts:
            return False
        self.chance.choice(acts)()
        return True

    def _minutes(self) -> timedelta:
        return timedelta(minutes=self.chance.randrange(1, 600))

    def _possible(self) -> list[Any]:
        standing = self.case.standing
        acts: list[Any] = [lambda one=one: self._complete(one) for one in standing.tasks]
        acts += [lambda one=one: self._fire(one) for one in standing.timers]
        acts += [lambda one=one: self._work(one) for one in standing.jobs]
        acts += [lambda one=one: self._mend(one) for one in standing.incidents]
        acts += [lambda one=one: self._tell(one) for one in self.case.awaited()]
        return acts

    def _values(self, element: str) -> dict[str, Any]:
        """Now and then a value is missing, and a condition on it is an incident."""
        x = None if self.chance.random() < 0.1 else Decimal(self.chance.randrange(4))
        return {"x": x, f"v_{element}": Decimal(self.chance.randrange(9))}

    def _complete(self, its_id: str) -> None:
        task = self.case.standing.tasks[its_id]
        if task.assignee is None:
            self.case.claim_task(its_id, by=PERSON, now=self.now)
        self.case.complete_task(its_id, self._values(task.element), by=PERSON, now=self.now)

    def _fire(self, its_id: str) -> None:
        self.now = max(self.now, datetime.fromisoformat(self.case.standing.timers[its_id].due_at))
        self.case.fire_timer(its_id, by=SYSTEM, now=self.now)

    def _work(self, its_id: str) -> None:
        lot, job = self.chance.random(), self.case.standing.jobs[its_id]
        if job.in_incident:
            return
        if lot < 0.2 and job.type not in DELIVERIES:  # a letter on its way throws nothing into the drawing
            self.case.fail_job(its_id, "it broke", by=SYSTEM, now=self.now, error_code="E1")
        elif lot < 0.3:
            self.case.fail_job(its_id, "it broke", by=SYSTEM, now=self.now)
        else:
            self.case.finish_job(its_id, self._values(job.element), by=SYSTEM, now=self.now)

    def _mend(self, its_id: str) -> None:
        values = {"x": Decimal(1)}
        self.case.resolve_incident(its_id, reason="mended", by=PERSON, now=self.now, values=values)

    def _tell(self, awaited: Any) -> None:
        values = self._values(awaited.element)
        self.case.receive_message(awaited.message, values, by=PERSON, now=self.now)
