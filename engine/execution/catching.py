"""How what happens finds the one who listens: timers, messages, signals, errors, escalations."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from SpiffWorkflow.util.task import TaskState

from engine.definition.moments import NoMoment, cycle_of, moment_of, period_of
from engine.definition.nodes.base import Mishap, stored
from engine.definition.shapes import AWAITED, THROWS, Shape, Trigger
from engine.execution.branches import Part, forked
from engine.execution.signals import Escalated, Passed, Timed
from engine.execution.token import LEVEL, Token
from engine.values import Value


class Catching:
    """The half of a level that listens. `engine.execution.levels` holds the other half."""

    top_workflow: Any
    spec: Any
    tasks: dict[int, Token]
    place: Any
    ask: Any
    view: Any
    fork: Any
    moving: Any
    withdraw: Any
    withdraw_hosted: Any
    tell_passed: Any
    move: Any
    drop: Any
    settle: Any
    fail: Any

    # --- beginning to listen ----------------------------------------------------------------------------

    def event_awaited(self, token: Token, event: Shape) -> None:
        """The token waits for the triggers of an event: itself for the only one, else by listeners.

        Raises Mishap, NoMoment, ExpressionError.
        """
        if token.which is not None or len(event.triggers) == 1:
            self.trigger_awaited(token, event.triggers[token.which or 0], event.id)
            return
        token.awaits = "several"
        token._set_state(TaskState.STARTED)
        self.listen_for_each(token)

    def listen_for_each(self, token: Token) -> None:
        """Put a listener for each trigger beside the token that waits for them together."""
        again = {} if token.brought is None else {"message": "true"}  # a condition must become true anew
        token.brought = None
        for which, trigger in enumerate(catch_of(token.task_spec).triggers):
            if trigger.kind in AWAITED:
                facts = again if trigger.kind == "conditional" else {}
                name = token.task_spec.name
                self.place(name, token.data, host=token.id, which=which, local=token.local, **facts)

    def trigger_awaited(self, token: Token, trigger: Trigger, element: str) -> None:
        """The token waits for this trigger. Raises Mishap, NoMoment, ExpressionError."""
        if trigger.kind == "timer":
            self.set_timer(token, trigger, element)
        elif trigger.kind in ("message", "signal"):
            token.message = trigger.name
            token.correlation = None if trigger.correlation is None else self.key(token, trigger)
        elif trigger.kind == "conditional":
            self.top_workflow.watching[token.id] = token
        token.awaits = trigger.kind
        token._set_state(TaskState.WAITING)

    def condition_holds(self, token: Token) -> bool:
        """Whether a conditional event's condition is true, all branches of the level seen together."""
        seen = {**self.view().data, **token.local}
        return self.ask(trigger_of(token).when, token, seen) is True

    def key(self, token: Token, trigger: Trigger) -> Value:
        """The correlation key of a subscription; null cannot be waited for."""
        value = stored(self.ask(trigger.correlation, token))
        if value is None:
            raise Mishap("CORRELATION", f"the correlation key of message {trigger.name} is null")
        return value

    def set_timer(self, token: Token, trigger: Trigger, element: str) -> None:
        """Fix the due moment now; it does not move any more."""
        value = self.ask(trigger.when, token)
        now = self.top_workflow.asker.now
        if value is None:
            raise NoMoment(f"the timer gives null: {self.top_workflow.asker.warnings()}")
        token.cycle = None
        if trigger.timer == "date":
            token.due_at = moment_of(value)
        elif trigger.timer == "duration":
            token.due_at = period_of(value).after(now)
        else:
            cycle = cycle_of(value)
            anchor = cycle.anchor or now
            token.cycle = {"period": str(cycle.period), "anchor": anchor, "done": 0, "left": cycle.repeats}
            token.due_at = anchor if cycle.anchor else cycle.period.after(anchor)
            token.cycle["step"] = 0 if cycle.anchor else 1
        self.tell_timer(token, element)

    def tell_timer(self, token: Token, element: str) -> None:
        """Tell the due moment, and by how many working days it was counted."""
        due_at = token.due_at or self.top_workflow.asker.now
        days, provisional = self.top_workflow.asker.term(due_at)
        self.top_workflow.tell(
            Timed(
                n=token.id,
                element=element,
                due_at=due_at,
                days=days,
                provisional=provisional,
                repeats=token.cycle["left"] if token.cycle else None,
            )
        )

    def next_round(self, token: Token, element: str) -> bool:
        """Set a cycle's next moment on its own grid; false if it was the last."""
        cycle = token.cycle
        if cycle is None or cycle["left"] == 1:
            return False
        try:
            due_at = period_of(cycle["period"]).after(cycle["anchor"], cycle["step"] + 1)
        except NoMoment:  # beyond the last year there is: it never comes
            return False
        self.skip_moments(token, 1)
        token.due_at = due_at
        self.top_workflow.asker.terms = {}
        self.tell_timer(token, element)
        return True

    def missed_moments(self, token: Token, now: datetime) -> int:
        """How many moments of a cycle have passed that nobody was awake for, the due one not counted.

        They fire together with the due one, unless the drawing wants all of them or the first firing ends
        the cycle anyway.
        """
        cycle, catch = token.cycle, catch_of(token.task_spec)
        if cycle is None or catch.interrupting or catch.catch_up == "all":
            return 0
        passed = period_of(cycle["period"]).count(cycle["anchor"], now) - cycle["step"]
        most = passed if cycle["left"] is None else min(passed, cycle["left"] - 1)
        return int(max(0, most))

    def skip_moments(self, token: Token, moments: int) -> None:
        """So many moments of a cycle are used up."""
        if token.cycle is not None and moments:
            token.cycle["step"] += moments
            if token.cycle["left"] is not None:
                token.cycle["left"] -= moments

    # --- it happens -------------------------------------------------------------------------------------

    def happen(self, token: Token, values: dict[str, Value]) -> None:
        """What the token waited for has happened."""
        if token.which is not None:
            self.one_happens(token, values)
            return
        spec = token.task_spec
        if token.host == LEVEL:
            self.start_event_level(token, values)
        elif token.host is not None and spec.shape.kind == "boundaryEvent":
            self.happen_at_boundary(token, values)
        else:
            if token.host is not None and token.index is None:
                self.win_race(token)
            self.go(token, values)

    def one_happens(self, listener: Token, values: dict[str, Value]) -> None:
        """One of several triggers of an event has happened: the event with it, or when it was the last."""
        token = self.tasks[listener.host or 0]
        event = catch_of(token.task_spec)
        token.awaits = "several"
        if event.needs_all or event.kind in THROWS:
            self.drop(listener)
            token.brought = {**(token.brought or {}), **values}
            if any(other.host == token.id for other in self.tasks.values()):
                return
            values = token.brought
            if not event.interrupting and token.host is not None:
                self.listen_for_each(token)
        elif event.interrupting or token.host is None:
            self.drop(listener)
            self.withdraw_hosted(token)
        elif listener.awaits == "timer" and not self.next_round(listener, event.id):
            self.drop(listener)
        self.happen(token, values)

    def go(self, token: Token, values: dict[str, Value]) -> None:
        """The token is free to move on with these values."""
        self.top_workflow.watching.pop(token.id, None)
        token.awaits = ""
        token.brought = values
        token._set_state(TaskState.READY)

    def win_race(self, token: Token) -> None:
        """This event was first: withdraw the others and pass the gateway."""
        gateway = self.tasks[token.host or 0]
        token.host = None
        self.withdraw_hosted(gateway)
        self.top_workflow.tell(Passed(n=gateway.id, element=gateway.element, flows=(token.flow or "",)))
        self.drop(gateway)

    def happen_at_boundary(self, token: Token, values: dict[str, Value]) -> None:
        """A boundary event happens: instead of its activity or beside it."""
        activity = self.tasks[token.host or 0]
        if token.task_spec.cancel_activity:
            token.host = None
            self.instead_of(activity, token)
            self.go(token, values)
            return
        for task in (activity, *(t for t in self.tasks.values() if t.host == activity.id)):
            if task.awaits == "person":
                self.top_workflow.tell(Escalated(task_n=task.id, element=token.element))
        stays = token.awaits != "timer" or self.next_round(token, token.element)
        self.beside(activity, token if not stays else None, token.task_spec.name, values)

    def instead_of(self, activity: Token, token: Token) -> None:
        """The token takes over the activity's branch, with what its inner level has written."""
        part = self.part_of(activity)
        token.data, token.frames, token.local = dict(part.data), part.frames, {}
        self.withdraw(activity)

    def part_of(self, token: Token) -> Part:
        """A token's branch, with what its inner level has written so far."""
        raise NotImplementedError

    def beside(self, activity: Token, token: Token | None, name: str, values: dict[str, Value]) -> None:
        """A second branch begins at an activity that stays open."""
        activity.frames = self.fork(activity)
        data, frames = dict(self.part_of(activity).data), activity.frames
        if token is None:
            self.place(name, data, frames=frames, brought=values)
            return
        token.host, token.data, token.frames, token.local = None, data, frames, {}
        self.go(token, values)

    # --- event sub-processes ----------------------------------------------------------------------------

    def start_event_level(self, listener: Token, values: dict[str, Value]) -> None:
        """The start event of an event sub-process happens."""
        spec = listener.task_spec
        if spec.start.interrupting:
            self.interrupt(spec.name, values, listener)
            return
        stays = listener.awaits != "timer" or self.next_round(listener, spec.start.id)
        if not stays:
            self.drop(listener)
        self.beside_all(spec.name, values)

    def beside_all(self, name: str, values: dict[str, Value]) -> None:
        """An event sub-process begins beside everything else on its level."""
        fork = self.top_workflow.next_fork()
        data = dict(self.view().data)
        for other in self.moving():
            other.frames = forked(other.frames, fork)
        self.place(name, data, frames=((fork, frozenset()),), brought=values)

    def interrupt(self, name: str, values: dict[str, Value], listener: Token | None = None) -> None:
        """An event sub-process takes over its level: everything else there is withdrawn."""
        data = self.view().data
        if listener is not None:
            self.drop(listener)
        for token in [t for t in self.tasks.values() if t.id != LEVEL]:
            self.withdraw(token)
        self.place(name, data, brought=values)

    # --- errors and escalations ---------------------------------------------------------------------------

    def throw_error(self, token: Token, code: str | None, kind: str = "error") -> bool:
        """An error leaves `token`: the nearest catch around it takes over. False if nobody catches."""
        found = self.catcher(kind, code, token)
        if found is None:
            return False
        level, activity, spec = found
        if activity is None:
            level.interrupt(spec.name, {})
            return True
        level.place_caught(spec.name, activity)
        return True

    def place_caught(self, name: str, activity: Token) -> None:
        """A token at boundary event `name`, instead of its activity."""
        part = self.part_of(activity)
        self.withdraw(activity)
        self.place(name, part.data, frames=part.frames)

    def catcher(self, kind: str, code: str | None, token: Token) -> tuple[Any, Token | None, Any] | None:
        """Who catches: (level, activity or None for an event sub-process, spec), looking outwards."""
        level: Any = self
        at: Token | None = None if token.shape.kind in ("endEvent", "intermediateThrowEvent") else token
        while True:
            if at is not None:
                host = level.tasks.get(at.host) if at.index is not None else at
                spec = _matching(level.spec, host.task_spec.catchers, kind, code)
                if spec is not None:
                    return level, host, spec
            spec = _matching(level.spec, level.spec.event_catchers, kind, code)
            if spec is not None and not (at is not None and at.task_spec is spec):
                return level, None, spec
            if level is self.top_workflow:
                return None
            at = level.parent_token
            level = at.workflow

    def check_error_caught(self, token: Token, trigger: Trigger) -> None:
        """Raises Mishap if nobody catches this error: the case must not end in silence."""
        if self.catcher(trigger.kind, trigger.code, token) is None:
            name = trigger.code or trigger.name or "without a code"
            raise Mishap(trigger.code or "ERROR", f"nobody catches the {trigger.kind} {name}")

    def escalate(self, token: Token, trigger: Trigger) -> None:
        """Throw an escalation; if nobody catches it, nothing more happens."""
        found = self.catcher("escalation", trigger.code, token)
        if found is None:
            return
        level, activity, spec = found
        if activity is None and spec.start.interrupting:
            level.interrupt(spec.name, {})
        elif activity is None:
            level.beside_all(spec.name, {})
        elif spec.cancel_activity:
            level.place_caught(spec.name, activity)
        else:
            level.beside(activity, None, spec.name, {})

    # --- levels -----------------------------------------------------------------------------------------

    def open_level(self, token: Token, name: str, data: Mapping[str, Value]) -> None:
        """Begin the inner level of an activity."""
        self.top_workflow.open_inner(token, name, data)


def _matching(spec: Any, names: tuple[str, ...], kind: str, code: str | None) -> Any:
    """The catcher of this code, else the one of all codes."""
    general = None
    for name in names:
        node = spec.task_specs[name]
        codes = [trigger.code for trigger in catch_of(node).triggers if trigger.kind == kind]
        if code is not None and code in codes:
            return node
        if None in codes:
            general = general or node
    return general


def catch_of(node: Any) -> Shape:
    """The shape whose trigger the node listens for."""
    shape: Shape = getattr(node, "start", None) or node.shape
    return shape


def trigger_of(token: Token) -> Trigger:
    """The one trigger that the token itself waits for."""
    return catch_of(token.task_spec).triggers[token.which or 0]


def owner_of(token: Token) -> Token:
    """The token that a listener for one of several triggers belongs to, else the token itself."""
    owner: Token = token if token.which is None else token.workflow.tasks[token.host or 0]
    return owner
