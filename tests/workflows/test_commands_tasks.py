"""Commands on tasks: done, refused for each reason, stale, repeated."""

from __future__ import annotations

import pytest

from engine.errors import InvalidInput, NotAllowed, NotFound, WrongState
from workflows.transaction.results import Idempotency


def refusal(kind, act):
    with pytest.raises(kind) as refused:
        act()
    return refused.value


def test_claiming_makes_the_task_ones_own(story):
    story.start()

    held = story.claimed("check", "lz.officer")

    assert held.assignee == "lz.officer"
    assert story.entries()[-1] == "TaskClaimed"
    assert story.operations() == ["start", "claim"]


def test_who_comes_second_is_told_who_holds_the_task_and_since_when(story):
    story.start().claim("check", "lz.officer")

    refused = refusal(WrongState, lambda: story.claim("check", "lz.officer2"))

    assert refused.code == "TASK_ALREADY_CLAIMED"
    assert refused.facts["assignee"] == "lz.officer"
    assert refused.facts["assignee_name"] == story.person("lz.officer").name
    assert refused.facts["claimed_at"].startswith("2026-03-02T01:00:00")


def test_claiming_what_one_holds_changes_nothing(story):
    story.start().claim("check", "lz.officer")
    before = story.entries()

    assert story.claimed("check", "lz.officer").assignee == "lz.officer"
    assert story.entries() == before


def test_nobody_outside_the_group_claims(story):
    story.start()

    assert refusal(NotAllowed, lambda: story.claim("check", "lz.leader")).code == "NOT_CANDIDATE"
    assert story.entries()[-1] == "TaskCreated"


def test_who_may_not_know_of_a_case_is_told_there_is_none(story):
    story.start()

    for stranger in ("ts.officer", "app02", "dee", "admin"):
        refusal(NotFound, lambda who=stranger: story.claim("check", who))


def test_whoever_checked_does_not_review(story):
    story.start().do("check", "lz.officer", outcome="accepted")

    refused = refusal(NotAllowed, lambda: story.claim("review", "lz.officer"))

    assert refused.code == "SOD"
    assert refused.facts["conflicting_element"] == "check"
    assert story.claimed("review", "lz.officer2").assignee == "lz.officer2"


def test_four_eyes_are_asked_again_when_a_task_is_put_into_barred_hands(story):
    story.start().do("check", "lz.officer", outcome="accepted").claim("review", "lz.officer2")
    give = story.commands.transfer_task

    refused = refusal(
        NotAllowed,
        lambda: give(
            story.task("review"), "lz.officer", reason="please take it", actor=story.person("lz.officer2")
        ),
    )

    assert refused.code == "SOD"


def test_a_released_task_can_be_claimed_by_another(story):
    story.start().claim("check", "lz.officer").release("check", "lz.officer")

    assert story.claimed("check", "lz.officer2").assignee == "lz.officer2"


def test_only_the_holder_releases(story):
    story.start().claim("check", "lz.officer")

    assert refusal(NotAllowed, lambda: story.release("check", "lz.officer2")).code == "NOT_ASSIGNEE"


def test_completing_moves_the_case_and_tells_what_waits_next(story):
    story.start().claim("check", "lz.officer")

    done = story.completed("check", "lz.officer", {"outcome": "accepted", "opinion": "齐全"})

    assert [task.element for task in done.next_tasks] == ["review"]
    assert story.is_waiting_at("review")
    assert story.case().variables["opinion"] == "齐全"


def test_completing_a_task_cancels_its_deadline(story):
    story.start().do("check", "lz.officer", outcome="accepted").claim("review", "lz.officer2")
    assert story.timers() == ["late"]

    story.complete("review", by="lz.officer2", outcome="agreed")

    assert story.timers() == []


def test_values_of_a_task_with_a_result_stand_under_its_name(story):
    story.start().do("check", "lz.officer", outcome="accepted").do("review", "lz.leader", outcome="agreed")

    story.do("ecology", "dee", opinion="无异议")

    assert story.case().variables["ecology_opinion"] == {"opinion": "无异议"}


