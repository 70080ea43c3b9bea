"""Exploring a drawing agrees with running every choice in every order by the engine itself."""

from __future__ import annotations

import random
from itertools import combinations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.definition.loading import load
from engine.definition.model import Definition, check_definition
from engine.execution.execution import Execution
from tests.engine.drawing import NOW, WeekDays, process
from tests.engine.test_exploring import RULES, found


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
                self.drawing.end(self.own("e"))
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


MOST_TOKENS, MOST_STATES, MOST_EXAMPLES = 7, 250, 60


def unfolded(definition, choices):
    """(stuck, completes, passed, whether all was tried): every choice in every order, by the engine."""
    first = Execution.start(definition, {}, calendar=WeekDays(), now=NOW)
    todo, known = [], set()
    passed, stuck, completes, is_all = set(), False, False, True

    def look(execution):
        nonlocal stuck, completes, is_all
        passed.update(s.element for s in execution.drain() if type(s).__name__ == "Passed")
        tokens = [t for t in execution._workflow.numbers.values() if t.host is None]
        passed.update(t.element for t in tokens)
        key = tuple(sorted((t.element, t.flow or "", t.awaits) for t in tokens))
        if execution.status == "completed":
            completes = True
        elif not any(t.awaits == "person" for t in tokens):
            stuck = True
        elif key not in known and len(tokens) <= MOST_TOKENS and len(known) < MOST_STATES:
            known.add(key)
            todo.append(execution.snapshot())
        elif key not in known:
            is_all = False

    look(first)
    while todo:
        snapshot = todo.pop()
        here = Execution.restore(definition, snapshot, calendar=WeekDays())
        for n, token in sorted(here._workflow.numbers.items()):
            for values in choices.get(token.element, [{}]) if token.awaits == "person" else ():
                after = Execution.restore(definition, snapshot, calendar=WeekDays())
                after.complete(n, values, now=NOW)
                look(after)
    return stuck, completes, passed, is_all


@settings(deadline=None, max_examples=MOST_EXAMPLES, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 10_000_000))
def test_exploring_agrees_with_running_every_choice(seed):
    drawing, choices = Maker(seed).make()
    sources = drawing.sources()
    said = found(drawing)
    others = [p for p in check_definition(sources) if p.severity == "error" and p.rule not in RULES]
    assert not others
    stuck, completes, passed, is_all = unfolded(engine_definition(sources), choices)

    dead = {severity for _, rule, severity in said if rule == "flow.deadlock"}
    if stuck:
        assert dead
    if is_all:
        assert bool(dead) == stuck
        assert dead <= ({"warning"} if completes else {"error"})
        every = {s.id for s in engine_definition(sources).drawing.shapes}
        if "error" not in dead and not any(rule == "explore.bound" for _, rule, _ in said):
            assert bool(every - passed) == any(rule == "flow.unreachable" for _, rule, _ in said)


def engine_definition(sources):
    """The definition, even if the check refuses it."""
    return Definition(sources, load(sources))
