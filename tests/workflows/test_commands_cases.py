"""Commands on whole cases: started, told, steered, mended; refused for each reason."""

from __future__ import annotations

import pytest

from engine.errors import InvalidInput, NotAllowed, NotFound, WrongState
from workflows.actors.policy import Actor
from workflows.transaction.results import Idempotency

PUBLIC = Actor(id="public", name="公众", level="public")


def refusal(kind, act):
    with pytest.raises(kind) as refused:
        act()
    return refused.value


def to_the_ministry(story):
    """A case that waits for nothing but the ministry."""
    story.start().do("check", "lz.officer", outcome="accepted").do("review", "lz.leader", outcome="agreed")
    story.do("ecology", "dee").do("market", "amr").work()
    return story


def test_a_case_begins_with_its_unit_its_batch_and_its_rules(story):
    story.start()

    variables = story.case().variables
    assert variables["unit"]["authority"] == "620100"
    assert variables["applicant"] == "app01"
    assert variables["case"] == {"id": story.case_id}
    assert variables["batch"]["year"] == 2026
    assert variables["rules"]["days"]["gf_m5"] > 0


def test_cases_are_numbered_by_prefix_and_year_without_a_gap(story):
    numbers = [story.start().case_id for _ in range(2)]
    refusal(InvalidInput, lambda: story.start(values={"days": 0}))

    assert [*numbers, story.start().case_id] == [f"SR-2026-{n:06}" for n in (1, 2, 3)]


def test_applying_is_voluntary(story):
    story.deploy("small_review")

    assert refusal(NotAllowed, lambda: story.start(by="lz.officer", unit="u01")).code == "NOT_STARTER"
    assert refusal(NotAllowed, lambda: story.start(by="app02", unit="u01")).code == "OUT_OF_SCOPE"
    assert refusal(NotFound, lambda: story.start(unit="u99")).code == "UNIT_NOT_FOUND"
    assert refusal(NotFound, lambda: story.start("no_such_process")).code == "PROCESS_NOT_FOUND"


def test_the_start_form_is_checked(story):
    refused = refusal(InvalidInput, lambda: story.start(values={"level": "national"}))

    assert {field.pointer for field in refused.fields} == {"/days", "/level"}


def test_a_start_repeated_with_its_key_starts_once(story):
    story.deploy("small_review")
    request = Idempotency(key="s", request_digest="d")
    start = story.commands.start_case

    first = start("small_review", {"days": 1}, actor=story.person("app01"), idempotency=request)
    again = start("small_review", {"days": 1}, actor=story.person("app01"), idempotency=request)

    assert (again.case_id, again.replayed) == (first.case_id, True)


def test_a_start_draft_goes_when_the_case_begins(story):
    story.deploy("small_review")
    actor, other = story.person("app01"), story.person("app02")
    for person in (actor, other):
        story.commands.save_start_draft("small_review", {"days": 2}, actor=person, revision=0)

    story.start()

    assert story.inbox.start_draft("small_review", actor).revision == 0
    assert story.inbox.start_draft("small_review", other).values == {"days": 2}


def test_the_applicant_withdraws(story):
    story.start().message("withdraw", "app01", reason="项目调整，不再申报")

    assert story.case().status == "completed"
    assert story.case().standing.outcome == "withdrawn"
    assert story.waiting() == []


def test_nobody_else_withdraws_for_the_applicant(story):
    story.start()

    assert refusal(NotAllowed, lambda: story.message("withdraw", "lz.officer")).code == "NOT_SENDER"
    assert refusal(NotFound, lambda: story.message("withdraw", "app02")).code == "NOT_FOUND"


def test_an_applicant_does_not_write_into_the_case_past_a_form(story):
    story.start()

    refused = refusal(InvalidInput, lambda: story.message("withdraw", "app01", level="national"))

    assert [field.pointer for field in refused.fields] == ["/level"]


def test_a_message_nothing_waits_for_is_refused(story):
    story.start()
    send = story.commands.receive_message

    refused = refusal(
        WrongState, lambda: send(story.case_id, "ministry_result", {}, actor=story.person("prov.officer"))
    )

    assert refused.code == "MESSAGE_UNEXPECTED"


def test_the_public_learns_nothing_of_a_case_that_does_not_ask_it(story):
    story.start()

    refusal(NotFound, lambda: story.commands.receive_message(story.case_id, "withdraw", {}, actor=PUBLIC))


