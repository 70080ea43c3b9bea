"""Walks by lot through the shipped packages, by our engine and by SpiffWorkflow as it comes, side by side."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from bench.stock import Path, Reading, StockCase, shown
from engine import events as ev
from engine.case.standing import number
from engine.definition.model import Definition, read_definition
from engine.execution.execution import Execution
from engine.execution.token import LEVEL
from engine.replay import Library
from engine.values import from_json, to_plain
from tests.processes import drawn
from workflows.register.calendar import load_calendar
from workflows.workshop.play import Theatre

SECOND = timedelta(seconds=1)  # SpiffWorkflow fires after the due moment, we at it
LONGEST = 120
CALENDAR = "cn-2026-1"


@cache
def definition(process: str) -> Definition:
    return read_definition(drawn.sources_of(process))


@cache
def reading(process: str) -> Reading:
    return Reading(definition(process))


def begun_with(event: ev.CaseStarted, library: Library) -> dict[str, Any]:
    """All the data a case began with, those that its journal only names included."""
    shared = {name: library.shared(told["digest"]).value for name, told in event.shared.items()}
    return {**from_json(event.values), **shared}


@dataclass
class Answers:
    """What people, workers and senders answered in played examples: element → answers."""

    starts: list[dict[str, Any]] = field(default_factory=list)
    given: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    def learn(self, entries: Iterable[ev.Entry], library: Library) -> None:
        """Keep every answer of one history."""
        stands: dict[str, str] = {}
        for entry in entries:
            match entry.event:
                case ev.CaseStarted() as begun:
                    self.starts.append(begun_with(begun, library))
                case (
                    ev.TaskCreated(task_id=own, element=element) | ev.JobCreated(job_id=own, element=element)
                ):
                    stands[own] = element
                case (
                    ev.TaskCompleted(task_id=own, values=values) | ev.JobSucceeded(job_id=own, result=values)
                ):
                    self.given[stands[own]].append(from_json(values))
                case ev.MessageReceived(message=message, values=values):
                    self.given[message].append(from_json(values))


@cache
def answers(process: str, examples: tuple[str, ...]) -> Answers:
    """What was answered in these examples of a package."""
    theatre, learnt = Theatre(), Answers()
    for name in examples:
        played = theatre.play(drawn.ROOT / process, drawn.examples()[f"{process}/{name}"])
        learnt.learn(theatre.history.entries(played.case_id), theatre.library)
    return learnt


@dataclass(frozen=True)
class Step:
    """What happened in a history: `kind` is person, job, time or message, the last heard at `place`."""

    kind: str
    place: Path
    n: int
    values: dict[str, Any]
    at: datetime
    message: str = ""
    key: Any = None


def history(process: str, example: str) -> list[Step]:
    """A played example as steps that both engines can be led through; the first is its start."""
    theatre = Theatre()
    played = theatre.play(drawn.ROOT / process, drawn.examples()[f"{process}/{example}"])
    first, *entries = theatre.history.entries(played.case_id)
    values = begun_with(first.event, theatre.library)
    ours = OurCase(definition(process), values, first.at)
    steps = [Step("start", (), 0, values, first.at)]
    for entry in entries:
        match entry.event:
            case ev.TaskCompleted(task_id=own, values=values) | ev.JobSucceeded(job_id=own, result=values):
                n, given = number(own), from_json(values)
                token = ours.execution._workflow.numbers[n]
                steps.append(Step(token.awaits, place(token), n, given, entry.at))
                ours.complete(place(token), given, entry.at)
            case ev.TimerFired(timer_id=own):
                steps.append(Step("time", (), number(own), {}, entry.at))
                ours.pass_time(entry.at)
            case ev.MessageReceived(message=message, values=values, correlation=key):
                heard = next(token for token in ours.tokens("message") if token.message == message)
                where, given = ((listens_at(heard), None),), from_json(values)
                steps.append(Step("message", where, 0, given, entry.at, message, from_json(key)))
                ours.receive(message, given, entry.at)
    return steps


class OurCase:
    """One case by our engine, without the house around it."""

    def __init__(self, drawing: Definition, values: dict[str, Any], now: datetime) -> None:
        self.passed: Counter[str] = Counter()
        self.failed: list[str] = []
        self.heard: set[int] = set()  # by boundary events that stay: SpiffWorkflow hears only once
        calendar = load_calendar(CALENDAR)
        self.execution = Execution.start(drawing, values, calendar=calendar, now=now)
        self._listen()

    def _listen(self) -> None:
        for signal in self.execution.drain():
            kind = type(signal).__name__
            self.passed.update([signal.element] if kind == "Passed" else [])
            self.failed += [f"{signal.element}: {signal.message}"] if kind == "Failed" else []

    def tokens(self, *awaits: str) -> list[Any]:
        tokens = sorted(self.execution._workflow.numbers.values(), key=lambda token: token.id)
        return [token for token in tokens if token.awaits in awaits]

    def open(self) -> dict[Path, Any]:
        found: dict[Path, Any] = {}
        for token in self.tokens("person", "job"):
            found.setdefault(place(token), token)
        return found

    def waiting(self) -> Counter[Path]:
        return Counter(place(token) for token in self.tokens("person", "job"))

    def listening(self) -> Counter[str]:
        """The events that something waits for, where SpiffWorkflow waits too."""
        tokens = [token for token in self.tokens("timer", "message") if token.host != LEVEL]
        return Counter(token.element for token in tokens if token.id not in self.heard)

    def complete(self, where: Path, values: dict[str, Any], now: datetime) -> None:
        token = self.open()[where]
        act = self.execution.complete if token.awaits == "person" else self.execution.finish
        act(token.id, values, now=now)
        self._listen()

    def receive(self, message: str, values: dict[str, Any], now: datetime) -> None:
        keys = (token.correlation for token in self.tokens("message") if token.message == message)
        self.execution.receive(message, values, correlation=next(keys, None), now=now)
        self._listen()

    def next_due(self) -> datetime | None:
        return min((token.due_at for token in self.tokens("timer")), default=None)

    def pass_time(self, now: datetime) -> None:
        while due := [token for token in self.tokens("timer") if token.due_at <= now]:
            self.execution.fire(due[0].id, now=now)
            self._listen()

    def seen_at(self, where: Path) -> dict[str, Any]:
        return dict(self.open()[where].data)

    @property
    def is_done(self) -> bool:
        return self.execution.status == "completed"


def place(token: Any) -> Path:
    """Where a token stands: elements and item numbers from the outside in."""
    level = token.workflow
    outer = () if level.depth_here == 0 else place(level.parent_token)
    return (*outer, (token.element, token.index))


def stays(token: Any) -> bool:
    """Whether the token goes on listening after it has heard."""
    return not getattr(token.task_spec, "cancel_activity", True)


def listens_at(token: Any) -> str:
    start = getattr(token.task_spec, "start", None)
    return start.id if start is not None else token.element


@dataclass
class Walked:
    """How one walk went: what was done, and the first difference, if there was any."""

    steps: list[str] = field(default_factory=list)
    difference: str = ""
    is_done: bool = False
    passed: Counter[str] = field(default_factory=Counter)


def walk(process: str, learnt: Answers, seed: int) -> Walked:
    """Both engines do the same things, chosen by lot; after each they are compared."""
    chance, walked = random.Random(seed), Walked()
    now = datetime.fromisoformat("2026-04-20T09:00:00+08:00")
    values = chance.choice(learnt.starts)
    ours = OurCase(definition(process), values, now)
    stock = StockCase(reading(process), values, load_calendar(CALENDAR), now)
    for _ in range(LONGEST):
        if (due := ours.next_due()) is not None and due <= now:  # one that was past when it was set
            ours.pass_time(now)
            stock.pass_time(now)
        walked.difference = difference(ours, stock)
        if walked.difference or ours.is_done or ours.failed:
            break
        now += timedelta(minutes=chance.randrange(1, 300))
        step = _choose(ours, stock, learnt, chance, now)
        if not step:
            break
        walked.steps.append(step[0])
        now = step[1]
    walked.is_done, walked.passed = ours.is_done, ours.passed
    if not walked.difference and ours.is_done:
        walked.difference = route(ours, stock)
    return walked


def _choose(
    ours: OurCase, stock: StockCase, learnt: Answers, chance: random.Random, now: datetime
) -> tuple[str, datetime] | None:
    due = ours.next_due()
    messages = [t for t in ours.tokens("message") if t.message in learnt.given and t.host != LEVEL]
    messages = [t for t in messages if t.id not in ours.heard]
    lot = chance.random()
    able = [where for where in ours.open() if learnt.given.get(where[-1][0])]
    if messages and (lot < 0.04 or (not able and due is None)):
        return _tell(ours, stock, chance.choice(messages), learnt, chance, now)
    if due is not None and (lot < 0.12 or not able):
        now = max(now, due + SECOND)
        ours.pass_time(now)
        stock.pass_time(now)
        return f"time passes to {now}", now
    if due is not None and due <= now:
        ours.pass_time(now)
        stock.pass_time(now)
        return f"time has passed to {now}", now
    if not able:
        return None
    where = chance.choice(able)
    given = chance.choice(learnt.given[where[-1][0]])
    ours.complete(where, given, now)
    stock.complete(where, given, now)
    return f"complete {where}", now


def _tell(
    ours: OurCase, stock: StockCase, token: Any, learnt: Answers, chance: random.Random, now: datetime
) -> tuple[str, datetime]:
    given, element = chance.choice(learnt.given[token.message]), listens_at(token)
    ours.receive(token.message, given, now)
    stock.receive(token.message, element, given, now)
    ours.heard.update([token.id] if stays(token) else [])
    return f"message at {element}", now


def difference(ours: OurCase, stock: StockCase) -> str:
    """What waits and what is seen there, in both."""
    if ours.waiting() != stock.waiting():
        return f"waits: {_apart(ours.waiting(), stock.waiting())}"
    if ours.listening() != stock.listening() and not ours.is_done:
        return f"listens: {_apart(ours.listening(), stock.listening())}"
    if ours.is_done != stock.is_done:
        return f"is done: ours {ours.is_done}, stock {stock.is_done}"
    for where in ours.open():
        if told := _data(ours.seen_at(where), stock.seen_at(where), where):
            return f"data at {where}: {told}"
    return ""


def route(ours: OurCase, stock: StockCase) -> str:
    """What was gone through how often, and the data at the end."""
    if +ours.passed != stock.completed():
        return f"route: {_apart(+ours.passed, stock.completed())}"
    told = _data(ours.execution.variables, stock.data, ())
    return f"data at the end: {told}" if told else ""


def _apart(ours: Counter[Any], stock: Counter[Any]) -> str:
    return f"only ours {dict(ours - stock)}, only stock {dict(stock - ours)}"


def _data(ours: dict[str, Any], stock: dict[str, Any], where: Path) -> str:
    items = {"loopCounter", *(definition_item(element) for element, index in where if index is not None)}
    one = {k: to_plain(v) for k, v in shown(ours).items() if k not in items}
    other = {k: to_plain(v) for k, v in stock.items() if k not in items}
    apart = sorted(k for k in {*one, *other} if one.get(k, MISSING) != other.get(k, MISSING))
    return ", ".join(f"{k}: {one.get(k, MISSING)!r:.80} / {other.get(k, MISSING)!r:.80}" for k in apart[:4])


MISSING = "nothing"


def definition_item(element: str) -> str:
    """The variable of an item."""
    for process in PROCESSES:
        shape = reading(process).shapes.get(element)
        if shape is not None and shape.loop is not None:
            return shape.loop.item or ""
    return ""


PROCESSES = ("green_factory", "supply_chain")
"""Two that are started by people, with all that they call."""
