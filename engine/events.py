"""Every event a journal can hold: causes from outside, consequences from the model.

A cause is what a person, a due timer or another system did; a consequence is what the drawing makes
of it. Payloads are JSON-native: case data stand in the exact tagged form of `engine.values.to_json`,
moments as ISO 8601 text. The stored name is the class name. A changed meaning gets a new class or a
numbered upcaster, never an edited one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import datetime
from functools import cache
from typing import Any, ClassVar

from engine.temporal import moment

Json = Any
"""JSON-native data: None, bool, int, str, list, dict. Never a float."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """A fact that never changes."""

    kinds: ClassVar[dict[str, type[Event]]] = {}

    def __init_subclass__(cls) -> None:
        if cls.__name__ in Event.kinds:
            raise TypeError(f"two events are stored under the name {cls.__name__}")
        Event.kinds[cls.__name__] = cls

    def data(self) -> dict[str, Json]:
        """The payload as JSON-native data, every field by its name."""
        return {name: _plain(getattr(self, name)) for name in _defaults(type(self).__name__)}

    def stored(self) -> dict[str, Json]:
        """The payload as the journal holds it: what is as its default says is left out, for ever."""
        defaults = _defaults(type(self).__name__)
        return {name: value for name, value in self.data().items() if value != defaults[name]}


class Cause(Event):
    """It came from outside: live it is obeyed, in replay it is obeyed again."""


class Consequence(Event):
    """It follows from a cause: live it is recorded, in replay it is compared."""


# --- causes -----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class CaseStarted(Cause):
    """Somebody started a case of `process`; `pins` names the version of every process it can reach.

    Where a message or a signal of another case began it, `begins_at` is the element, `carried` what came
    with it, `job_id` the job that delivered it, `origin` as in `MessageReceived`. `signals_reach` is `house`,
    or `case` in cases that began before signals left them. `shared` names, by variable, values that many
    cases begin with: they stand in the library under their `digest`. Older cases hold them in `values`.
    """

    process: str
    pins: dict[str, str]
    definition_digest: str
    calendar: str
    values: dict[str, Json]
    unit: str | None = None
    batch: str | None = None
    begins_at: str | None = None
    carried: dict[str, Json] = field(default_factory=dict)
    job_id: str | None = None
    signals_reach: str = "case"
    origin: str | None = None
    shared: dict[str, dict[str, Json]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class TaskClaimed(Cause):
    task_id: str
    assignee: str


@dataclass(frozen=True, kw_only=True)
class TaskReleased(Cause):
    task_id: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class TaskDelegated(Cause):
    """The assignee asked `delegate` for an opinion; the task comes back when that person resolves it."""

    task_id: str
    delegate: str
    question: str


@dataclass(frozen=True, kw_only=True)
class TaskResolved(Cause):
    """The delegate answered; the task is back in the hands of its owner."""

    task_id: str
    opinion: str


@dataclass(frozen=True, kw_only=True)
class TaskTransferred(Cause):
    """The task changed hands for good."""

    task_id: str
    assignee: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class ConflictOverridden(Cause):
    """Someone let `person` do the task once although the conflict `rule` bars them because of `ground`."""

    task_id: str
    rule: str
    person: str
    reason: str
    ground: dict[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class TaskCompleted(Cause):
    """Somebody did the task. `place` is the one of a limited number that it took, if it took one."""

    task_id: str
    values: dict[str, Json]
    place: dict[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class TimerFired(Cause):
    """A due moment was acted upon, at the entry's own time. `due_at` is when it was due; `missed` counts the
    later moments of a repeating timer that had passed too and fire together with it."""

    timer_id: str
    due_at: str
    missed: int = 0


@dataclass(frozen=True, kw_only=True)
class MessageReceived(Cause):
    """`job_id` is the job that delivered it, if another case sent it. `origin` is the job of the letter that
    set all of it off: itself, or the first of letters that followed each other without a person or a wait."""

    message: str
    values: dict[str, Json]
    correlation: Json = None
    job_id: str | None = None
    origin: str | None = None


@dataclass(frozen=True, kw_only=True)
class SignalReceived(Cause):
    """A signal that another case threw; `job_id` and `origin` are as in `MessageReceived`."""

    signal: str
    values: dict[str, Json]
    job_id: str
    origin: str | None = None


@dataclass(frozen=True, kw_only=True)
class JobSucceeded(Cause):
    job_id: str
    type: str
    result: dict[str, Json]


@dataclass(frozen=True, kw_only=True)
class JobFailed(Cause):
    """An attempt failed: tried again at `retry_at`, thrown as BPMN error `error_code`, or an incident."""

    job_id: str
    message: str
    retry_at: str | None = None
    error_code: str | None = None


@dataclass(frozen=True, kw_only=True)
class IncidentResolved(Cause):
    """A person mended what was wrong (`values` were set) and had the step tried again."""

    incident_id: str
    reason: str
    values: dict[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class CaseSuspended(Cause):
    reason: str


@dataclass(frozen=True, kw_only=True)
class CaseResumed(Cause):
    reason: str


@dataclass(frozen=True, kw_only=True)
class CaseTerminated(Cause):
    reason: str


# --- consequences -----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ElementPassed(Consequence):
    """A token went through `element` and left by `flows` (sequence-flow ids): the route."""

    element: str
    n: int
    flows: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ElementSkipped(Consequence):
    """An activity with a loop had no round to do; its token left by `flows`."""

    element: str
    n: int
    flows: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TaskCreated(Consequence):
    """A user task waits. `due_days` are working days; `round` counts the visits to this element."""

    task_id: str
    element: str
    groups: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    assignee: str | None = None
    due_at: str | None = None
    due_days: int | None = None
    provisional: bool = False
    priority: int = 50
    round: int = 1
    item: Json = None


@dataclass(frozen=True, kw_only=True)
class TaskCancelled(Consequence):
    task_id: str


@dataclass(frozen=True, kw_only=True)
class TaskEscalated(Consequence):
    """The drawing reacted to lateness: boundary event `element` fired beside a task that stays open."""

    task_id: str
    element: str


@dataclass(frozen=True, kw_only=True)
class TimerSet(Consequence):
    """A due moment was fixed. `repeats` counts the firings left of a cycle (None: once, or for ever)."""

    timer_id: str
    element: str
    due_at: str
    days: int | None = None
    provisional: bool = False
    repeats: int | None = None


@dataclass(frozen=True, kw_only=True)
class TimerCancelled(Consequence):
    timer_id: str


@dataclass(frozen=True, kw_only=True)
class JobCreated(Consequence):
    job_id: str
    element: str
    type: str
    retries: int
    inputs: dict[str, Json]


@dataclass(frozen=True, kw_only=True)
class JobCancelled(Consequence):
    job_id: str


@dataclass(frozen=True, kw_only=True)
class DecisionMade(Consequence):
    """A decision was evaluated: its inputs (`shared` those that are the case's shared values, named only),
    every matched rule, its result, and those it required."""

    element: str
    n: int
    decision: str
    inputs: dict[str, Json]
    matched: tuple[str, ...]
    value: Json
    required: tuple[dict[str, Json], ...] = ()
    shared: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class IncidentRaised(Consequence):
    """A step failed and waits for a person. `job_id` names the job whose attempts are used up."""

    incident_id: str
    element: str
    code: str
    message: str
    job_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class IncidentCancelled(Consequence):
    """The branch that stood in incident was left; there is nothing to resolve any more."""

    incident_id: str


@dataclass(frozen=True, kw_only=True)
class CaseCompleted(Consequence):
    """No token is left. `ends` are end events, or the last elements of paths without one; `outcome` and
    `level` repeat the case variables of that name, if there are any."""

    ends: tuple[str, ...]
    outcome: str | None = None
    level: str | None = None


# --- entries ----------------------------------------------------------------------------------------

VERSION = 1
"""Version of the stored body. An older body is lifted by `UPCASTERS`, never rewritten."""

UPCASTERS: dict[tuple[str, int], Callable[[dict[str, Json]], tuple[str, dict[str, Json]]]] = {}
"""(stored name, version) → function from the old payload to (name, payload) of today."""


@dataclass(frozen=True, kw_only=True)
class Who:
    """Who stands behind a cause: the actor, and whom the actor stood in for."""

    actor: str
    on_behalf_of: str | None = None


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An event with its place: case, seq, moment, actor."""

    case_id: str
    seq: int
    at: datetime
    who: Who
    event: Event

    def body(self) -> dict[str, Json]:
        """What the digest is taken over."""
        place = {"case": self.case_id, "seq": self.seq, "at": moment(self.at), "actor": self.who.actor}
        told = {"type": type(self.event).__name__, "data": self.event.stored(), "v": VERSION}
        body: dict[str, Json] = {**place, **told}
        return body if self.who.on_behalf_of is None else {**body, "for": self.who.on_behalf_of}


def entry_of(body: Mapping[str, Json]) -> Entry:
    """The entry that a stored body describes. Raises KeyError for an event nobody knows."""
    name, data = body["type"], dict(body["data"])
    lift = UPCASTERS.get((name, body["v"]))
    if lift is not None:
        name, data = lift(data)
    at, who = datetime.fromisoformat(body["at"]), Who(actor=body["actor"], on_behalf_of=body.get("for"))
    return Entry(case_id=body["case"], seq=body["seq"], at=at, who=who, event=event_of(name, data))


def event_of(name: str, data: Mapping[str, Json]) -> Event:
    """The event stored under `name`; lists become the tuples that facts are made of."""
    kind = Event.kinds[name]
    known = {f.name: f for f in fields(kind)}
    return kind(**{key: _fact(known[key].type, value) for key, value in data.items()})


@cache
def _defaults(name: str) -> dict[str, Any]:
    """What stands for a field that is left out; MISSING for one that never is."""
    told = fields(Event.kinds[name])
    return {f.name: _plain(f.default) if f.default_factory is MISSING else f.default_factory() for f in told}


def _plain(value: Any) -> Json:
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _fact(annotation: Any, value: Json) -> Any:
    return tuple(value) if str(annotation).startswith("tuple") and isinstance(value, list) else value
