"""Small process drawings for tests: every call adds one element and connects it to the one before."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from engine.definition.model import Definition, Sources, read_definition
from engine.execution.execution import Execution

HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" xmlns:tidu="https://tidu.dev/bpmn/1.0" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="defs" targetNamespace="t">'
)
FORMAL = 'xsi:type="bpmn:tFormalExpression"'
ERROR = '<bpmn:error id="er" errorCode="E1"/>'
ERROR_EVENT = '<bpmn:errorEventDefinition errorRef="er"/>'
ESCALATION = '<bpmn:escalation id="es" escalationCode="LATE"/>'
ESCALATION_EVENT = '<bpmn:escalationEventDefinition escalationRef="es"/>'
MESSAGE = '<bpmn:message id="m" name="answer"/>'
SIGNAL = '<bpmn:signal id="si" name="stop all"/>'
SIGNAL_EVENT = '<bpmn:signalEventDefinition signalRef="si"/>'
KEPT = (
    "<bpmn:extensionElements><zeebe:properties>"
    '<zeebe:property name="scope" value="case"/>'
    "</zeebe:properties></bpmn:extensionElements>"
)
"""A signal that stays inside its case."""

SHANGHAI = timezone(timedelta(hours=8))
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=SHANGHAI)


class WeekDays:
    """Monday to Friday; from 2027 on only provisional."""

    id = "weekdays"

    def add(self, start: datetime, days: int) -> tuple[datetime, bool]:
        day = start.astimezone(SHANGHAI).date()
        while days > 0:
            day += timedelta(days=1)
            days -= self.is_working(day)
        return datetime(day.year, day.month, day.day, 18, tzinfo=SHANGHAI), day.year > 2026

    def between(self, start: date, end: date) -> int:
        return sum(self.is_working(start + timedelta(days=i + 1)) for i in range((end - start).days))

    def is_working(self, day: date) -> bool:
        return day.weekday() < 5


class Drawing:
    """A process in the making. `.at(id)` moves the pen, `.flow(a, b, condition)` draws one more flow."""

    def __init__(self, process_id: str) -> None:
        self.process_id = process_id
        self.parts: list[str] = []
        self.flows: list[str] = []
        self.outside: list[str] = []
        self.last: str | None = None
        self.pending: str | None = None

    def add(self, kind: str, own: str, inside: str = "", connect: bool = True, **attributes: str) -> Drawing:
        """Any element; `inside` is its XML content."""
        written = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
        self.parts.append(f'<bpmn:{kind} id="{own}"{written}>{inside}</bpmn:{kind}>')
        if connect and self.last is not None:
            self.flow(self.last, own, self.pending)
        self.last, self.pending = own, None
        return self

    def flow(self, source: str, target: str, condition: str | None = None, id: str = "") -> Drawing:
        """A sequence flow named source__target."""
        body = (
            ""
            if condition is None
            else f"<bpmn:conditionExpression {FORMAL}>{escape(condition)}</bpmn:conditionExpression>"
        )
        own = id or f"{source}__{target}"
        self.flows.append(
            f'<bpmn:sequenceFlow id="{own}" sourceRef="{source}" targetRef="{target}">'
            f"{body}</bpmn:sequenceFlow>"
        )
        return self

    def at(self, own: str, condition: str | None = None) -> Drawing:
        """Go on from element `own`; the next flow has this condition."""
        self.last, self.pending = own, condition
        return self

    def to(self, own: str) -> Drawing:
        """Connect the pen to an element that is already there."""
        assert self.last is not None
        self.flow(self.last, own, self.pending)
        return self

    def start(self, own: str = "start", inside: str = "", **attributes: str) -> Drawing:
        return self.add("startEvent", own, inside, connect=False, **attributes)

    def end(self, own: str = "end", inside: str = "") -> Drawing:
        return self.add("endEvent", own, inside)

    def user(
        self, own: str, groups: str = "officers", *, result: str = "", extra: str = "", inside: str = ""
    ) -> Drawing:
        task = f'<tidu:task result="{result}"/>' if result else ""
        who = f"<zeebe:userTask/><zeebe:assignmentDefinition candidateGroups={quoteattr(groups)}/>"
        return self.add("userTask", own, extension(who + task + extra) + inside)

    def script(self, own: str, expression: str, result: str, inside: str = "") -> Drawing:
        written = f"<zeebe:script expression={quoteattr(expression)} resultVariable={quoteattr(result)}/>"
        return self.add("scriptTask", own, extension(written) + inside)

    def job(self, own: str, type: str, extra: str = "", inside: str = "") -> Drawing:
        return self.add(
            "serviceTask", own, extension(f"<zeebe:taskDefinition type={quoteattr(type)}/>{extra}") + inside
        )

    def call(self, own: str, process: str, extra: str = "", inside: str = "", **called: str) -> Drawing:
        written = "".join(f" {key}={quoteattr(value)}" for key, value in called.items())
        return self.add(
            "callActivity",
            own,
            extension(f'<zeebe:calledElement processId="{process}"{written}/>{extra}') + inside,
        )

    def gateway(self, kind: str, own: str, default: str = "") -> Drawing:
        return self.add(f"{kind}Gateway", own, **({"default": default} if default else {}))

    def boundary(self, own: str, host: str, inside: str, interrupting: bool = True) -> Drawing:
        return self.add(
            "boundaryEvent",
            own,
            inside,
            connect=False,
            attachedToRef=host,
            cancelActivity=str(interrupting).lower(),
        )

    def catch(self, own: str, inside: str) -> Drawing:
        return self.add("intermediateCatchEvent", own, inside)

    def throw(self, own: str, inside: str = "") -> Drawing:
        return self.add("intermediateThrowEvent", own, inside)

    def sub(self, own: str, inner: Drawing, extra: str = "", **attributes: str) -> Drawing:
        """An embedded sub-process whose content is another drawing."""
        self.outside += inner.outside
        return self.add("subProcess", own, extra + inner.content, **attributes)

    def event_sub(self, own: str, inner: Drawing) -> Drawing:
        self.outside += inner.outside
        keep = self.last, self.pending
        self.add("subProcess", own, inner.content, connect=False, triggeredByEvent="true")
        self.last, self.pending = keep
        return self

    def associate(self, source: str, target: str) -> Drawing:
        """A dotted line, as from a compensation boundary event to its handler."""
        own = f"{source}__{target}_line"
        self.flows.append(f'<bpmn:association id="{own}" sourceRef="{source}" targetRef="{target}"/>')
        return self

    def define(self, xml: str) -> Drawing:
        """A root element: message, error, escalation, signal."""
        self.outside.append(xml)
        return self

    @property
    def content(self) -> str:
        return "".join(self.parts + self.flows)

    @property
    def xml(self) -> bytes:
        process = f'<bpmn:process id="{self.process_id}" isExecutable="true">{self.content}</bpmn:process>'
        return f"{HEAD}{''.join(self.outside)}{process}</bpmn:definitions>".encode()

    def sources(self, *called: Drawing, dmn: dict[str, bytes] | None = None) -> Sources:
        files = {drawing.process_id: drawing.xml for drawing in (self, *called)}
        return Sources(process_id=self.process_id, bpmn=files, dmn=dmn or {})

    def read(self, *called: Drawing, dmn: dict[str, bytes] | None = None) -> Definition:
        return read_definition(self.sources(*called, dmn=dmn))


def process(process_id: str = "p") -> Drawing:
    """An empty drawing."""
    return Drawing(process_id)


def extension(inside: str) -> str:
    return f"<bpmn:extensionElements>{inside}</bpmn:extensionElements>"


def timer(text: str, form: str = "Duration") -> str:
    inside = f"<bpmn:time{form} {FORMAL}>{escape(text)}</bpmn:time{form}>"
    return f"<bpmn:timerEventDefinition>{inside}</bpmn:timerEventDefinition>"


def condition(text: str) -> str:
    body = f"<bpmn:condition {FORMAL}>{escape(text)}</bpmn:condition>"
    return f"<bpmn:conditionalEventDefinition>{body}</bpmn:conditionalEventDefinition>"


def message(own: str) -> str:
    return f'<bpmn:messageEventDefinition messageRef="{own}"/>'


def inputs(**sources: str) -> str:
    written = "".join(
        f"<zeebe:input source={quoteattr(s)} target={quoteattr(t)}/>" for t, s in sources.items()
    )
    return f"<zeebe:ioMapping>{written}</zeebe:ioMapping>"


def outputs(**sources: str) -> str:
    written = "".join(
        f"<zeebe:output source={quoteattr(s)} target={quoteattr(t)}/>" for t, s in sources.items()
    )
    return f"<zeebe:ioMapping>{written}</zeebe:ioMapping>"


def for_each(
    collection: str,
    item: str,
    *,
    results: str = "",
    result: str = "",
    done: str = "",
    sequential: bool = False,
) -> str:
    out = f" outputCollection={quoteattr(results)} outputElement={quoteattr(result)}" if results else ""
    into = f"inputCollection={quoteattr(collection)} inputElement={quoteattr(item)}"
    loop = f"<zeebe:loopCharacteristics {into}{out}/>"
    until = f"<bpmn:completionCondition {FORMAL}>{escape(done)}</bpmn:completionCondition>" if done else ""
    return (
        f'<bpmn:multiInstanceLoopCharacteristics isSequential="{str(sequential).lower()}">'
        f"{extension(loop)}{until}</bpmn:multiInstanceLoopCharacteristics>"
    )


class Played:
    """An execution driven by element ids, with everything it told."""

    def __init__(
        self, definition: Definition, begins_at: str | None, carried: dict[str, Any], values: dict[str, Any]
    ) -> None:
        self.definition = definition
        self.now = NOW
        self.told: list[Any] = []
        self.execution = Execution.start(
            definition,
            feel_values(values),
            begins_at=begins_at,
            carried=feel_values(carried),
            calendar=WeekDays(),
            now=NOW,
        )
        self._listen()

    def _listen(self) -> None:
        self.fresh = self.execution.drain()
        self.told += self.fresh

    def open(self, kind: str = "Waits") -> dict[int, Any]:
        """Open waits of one kind by number."""
        waits: dict[int, Any] = {}
        for signal in self.told:
            name = type(signal).__name__
            if name == kind:
                waits[signal.n] = signal
            elif name in ("Withdrawn", "Passed", "Failed"):
                waits.pop(signal.n, None)
        return waits

    def n(self, element: str, kind: str = "Waits") -> int:
        """The number of the oldest open wait at an element."""
        return next(n for n, signal in sorted(self.open(kind).items()) if signal.element == element)

    def waiting(self) -> list[str]:
        return [signal.element for signal in self.open().values()]

    def do(self, element: str, n: int | None = None, **values: Any) -> Played:
        """Complete the user task at an element."""
        self.execution.complete(n or self.n(element), feel_values(values), now=self.now)
        self._listen()
        return self

    def later(self, **span: float) -> Played:
        """Let time pass and fire every timer that becomes due, in order."""
        end = self.now + timedelta(**span)
        while due := sorted((t.due_at, n) for n, t in self.open("Timed").items() if t.due_at <= end):
            self.now = max(self.now, due[0][0])
            self.fire(due[0][1])
        self.now = end
        return self

    def fire(self, n: int) -> Played:
        before = self.open("Timed").get(n)
        self.execution.fire(n, now=self.now)
        self.told = [s for s in self.told if not (type(s).__name__ == "Timed" and s is before)]
        self._listen()
        return self

    def say(self, message: str, correlation: Any = None, **values: Any) -> Played:
        self.execution.receive(message, feel_values(values), correlation=correlation, now=self.now)
        self._listen()
        return self

    def hear(self, signal: str, **values: Any) -> Played:
        self.execution.hear(signal, feel_values(values), now=self.now)
        self._listen()
        return self

    def restart(self) -> Played:
        """The house is shut down and opened again."""
        text = json.dumps(self.execution.snapshot(), sort_keys=True)
        restored = Execution.restore(self.definition, json.loads(text), calendar=WeekDays())
        assert restored.digest() == self.execution.digest()
        self.execution = restored
        return self

    def finish(self, element: str, **result: Any) -> Played:
        number = self.n(element, "Job")
        self.execution.finish(number, feel_values(result), now=self.now)
        self.told = [s for s in self.told if not (type(s).__name__ == "Job" and s.n == number)]
        self._listen()
        return self

    def fail(self, element: str, code: str) -> Played:
        self.execution.fail(self.n(element, "Job"), code, "it went wrong", now=self.now)
        self._listen()
        return self

    def retry(self, n: int, **values: Any) -> Played:
        self.execution.retry(n, values=feel_values(values), now=self.now)
        self._listen()
        return self

    @property
    def passed(self) -> list[str]:
        return [s.element for s in self.told if type(s).__name__ == "Passed"]

    @property
    def flows(self) -> list[str]:
        return [flow for s in self.told if type(s).__name__ in ("Passed", "Skipped") for flow in s.flows]

    @property
    def failed(self) -> list[str]:
        return [f"{s.element}:{s.code}" for s in self.told if type(s).__name__ == "Failed"]

    @property
    def status(self) -> str:
        return self.execution.status

    @property
    def variables(self) -> dict[str, Any]:
        return self.execution.variables


def play(drawing: Drawing, *called: Drawing, dmn: dict[str, bytes] | None = None, **values: Any) -> Played:
    """Start a case of a drawing."""
    return Played(drawing.read(*called, dmn=dmn), None, {}, values)


def begin(drawing: Drawing, element: str, carried: dict[str, Any] | None = None, **values: Any) -> Played:
    """Start a case of a drawing by what happens at `element`."""
    return Played(drawing.read(), element, carried or {}, values)


def feel_values(values: Any) -> Any:
    """Python numbers as FEEL numbers."""
    if isinstance(values, dict):
        return {key: feel_values(value) for key, value in values.items()}
    if isinstance(values, list):
        return [feel_values(value) for value in values]
    if isinstance(values, int | float) and not isinstance(values, bool):
        return Decimal(str(values))
    return values