def test_completing_needs_holding(story):
    story.start()

    refused = refusal(NotAllowed, lambda: story.complete("check", "lz.officer", outcome="accepted"))

    assert refused.code == "NOT_ASSIGNEE"


def test_an_outcome_nobody_drew_is_refused(story):
    story.start().claim("check", "lz.officer")

    refused = refusal(InvalidInput, lambda: story.complete("check", "lz.officer", outcome="designated"))

    assert [field.pointer for field in refused.fields] == ["/outcome"]
    assert story.is_waiting_at("check")


def test_an_outcome_asks_for_what_it_requires(story):
    story.start().claim("check", "lz.officer")

    refused = refusal(InvalidInput, lambda: story.complete("check", "lz.officer", outcome="returned"))

    assert [(field.pointer, field.code) for field in refused.fields] == [("/opinion", "required_if")]


def test_nothing_gets_past_the_form(story):
    story.start().claim("check", "lz.officer")

    refused = refusal(
        InvalidInput,
        lambda: story.complete("check", "lz.officer", {"outcome": "accepted", "level": "national"}),
    )

    assert [field.pointer for field in refused.fields] == ["/level"]
    assert "level" not in story.case().variables


def test_what_is_done_is_not_done_twice(story):
    story.start().do("check", "lz.officer", outcome="accepted")

    refused = refusal(WrongState, lambda: story.complete("check", "lz.officer", outcome="accepted"))

    assert refused.code == "TASK_COMPLETED"
    assert refusal(WrongState, lambda: story.claim("check", "lz.officer2")).code == "TASK_COMPLETED"


def test_who_comes_too_late_is_told_who_completed_it_and_when(story):
    story.start().do("check", "lz.officer", outcome="accepted")
    done_at = story.clock()
    story.clock.move("PT1H")

    refused = refusal(WrongState, lambda: story.claim("check", "lz.officer2"))

    assert refused.facts["completed_by"] == "lz.officer"
    assert refused.facts["completed_by_name"] == story.person("lz.officer").name
    assert refused.facts["completed_at"] == done_at.isoformat()


def test_who_comes_too_late_is_told_when_it_was_cancelled(story):
    story.start().claim("check", "lz.officer")
    story.commands.terminate_case(story.case_id, "申请单位已撤回", actor=story.person("lz.leader"))

    refused = refusal(WrongState, lambda: story.complete("check", "lz.officer", outcome="accepted"))

    assert refused.code == "TASK_CANCELLED"
    assert refused.facts["cancelled_at"] == story.clock().isoformat()


def test_the_same_request_twice_is_answered_as_the_first_time(story):
    story.start().claim("check", "lz.officer")
    request = Idempotency(key="k1", request_digest="d1", request_id="r1")
    task, actor = story.task("check"), story.person("lz.officer")
    complete = story.commands.complete_task

    first = complete(task, {"outcome": "accepted"}, actor=actor, idempotency=request)
    entries = story.entries()
    again = complete(task, {"outcome": "accepted"}, actor=actor, idempotency=request)

    assert again.replayed
    assert (again.seq, again.next_tasks) == (first.seq, first.next_tasks)
    assert story.entries() == entries
    assert story.operations().count("complete") == 1


def test_the_same_key_on_another_request_is_refused(story):
    story.start()
    task, actor = story.task("check"), story.person("lz.officer")
    story.commands.claim_task(task, actor=actor, idempotency=Idempotency(key="k", request_digest="a"))

    refused = refusal(
        InvalidInput,
        lambda: story.commands.release_task(
            task, actor=actor, idempotency=Idempotency(key="k", request_digest="b")
        ),
    )

    assert refused.code == "IDEMPOTENCY_REUSED"


