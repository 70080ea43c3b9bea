"""What each command on a whole case does inside its transaction: start, tell, steer, work off, mend."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from engine.case.case import Case
from engine.definition.model import Definition
from engine.errors import NotAllowed, WrongState
from workflows.actors import duties
from workflows.actors.policy import Verdict
from workflows.acts import echoes, submissions
from workflows.acts.letters import Letter
from workflows.acts.openings import Opened, Opening, begun, opened
from workflows.acts.task_acts import needs_reason
from workflows.library.catalog import Catalog
from workflows.library.packages import Package
from workflows.store.contents import keep
from workflows.store.leases import Lease, still_held
from workflows.transaction.change import Change, demand
from workflows.transaction.facts import case_facts, case_of
from workflows.transaction.results import Changed, DraftSaved, Started, tasks_among

Values = Mapping[str, Any]
Mint = Callable[[Change, str], str]


def start(change: Change, asked: Opening, library: Catalog, mint: Mint) -> Started:
    """A case of the version in force, begun by somebody who may, with values the start form accepts."""
    pins = library.pins(change.connection, asked.process, change.now)
    package = library.package(pins[asked.process], change.connection)
    given = opened(change.connection, asked, package, actor=change.actor, now=change.now)
    demand(_may_start(change, asked.process, package, given))
    definition = library.start_definition(change.connection, pins, asked.process)
    if asked.rules:  # a batch's own stand in the library since it was opened
        keep(change.writing, {name: one.text.encode() for name, one in given.shared.items()})
    started = _begun(change, definition, pins, given, library, mint(change, package.case_prefix))
    submissions.attach_files(change, given.form, started.case_id, given.values)
    place = submissions.start_place(asked.process)
    submissions.forget_drafts(change.rows, place, asked.process, change.actor.id)
    return started


def _may_start(change: Change, process: str, package: Package, given: Opened) -> Verdict:
    unit = given.values["unit"]
    return duties.may_start(
        change.actor,
        process,
        started_by=package.started_by,
        unit=given.unit_id,
        authority=given.authority,
        kind=str(unit["kind"]) if isinstance(unit, dict) else None,
        for_kinds=package.for_kinds,
    )


def begin(change: Change, process: str, letter: Letter, library: Catalog, mint: Mint) -> Started:
    """A case of the version in force, begun by a letter of another case."""
    pins = library.pins(change.connection, process, change.now)
    definition = library.start_definition(change.connection, pins, process)
    element = letter.begins_at(definition)
    if element is None:
        raise WrongState(f"{letter.name} no longer begins a case of {process}", code="NO_BEGINNING")
    given = begun(change.connection, letter, now=change.now)
    number = mint(change, library.package(pins[process], change.connection).case_prefix)
    by = {"begins_at": element, "carried": letter.values, "job_id": letter.job_id, "origin": letter.origin}
    started = _begun(change, definition, pins, given, library, number, **by)
    echoes.count(change, letter)
    return started


def save_start_draft(change: Change, process: str, values: Values, revision: int) -> DraftSaved:
    """What somebody has typed into a start form is kept."""
    place = submissions.start_place(process)
    kept = submissions.keep_draft(change, place, process, values, revision)
    return DraftSaved(
        case_id="", seq=0, status="", task_id=process, revision=kept, saved_at=change.now.isoformat()
    )


def receive(
    change: Change, case_id: str, message: str, values: Values, correlation: Any, library: Catalog
) -> Changed:
    """Whatever waits for the message hears it, if its drawing lets this actor send it."""
    facts = case_facts(change.connection, case_id)
    case = change.take(case_id)
    verdict = duties.may_send(change.actor, message, facts, sent_by=submissions.senders(case, message))
    if not verdict.allowed:
        change.see(facts, case_id)  # the public sends without seeing; who may do neither learns nothing
    demand(verdict)
    heard = submissions.message_values(change, library, case, message, values)
    key = _only_key(case, message) if correlation is None else correlation
    case.receive_message(message, heard, correlation=key, by=change.who, now=change.now)
    return _changed(case)


def _only_key(case: Case, message: str) -> Any:
    """The key by which the case waits for a message, if it is one: who names the case need not repeat it."""
    keys = [one.correlation for one in case.awaited() if one.message == message]
    return keys[0] if keys and all(key == keys[0] for key in keys) else None


def hear(change: Change, case_id: str, letter: Letter) -> Changed:
    """Whatever waits for a letter of another case hears it."""
    case = change.take(case_id)
    came: dict[str, Any] = {"job_id": letter.job_id, "origin": letter.origin, "by": change.who}
    if letter.kind == "signal":
        case.hear_signal(letter.name, letter.values, **came, now=change.now)
    else:
        case.receive_message(
            letter.name,
            letter.values,
            correlation=letter.correlation,
            **came,
            now=change.now,
        )
    echoes.count(change, letter)
    return _changed(case)


def steer(change: Change, action: str, case_id: str, reason: str) -> Changed:
    """`suspend`, `resume` or `terminate`, by somebody who leads, for a reason."""
    needs_reason(reason)
    demand(duties.may_steer(change.actor, change.facts(case_id)))
    case = change.take(case_id)
    steps = {"suspend": case.suspend, "resume": case.resume, "terminate": case.terminate}
    steps[action](reason=reason, by=change.who, now=change.now)
    return _changed(case)


def fire(change: Change, timer_id: str, lease: Lease | None) -> Changed:
    """The timer has fired."""
    case = _for_the_system(change, timer_id, lease)
    case.fire_timer(timer_id, by=change.who, now=change.now)
    return _changed(case)


def finish(change: Change, job_id: str, result: Values, lease: Lease | None) -> Changed:
    """The job was done."""
    case = _for_the_system(change, job_id, lease)
    case.finish_job(job_id, result, by=change.who, now=change.now)
    return _changed(case)


def fail(
    change: Change,
    job_id: str,
    message: str,
    retry_at: datetime | None,
    error_code: str | None,
    lease: Lease | None,
) -> Changed:
    """One attempt at the job failed."""
    case = _for_the_system(change, job_id, lease)
    case.fail_job(job_id, message, retry_at=retry_at, error_code=error_code, by=change.who, now=change.now)
    return _changed(case)


def mend(change: Change, incident_id: str, reason: str, values: Values) -> Changed:
    """The failed step is tried again; only a process owner sets values on the way."""
    needs_reason(reason)
    demand(duties.may_edit(change.actor) if values else duties.may_mend(change.actor))
    case = change.take(case_of(incident_id))
    typed = submissions.typed(values)
    case.resolve_incident(incident_id, values=typed, reason=reason, by=change.who, now=change.now)
    return _changed(case)


def _begun(
    change: Change,
    definition: Definition,
    pins: Mapping[str, str],
    given: Opened,
    library: Catalog,
    number: str,
    **by: Any,
) -> Started:
    change.case = case = Case.start(
        number,
        definition,
        library.calendar(given.calendar or library.calendar_id),
        pins=dict(pins),
        values={"case": {"id": number}, **given.values},
        by=change.who,
        now=change.now,
        unit=given.unit_id,
        batch=given.batch_id,
        shared={name: library.holding(one) for name, one in given.shared.items()},
        **by,
    )
    tasks = tasks_among(case.fresh, case.definition)
    return Started(case_id=case.case_id, seq=case.seq, status=case.status, tasks=tasks)


def _for_the_system(change: Change, its_id: str, lease: Lease | None) -> Case:
    if lease is not None:
        still_held(change.connection, lease)
    if not change.actor.is_system:
        raise NotAllowed("only the system does this", code="NOT_ALLOWED")
    return change.take(case_of(its_id))


def _changed(case: Case) -> Changed:
    tasks = tasks_among(case.fresh, case.definition)
    return Changed(case_id=case.case_id, seq=case.seq, status=case.status, next_tasks=tasks)
