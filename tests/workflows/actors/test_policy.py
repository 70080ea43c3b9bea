"""The rules of who may do what, one by one, over facts and without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from workflows.actors import duties, policy
from workflows.actors.policy import SYSTEM, Actor, CaseFacts, Done, TaskFacts

LZ = "620100"
OFFICER = Actor(
    id="lz.officer",
    name="王兰",
    groups=frozenset({f"municipal_officer@{LZ}"}),
    authority=LZ,
    level="municipal",
)
LEADER = replace(OFFICER, id="lz.leader", groups=frozenset({f"municipal_leader@{LZ}"}))
STRANGER = replace(
    OFFICER, id="ts.officer", groups=frozenset({"municipal_officer@620500"}), authority="620500"
)
APPLICANT = Actor(id="app01", name="李厂", groups=frozenset({"applicant@u01"}), unit="u01", level="unit")
RIVAL = replace(APPLICANT, id="app02", groups=frozenset({"applicant@u02"}), unit="u02")
PROVINCE = Actor(id="prov.officer", name="赵省", groups=frozenset({"provincial_officer"}), level="provincial")
DEPARTMENT = Actor(id="dee", name="钱环", groups=frozenset({"department@ecology"}), level="department")
EXPERT = Actor(id="expert1", name="孙专", groups=frozenset({"expert"}), level="expert")
AUDITOR = Actor(id="auditor", name="周审", roles=frozenset({"auditor"}))
ADMIN = Actor(id="admin", name="吴管", roles=frozenset({"administrator"}))
OWNER = Actor(id="owner", name="郑程", roles=frozenset({"process_owner"}))
APPROVER = Actor(id="approver", name="冯批", roles=frozenset({"approver"}))

CASE = CaseFacts(
    case_id="GF-1",
    status="active",
    unit="u01",
    unit_marks=frozenset({"u01", "兰州某厂", "李厂长"}),
    authority=LZ,
    started_by="app01",
    groups=frozenset({f"municipal_officer@{LZ}"}),
)
NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
TASK = TaskFacts(
    task_id="GF-1.7",
    case=CASE,
    element="review",
    name="复核",
    name_en="Review",
    state="ready",
    groups=(f"municipal_officer@{LZ}",),
    not_same_as=("check",),
)
HELD = replace(TASK, state="claimed", assignee="lz.officer", assignee_name="王兰", claimed_at=NOON)


def done(by: str) -> Done:
    return Done(task_id="GF-1.4", element="check", name="初审", name_en="Check", by=by, at=NOON)


@pytest.mark.parametrize(
    ("actor", "sees"),
    [
        (APPLICANT, True),
        (RIVAL, False),
        (OFFICER, True),
        (STRANGER, False),
        (PROVINCE, True),
        (DEPARTMENT, False),
        (EXPERT, False),
        (AUDITOR, True),
        (ADMIN, False),
        (OWNER, False),
        (SYSTEM, True),
    ],
    ids=lambda value: getattr(value, "id", value),
)
def test_who_sees_a_case(actor, sees):
    assert policy.may_see(actor, CASE).allowed is sees


def test_a_consulted_department_sees_the_case_it_was_asked_about():
    asked = replace(CASE, groups=CASE.groups | {"department@ecology"})

    assert policy.sees(DEPARTMENT, asked)


def test_an_expert_sees_the_case_a_task_names_them_for():
    assert policy.sees(EXPERT, replace(CASE, people=frozenset({"expert1"})))


def test_a_candidate_may_claim_a_free_task():
    assert policy.may_claim(OFFICER, TASK).allowed


def test_a_person_named_by_the_task_may_claim_it_without_a_group():
    assert policy.may_claim(EXPERT, replace(TASK, users=("expert1",))).allowed


@pytest.mark.parametrize(
    ("actor", "task", "code"),
    [
        (DEPARTMENT, TASK, "NOT_CANDIDATE"),
        (OFFICER, replace(TASK, state="completed"), "TASK_COMPLETED"),
        (OFFICER, replace(TASK, state="cancelled"), "TASK_CANCELLED"),
        (OFFICER, replace(TASK, suspended=True), "TASK_ON_HOLD"),
        (LEADER, replace(HELD, groups=("municipal_leader@620100",)), "TASK_ALREADY_CLAIMED"),
        (STRANGER, replace(TASK, groups=("municipal_officer@620500",)), "OUT_OF_SCOPE"),
        (OFFICER, replace(TASK, done=(done("lz.officer"),)), "SOD"),
        (replace(OFFICER, interests=frozenset({"李厂长"})), TASK, "COI"),
        (replace(OFFICER, unit="u01"), TASK, "COI"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_claiming_is_refused_with_its_reason(actor, task, code):
    verdict = policy.may_claim(actor, task)

    assert (verdict.allowed, verdict.code) == (False, code)
    assert verdict.sentence
    assert verdict.sentence_zh


def test_the_loser_of_a_race_is_told_who_holds_the_task_and_since_when():
    facts = policy.may_claim(replace(OFFICER, id="lz.officer2"), HELD).facts

    assert facts["assignee"] == "lz.officer"
    assert facts["assignee_name"] == "王兰"
    assert facts["claimed_at"] == NOON.isoformat()


def test_claiming_what_one_holds_is_no_contradiction():
    assert policy.may_claim(OFFICER, HELD).allowed


def test_somebody_elses_earlier_step_bars_nobody():
    assert policy.may_claim(OFFICER, replace(TASK, done=(done("lz.officer2"),))).allowed


def test_four_eyes_look_at_whom_one_stands_in_for_too():
    deputy = replace(OFFICER, id="lz.officer2", on_behalf_of="lz.officer")

    assert policy.may_claim(deputy, replace(TASK, done=(done("lz.officer"),))).code == "SOD"


def test_only_the_holder_completes():
    assert policy.may_complete(OFFICER, HELD).allowed
    assert policy.may_complete(LEADER, HELD).code == "NOT_ASSIGNEE"
    assert policy.may_complete(OFFICER, TASK).code == "NOT_ASSIGNEE"


def test_who_was_asked_for_an_opinion_does_not_complete():
    lent = replace(HELD, owner="lz.leader")

    assert policy.may_complete(OFFICER, lent).code == "TASK_DELEGATED"


def test_a_leader_of_the_authority_may_transfer_and_a_colleague_may_not():
    assert policy.may_transfer(LEADER, HELD).allowed
    assert policy.may_transfer(replace(OFFICER, id="lz.officer2"), HELD).code == "NOT_ASSIGNEE"


def test_a_task_is_not_put_into_the_hands_of_a_barred_person():
    assert policy.may_receive(OFFICER, replace(TASK, done=(done("lz.officer"),))).code == "SOD"


def test_applying_is_voluntary():
    assert duties.may_start(APPLICANT, "green_factory", started_by=(), unit="u01").allowed
    assert duties.may_start(OFFICER, "green_factory", started_by=(), unit="u01").code == "NOT_STARTER"
    assert duties.may_start(APPLICANT, "green_factory", started_by=(), unit="u02").code == "OUT_OF_SCOPE"


def test_a_process_may_name_who_starts_it():
    assert duties.may_start(PROVINCE, "batch", started_by=("provincial_officer",), unit=None).allowed
    assert duties.may_start(APPLICANT, "batch", started_by=("provincial_officer",), unit=None).code
    assert duties.may_start(PROVINCE, "publicity", started_by=("none",), unit=None).code == "NOT_STARTER"


def test_the_unit_withdraws_its_own_running_case():
    assert duties.may_withdraw(APPLICANT, CASE).allowed
    assert duties.may_withdraw(RIVAL, CASE).code == "NOT_SENDER"
    assert duties.may_withdraw(OFFICER, CASE).code == "NOT_SENDER"
    assert duties.may_withdraw(APPLICANT, replace(CASE, status="completed")).code == "CASE_NOT_ACTIVE"


def test_a_message_of_the_ministry_does_not_come_from_the_applicant():
    assert duties.may_send(APPLICANT, "result", CASE, sent_by=()).code == "NOT_SENDER"
    assert duties.may_send(PROVINCE, "result", CASE, sent_by=()).allowed
    assert duties.may_send(STRANGER, "result", CASE, sent_by=("municipal_officer",)).code == "NOT_SENDER"


def test_only_the_province_or_its_leader_stops_a_case():
    assert duties.may_steer(PROVINCE, CASE).allowed
    assert duties.may_steer(LEADER, CASE).allowed
    assert duties.may_steer(OFFICER, CASE).code == "NOT_LEADER"


def test_the_author_of_a_draft_does_not_approve_it():
    draft = duties.DraftFacts(key="green_factory", authors=frozenset({"owner"}))

    assert duties.may_approve(APPROVER, draft).allowed
    assert duties.may_approve(replace(APPROVER, id="owner"), draft).code == "SOD"
    assert duties.may_approve(OWNER, draft).code == "NOT_ALLOWED"


def test_the_three_duties_are_asked_by_role():
    assert duties.may_audit(AUDITOR).allowed
    assert not duties.may_audit(ADMIN).allowed
    assert duties.may_edit(OWNER).allowed
    assert not duties.may_edit(APPROVER).allowed
    assert duties.may_mend(ADMIN).allowed
    assert not duties.may_mend(OFFICER).allowed


def test_why_lists_what_passed_beside_what_failed():
    checks = policy.why(OFFICER, replace(TASK, done=(done("lz.officer"),)))

    verdicts = {check.rule: check.allowed for check in checks["claim"]}
    assert verdicts["candidate"] is True
    assert verdicts["four_eyes"] is False
    assert set(checks) == {"see", "claim", "complete", "transfer"}
