"""Exploring a drawing agrees with running every choice in every order by the engine itself."""

from __future__ import annotations

import random
from itertools import combinations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.definition.beginnings import beginnings, begins_plainly
from engine.definition.checks.exploring.findings import check_exploration
from engine.definition.loading import load
from engine.definition.model import Definition, check_definition
from engine.execution.execution import Execution
from tests.engine.drawing import (
    ESCALATION,
    ESCALATION_EVENT,
    FORMAL,
    NOW,
    WeekDays,
    for_each,
    message,
    process,
    timer,
)
from tests.engine.models import FAMILY
from tests.engine.test_exploring import RULES, found
from tests.engine.wild import Life, wild


class Maker:
    """Random drawings whose splits and joins need not fit; before each choice stands a task that makes it."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.drawing = process().start()
        self.count = 0
        self.choices = {}

    def make(self):
        for _ in range(self.chance.randint(1, 2)):
            self.block(2)
        self.drawing.end()
        return self.drawing, self.choices

    def own(self, letter):
        self.count += 1
        return f"{letter}{self.count}"

    def finish(self):
        self.drawing.end(self.own("e"))

    def block(self, depth):
        kind = self.chance.choice(["task", "split", "split", "loop"] if depth else ["task"])
        getattr(self, kind)(depth)

    def task(self, _depth):
        if self.chance.random() < 0.5:
            self.drawing.user(self.own("u"))
        else:
            self.drawing.add("task", self.own("t"))

    def split(self, depth):
        kind = self.chance.choice(["exclusive", "parallel", "inclusive"])
        join = self.chance.choice([kind, kind, "exclusive", "parallel", "inclusive"])
        asks, split, meet = self.own("u"), self.own("g"), self.own("j")
        if kind != "parallel":
            self.drawing.user(asks)
        ways = self.chance.randint(2, 3)
        self.drawing.gateway(kind, split)
        for number in range(ways):
            name = f"{split}_{number}"
            self.drawing.at(split, None if kind == "parallel" else f"={name}")
            self.drawing.add("task", f"w_{name}")
            self.block(depth - 1)
            if number == 0:
                self.drawing.gateway(join, meet)
            elif self.chance.random() < 0.12:
                self.finish()
            else:
                self.drawing.to(meet)
        names = [f"{split}_{number}" for number in range(ways)]
        if sum(f'targetRef="{meet}"' in flow for flow in self.drawing.flows) < 2:
            names.append(f"{split}_more")
            self.drawing.flow(split, meet, None if kind == "parallel" else f"={names[-1]}", id=names[-1])
        sizes = [1] if kind == "exclusive" else range(1, len(names) + 1)
        if kind != "parallel":
            some = [chosen for size in sizes for chosen in combinations(names, size)]
            self.choices[asks] = [{name: name in chosen for name in names} for chosen in some]
        self.drawing.at(meet)

    def loop(self, depth):
        into, asks, out = self.own("m"), self.own("u"), self.own("x")
        self.drawing.gateway("exclusive", into)
        self.block(depth - 1)
        self.drawing.user(asks).gateway("exclusive", out)
        self.drawing.at(out, f"={out}_back").to(into).at(out, f"=not({out}_back)")
        self.choices[asks] = [{f"{out}_back": True}, {f"{out}_back": False}]


class Wilder(Maker):
    """The same with everything that begins, ends or waits in an unusual way."""

    def make(self):
        self.names = iter(range(1000))
        self.drawing = process()
        self.drawing.define(ESCALATION).define('<bpmn:globalUserTask id="shared"/>')
        getattr(self, self.chance.choice(["begin_plainly", "begin_by_events", "begin_by_race"]))()
        self.block(2)
        self.drawing.end()
        return self.drawing, self.choices

    # --- how a case begins ----------------------------------------------------------------------------

    def begin_plainly(self):
        self.drawing.start()

    def begin_by_events(self):
        join = self.chance.choice(["exclusive", "inclusive"])
        self.drawing.start("begin1", self.message()).user(self.own("u")).gateway(join, "begun")
        self.drawing.start("begin2", self.signal() + self.message()).to("begun").at("begun")

    def begin_by_race(self):
        kind = self.chance.choice(["Parallel", "Exclusive"])
        join = "parallel" if kind == "Parallel" and self.chance.random() < 0.7 else "exclusive"
        self.drawing.add("eventBasedGateway", "race", eventGatewayType=kind, instantiate="true")
        self.drawing.catch("c1", self.message()).gateway(join, "begun")
        self.drawing.at("race").catch("c2", self.message()).to("begun").at("begun")

    def finish(self):
        """Where tokens begin without start events, they end without end events."""
        is_implicit = not any(
            "<bpmn:startEvent" in part or "instantiate" in part for part in self.drawing.parts
        )
        self.drawing.add("task", self.own("t")) if is_implicit else self.drawing.end(self.own("e"))

    # --- what stands on the way -----------------------------------------------------------------------

    def block(self, depth):
        some = ["several", "reminded", "votes", "shared", "task"]
        more = ["split", "loop", "implicit", "implicit", "ad_hoc", "ad_hoc", "thrown"]
        getattr(self, self.chance.choice(more if depth else some))(depth)

    def message(self):
        own = f"msg{next(self.names)}"
        self.drawing.define(f'<bpmn:message id="{own}" name="{own}"/>')
        return message(own)

    def signal(self):
        own = f"sig{next(self.names)}"
        self.drawing.define(f'<bpmn:signal id="{own}" name="{own}"/>')
        return f'<bpmn:signalEventDefinition signalRef="{own}"/>'

    def several(self, _depth):
        kind = self.chance.choice(["true", "false"])
        waits = self.message() + self.signal() + timer("P1D")
        self.drawing.add("intermediateCatchEvent", self.own("c"), waits, parallelMultiple=kind)

    def reminded(self, _depth):
        task, event = self.own("u"), self.own("b")
        self.drawing.user(task)
        self.drawing.boundary(event, task, self.signal() + timer("P1D"))
        self.finish()
        self.drawing.at(task)

    def votes(self, _depth):
        task, event = self.own("v"), self.own("b")
        loop = for_each("=[1, 2]", "i").replace(" isSeq", ' behavior="None" noneBehaviorEventRef="top" isSeq')
        if not any('id="top"' in part for part in self.drawing.outside):
            self.drawing.define('<bpmn:escalationEventDefinition id="top" escalationRef="es"/>')
        self.drawing.user(task, inside=loop).boundary(event, task, ESCALATION_EVENT, interrupting=False)
        self.finish()
        self.drawing.at(task)

    def shared(self, _depth):
        self.drawing.call(self.own("k"), "shared")

    def inside(self, own, fill):
        """What `fill` draws into a drawing of its own."""
        outer, self.drawing = self.drawing, process(own)
        self.drawing.outside = outer.outside
        fill()
        inner, self.drawing = self.drawing, outer
        self.drawing.outside, inner.outside = inner.outside, []
        return inner

    def loose(self, depth):
        """Ways that begin side by side, of which some meet."""
        meet, kind = self.own("j"), self.chance.choice(["parallel", "inclusive", "exclusive"])
        self.drawing.last = None
        self.drawing.user(self.own("u")).gateway(kind, meet)
        if self.chance.random() < 0.8:
            self.drawing.user(self.own("u"))
        ways = self.chance.randint(1, 2)
        for _ in range(ways):
            self.drawing.last = None
            self.drawing.user(self.own("u"))
            if depth > 1 and self.chance.random() < 0.3:
                self.block(depth - 2)
                self.drawing.user(self.own("u"))
            if self.chance.random() < 0.3:
                self.part(meet)
            elif self.chance.random() < 0.8 or not any(
                f'targetRef="{meet}"' in f for f in self.drawing.flows[1:]
            ):
                self.drawing.to(meet)

    def part(self, meet):
        """To the others or to an end of its own, as somebody says."""
        asks, split = self.own("u"), self.own("x")
        self.drawing.user(asks).gateway("exclusive", split).at(split, f"={split}").to(meet)
        self.drawing.at(split, f"=not({split})").add("task", self.own("t"))
        self.choices[asks] = [{split: True}, {split: False}]

    def implicit(self, depth):
        own = self.own("s")
        self.drawing.sub(own, self.inside(own, lambda: self.loose(depth)))

    def ad_hoc(self, depth):
        own, asks = self.own("s"), self.own("u")
        inner = self.inside(own, lambda: self.loose(depth))
        done, ordering = "", self.chance.choice(["Parallel", "Sequential"])
        if self.chance.random() < 0.5:
            done = f"<bpmn:completionCondition {FORMAL}>={own}_done</bpmn:completionCondition>"
            for task in [part.split('"')[1] for part in inner.parts if part.startswith("<bpmn:userTask")]:
                said = (False,) if task.startswith("v") else (True, False)
                some = self.choices.get(task, [{}])
                self.choices[task] = [{**one, f"{own}_done": word} for one in some for word in said]
        self.choices[asks] = [{f"{own}_done": False}]
        cancels = self.chance.choice(["true", "false"])
        self.drawing.user(asks).add(
            "adHocSubProcess", own, inner.content + done, ordering=ordering, cancelRemainingInstances=cancels
        )

    def thrown(self, depth):
        """A sub-process that throws several things at its end, caught at its border."""
        own, event = self.own("s"), self.own("b")

        def fill():
            asks, split = self.own("u"), self.own("x")
            self.drawing.start(self.own("e")).user(asks).gateway("exclusive", split).at(split, f"={split}")
            self.drawing.end(self.own("e"), self.signal() + ESCALATION_EVENT)
            self.drawing.at(split, f"=not({split})")
            self.block(depth - 1)
            self.drawing.end(self.own("e"))
            self.choices[asks] = [{split: True}, {split: False}]

        self.drawing.sub(own, self.inside(own, fill))
        stops = self.chance.random() < 0.5
        self.drawing.boundary(event, own, ESCALATION_EVENT, interrupting=stops)
        self.drawing.user(self.own("u"))
        self.finish()
        self.drawing.at(own)


MOST_TOKENS, MOST_STATES, MOST_EXAMPLES = 7, 250, 60
WAITS = ("person", "job", "message", "signal", "timer")


def happen(execution, token, values):
    """What a token waits for happens."""
    if token.awaits == "person":
        execution.complete(token.id, values, now=NOW)
    elif token.awaits == "message":
        execution.receive(token.message, {}, now=NOW)
    elif token.awaits == "signal":
        execution.hear(token.message, {}, now=NOW)
    elif token.awaits == "timer":
        execution.fire(token.id, now=token.due_at)
    else:
        execution.finish(token.id, {}, now=NOW)


def begun(definition):
    """A case for each way in which one can begin."""
    ways = [None] if begins_plainly(definition.drawing) else []
    for begins_at in [*ways, *(one.element for one in beginnings(definition.drawing))]:
        yield Execution.start(
            definition, {}, calendar=WeekDays(), now=NOW, begins_at=begins_at, signals_reach="case"
        )


def unfolded(definition, choices):
    """(stuck, completes, passed, whether all was tried): every choice in every order, by the engine."""
    todo, known = [], set()
    passed, stuck, completes, is_all = set(), False, False, True

    def look(execution):
        nonlocal stuck, completes, is_all
        told = execution.drain()
        assert not [signal for signal in told if type(signal).__name__ == "Failed"]
        passed.update(s.element for s in told if type(s).__name__ in ("Passed", "Ended"))
        numbers = execution._workflow.numbers.values()
        passed.update(t.element for t in numbers if t.host is None)
        enough = tuple(v for k, v in sorted(execution.variables.items()) if k.endswith("_done"))
        key = (
            enough,
            tuple(sorted((t.element, t.flow or "", t.awaits, t.which or 0, t.index or 0) for t in numbers)),
        )
        if execution.status == "completed":
            completes = True
        elif not any(t.awaits in WAITS for t in numbers):
            stuck = True
        elif key not in known and len(numbers) <= MOST_TOKENS and len(known) < MOST_STATES:
            known.add(key)
            todo.append(execution.snapshot())
        elif key not in known:
            is_all = False

    for first in begun(definition):
        look(first)
    while todo:
        snapshot = todo.pop()
        here = Execution.restore(definition, snapshot, calendar=WeekDays())
        for n, token in sorted(here._workflow.numbers.items()):
            for values in choices.get(token.element, [{}]) if token.awaits in WAITS else ():
                after = Execution.restore(definition, snapshot, calendar=WeekDays())
                happen(after, after._workflow.numbers[n], values)
                look(after)
    return stuck, completes, passed, is_all


@settings(deadline=None, max_examples=MOST_EXAMPLES, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 10_000_000))
def test_exploring_agrees_with_running_every_choice(seed):
    agree(*Maker(seed).make())


@settings(deadline=None, max_examples=MOST_EXAMPLES, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 10_000_000))
def test_exploring_agrees_however_a_drawing_begins_and_waits(seed):
    agree(*Wilder(seed).make())


def agree(drawing, choices):
    """Exploring says what running every choice shows."""
    sources = drawing.sources()
    said = found(drawing)
    others = [p for p in check_definition(sources) if p.severity == "error" and p.rule not in RULES]
    assert others == []
    definition = engine_definition(sources)
    stuck, completes, passed, is_all = unfolded(definition, choices)

    dead = {severity for _, rule, severity in said if rule == "flow.deadlock"}
    if stuck:
        assert dead
    if completes:
        assert "error" not in dead
    if is_all:
        assert bool(dead) == stuck
        assert dead <= ({"warning"} if completes else {"error", "warning"})
        assert completes or "error" in dead
        unreachable = {own for own, rule, _ in said if rule == "flow.unreachable"}
        every = {s.id for s in definition.drawing.shapes}
        assert not unreachable & passed
        if not dead and not any(rule == "explore.bound" for _, rule, _ in said):
            assert bool(every - passed) == bool(unreachable)


def engine_definition(sources):
    """The definition, even if the check refuses it."""
    return Definition(sources, load(sources))


def test_the_drawings_that_run_to_their_end_elsewhere_have_no_dead_end():
    drawings = [*(make() for make in FAMILY), *(wild(seed) for seed in range(40))]

    said = [p for definition in drawings for p in check_exploration(definition.drawing)]
    assert {problem.rule for problem in said} <= {"explore.bound"}


def test_where_exploring_says_nothing_a_wild_case_comes_to_its_end():
    for seed in range(20):
        life = Life(wild(seed), seed)
        for _ in range(300):
            if not life.step():
                break
        assert life.case.standing.status != "active"
