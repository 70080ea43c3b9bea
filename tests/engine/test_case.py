"""A case: refused or done, and what was recorded happens again exactly."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from engine import events as ev
from engine.case.case import Case
from engine.errors import NotAllowed, NotFound, ReplayMismatch, WrongState
from engine.events import Who
from tests.engine.drawing import NOW, WeekDays, feel_values, for_each, message, process, timer

MARA, BORIS = Who(actor="mara"), Who(actor="boris")
CLOCK = Who(actor="system")


def review():
    """Ask, review with a deadline, and book by a job; the asker may withdraw."""
    drawing = process("leave").start().user("review", result="review").job("book", "calendar.book").end()
    drawing.boundary("late", "review", timer("P2D"), interrupting=False).user("remind").end("reminded")
    listening = process().start("heard", message("withdrawal"), isInterrupting="true").end("withdrawn")
    return drawing.event_sub("withdrawing", listening).define(
        '<bpmn:message id="withdrawal" name="withdrawal"/>'
    )


def started(drawing=None, **values) -> Case:
    definition = (drawing or review()).read()
    return Case.start(
        "C-1", definition, WeekDays(), pins={"leave": "leave:1"}, values=feel_values(values), by=MARA, now=NOW
    )


def task(case: Case, element: str) -> str:
    return next(one.id for one in case.standing.tasks.values() if one.element == element)


def kinds(case: Case) -> list[str]:
    return [type(entry.event).__name__ for entry in case.fresh]


def again(case: Case) -> Case:
    """The case that replay makes of everything fresh."""
    other = Case(case.fresh[0], case.definition, case.calendar)
    for entry in case.fresh:
        other.relive(entry)
    other.end_of_replay()
    return other


def test_starting_records_the_cause_and_then_what_followed():
    case = started(days=3)

    assert kinds(case) == ["CaseStarted", "ElementPassed", "TaskCreated", "TimerSet"]
    assert [entry.seq for entry in case.fresh] == [1, 2, 3, 4]


def test_a_claimed_task_is_refused_to_the_next_with_the_holders_name():
    case = started()
    case.claim_task(task(case, "review"), by=MARA, now=NOW)

    with pytest.raises(WrongState, match="already claimed by mara") as refused:
        case.claim_task(task(case, "review"), by=BORIS, now=NOW)

    assert refused.value.code == "TASK_ALREADY_CLAIMED"
    assert refused.value.facts["assignee"] == "mara"


def test_only_the_holder_completes():
    case = started()
    case.claim_task(task(case, "review"), by=MARA, now=NOW)

    with pytest.raises(NotAllowed, match="claimed by mara, not by boris"):
        case.complete_task(task(case, "review"), {}, by=BORIS, now=NOW)


def test_completing_cancels_the_deadline_and_creates_the_job():
    case = started()
    case.claim_task(task(case, "review"), by=MARA, now=NOW)

    case.complete_task(task(case, "review"), {"approved": True}, by=MARA, now=NOW)

    followed = kinds(case)[kinds(case).index("TaskCompleted") + 1 :]
    assert sorted(followed) == ["ElementPassed", "JobCreated", "TimerCancelled"]
    assert case.standing.completed_by == {"review": ["mara"]}
    assert case.variables["review"] == {"approved": True}


def test_a_timer_never_fires_early():
    case = started()
    (timer_id,) = case.standing.timers

    with pytest.raises(WrongState, match="is due at"):
        case.fire_timer(timer_id, by=CLOCK, now=NOW + timedelta(days=2, microseconds=-1))

    case.fire_timer(timer_id, by=CLOCK, now=NOW + timedelta(days=2))
    assert "TaskEscalated" in kinds(case)


def test_a_fired_timer_is_gone():
    case = started()
    (timer_id,) = case.standing.timers
    case.fire_timer(timer_id, by=CLOCK, now=NOW + timedelta(days=2))

    with pytest.raises(NotFound, match="is not set"):
        case.fire_timer(timer_id, by=CLOCK, now=NOW + timedelta(days=2))


def test_a_message_nobody_waits_for_is_refused_with_what_is_waited_for():
    with pytest.raises(WrongState, match=r"waits for \['withdrawal'\], not for 'objection'"):
        started().receive_message("objection", {}, by=MARA, now=NOW)


def test_an_interrupting_message_ends_the_case_and_cancels_what_waited():
    case = started()

    case.receive_message("withdrawal", {"why": "sold"}, by=MARA, now=NOW)

    assert {"TaskCancelled", "TimerCancelled", "CaseCompleted"} <= set(kinds(case))
    assert case.status == "completed"


def test_a_job_that_used_up_its_attempts_is_an_incident_until_a_person_resolves_it():
    case = started()
    case.claim_task(task(case, "review"), by=MARA, now=NOW)
    case.complete_task(task(case, "review"), {}, by=MARA, now=NOW)
    (job_id,) = case.standing.jobs

    case.fail_job(job_id, "no line", by=CLOCK, now=NOW, retry_at=NOW + timedelta(minutes=1))
    assert not case.standing.incidents
    case.fail_job(job_id, "no line", by=CLOCK, now=NOW)
    assert case.standing.incidents[job_id].message == "no line"

    case.resolve_incident(job_id, reason="line is back", by=BORIS, now=NOW)
    case.finish_job(job_id, {"booked": True}, by=CLOCK, now=NOW)
    assert case.status == "completed"


def test_a_failing_model_is_an_incident_and_not_an_exception():
    drawing = process("leave").start().gateway("exclusive", "g")
    drawing.at("g", "=days > 5").end("long").at("g", "=days < 5").end("short")
    case = started(drawing, days=5)

    (incident,) = case.standing.incidents.values()
    assert (case.status, incident.element) == ("active", "g")

    case.resolve_incident(
        incident.id, reason="asked again", values=feel_values({"days": 4}), by=BORIS, now=NOW
    )
    assert case.status == "completed"
    assert again(case).execution.digest() == case.execution.digest()


def test_nothing_moves_in_a_suspended_case():
    case = started()
    case.suspend(reason="court order", by=BORIS, now=NOW)

    with pytest.raises(WrongState, match="expected to be active, it is suspended"):
        case.claim_task(task(case, "review"), by=MARA, now=NOW)

    case.resume(reason="lifted", by=BORIS, now=NOW)
    case.claim_task(task(case, "review"), by=MARA, now=NOW)


def test_terminating_cancels_everything_that_waits():
    case = started()

    case.terminate(reason="opened by mistake", by=BORIS, now=NOW)

    assert not case.standing.tasks
    assert not case.standing.timers
    assert case.status == "terminated"


def test_an_opinion_is_asked_for_and_comes_back():
    case = started()
    review_task = task(case, "review")
    case.claim_task(review_task, by=MARA, now=NOW)
    case.delegate_task(review_task, "boris", question="Is the permit valid?", by=MARA, now=NOW)

    with pytest.raises(WrongState, match="give the opinion first"):
        case.complete_task(review_task, {}, by=BORIS, now=NOW)

    case.resolve_task(review_task, "It is.", by=BORIS, now=NOW)
    case.complete_task(review_task, {}, by=MARA, now=NOW)


def test_a_clock_that_steps_back_puts_no_fact_before_its_cause():
    case = started()

    case.claim_task(task(case, "review"), by=MARA, now=NOW - timedelta(hours=1))

    moments = [entry.at for entry in case.fresh]
    assert moments == sorted(moments)


def played_out() -> Case:
    case = started(days=3)
    case.claim_task(task(case, "review"), by=MARA, now=NOW)
    (timer_id,) = case.standing.timers
    case.fire_timer(timer_id, by=CLOCK, now=NOW + timedelta(days=3))
    case.complete_task(task(case, "review"), {"approved": True}, by=MARA, now=NOW + timedelta(days=4))
    return case


def test_replay_makes_the_same_case():
    case = played_out()

    other = again(case)

    assert other.execution.digest() == case.execution.digest()
    assert other.standing == case.standing


def test_replay_names_the_first_entry_that_the_model_does_not_say():
    case = played_out()
    entries = list(case.fresh)
    wrong = next(i for i, e in enumerate(entries) if isinstance(e.event, ev.TaskCreated))
    forged = ev.TaskCreated(**{**entries[wrong].event.data(), "element": "designate", "groups": ()})
    other = Case(entries[0], case.definition, case.calendar)

    for entry in entries[:wrong]:
        other.relive(entry)

    with pytest.raises(ReplayMismatch) as found:
        other.relive(ev.Entry(**{**vars(entries[wrong]), "event": forged}))

    assert found.value.seq == wrong + 1
    assert found.value.recorded["element"] == "designate"


def test_replay_notices_a_consequence_that_was_left_out():
    case = played_out()
    other = Case(case.fresh[0], case.definition, case.calendar)

    left_out = next(i for i, e in enumerate(case.fresh) if isinstance(e.event, ev.TimerSet))
    for entry in case.fresh[:left_out]:
        other.relive(entry)

    with pytest.raises(ReplayMismatch):
        other.relive(case.fresh[left_out + 1])


def test_a_remembered_case_goes_on_as_the_live_one_does():
    case = played_out()
    other = Case.of(case.state(), case.definition, case.calendar, head=case.head)

    for one in (case, other):
        (job_id,) = one.standing.jobs
        one.finish_job(job_id, {"booked": True}, by=CLOCK, now=NOW + timedelta(days=5))

    assert other.execution.digest() == case.execution.digest()
    assert [e.body() for e in other.fresh] == [e.body() for e in case.fresh][-len(other.fresh) :]


def test_moments_in_the_journal_are_utc():
    due = next(e.event.due_at for e in started().fresh if isinstance(e.event, ev.TimerSet))

    assert datetime.fromisoformat(due) == NOW + timedelta(days=2)
    assert due.endswith("Z")


def test_a_case_without_end_events_ends_by_its_last_elements():
    drawing = process("leave").user("review")
    drawing.add("task", "note", connect=False)
    case = started(drawing)
    case.claim_task(task(case, "review"), by=MARA, now=NOW)
    case.complete_task(task(case, "review"), {}, by=MARA, now=NOW)

    assert case.fresh[-1].event.ends == ("review",)
    assert again(case).status == "completed"


def test_an_activity_that_had_nothing_to_do_is_recorded_as_skipped():
    case = started(process("leave").start().user("ask", inside=for_each("=people", "p")).end(), people=[])
    skipped = next(entry.event for entry in case.fresh if isinstance(entry.event, ev.ElementSkipped))

    assert (skipped.element, skipped.flows) == ("ask", ("ask__end",))
    assert again(case).status == "completed"
