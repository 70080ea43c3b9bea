"""The facts of a drawing: processes, levels, shapes and flows, as plain frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.definition.formulas import Formula

ACTIVITIES = frozenset(
    {
        "task",
        "userTask",
        "manualTask",
        "scriptTask",
        "businessRuleTask",
        "serviceTask",
        "sendTask",
        "receiveTask",
        "subProcess",
        "transaction",
        "adHocSubProcess",
        "callActivity",
    }
)
GATEWAYS = frozenset(
    {"exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway", "complexGateway"}
)
EVENTS = frozenset(
    {"startEvent", "endEvent", "intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent"}
)
JOBS = frozenset({"serviceTask", "sendTask"})
EMBEDDED = frozenset({"subProcess", "transaction", "adHocSubProcess"})
MESSAGE_JOB, SIGNAL_JOB = "message.deliver", "signal.deliver"
DELIVERIES = frozenset({MESSAGE_JOB, SIGNAL_JOB})
"""Types of the jobs that carry messages and signals to other cases; no drawing may name them itself."""

ATTEMPTS = 12
"""How often a delivery is tried before a person must look, if the drawing says nothing else."""

THROWS = frozenset({"endEvent", "intermediateThrowEvent"})
AWAITED = frozenset({"message", "timer", "signal", "conditional"})
"""Triggers that a token can wait for."""

CAUGHT = frozenset({"error", "escalation", "cancel"})
"""Triggers that find their catcher at the moment they are thrown."""

CATCH_UP = "catch_up"
"""The property of a repeating timer that says what becomes of moments that nobody was awake for."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One decision button of a user task; `requires` names the fields it needs filled."""

    value: str
    label: str = ""
    label_en: str = ""
    style: str = "secondary"
    requires: tuple[str, ...] = ()
    consequence: str = ""
    consequence_en: str = ""


@dataclass(frozen=True, kw_only=True)
class TaskRules:
    """What the rooms above must know of a user task. `deadline` is the drawn working-day expression."""

    form: str
    result: str | None = None
    not_same_as: tuple[str, ...] = ()
    bulkable: bool = False
    outcomes: tuple[Outcome, ...] = ()
    deadline: str | None = None


@dataclass(frozen=True, kw_only=True)
class Assign:
    """One variable mapping: the value of `source` becomes `target`."""

    source: Formula
    target: str


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """Who a user task is for, and how urgent it is."""

    assignee: Formula | None = None
    groups: Formula | None = None
    users: Formula | None = None
    priority: Formula | None = None
    deadline: Formula | None = None


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """What an event waits for or throws."""

    kind: str = "none"
    name: str = ""
    code: str | None = None
    correlation: Formula | None = None
    timer: str = ""  # date, duration or cycle; `several` if more than one is drawn
    when: Formula | None = None


@dataclass(frozen=True, kw_only=True)
class Thrown:
    """What an activity with several instances throws when one of them is done, if `when` is true then."""

    trigger: Trigger
    when: Formula | None = None


