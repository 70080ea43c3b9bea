"""One running case: commands move its tokens, signals tell what followed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Literal

from engine.definition.model import Definition
from engine.definition.nodes.base import stored
from engine.errors import InvalidInput, WrongState
from engine.execution import snapshots
from engine.execution.asking import Asker, WorkingDays
from engine.execution.branches import fresh
from engine.execution.catching import owner_of
from engine.execution.running import CaseWorkflow
from engine.execution.signals import Awaited, Signal
from engine.execution.token import LEVEL, Token
from engine.values import Value, in_order, ordered

__all__ = ["Awaited", "Execution", "WorkingDays"]


class Execution:
    """The tokens of one case. Not thread-safe, but two cases never share anything that changes.

    Numbers `n` are counted per case, in the order in which tokens appear. What the model does wrong is
    told by a Failed signal and never raised; commands raise WrongState when nothing waits for them.

    Parallel branches do not see what the others write. Where they meet, in a join or at the end of a
    level, different names are united; if two branches wrote the same name, the branch whose incoming
    flow (or end event) stands later in the file wins. The order of arrival never matters.
    """

    def __init__(self, definition: Definition, workflow: CaseWorkflow) -> None:
        self.definition = definition
        self._workflow = workflow

    @classmethod
    def start(
        cls,
        definition: Definition,
        values: dict[str, Value],
        *,
        calendar: WorkingDays,
        now: datetime,
        begins_at: str | None = None,
        carried: dict[str, Value] | None = None,
        signals_reach: str = "house",
        shared: Mapping[str, Value] | None = None,
    ) -> Execution:
        """A new case with these variables, moved until everything waits. It begins at the start event
        without a trigger, or at the element where something has happened that `carried` these values;
        `Definition.beginning` says whether it may. `signals_reach` is `house`, or `case` for signals that
        stay inside. `shared` are variables too, as they come out of a journal: they are not copied.
        """
        begins = None if begins_at is None else definition.beginning(begins_at)
        asker = Asker(calendar, _aware(now))
        specs = definition.specs
        given = _context(values)
        if shared:
            given = in_order({**given, **shared})
        workflow = CaseWorkflow(specs[definition.process_id], specs, asker, given)
        workflow.signals_reach = signals_reach
        if begins is None:
            workflow.begin()
        else:
            workflow.begin_by(begins, _context(carried or {}))
        workflow.do_engine_steps()
        return cls(definition, workflow)

    # --- commands ---------------------------------------------------------------------------------------

    def complete(self, n: int, values: dict[str, Value], *, now: datetime) -> None:
        """A person has done user task `n` with these values."""
        token = self._waiting(n, "person", "a user task")
        token.brought = _context(values)
        self._begin(now)
        token.awaits = ""
        token.run()
        self._workflow.do_engine_steps()

    def fire(self, n: int, *, now: datetime, missed: int = 0) -> None:
        """The moment of timer `n` has come, and `missed` later moments of its cycle with it: they do not
        fire any more. Raises WrongState before it is due, and for more moments than have passed."""
        token = self._waiting(n, "timer", "a timer")
        if token.due_at is not None and _aware(now) < token.due_at:
            raise WrongState(f"timer {n} is due at {token.due_at}, now it is {now}", code="NOT_DUE")
        passed = self.missed(n, now=now) if missed else 0
        if not 0 <= missed <= passed:
            raise WrongState(f"timer {n} has missed {passed} moments, not {missed}", code="NOT_MISSED")
        token.workflow.skip_moments(token, missed)
        self._happen(token, {}, now)

    def receive(
        self, message: str, values: dict[str, Value], *, correlation: Value = None, now: datetime
    ) -> None:
        """A message came. The innermost catcher that fits takes it, the oldest if there are several.

        A catcher with a correlation key fits if the keys are equal, one without fits any. Raises
        WrongState if nobody waits.
        """
        brought = _context(values)
        fitting = [t for t in self._messages(message) if t.correlation in (None, correlation)]
        if not fitting:
            raise WrongState(f"nobody waits for message {message}", code="NOT_AWAITED", awaited=message)
        order = sorted(fitting, key=lambda t: (-t.workflow.depth_here, owner_of(t).host == LEVEL, t.id))
        self._happen(order[0], brought, now)

    def hear(self, signal: str, values: dict[str, Value], *, now: datetime) -> None:
        """A signal came from another case: it happens to everyone who waits for it, if anyone does."""
        brought = _context(values)
        self._begin(now)
        self._workflow.broadcast(signal, brought)
        self._workflow.do_engine_steps()

    def finish(self, n: int, result: dict[str, Value], *, now: datetime) -> None:
        """The worker has done job `n`."""
        if n in self._workflow.sending:
            self._begin(now)
            self._workflow.sent(n)
            return
        self._happen(self._waiting(n, "job", "a job"), _context(result), now)

    def fail(self, n: int, error_code: str, message: str, *, now: datetime) -> None:
        """Job `n` throws a BPMN error: an error event around it catches, or the job fails."""
        token = self._waiting(n, "job", "a job")
        self._begin(now)
        if not token.workflow.throw_error(token, error_code):
            token.entered = False
            token.workflow.fail(token, error_code, message)
        self._workflow.do_engine_steps()

    def retry(self, n: int, *, values: dict[str, Value], now: datetime) -> None:
        """What failed at `n` is tried again, after these variables were set."""
        token = self._workflow.numbers.get(n)
        if token is None or not snapshots.has_failed(token):
            raise WrongState(f"nothing has failed at {n}", code="NOT_FAILED", n=n)
        brought = _context(values)
        self._begin(now)
        token.write(brought)
        snapshots.set_going(token)
        self._workflow.do_engine_steps()

    def cancel(self, *, now: datetime) -> None:
        """The case is given up: everything that waits is withdrawn."""
        self._begin(now)
        self._workflow.give_up()

    def drain(self) -> list[Signal]:
        """What happened since the last drain, in order."""
        told, self._workflow.signals = self._workflow.signals, []
        return told

    # --- questions --------------------------------------------------------------------------------------

    @property
    def status(self) -> Literal["active", "completed", "cancelled"]:
        """`completed` only when end events were reached and no token is left."""
        if self._workflow.cancelled:
            return "cancelled"
        return "completed" if self._workflow.completed else "active"

    @property
    def variables(self) -> dict[str, Value]:
        """The case's variables, all branches together; a copy."""
        workflow = self._workflow
        seen = workflow.data if workflow.closed else workflow.view().data
        return {key: fresh(value) for key, value in seen.items()}

    def local(self, n: int) -> dict[str, Value]:
        """The variables as token `n` sees them, its item and its inputs included; a copy."""
        return {key: fresh(value) for key, value in self.seen(n).items()}

    def seen(self, n: int) -> dict[str, Value]:
        """The same for who only reads: the lists and contexts are the case's own, never to be changed."""
        token = self._workflow.numbers.get(n)
        if token is None:
            raise WrongState(f"there is no token {n}", code="NO_TOKEN", n=n)
        return dict(token.visible())

    def missed(self, n: int, *, now: datetime) -> int:
        """How many moments of timer `n` after its due one have passed and would fire together with it."""
        token = self._waiting(n, "timer", "a timer")
        return int(token.workflow.missed_moments(token, _aware(now)))

    def awaited(self) -> tuple[Awaited, ...]:
        """The messages that could be received now."""
        return tuple(
            Awaited(
                n=t.id, element=snapshots.listens_at(t), message=t.message, correlation=fresh(t.correlation)
            )
            for t in sorted(self._workflow.numbers.values(), key=lambda t: t.id)
            if t.awaits == "message"
        )

    def signals_awaited(self) -> frozenset[str]:
        """The names of the signals that would be heard now."""
        return frozenset(t.message for t in self._workflow.numbers.values() if t.awaits == "signal")

    # --- keeping ----------------------------------------------------------------------------------------

    def snapshot(self) -> dict[str, Any]:
        """The whole state as JSON-native data, without the drawing. Drain before."""
        return snapshots.write(self._workflow)

    @classmethod
    def restore(cls, definition: Definition, snapshot: dict[str, Any], *, calendar: WorkingDays) -> Execution:
        """The execution a snapshot was taken from; it goes on exactly as the first would."""
        return cls(definition, snapshots.read(definition, snapshot, calendar))

    def digest(self) -> str:
        """SHA-256 of the whole state: equal for equal states, in any process."""
        text = json.dumps(self.snapshot(), sort_keys=True, ensure_ascii=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    # --- inside -----------------------------------------------------------------------------------------

    def _begin(self, now: datetime) -> None:
        self._workflow.asker.at(_aware(now))

    def _waiting(self, n: int, awaits: str, what: str) -> Token:
        token = self._workflow.numbers.get(n)
        if token is None or token.awaits != awaits:
            found = "nothing" if token is None else (token.awaits or "no wait")
            raise WrongState(f"expected {what} at {n}, found {found}", code="NOT_WAITING", n=n)
        return token

    def _happen(self, token: Token, values: dict[str, Value], now: datetime) -> None:
        self._begin(now)
        token.workflow.happen(token, values)
        self._workflow.do_engine_steps()

    def _messages(self, name: str) -> Iterator[Token]:
        return (t for t in self._workflow.numbers.values() if t.awaits == "message" and t.message == name)


def _context(values: dict[str, Value]) -> dict[str, Value]:
    """What comes from outside, as the case keeps it and as it will come out of the journal again."""
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise InvalidInput("expected a context of values by name")
    kept: dict[str, Value] = ordered({key: stored(value) for key, value in values.items()})
    return kept


def _aware(now: datetime) -> datetime:
    if now.tzinfo is None:
        raise InvalidInput("expected an aware moment")
    return now