def test_a_key_is_forgotten_after_a_day(story):
    story.start()
    task, actor = story.task("check"), story.person("lz.officer")
    request = Idempotency(key="k", request_digest="a")
    story.commands.claim_task(task, actor=actor, idempotency=request)
    story.clock.move("P1DT1M")

    again = story.commands.claim_task(task, actor=actor, idempotency=request)

    assert not again.replayed


def test_a_transfer_gives_the_task_away_for_good_and_keeps_its_reason(story):
    story.start().claim("check", "lz.officer")
    task = story.task("check")

    story.commands.transfer_task(
        task, "lz.officer2", reason="出差一周，请代办", actor=story.person("lz.officer")
    )

    assert story.case().standing.tasks[task].assignee == "lz.officer2"
    assert story.history.operations(story.case_id)[-1]["reason"] == "出差一周，请代办"


def test_a_leader_distributes_what_others_hold(story):
    story.start().claim("check", "lz.officer")
    leader = story.person("lz.leader")

    story.commands.transfer_task(story.task("check"), "lz.officer2", reason="重新分配任务", actor=leader)

    assert story.case().open_task(story.task("check")).assignee == "lz.officer2"


@pytest.mark.parametrize(
    ("to", "reason", "kind", "code"),
    [
        ("lz.officer2", "no", InvalidInput, "REASON_REQUIRED"),
        ("dee", "please take it", NotAllowed, "NOT_CANDIDATE"),
        ("ts.officer", "please take it", NotAllowed, "NOT_CANDIDATE"),
        ("nobody", "please take it", NotFound, "NOT_FOUND"),
    ],
)
def test_a_transfer_is_refused(story, to, reason, kind, code):
    story.start().claim("check", "lz.officer")

    refused = refusal(
        kind,
        lambda: story.commands.transfer_task(
            story.task("check"), to, reason=reason, actor=story.person("lz.officer")
        ),
    )

    assert refused.code == code


def test_an_opinion_is_asked_for_given_and_the_task_comes_back(story):
    story.start().claim("check", "lz.officer")
    task, mine, asked = story.task("check"), story.person("lz.officer"), story.person("lz.officer2")
    story.commands.delegate_task(task, "lz.officer2", question="材料是否齐全？", actor=mine)

    refused = refusal(WrongState, lambda: story.complete("check", "lz.officer2", outcome="accepted"))
    back = story.commands.resolve_task(task, "齐全", actor=asked)

    assert refused.code == "TASK_DELEGATED"
    assert back.assignee == "lz.officer"
    assert story.complete("check", "lz.officer", outcome="accepted").is_waiting_at("review")


def test_a_draft_is_kept_and_goes_with_the_task(story):
    story.start().claim("check", "lz.officer")
    task, actor = story.task("check"), story.person("lz.officer")

    saved = story.commands.save_draft(task, {"opinion": "写到一半"}, actor=actor, revision=0)
    draft = story.inbox.draft(task, actor)

    assert (saved.revision, draft.revision, draft.values) == (1, 1, {"opinion": "写到一半"})
    story.complete("check", "lz.officer", outcome="accepted")
    assert story.inbox.draft(task, actor).revision == 0


def test_two_tabs_do_not_overwrite_each_others_draft(story):
    story.start().claim("check", "lz.officer")
    task, actor = story.task("check"), story.person("lz.officer")
    story.commands.save_draft(task, {"opinion": "一"}, actor=actor, revision=0)

    refused = refusal(
        WrongState,
        lambda: story.commands.save_draft(task, {"opinion": "二"}, actor=actor, revision=0),
    )

    assert (refused.code, refused.facts["revision"]) == ("DRAFT_STALE", 1)
    assert refused.facts["values"] == {"opinion": "一"}


def test_only_the_holder_keeps_a_draft(story):
    story.start()

    refused = refusal(
        NotAllowed,
        lambda: story.commands.save_draft(
            story.task("check"), {}, actor=story.person("lz.officer"), revision=0
        ),
    )

    assert refused.code == "NOT_ASSIGNEE"
