"""One command at work inside its transaction: what it may look at, demand, and leave behind."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from engine import journal, replay
from engine.case.case import Case
from engine.errors import InvalidInput, NotAllowed, NotFound, Rejected, WrongState
from engine.events import Entry, Who
from engine.replay import LiveCases
from workflows import facts, policy, projections, rows
from workflows.policy import Actor, CaseFacts, TaskFacts, Verdict
from workflows.results import LASTING, Idempotency, Result, record_of, result_of
from workflows.tables import idempotency, operations

REMEMBERED = timedelta(hours=24)
SNAPSHOT_EVERY = 40
STATE_CODES = frozenset(
    {"TASK_ALREADY_CLAIMED", "TASK_COMPLETED", "TASK_CANCELLED", "TASK_ON_HOLD", "CASE_NOT_ACTIVE"}
    | {"TASK_DELEGATED"}
)


@dataclass(kw_only=True)
class Change:
    """What a command works with. `case` is taken once and only by a command that will move it."""

    connection: sa.Connection
    live: LiveCases
    actor: Actor
    now: datetime
    old: dict[str, Any] | None = None
    new: dict[str, Any] | None = None
    case: Case | None = None
    written: tuple[Entry, ...] = field(default=())

    @property
    def who(self) -> Who:
        return Who(actor=self.actor.id, on_behalf_of=self.actor.on_behalf_of)

    def take(self, case_id: str) -> Case:
        """The live case, as the journal has it now. Raises NotFound."""
        if self.case is None:
            self.case = self.live.take(self.connection, case_id)
        return self.case

    def task(self, task_id: str) -> TaskFacts:
        """The facts of a task. Raises NotFound for one that is not there or not for these eyes."""
        task = facts.task_facts(self.connection, task_id, self.actor)
        self.see(task.case, task_id)
        return task

    def facts(self, case_id: str) -> CaseFacts:
        """The facts of a case. Raises NotFound for one that is not there or not for these eyes."""
        case = facts.case_facts(self.connection, case_id, self.actor)
        self.see(case, case_id)
        return case

    def see(self, case: CaseFacts, name: str) -> None:
        """Raises NotFound unless the actor sees the case: who may not know of it learns nothing."""
        if not policy.sees(self.actor, case):
            raise NotFound(f"there is no {name}", code="NOT_FOUND")

    def save(self) -> None:
        """Append what is fresh, bring the read models behind it, and now and then keep a snapshot."""
        case = self.case
        if case is None or not case.fresh:
            return
        before, self.written = case.head, case.fresh
        case.appended(journal.append(self.connection, self.written, after=before))
        projections.project(self.connection, self.written, started=case.started, definition=case.definition)
        if case.head.seq // SNAPSHOT_EVERY > before.seq // SNAPSHOT_EVERY:
            replay.remember(self.connection, case)


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


def answered_before(
    connection: sa.Connection, actor: Actor, request: Idempotency, now: datetime
) -> Result | None:
    """What this very request was answered within 24 hours, a letter's ever.

    Raises InvalidInput IDEMPOTENCY_REUSED.
    """
    if request.key is None:
        return None
    mine = (idempotency.c.actor == actor.id) & (idempotency.c.key == request.key)
    row = connection.execute(sa.select(idempotency).where(mine)).first()
    if row is None:
        return None
    if now - row.at > REMEMBERED and not request.key.startswith(LASTING):
        connection.execute(sa.delete(idempotency).where(mine))
        return None
    if row.request_digest != request.request_digest:
        raise InvalidInput("this idempotency key stood on another request", code="IDEMPOTENCY_REUSED")
    return result_of(row.answer)


def remember_answer(
    connection: sa.Connection, actor: Actor, request: Idempotency, result: Result, now: datetime
) -> None:
    """Keep the answer beside what it answers; a simultaneous twin of the request fails on the key."""
    if request.key is not None:
        row = {"actor": actor.id, "key": request.key, "request_digest": request.request_digest}
        connection.execute(idempotency.insert().values(**row, answer=record_of(result), at=now))


def record_operation(
    connection: sa.Connection,
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
) -> None:
    """The one operation record of a mutating request, in the request's own transaction."""
    row = {"at": at, "actor": actor.id, "on_behalf_of": actor.on_behalf_of, "action": action}
    row |= {"entity": entity, "case_id": case_id, "reason": reason, "request_id": request_id}
    rows.add(connection, operations, {**row, "old": old, "new": new})