@dataclass(frozen=True, kw_only=True)
class Loop:
    """An activity that is done several times: for each item, `cardinality` times, or while a condition."""

    sequential: bool = False
    standard: bool = False
    items: Formula | None = None
    item: str | None = None
    results: str | None = None
    result: Formula | None = None
    cardinality: Formula | None = None
    done: Formula | None = None
    again: Formula | None = None
    test_before: bool = False
    maximum: int | None = None
    behavior: str = "All"
    thrown: tuple[Thrown, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AdHoc:
    """How the activities of an ad-hoc sub-process are done: all at once or one by one, until `done` holds.

    `cancels`: what still runs then is withdrawn. `ordering` is what the drawing says, right or wrong.
    """

    ordering: str = "Parallel"
    done: Formula | None = None
    cancels: bool = True


@dataclass(frozen=True, kw_only=True)
class Call:
    """The process a call activity calls, and which variables go and come."""

    process: str
    all_in: bool = True
    all_out: bool = True


@dataclass(frozen=True, kw_only=True)
class Work:
    """What a machine does here: a script, a decision or a job."""

    script: Formula | None = None
    decision: str | None = None
    job: Formula | None = None
    retries: Formula | None = None
    result: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Flow:
    """A sequence flow; `order` is its place in the file."""

    id: str
    source: str
    target: str
    order: int
    name: str = ""
    condition: Formula | None = None
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One element of the drawing with everything that is written at it."""

    id: str
    kind: str
    level: str
    order: int
    name: str = ""
    documentation: str = ""
    lane: str | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    attached_to: str | None = None
    interrupting: bool = True
    by_event: bool = False
    parallel: bool = False  # all triggers must happen
    default: str | None = None
    triggers: tuple[Trigger, ...] = ()
    task: TaskRules | None = None
    assignment: Assignment = Assignment()
    work: Work = Work()
    call: Call | None = None
    inputs: tuple[Assign, ...] = ()
    outputs: tuple[Assign, ...] = ()
    loops: tuple[Loop, ...] = ()
    ad_hoc: AdHoc | None = None
    activation: Formula | None = None
    start_quantity: int = 1
    completion_quantity: int = 1
    for_compensation: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def trigger(self) -> Trigger:
        """What this event waits for or throws; kind `none` if nothing is drawn, `multiple` if `triggers`
        holds several."""
        if len(self.triggers) > 1:
            return Trigger(kind="multiple")
        return self.triggers[0] if self.triggers else Trigger()

    @property
    def needs_all(self) -> bool:
        """Whether all of several triggers must have happened, in any order."""
        return len(self.triggers) > 1 and self.parallel

    @property
    def instantiates(self) -> bool:
        """Whether a receive task or an event-based gateway begins a case."""
        drawn = self.kind in ("receiveTask", "eventBasedGateway")
        return drawn and self.attributes.get("instantiate") == "true"

    def kinds(self) -> frozenset[str]:
        """The kinds of all its triggers."""
        return frozenset(trigger.kind for trigger in self.triggers)

    @property
    def catch_up(self) -> str:
        """`once`: missed moments of a repeating timer fire together, `all`: each for itself."""
        return self.properties.get(CATCH_UP, "once")

    @property
    def loop(self) -> Loop | None:
        """How often the activity is done, if more than once."""
        return self.loops[0] if self.loops else None


@dataclass(frozen=True, kw_only=True)
class Level:
    """A process or an embedded sub-process: what flows can connect."""

    id: str
    process: str
    parent: str | None
    shapes: tuple[Shape, ...]
    flows: tuple[Flow, ...]
    associations: tuple[tuple[str, str, str], ...] = ()  # id, source, target

    @property
    def is_implicit(self) -> bool:
        """Whether neither start nor end events are drawn: tokens begin and end where flows do."""
        return not any(shape.kind in ("startEvent", "endEvent") for shape in self.shapes)

    @property
    def firsts(self) -> tuple[Shape, ...]:
        """Where the tokens of this level begin: at its start event, the one without a trigger if there are
        several, else at every node without a way in. A task that starts cases by its message does not
        count beside others."""
        starts = [shape for shape in self.shapes if shape.kind == "startEvent"]
        if starts:
            return (min(starts, key=lambda start: start.trigger.kind != "none"),)
        entered = {flow.target for flow in self.flows}
        free = tuple(shape for shape in self.shapes if shape.id not in entered and not _stands_apart(shape))
        return tuple(shape for shape in free if not shape.instantiates) or free

    def handler_of(self, boundary: str) -> str | None:
        """The compensation handler that an association connects with a boundary event."""
        handlers = {shape.id for shape in self.shapes if shape.for_compensation}
        for _, source, target in self.associations:
            if source == boundary and target in handlers:
                return target
        return None


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """One file: its process and all its levels from the outside in."""

    process: str
    name: str
    executable: bool
    documentation: str
    properties: Mapping[str, str]
    levels: tuple[Level, ...]
    file: str = ""  # the process whose file this stands in, if that is another one
    duplicates: tuple[str, ...] = ()

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """Every shape of every level."""
        return tuple(shape for level in self.levels for shape in level.shapes)

    @property
    def flows(self) -> tuple[Flow, ...]:
        """Every sequence flow of every level."""
        return tuple(flow for level in self.levels for flow in level.flows)


def _stands_apart(shape: Shape) -> bool:
    """Whether no flow leads to the shape although it is no beginning: it is jumped to or called upon."""
    return (
        shape.attached_to is not None
        or shape.by_event
        or shape.for_compensation
        or (shape.trigger.kind == "link" and shape.kind == "intermediateCatchEvent")
    )
