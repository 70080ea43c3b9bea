"""The one door through which cases change: one method per command, one transaction each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar, cast

import sqlalchemy as sa

from engine.replay import LiveCases
from workflows.actors.policy import SYSTEM, Actor
from workflows.acts import case_acts, task_acts
from workflows.acts.letters import Letter
from workflows.acts.openings import Opening, case_number
from workflows.library.catalog import Catalog
from workflows.store.leases import Lease
from workflows.store.rows import Pending
from workflows.store.tables import reading
from workflows.store.tidemarks import Tidemarks
from workflows.transaction.change import Change
from workflows.transaction.commits import ONCE, Act, Commits
from workflows.transaction.facts import case_of
from workflows.transaction.outbox import Outbox
from workflows.transaction.repetition import answered_before, look_up
from workflows.transaction.results import Changed, Completed, DraftSaved, Held, Idempotency, Result, Started

R = TypeVar("R", bound=Result)
Values = Mapping[str, Any]


class Commands:
    """Every change of every case. Safe for several threads and processes at once.

    A command is refused by a `Rejected`, and then nothing was written. Losing a race is no error: the
    command is tried again on the case as it stands now, and refused only if it makes no sense there.
    Waiting too long for another command is WrongState CASE_BUSY.
    """

    def __init__(
        self,
        database: sa.Engine,
        library: Catalog,
        *,
        clock: Callable[[], datetime],
        new_case_id: Callable[[str, datetime], str] | None = None,
        live: LiveCases | None = None,
        tidemarks: Tidemarks | None = None,
        outbox: Outbox | None = None,
    ) -> None:
        """`clock` is read once per command. `new_case_id(prefix, now)` mints; else the database counts.

        `tidemarks` are kept where the database cannot lose them; without an `outbox` nothing leaves us.
        """
        self._database = database
        self.library = library
        self._clock = clock
        self._new_case_id = new_case_id
        self.live = live or LiveCases(library)
        self._commits = Commits(database, library, self.live, tidemarks=tidemarks, outbox=outbox)

    # --- cases ----------------------------------------------------------------------------------------

    def start_case(
        self,
        process: str,
        values: Values,
        *,
        actor: Actor,
        unit: str | None = None,
        batch: str | None = None,
        rules: Values | None = None,
        idempotency: Idempotency = ONCE,
    ) -> Started:
        """A new case of the version in force. Without a `unit` the applicant's own, without a `batch` the
        newest open one. `rules` are for trying things out: no door offers them.

        Raises NotFound, NotAllowed NOT_STARTER, OUT_OF_SCOPE or WRONG_KIND, InvalidInput with every field.
        """
        asked = Opening(process=process, values=values, unit=unit, batch=batch, rules=rules)
        act = Act(action="start", entity=process, actor=actor, request=idempotency)
        return self._change(act, lambda change: case_acts.start(change, asked, self.library, self._mint))

    def receive_message(
        self,
        case_id: str,
        message: str,
        values: Values,
        *,
        actor: Actor,
        correlation: Any = None,
        idempotency: Idempotency = ONCE,
    ) -> Changed:
        """Whatever waits for `message` hears it.

        Raises NotAllowed NOT_SENDER, WrongState MESSAGE_UNEXPECTED, InvalidInput, NotFound.
        """
        act = Act(action="message", entity=message, case_id=case_id, actor=actor, request=idempotency)
        return self._change(
            act,
            lambda change: case_acts.receive(change, case_id, message, values, correlation, self.library),
        )

    def suspend_case(
        self, case_id: str, reason: str, *, actor: Actor, idempotency: Idempotency = ONCE
    ) -> Changed:
        """Nothing moves until it is resumed. Raises NotAllowed NOT_LEADER, WrongState CASE_NOT_ACTIVE."""
        return self._steer("suspend", case_id, reason, actor, idempotency)

    def resume_case(
        self, case_id: str, reason: str, *, actor: Actor, idempotency: Idempotency = ONCE
    ) -> Changed:
        """The case goes on. Raises NotAllowed NOT_LEADER, WrongState NOT_SUSPENDED."""
        return self._steer("resume", case_id, reason, actor, idempotency)

    def terminate_case(
        self, case_id: str, reason: str, *, actor: Actor, idempotency: Idempotency = ONCE
    ) -> Changed:
        """The case ends by this act. Raises NotAllowed NOT_LEADER, WrongState CASE_OVER."""
        return self._steer("terminate", case_id, reason, actor, idempotency)

    # --- tasks ----------------------------------------------------------------------------------------

    def claim_task(self, task_id: str, *, actor: Actor, idempotency: Idempotency = ONCE) -> Held:
        """The task is this actor's; claiming what one holds changes nothing.

        Raises WrongState TASK_ALREADY_CLAIMED naming the holder and since when, NotAllowed
        NOT_CANDIDATE, SOD, COI or OUT_OF_SCOPE, NotFound.
        """
        act = _on_task("claim", task_id, actor, idempotency)
        return self._change(act, lambda change: task_acts.claim(change, task_id))

    def release_task(
        self, task_id: str, *, actor: Actor, reason: str = "", idempotency: Idempotency = ONCE
    ) -> Held:
        """The task is its candidates' again. Raises NotAllowed NOT_ASSIGNEE."""
        act = _on_task("release", task_id, actor, idempotency, reason)
        return self._change(act, lambda change: task_acts.release(change, task_id, reason))

    def transfer_task(
        self, task_id: str, to: str, *, reason: str, actor: Actor, idempotency: Idempotency = ONCE
    ) -> Held:
        """The task is `to`'s for good; the receiver must be one who could have claimed it.

        Raises NotAllowed NOT_ASSIGNEE for the asker; NOT_CANDIDATE, SOD, COI or OUT_OF_SCOPE for the
        receiver; InvalidInput for a reason of fewer than five characters.
        """
        act = _on_task("transfer", task_id, actor, idempotency, reason)
        return self._change(act, lambda change: task_acts.transfer(change, task_id, to, reason))

    def delegate_task(
        self, task_id: str, to: str, *, question: str, actor: Actor, idempotency: Idempotency = ONCE
    ) -> Held:
        """`to` is asked for an opinion and the task comes back. Raises as `transfer_task` does."""
        act = _on_task("delegate", task_id, actor, idempotency, question)
        return self._change(act, lambda change: task_acts.delegate(change, task_id, to, question))

    def resolve_task(
        self, task_id: str, opinion: str, *, actor: Actor, idempotency: Idempotency = ONCE
    ) -> Held:
        """The opinion is given and the task is its owner's again. Raises NotAllowed NOT_ASSIGNEE."""
        act = _on_task("resolve", task_id, actor, idempotency, opinion)
        return self._change(act, lambda change: task_acts.resolve(change, task_id, opinion))

    def complete_task(
        self, task_id: str, values: Values, *, actor: Actor, idempotency: Idempotency = ONCE
    ) -> Completed:
        """The task is done with `values`, checked against its form and outcomes, and the case moves on.

        Raises InvalidInput naming every field, NotAllowed NOT_ASSIGNEE, SOD, COI, WrongState
        TASK_COMPLETED, TASK_CANCELLED, TASK_ON_HOLD or QUOTA_USED_UP, NotFound.
        """
        act = _on_task("complete", task_id, actor, idempotency)
        return self._change(act, lambda change: task_acts.complete(change, task_id, values, self.library))

    def override_conflict(
        self,
        task_id: str,
        rule: str,
        person: str,
        *,
        reason: str,
        actor: Actor,
        idempotency: Idempotency = ONCE,
    ) -> Held:
        """`person` may do the task once although the conflict rule bars them.

        Raises NotAllowed CONFLICT_FINAL, NOT_OVERRIDER for the asker, as `transfer_task` does for the
        person; WrongState NO_CONFLICT; NotFound CONFLICT_UNKNOWN; InvalidInput for no reason.
        """
        act = _on_task("override_conflict", task_id, actor, idempotency, reason)
        return self._change(act, lambda change: task_acts.override(change, task_id, rule, person, reason))

    def save_draft(
        self,
        task_id: str,
        values: Values,
        *,
        actor: Actor,
        revision: int,
        idempotency: Idempotency = ONCE,
    ) -> DraftSaved:
        """Keep what the holder has typed so far; `revision` is the last one seen, 0 for none.

        Raises WrongState DRAFT_STALE with the other tab's revision and values, NotAllowed NOT_ASSIGNEE.
        """
        act = _on_task("draft", task_id, actor, idempotency)
        return self._change(act, lambda change: task_acts.save_draft(change, task_id, values, revision))

    def save_start_draft(
        self,
        process: str,
        values: Values,
        *,
        actor: Actor,
        revision: int,
        idempotency: Idempotency = ONCE,
    ) -> DraftSaved:
        """Keep what somebody has typed into a start form. Raises WrongState DRAFT_STALE."""
        act = Act(action="draft", entity=process, actor=actor, request=idempotency)
        return self._change(act, lambda change: case_acts.save_start_draft(change, process, values, revision))

    # --- timers, jobs, incidents ----------------------------------------------------------------------

    def fire_timer(
        self, case_id: str, timer_id: str, *, actor: Actor = SYSTEM, lease: Lease | None = None
    ) -> Changed:
        """The timer has fired. Raises WrongState before it is due, NotFound TIMER_GONE, NotAllowed."""
        act = Act(action="fire", entity=timer_id, case_id=case_id, actor=actor)
        return self._change(act, lambda change: case_acts.fire(change, timer_id, lease))

    def finish_job(
        self, job_id: str, result: Values, *, actor: Actor = SYSTEM, lease: Lease | None = None
    ) -> Changed:
        """The job was done. Raises NotFound JOB_GONE, WrongState CASE_NOT_ACTIVE, NotAllowed."""
        act = Act(action="finish", entity=job_id, case_id=case_of(job_id), actor=actor)
        return self._change(act, lambda change: case_acts.finish(change, job_id, result, lease))

    def fail_job(
        self,
        job_id: str,
        message: str,
        *,
        retry_at: datetime | None = None,
        error_code: str | None = None,
        actor: Actor = SYSTEM,
        lease: Lease | None = None,
    ) -> Changed:
        """One attempt failed: tried again at `retry_at`, thrown into the drawing, or left in incident."""
        act = Act(action="fail", entity=job_id, case_id=case_of(job_id), actor=actor, reason=message)
        return self._change(
            act, lambda change: case_acts.fail(change, job_id, message, retry_at, error_code, lease)
        )

    def resolve_incident(
        self,
        incident_id: str,
        *,
        reason: str,
        actor: Actor,
        values: Values | None = None,
        idempotency: Idempotency = ONCE,
    ) -> Changed:
        """The failed step is tried again; only a process owner may set `values` on the way.

        Raises NotAllowed, NotFound INCIDENT_GONE, InvalidInput for a reason that says nothing.
        """
        act = Act(
            action="resolve_incident",
            entity=incident_id,
            case_id=case_of(incident_id),
            actor=actor,
            reason=reason,
            request=idempotency,
        )
        return self._change(act, lambda change: case_acts.mend(change, incident_id, reason, values or {}))

    # --- letters: messages and signals of other cases ---------------------------------------------------

    def begin_by_letter(self, process: str, letter: Letter) -> Started:
        """A new case of the version in force, begun by a letter. Raises NotFound, WrongState."""
        act = Act(action="start", entity=process, actor=SYSTEM, request=letter.once(process))
        return self._change(
            act, lambda change: case_acts.begin(change, process, letter, self.library, self._mint)
        )

    def hear_letter(self, case_id: str, letter: Letter) -> Changed:
        """Whatever waits for the letter hears it. Raises WrongState, NotFound."""
        act = Act(
            action=letter.kind,
            entity=letter.name,
            case_id=case_id,
            actor=SYSTEM,
            request=letter.once(case_id),
        )
        return self._change(act, lambda change: case_acts.hear(change, case_id, letter))

    def delivered(self, letter: Letter) -> str | None:
        """The case that a message has reached already, if it has."""
        request = letter.once()
        with reading(self._database) as connection:
            known = look_up(connection, [], [(SYSTEM.id, request.key or "")])
        before = answered_before(known, Pending(), SYSTEM, request, self._clock())
        return None if before is None else before.case_id

    # --- below ----------------------------------------------------------------------------------------

    def _steer(self, action: str, case_id: str, reason: str, actor: Actor, request: Idempotency) -> Changed:
        act = Act(action=action, entity=case_id, case_id=case_id, actor=actor, reason=reason, request=request)
        return self._change(act, lambda change: case_acts.steer(change, action, case_id, reason))

    def _mint(self, change: Change, prefix: str) -> str:
        if self._new_case_id is not None:
            return self._new_case_id(prefix, change.now)
        return case_number(change.writing, prefix, change.now)

    def _change(self, act: Act, work: Callable[[Change], R]) -> R:
        """The clock is read once; what follows is one command in one transaction."""
        return cast(R, self._commits.run(act, work, self._clock()))


def _on_task(action: str, task_id: str, actor: Actor, request: Idempotency, reason: str = "") -> Act:
    return Act(
        action=action,
        entity=task_id,
        case_id=case_of(task_id),
        actor=actor,
        reason=reason,
        request=request,
    )
