"""One command at work inside its transaction: what it may look at, demand, and leave behind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from engine import journal, replay
from engine.case.case import Case
from engine.errors import NotAllowed, NotFound, Rejected, StaleCase, WrongState
from engine.events import Entry, Who
from engine.replay import LiveCases
from engine.tables import snapshots
from workflows.actors import policy
from workflows.actors.policy import Actor, CaseFacts, TaskFacts, Verdict
from workflows.store.rows import Pending
from workflows.store.tables import operations
from workflows.transaction import facts, projections
from workflows.transaction.facts import case_of
from workflows.transaction.outbox import Outbox
from workflows.transaction.repetition import Known

STATE_CODES = frozenset(
    {"TASK_ALREADY_CLAIMED", "TASK_COMPLETED", "TASK_CANCELLED", "TASK_ON_HOLD", "CASE_NOT_ACTIVE"}
    | {"TASK_DELEGATED"}
)


class Page:
    """What the commands of one commit know before they begin, and what they leave behind at its end."""

    def __init__(self, connection: sa.Connection, known: Known, *, shared: bool = False) -> None:
        """`shared` by several commands: one that fails must leave nothing, and harm none of the others."""
        self.connection = connection
        self.known = known
        self.shared = shared
        self.spoilt = False
        self._lines: list[journal.Line] = []
        self._rows = Pending()

    def take_over(self, lines: Iterable[journal.Line], rows: Pending) -> None:
        """One more command is done."""
        self._lines += lines
        self._rows.take_over(rows)

    def write(self) -> None:
        """Write what there is, in an order that is the same for all, so that two who write the same cases
        wait for each other and not in a circle. Raises StaleCase, and then the whole page is `spoilt`."""
        lines, self._lines = sorted(self._lines, key=lambda line: (line.case_id, line.seq)), []
        self.spoilt = True
        journal.write(self.connection, lines, beside=self._rows.first(self.connection.dialect))
        self._rows.write(self.connection)
        self.spoilt = False


@dataclass(kw_only=True)
class Change:
    """What a command works with. `case` is taken once and only by a command that will move it.

    What it changes waits in `rows` until it is done. What cannot wait goes through `writing`.
    """

    page: Page
    live: LiveCases
    actor: Actor
    now: datetime
    outbox: Outbox | None = None
    old: dict[str, Any] | None = None
    new: dict[str, Any] | None = None
    case: Case | None = None
    written: tuple[Entry, ...] = field(default=())
    rows: Pending = field(default_factory=Pending)
    lines: list[journal.Line] = field(default_factory=list)
    savepoint: sa.NestedTransaction | None = None
    seen: dict[str, int | None] = field(default_factory=dict)

    @property
    def is_untouched(self) -> bool:
        """Whether the case was only looked at: nothing happened in it, and nothing of it was chained."""
        return self.case is not None and not self.lines and self.case.seq == self.case.head.seq

    @property
    def connection(self) -> sa.Connection:
        """For reading."""
        return self.page.connection

    @property
    def writing(self) -> sa.Connection:
        """For statements that cannot wait for the end: what they did is undone if the command fails."""
        if self.page.shared and self.savepoint is None:
            self.savepoint = self.connection.begin_nested()
        return self.connection

    def undo(self) -> None:
        """The command failed: nothing of it stays."""
        if self.savepoint is not None:
            self.savepoint.rollback()

    def keep(self) -> None:
        """The command is done: what it left goes into the page."""
        if self.savepoint is not None:
            self.savepoint.commit()
        self.page.take_over(self.lines, self.rows)

    @property
    def who(self) -> Who:
        return Who(actor=self.actor.id, on_behalf_of=self.actor.on_behalf_of)

    def take(self, case_id: str) -> Case:
        """The live case, as the journal has it now. Raises NotFound, and StaleCase if it has moved on since
        its facts were read: what was decided by them would be about another moment."""
        if self.case is None:
            seen = self.seen.get(case_id, self.page.known.heads.get(case_id))
            self.case = self.live.take(self.connection, case_id, seen)
            if seen not in (None, self.case.head.seq):
                raise StaleCase(f"case {case_id} moved on", case_id=case_id, expected=seen)
        return self.case

    def task(self, task_id: str) -> TaskFacts:
        """The facts of a task. Raises NotFound for one that is not there or not for these eyes."""
        case = self._at_hand(case_of(task_id))
        task = facts.live_task_facts(self.connection, case, task_id, self.actor) if case else None
        if task is None:
            task = facts.task_facts(self.connection, task_id, self.actor)
        self.see(task.case, task_id)
        self.seen[task.case.case_id] = task.case.seq
        return task

    def facts(self, case_id: str) -> CaseFacts:
        """The facts of a case. Raises NotFound for one that is not there or not for these eyes."""
        held = self._at_hand(case_id)
        if held is not None:
            case = facts.live_case_facts(self.connection, held, self.actor)
        else:
            case = facts.case_facts(self.connection, case_id, self.actor)
        self.see(case, case_id)
        self.seen[case_id] = case.seq
        return case

    def _at_hand(self, case_id: str) -> Case | None:
        """The case, if this process has it and it is as the journal has it now."""
        head = self.page.known.heads.get(case_id)
        if self.case is None and head is not None and self.live.has(case_id):
            self.take(case_id)
        return self.case

    def see(self, case: CaseFacts, name: str) -> None:
        """Raises NotFound unless the actor sees the case: who may not know of it learns nothing."""
        if not policy.sees(self.actor, case):
            raise NotFound(f"there is no {name}", code="NOT_FOUND")

    def save(self) -> None:
        """Chain what is fresh, bring the read models behind it, put into the outbox what shall leave, and now
        and then keep a snapshot."""
        case = self.case
        if case is None or not case.fresh:
            return
        before, self.written = case.head, case.fresh
        self.lines = journal.chain(self.written, after=before)
        case.appended(journal.head_of(self.lines, after=before))
        projections.project(self.rows, self.written, started=case.started, definition=case.definition)
        if self.outbox is not None:
            process = case.beginning.process
            self.outbox.put_in(
                self.rows, self.written, process=process, connection=self.connection, now=self.now
            )
        if replay.is_snapshot_due(case, since=before.seq):
            self.rows.sweep(snapshots, {"case_id": case.case_id, "lasting": False}, None)
            self.rows.add(snapshots, *replay.snapshots_of(case, since=before.seq))


def demand(verdict: Verdict) -> None:
    """Raises what a refusal means: WrongState if time would heal it, NotFound, else NotAllowed."""
    if verdict.allowed:
        return
    kind: type[Rejected] = NotAllowed
    if verdict.code in STATE_CODES:
        kind = WrongState
    if verdict.code == "NOT_FOUND":
        kind = NotFound
    raise kind(
        verdict.sentence,
        code=verdict.code,
        **{**verdict.facts, "rule": verdict.rule, "message_zh": verdict.sentence_zh},
    )


def one_at_a_time(connection: sa.Connection, case_id: str) -> None:
    """Commands on one case take turns on PostgreSQL; on SQLite every writer does already."""
    if connection.dialect.name == "postgresql":
        lock = sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(case_id, 0))
        connection.execute(sa.select(lock))


def operation(
    actor: Actor,
    *,
    action: str,
    entity: str,
    at: datetime,
    case_id: str | None = None,
    reason: str = "",
    request_id: str = "",
    old: dict[str, Any] | None = None,
    new: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The one operation record of a mutating request."""
    row = {"at": at, "actor": actor.id, "on_behalf_of": actor.on_behalf_of, "action": action}
    row |= {"entity": entity, "case_id": case_id, "reason": reason, "request_id": request_id}
    return {**row, "old": old, "new": new}


def record_operation(connection: sa.Connection, actor: Actor, **what: Any) -> None:
    """Write the operation record of a request that is no command, in its own transaction."""
    connection.execute(operations.insert(), operation(actor, **what))
