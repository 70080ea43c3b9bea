"""Conflict rules: each kind refuses at each moment, says why, and costs nothing where none is asked."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from engine.errors import NotAllowed
from tests.workflows.conflicts.stage import (
    CONFLICTS,
    HANDLED,
    allowed,
    author_of_an_earlier_report,
    consultant,
    handled_before,
    is_told,
    named,
    refusal,
    same_place,
    told,
)
from workflows.actors.people import find_person, grant, persons
from workflows.register.batches import batches
from workflows.services import registry
from workflows.services.operation import Reading


@pytest.mark.parametrize("conflict", CONFLICTS, ids=named)
def test_who_is_barred_neither_claims_nor_is_given_the_task(begun, conflict):
    conflict.arises(begun)
    before = begun.entries()

    is_told(refusal(NotAllowed, lambda: begun.claim(conflict.element, conflict.person)), conflict)
    assert begun.entries() == before

    task, holder = begun.claim(conflict.element, conflict.other).task(conflict.element), conflict.other
    for put, words in (
        (begun.commands.transfer_task, {"reason": "请您接手办理"}),
        (begun.commands.delegate_task, {"question": "请问您怎么看？"}),
    ):
        given = refusal(
            NotAllowed,
            lambda put=put, words=words: put(task, conflict.person, actor=begun.person(holder), **words),
        )
        is_told(given, conflict)


@pytest.mark.parametrize("conflict", CONFLICTS, ids=named)
def test_who_comes_to_be_barred_does_not_complete_what_they_hold(begun, conflict):
    with begun.database.begin() as connection:
        if conflict.arises is author_of_an_earlier_report:
            grant(connection, "eval1", group="expert", by="system", now=begun.clock())
    begun.claim(conflict.element, conflict.person)
    conflict.arises(begun)

    is_told(refusal(NotAllowed, lambda: begun.complete(conflict.element, conflict.person)), conflict)


def test_nobody_is_barred_without_a_fact(begun):
    begun.do("evl_evaluate", "eval1").do("check", "lz.officer").do("verify", "lz.officer")
    begun.do("score", "expert1").do("decide", "lz.leader")

    assert begun.rows_of_case()["status"] == "completed"


def test_who_wrote_a_report_may_write_another(begun):
    author_of_an_earlier_report(begun)

    assert begun.claimed("evl_evaluate", "eval1").assignee == "eval1"


def test_who_advised_the_unit_does_not_evaluate_it(begun):
    tie = {"of": "u01", "kind": "consultant", "since": "2025-01-01"}
    told(begun, persons, "eval1", interests=[tie])

    refused = refusal(NotAllowed, lambda: begun.claim("evl_evaluate", "eval1"))

    assert "任雨桐 于 2025-01-01 至 今 为申报单位提供咨询" in refused.facts["message_zh"]


def test_what_lies_too_far_back_bars_nobody(begun):
    consultant(begun, until="2023-02-28")

    assert begun.claimed("score", "expert1").assignee == "expert1"


def test_rules_that_a_second_person_approved_bar_nobody(begun):
    told(begun, batches, "2026-1", opened_by="lz.officer", approved_by="approver")

    assert begun.claimed("decide", "lz.officer").assignee == "lz.officer"


def test_who_stands_in_is_barred_by_what_the_other_did(begun):
    handled_before(begun)
    with begun.database.connect() as connection:
        deputy = find_person(connection, "lz.officer2")
    deputy = type(deputy)(**{**vars(deputy), "on_behalf_of": "lz.officer"})

    refused = refusal(NotAllowed, lambda: begun.commands.claim_task(begun.task("decide"), actor=deputy))

    assert refused.code == "SOD"


def test_a_draw_leaves_out_who_would_be_barred(begun):
    same_place(begun)
    told(begun, persons, "expert2", interests=[{"of": "u01", "kind": "employee", "since": "2020-01-01"}])
    with begun.database.connect() as connection:
        read = Reading(connection=connection, case_id=begun.case_id, job_id="CO-1.9", now=begun.clock())
        drawn = registry.run("experts.draw", {"count": 7, "seed": "s"}, read)["experts"]

    assert not {"expert1", "expert2"} & {expert["id"] for expert in drawn}


# --- what it costs ------------------------------------------------------------------------------------


def test_a_task_without_rules_asks_nothing_more(story):
    """The one statement that a rule may need is never sent where the drawing names no rule."""
    task, actor = story.start().claim("check", "lz.officer").task("check"), story.person("lz.officer")
    asked: list[str] = []

    def listen(connection, cursor, statement, *_):
        asked.append(statement)

    sa.event.listen(story.database, "before_cursor_execute", listen)
    story.commands.complete_task(task, {"outcome": "accepted"}, actor=actor)
    sa.event.remove(story.database, "before_cursor_execute", listen)

    of_rules = ("evaluators", "batches", "definitions", "persons", "authorities", "FROM tasks")
    assert [statement for statement in asked if any(name in statement for name in of_rules)] == []


# --- looking ------------------------------------------------------------------------------------------


def test_why_and_the_desk_say_what_the_command_would(begun):
    handled_before(begun)
    actor, task = begun.person("lz.officer"), begun.task("decide")

    checks = {check.rule: check for check in begun.inbox.why(task, actor)["claim"]}
    assert not checks["review_approval"].allowed
    assert checks["rule_editor"].allowed
    assert begun.inbox.task(task, actor).can["claim"].code == "SOD"
    assert task not in begun.inbox.next_claimable(actor)
    assert task in begun.inbox.next_claimable(begun.person("lz.leader"))

    allowed(begun, HANDLED)

    checks = {check.rule: check for check in begun.inbox.why(task, actor)["claim"]}
    assert checks["review_approval"].allowed
    assert "姚雅琴 已于 2026-03-02 准许例外" in checks["review_approval"].sentence_zh
    assert begun.inbox.task(task, actor).can["claim"].allowed


def test_the_desk_tells_who_is_barred_and_who_may_allow_it(begun):
    handled_before(begun)
    task = begun.task("decide")

    (barred,) = begun.inbox.barred(task, begun.person("prov.leader"))
    assert (barred.rule.id, barred.person.id, barred.may_allow) == ("review_approval", "lz.officer", True)
    (seen,) = begun.inbox.barred(task, begun.person("lz.leader"))
    assert not seen.may_allow

    allowed(begun, HANDLED)
    assert begun.inbox.barred(task, begun.person("prov.leader")) == []
