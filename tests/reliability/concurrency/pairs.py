"""What a controlled race is made of: a beginning, two acts, and what each is told when it comes second."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.engine.drawing import Drawing
from tests.reliability.concurrency.control import ASKED, DECIDED, ORDERS, Door, Stage
from tests.reliability.doors import everything_is_sound
from tests.workflows.letters import House
from workflows.actors.policy import SYSTEM, Actor
from workflows.store.tables import jobs, tasks, timers
from workflows.transaction.results import Started

OFFICERS = "municipal_officer@620100"
REASON = "按规定办理此事"
WORKER = SYSTEM


@dataclass
class Scene:
    """A case in the making of a race, and the people in it."""

    stage: Stage
    case_id: str
    officer: Actor
    colleague: Actor
    leader: Actor

    @property
    def story(self) -> Any:
        self.stage.story.case_id = self.case_id
        return self.stage.story

    def task(self, element: str) -> str:
        (row,) = self.story.rows(tasks, tasks.c.element == element)
        return str(row["task_id"])

    def tasks(self) -> list[str]:
        return sorted(row["task_id"] for row in self.story.rows(tasks))

    def timer(self, element: str) -> str:
        (row,) = self.story.rows(timers, timers.c.element == element)
        return str(row["timer_id"])

    def job(self, element: str) -> str:
        (row,) = self.story.rows(jobs, jobs.c.element == element)
        return str(row["job_id"])

    def claim(self, *elements: str) -> Scene:
        """The officer holds these tasks."""
        for element in elements:
            self.stage.story.commands.claim_task(self.task(element), actor=self.officer)
        return self

    def claim_all(self) -> Scene:
        """The officer holds every task there is."""
        for task in self.tasks():
            self.stage.story.commands.claim_task(task, actor=self.officer)
        return self

    def entries(self) -> list[str]:
        return list(self.story.entries())

    def status(self) -> str:
        return str(self.story.rows_of_case()["status"])


Begin = Callable[[Stage], Scene]
SceneAct = Callable[[Door, Scene], Any]
Look = Callable[[Scene, str], bool]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """`one_first` and `other_first` are what one and other are told in that order."""

    name: str
    drawing: Drawing
    begin: Begin
    one: SceneAct
    other: SceneAct
    one_first: tuple[str, str]
    other_first: tuple[str, str]
    then: Look
    """Whether the case is as it should be, told whose act counted first."""
    writes_early: frozenset[str] = frozenset()
    """Which of the two writes before all is decided: it can be overtaken only before it has begun."""


def played_in_every_order(stage: Stage, pair: Pair) -> int:
    """In how many orders both were told what they should be, and the case came to be where it should."""
    House(stage.story).deploy(pair.drawing)
    expected = {"one": pair.one_first, "other": pair.other_first}
    for order in ORDERS:
        scene = pair.begin(stage)
        played = stage.play(
            order,
            lambda door, scene=scene: pair.one(door, scene),
            lambda door, scene=scene: pair.other(door, scene),
            decided=ASKED if order.leads in pair.writes_early else DECIDED,
        )
        if order.dies:
            assert sorted(played.told) == ["cut off", "done"], (order, played)
        else:
            assert played.told == expected[played.first], (order, played)
            assert pair.then(scene, played.first), (order, scene.story.waiting(), scene.entries())
    everything_is_sound(stage.story.database)
    return len(ORDERS)


def begun(stage: Stage, process: str, **values: Any) -> Scene:
    """A new case of a drawing that was deployed."""
    story = stage.story
    started: Started = story.commands.start_case(process, values, actor=SYSTEM, unit="u01")
    people = (story.person(who) for who in ("lz.officer", "lz.officer2", "lz.leader"))
    return Scene(stage, started.case_id, *people)


def completes(element: str, **values: Any) -> SceneAct:
    """The officer completes the task at an element."""
    return lambda door, scene: door.commands.complete_task(scene.task(element), values, actor=scene.officer)


def fires(element: str) -> SceneAct:
    """The timer at an element fires."""
    return lambda door, scene: door.commands.fire_timer(scene.case_id, scene.timer(element))


def finishes(element: str) -> SceneAct:
    """The job at an element is done."""
    return lambda door, scene: door.commands.finish_job(scene.job(element), {})


def says(name: str) -> SceneAct:
    """The message of this name comes."""
    return lambda door, scene: door.commands.receive_message(scene.case_id, name, {}, actor=SYSTEM)


def suspends(door: Door, scene: Scene) -> Any:
    return door.commands.suspend_case(scene.case_id, REASON, actor=scene.leader)


def terminates(door: Door, scene: Scene) -> Any:
    return door.commands.terminate_case(scene.case_id, REASON, actor=scene.leader)
