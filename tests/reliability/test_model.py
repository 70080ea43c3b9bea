"""Any order of commands at all: the house and a model of a few lines agree after each of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from engine.errors import Rejected
from tests.conftest import START
from tests.reliability.dumps import dump
from tests.story import Clock, Story
from workflows import projections
from workflows.catalog import Catalog
from workflows.commands import Commands
from workflows.results import Idempotency
from workflows.tables import cases, open_database, tasks
from workflows.worker import Worker

OFFICERS = ("lz.officer", "lz.officer2")
LEADER = "lz.leader"
PEOPLE = (*OFFICERS, LEADER, "dee", "amr", "app01", "ts.officer")
CANDIDATES = {
    "check": set(OFFICERS),
    "review": {*OFFICERS, LEADER},
    "ecology": {"dee"},
    "market": {"amr"},
    "fix": {"app01"},
}
WHICH = st.integers(0, 1)
AGREE = st.sampled_from((True, True, True, False))
REASON = "按规定办理此事"


@dataclass
class Modelled:
    """All that matters about one small review: what is open in whose hands, who checked, how it stands."""

    open: dict[str, str | None] = field(default_factory=lambda: {"check": None})
    checked_by: set[str] = field(default_factory=set)
    status: str = "active"
    review_began: int | None = None
    reminded: bool = False

    def may_claim(self, element: str, person: str) -> bool:
        if self.status != "active" or element not in self.open or person not in CANDIDATES[element]:
            return False
        barred = element == "review" and person in self.checked_by
        return not barred and self.open[element] in (None, person)

    def holds(self, element: str, person: str) -> bool:
        return self.status == "active" and self.open.get(element) == person

    def complete(self, element: str, outcome: str, hour: int) -> None:
        person = self.open.pop(element)
        match element, outcome:
            case "check", "accepted":
                self.checked_by.add(person)
                self.open["review"] = None
                self.review_began, self.reminded = hour, False
            case "check", _:
                self.checked_by.add(person)
                self.open["fix"] = None
            case "fix", _:
                self.open["check"] = None
            case "review", _:
                self.open |= {"ecology": None, "market": None}
                self.review_began = None


class Reviews(RuleBasedStateMachine):
    """Commands in any order by anybody, with restarts, rebuilds, repetitions and time passing between."""

    database = None

    def __init__(self):
        super().__init__()
        self.story = Story(self.database, Clock(START))
        self.story.deploy("small_review")
        self.hour = 0
        self.models = {}
        self.asked = 0
        self.steps = 0

    # --- what happens ---------------------------------------------------------------------------------

    @initialize()
    def begin(self):
        self.start()

    @rule()
    @precondition(lambda self: len(self.models) < 2)
    def start(self):
        self.story.start()
        self.models[self.story.case_id] = Modelled()

    @rule(which=WHICH, place=st.integers(0, 1), who=st.sampled_from(PEOPLE))
    def claim(self, which, place, who):
        """A task that is open, or one that is not any more."""
        model = self._case(which)
        element = self._some_element(model, place)
        allowed = model.may_claim(element, who)
        assert self._accepted(lambda: self.story.claim(element, who)) == allowed
        if allowed:
            model.open[element] = who

    @rule(which=WHICH, place=st.integers(0, 1), who=st.sampled_from(PEOPLE))
    def release(self, which, place, who):
        model = self._case(which)
        element = self._some_element(model, place)
        allowed = model.holds(element, who)
        assert self._accepted(lambda: self.story.release(element, who)) == allowed
        if allowed:
            model.open[element] = None

    @rule(which=WHICH, agree=AGREE)
    def go_on(self, which, agree):
        self._carry_on(which, agree)

    @rule(first=AGREE, second=AGREE)
    def go_on_with_both(self, first, second):
        """A case goes all its way only if it moves more often than it is meddled with."""
        self._carry_on(0, first)
        self._carry_on(1, second)

    def _carry_on(self, which, agree):
        """Somebody who may claims what nobody has, and completes it."""
        model = self._case(which)
        free = next((e for e, by in model.open.items() if by is None), None)
        able = [who for who in PEOPLE if free and model.may_claim(free, who)]
        if able:
            values = self._values(free, agree)
            self.story.do(free, able[0], values)
            model.open[free] = able[0]
            model.complete(free, values.get("outcome", ""), self.hour)

    @rule(which=WHICH, agree=AGREE, twice=st.booleans(), who=st.sampled_from(PEOPLE))
    def complete(self, which, agree, twice, who):
        """Whatever this person holds; nothing if they hold nothing. Perhaps the answer got lost."""
        model = self._case(which)
        element = next((e for e, by in model.open.items() if by == who), None)
        if element is None:
            return
        values = self._values(element, agree)
        allowed = model.holds(element, who)
        self.asked += 1
        request = Idempotency(key=f"k{self.asked}", request_digest=element)
        task, actor = self.story.task(element), self.story.person(who)

        def act():
            return self.story.commands.complete_task(task, values, actor=actor, idempotency=request)

        assert self._accepted(act) == allowed
        if allowed:
            model.complete(element, values.get("outcome", ""), self.hour)
            assert not twice or act().replayed

    @rule(which=WHICH)
    @precondition(lambda self: self.steps > 10)
    def withdraw(self, which):
        model = self._case(which)
        allowed = model.status == "active"
        assert self._accepted(lambda: self.story.message("withdraw", "app01", reason="不再申请")) == allowed
        if allowed:
            model.status, model.open, model.review_began = "completed", {}, None

    @rule(which=WHICH, act=st.sampled_from(("suspend", "resume", "resume", "terminate")))
    def steer(self, which, act):
        model = self._case(which)
        allowed = (
            model.status
            in {
                "suspend": ("active",),
                "resume": ("suspended",),
                "terminate": ("active", "suspended"),
            }[act]
        )
        command = getattr(self.story.commands, f"{act}_case")
        boss = self.story.person("prov.officer")
        assert self._accepted(lambda: command(self.story.case_id, REASON, actor=boss)) == allowed
        if allowed:
            model.status = {"suspend": "suspended", "resume": "active", "terminate": "terminated"}[act]
            if act == "terminate":
                model.open, model.review_began = {}, None

    @rule(hours=st.sampled_from((0, 30, 80)))
    def pass_time(self, hours):
        self.hour += hours
        self.story.pass_time(timedelta(hours=hours))
        for model in self.models.values():
            self._remind(model)

    def _remind(self, model):
        late = model.review_began is not None and self.hour >= model.review_began + 72
        if late and model.status == "active":
            model.reminded = True

    # --- what must make no difference -----------------------------------------------------------------

    @rule(rebuilt=st.booleans())
    def begin_anew(self, rebuilt):
        """The process ends and another begins, perhaps behind a rebuild."""
        library = Catalog(self.database)
        self.story.catalog = library
        self.story.commands = Commands(self.database, library, clock=self.story.clock)
        self.story.worker = Worker(self.database, self.story.commands, clock=self.story.clock)
        if rebuilt:
            before = dump(self.database)
            with self.database.begin() as connection:
                projections.rebuild(connection, library)
            assert dump(self.database) == before

    # --- what is --------------------------------------------------------------------------------------

    @invariant()
    def house_and_model_agree(self):
        self.steps += 1
        for case_id, model in self.models.items():
            self.story.case_id = case_id
            assert sorted(self.story.waiting()) == sorted(model.open)
            assert [row["status"] for row in self.story.rows(cases)] == [model.status]
            held = {row["element"]: row["assignee"] for row in self._open_tasks()}
            assert held == model.open
            assert ("late to municipal_leader@620100" in self.story.notices()) >= model.reminded

    def teardown(self):
        assert all(proof.ok for proof in self.story.history.verify_all())

    # --- below ----------------------------------------------------------------------------------------

    def _case(self, which):
        """The model of the case that the story is now about."""
        self.story.case_id = sorted(self.models)[which % len(self.models)]
        return self.models[self.story.case_id]

    def _some_element(self, model, place):
        known = [*sorted(model.open), *sorted({row["element"] for row in self.story.rows(tasks)})]
        return known[place % len(known)]

    def _open_tasks(self):
        return self.story.rows(tasks, tasks.c.state.in_(("ready", "claimed")))

    def _values(self, element, agree):
        if element == "fix":
            return {"days": 5}
        buttons = {"check": ("accepted", "returned"), "review": ("agreed", "refused")}.get(element)
        pressed = {"outcome": buttons[0] if agree else buttons[1]} if buttons else {}
        return {"opinion": "意见"} | pressed

    def _accepted(self, act):
        try:
            act()
        except Rejected:
            return False
        return True


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("pg", marks=pytest.mark.postgres)])
def test_any_order_of_commands_leaves_the_house_as_the_model_says(kind, database_url, often):
    """On PostgreSQL a tenth: the rules are the same, and races have tests of their own."""
    examples = often("examples") if kind == "sqlite" else max(often("examples") // 10, 3)

    class Fresh(Reviews):
        """Every example has a database of its own."""

        def __init__(self):
            self.database = open_database(database_url(kind))
            super().__init__()

        def teardown(self):
            super().teardown()
            self.database.dispose()

    run_state_machine_as_test(
        Fresh,
        settings=settings(
            max_examples=examples,
            stateful_step_count=often("steps"),
            deadline=None,
            phases=(Phase.generate,),  # an example is short enough to read; shrinking takes minutes
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