def test_the_ministrys_answer_ends_the_case(story):
    to_the_ministry(story).message("ministry_result", "prov.officer", result="listed")

    assert story.case().status == "completed"
    assert story.case().variables["result"] == "listed"
    assert story.rows_of_case()["outcome"] == "designated"


def test_a_suspended_case_stands_still_until_it_is_resumed(story):
    story.start().claim("check", "lz.officer")
    leader = story.person("lz.leader")
    story.commands.suspend_case(story.case_id, "等待司法鉴定结论", actor=leader)

    refused = refusal(WrongState, lambda: story.complete("check", "lz.officer", outcome="accepted"))
    story.commands.resume_case(story.case_id, "鉴定已完成可恢复", actor=leader)

    assert refused.code == "TASK_ON_HOLD"
    assert story.complete("check", "lz.officer", outcome="accepted").is_waiting_at("review")


def test_only_leaders_stop_a_case_and_only_for_a_reason(story):
    story.start()
    stop = story.commands.suspend_case

    not_leading = refusal(
        NotAllowed, lambda: stop(story.case_id, "reason enough", actor=story.person("lz.officer"))
    )
    speechless = refusal(InvalidInput, lambda: stop(story.case_id, "  no ", actor=story.person("lz.leader")))

    assert not_leading.code == "NOT_LEADER"
    assert speechless.code == "REASON_REQUIRED"


def test_what_is_over_is_not_ended_again(story):
    story.start()
    end, leader = story.commands.terminate_case, story.person("prov.officer")
    end(story.case_id, "重复立案，予以终止", actor=leader)

    assert story.case().status == "terminated"
    assert story.waiting() == []
    assert (
        refusal(WrongState, lambda: end(story.case_id, "once more please", actor=leader)).code == "CASE_OVER"
    )
    assert refusal(WrongState, lambda: story.claim("check", "lz.officer")).code == "TASK_CANCELLED"


def test_only_the_system_fires_timers_and_finishes_jobs(story):
    story.start()
    commands, actor = story.commands, story.person("prov.officer")

    refusal(NotAllowed, lambda: commands.fire_timer(story.case_id, f"{story.case_id}.9", actor=actor))
    refusal(NotAllowed, lambda: commands.finish_job(f"{story.case_id}.9", {}, actor=actor))
    refusal(NotAllowed, lambda: commands.fail_job(f"{story.case_id}.9", "no", actor=actor))


def test_a_job_is_finished_once(story):
    to_the_ministry(story)
    job = story.rows_of_jobs()[0]["job_id"]

    refused = refusal(NotFound, lambda: story.commands.finish_job(job, {"sent": True}))

    assert refused.code == "JOB_GONE"


def test_a_failed_job_is_an_incident_that_a_person_mends(story):
    story.start().do("check", "lz.officer", outcome="accepted").do("review", "lz.leader", outcome="agreed")
    story.do("ecology", "dee").do("market", "amr")
    job = story.rows_of_jobs()[0]["job_id"]
    story.commands.fail_job(job, "the mail server is away")
    mend = story.commands.resolve_incident

    refused = refusal(NotAllowed, lambda: mend(job, reason="tried again", actor=story.person("lz.officer")))
    assert refused.code == "NOT_ALLOWED"
    assert story.incidents() == [job]
    assert story.rows_of_case()["open_incidents"] == 1
    mend(job, reason="邮件服务已恢复", actor=story.person("admin"))
    story.work()

    assert story.incidents() == []
    assert story.rows_of_case()["open_incidents"] == 0
    assert "decided to app01" in story.notices()


def test_an_administrator_mends_without_touching_the_data(story):
    story.start().do("check", "lz.officer", outcome="accepted").do("review", "lz.leader", outcome="agreed")
    story.do("ecology", "dee").do("market", "amr")
    job = story.rows_of_jobs()[0]["job_id"]
    story.commands.fail_job(job, "the mail server is away")

    refused = refusal(
        NotAllowed,
        lambda: story.commands.resolve_incident(
            job, reason="tried again", values={"rating": "small"}, actor=story.person("admin")
        ),
    )

    assert refused.facts["roles"] == ["process_owner"]


def test_each_accepted_request_leaves_one_operation_record(story):
    story.start().claim("check", "lz.officer").complete("check", "lz.officer", outcome="accepted")
    refusal(NotAllowed, lambda: story.claim("review", "lz.officer"))

    assert story.operations() == ["start", "claim", "complete"]
