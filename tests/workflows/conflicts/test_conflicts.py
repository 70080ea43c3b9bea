"""Conflict rules: each kind refuses at each moment, and a second person may allow one exception."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier

import pytest
import sqlalchemy as sa

from engine.errors import InvalidInput, NotAllowed, NotFound, Rejected, WrongState
from tests.story import Story
from workflows import services
from workflows.actors.people import evaluators, find_person, grant, persons
from workflows.register.batches import batches
from workflows.register.titles import record_project

REASON = "别无合适人选，经集体研究同意"


def told(story: Story, table: sa.Table, key: str, **values: object) -> None:
    """Something becomes known of a person, an evaluator or a batch."""
    with story.database.begin() as connection:
        connection.execute(sa.update(table).where(table.c.id == key).values(**values))


# --- how each conflict comes to be --------------------------------------------------------------------


def same_representative(story: Story) -> None:
    told(story, evaluators, "ev1", legal_representative="王晓东")


def interested_official(story: Story) -> None:
    told(story, persons, "lz.officer2", interests=["杜继业"])
    story.claim("check", "lz.officer2")


def interest_in_the_evaluator(story: Story) -> None:
    told(story, persons, "lz.officer", interests=["杜继业"])
    with story.database.begin() as connection:
        record_project(
            connection,
            case_id=story.case_id,
            evaluator="ev1",
            year=2026,
            unit="u01",
            track="gf",
            level="",
        )


def consultant(story: Story, until: str = "2025-06-30") -> None:
    tie = {"of": "u01", "kind": "consultant", "since": "2024-01-01", "until": until}
    told(story, persons, "expert1", interests=[tie])


def author_of_an_earlier_report(story: Story) -> None:
    with story.database.begin() as connection:
        grant(connection, "eval1", group="expert", by="system", now=story.clock())
    here = story.case_id
    story.start("conflicted", values={}).do("evl_evaluate", "eval1")
    story.case_id = here


def same_place(story: Story) -> None:
    told(story, persons, "expert1", authority="620100")


def same_employer(story: Story) -> None:
    told(story, persons, "expert1", unit="u01")


def handled_before(story: Story) -> None:
    story.do("check", "lz.officer")


def handled_in_a_called_process(story: Story) -> None:
    story.do("check", "lz.officer2").do("verify", "lz.officer")


def wrote_the_rules(story: Story) -> None:
    told(story, batches, "2026-1", opened_by="lz.officer", approved_by="lz.officer")


@dataclass(frozen=True)
class Conflict:
    """`person` may not act at `element` once it has come to be; `other` may."""

    arises: Callable[[Story], None]
    rule: str
    element: str
    person: str
    other: str
    code: str
    zh: str
    en: str


CONFLICTS = [
    Conflict(
        same_representative,
        "evaluator_representative",
        "evl_evaluate",
        "eval1",
        "eval9",
        "COI",
        "评价机构法定代表人回避：甘肃陇原绿色评价中心有限公司 的法定代表人 王晓东 也是申报单位的法定代表人",
        "Gansu Longyuan Green Evaluation Centre Co., Ltd., is the unit's as well",
    ),
    Conflict(
        interested_official,
        "evaluator_representative",
        "evl_evaluate",
        "eval1",
        "eval9",
        "COI",
        "与本案经办人员 沈淑珍 有利害关系",
        "沈淑珍, an official of the case, has an interest in 杜继业",
    ),
    Conflict(
        interest_in_the_evaluator,
        "evaluator_representative",
        "check",
        "lz.officer",
        "lz.officer2",
        "COI",
        "肖亚男 与本案评价机构 甘肃陇原绿色评价中心有限公司（法定代表人 杜继业）有利害关系",
        "肖亚男 has an interest in 甘肃陇原绿色评价中心有限公司, the evaluator of this case",
    ),
    Conflict(
        consultant,
        "earlier_involvement",
        "score",
        "expert1",
        "expert2",
        "COI",
        "先前参与回避：郭俊峰 于 2024-01-01 至 2025-06-30 为申报单位提供咨询",
        "郭俊峰 advised it from 2024-01-01 to 2025-06-30",
    ),
    Conflict(
        author_of_an_earlier_report,
        "earlier_involvement",
        "score",
        "eval1",
        "expert2",
        "COI",
        "任雨桐 于 2026-03-02 完成了案件 CO-2026-000002 的【第三方评价】，不能办理【评分】",
        "任雨桐 completed Evaluate in case CO-2026-000002 on 2026-03-02",
    ),
    Conflict(
        same_place,
        "origin",
        "score",
        "expert1",
        "expert2",
        "COI",
        "来源地回避：郭俊峰 来自申报单位所在的兰州市",
        "Own place or employer: 郭俊峰 comes from Lanzhou",
    ),
    Conflict(
        same_employer,
        "origin",
        "score",
        "expert1",
        "expert2",
        "COI",
        "利害关系",
        "interest",
    ),
    Conflict(
        handled_before,
        "review_approval",
        "decide",
        "lz.officer",
        "lz.leader",
        "SOD",
        "经办与审定分离：肖亚男 于 2026-03-02 完成了【初审】，不能办理【审定】",
        "肖亚男 completed Check on 2026-03-02, and may not act on Decide",
    ),
    Conflict(
        handled_in_a_called_process,
        "review_approval",
        "decide",
        "lz.officer",
        "lz.leader",
        "SOD",
        "肖亚男 于 2026-03-02 完成了【核实】，不能办理【审定】",
        "肖亚男 completed Verify on 2026-03-02",
    ),
    Conflict(
        wrote_the_rules,
        "rule_editor",
        "decide",
        "lz.officer",
        "lz.leader",
        "SOD",
        "规则编制人回避：肖亚男 编制了批次 2026-1 的规则参数，且未经他人批准",
        "肖亚男 wrote the rules of batch 2026-1, and nobody else approved it",
    ),
]
OVERRIDABLE = [one for one in CONFLICTS if one.rule != "evaluator_representative" and one.zh != "利害关系"]


def named(conflict: Conflict) -> str:
    return conflict.arises.__name__


@pytest.fixture
def begun(story: Story) -> Story:
    """A case in which everything waits at once: evaluation, check, score and decision."""
    with story.database.begin() as connection:
        ours = dict(connection.execute(sa.select(persons).where(persons.c.id == "eval1")).mappings().one())
        connection.execute(sa.insert(persons).values({**ours, "id": "eval9", "evaluator": "ev2"}))
        grant(connection, "eval9", group="evaluator@ev1", by="system", now=story.clock())
    return story.deploy("conflicted_part").start("conflicted", values={})


def refusal(kind: type[Rejected], act: Callable[[], object]) -> Rejected:
    with pytest.raises(kind) as refused:
        act()
    return refused.value


def is_told(refused: Rejected, conflict: Conflict) -> None:
    """It has its code and says rule and fact in both languages; nothing was written."""
    assert refused.code == conflict.code
    assert conflict.zh in refused.facts["message_zh"]
    assert conflict.en in str(refused)


# --- each kind at each moment -------------------------------------------------------------------------


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
        read = services.Reading(
            connection=connection, case_id=begun.case_id, job_id="CO-1.9", now=begun.clock()
        )
        drawn = services.run("experts.draw", {"count": 7, "seed": "s"}, read)["experts"]

    assert not {"expert1", "expert2"} & {expert["id"] for expert in drawn}


# --- exceptions ---------------------------------------------------------------------------------------


def allowed(story: Story, conflict: Conflict, *, by: str = "prov.leader", reason: str = REASON) -> object:
    return story.commands.override_conflict(
        story.task(conflict.element), conflict.rule, conflict.person, reason=reason, actor=story.person(by)
    )


@pytest.mark.parametrize("conflict", OVERRIDABLE, ids=named)
def test_a_second_person_allows_it_once(begun, conflict):
    conflict.arises(begun)

    allowed(begun, conflict)
    begun.do(conflict.element, conflict.person)

    assert begun.entries().count("ConflictOverridden") == 1
    assert begun.operations().count("override_conflict") == 1
    assert begun.case().standing.overrides == {}
    (entry,) = [e for e in begun.history.timeline(begun.case_id) if e.type == "ConflictOverridden"]
    assert (entry.actor, entry.lane) == ("prov.leader", "interventions")
    assert entry.data["rule"] == conflict.rule
    assert entry.data["ground"]
    assert REASON in entry.sentence_zh
    assert begun.history.verify(begun.case_id).ok


HANDLED = next(one for one in CONFLICTS if one.arises is handled_before)


def test_an_exception_is_used_up_when_the_task_leaves_the_hands(begun):
    handled_before(begun)
    allowed(begun, HANDLED)
    begun.claim("decide", "lz.officer").release("decide", "lz.officer")

    assert refusal(NotAllowed, lambda: begun.claim("decide", "lz.officer")).code == "SOD"


def test_an_exception_is_for_one_person_and_one_task(begun):
    begun.do("check", "lz.officer").do("verify", "lz.officer2")
    allowed(begun, HANDLED)

    refused = refusal(NotAllowed, lambda: begun.claim("decide", "lz.officer2"))

    assert refused.code == "SOD"
    assert begun.claimed("decide", "lz.officer").assignee == "lz.officer"


def test_an_exception_survives_a_restart_of_the_house(begun):
    handled_before(begun)
    allowed(begun, HANDLED)
    later = Story(begun.database, begun.clock)
    later.case_id = begun.case_id

    assert later.do("decide", "lz.officer").case().standing.overrides == {}


@pytest.mark.parametrize(
    ("by", "reason", "kind", "code"),
    [
        ("lz.officer", REASON, NotAllowed, "NOT_OVERRIDER"),
        ("lz.leader", REASON, NotAllowed, "NOT_OVERRIDER"),
        ("prov.officer", REASON, NotAllowed, "NOT_OVERRIDER"),
        ("prov.leader", "同意", InvalidInput, "REASON_REQUIRED"),
        ("ts.leader", REASON, NotFound, "NOT_FOUND"),
    ],
)
def test_not_everybody_allows_exceptions_and_nobody_without_a_reason(begun, by, reason, kind, code):
    handled_before(begun)

    assert refusal(kind, lambda: allowed(begun, HANDLED, by=by, reason=reason)).code == code
    assert "ConflictOverridden" not in begun.entries()


def test_who_is_barred_as_well_allows_nothing(begun):
    with begun.database.begin() as connection:
        grant(connection, "lz.officer2", group="provincial_leader", by="system", now=begun.clock())
    begun.do("check", "lz.officer").do("verify", "lz.officer2")

    assert refusal(NotAllowed, lambda: allowed(begun, HANDLED, by="lz.officer2")).code == "NOT_OVERRIDER"


def test_a_final_rule_allows_no_exception(begun):
    same_representative(begun)

    assert refusal(NotAllowed, lambda: allowed(begun, CONFLICTS[0])).code == "CONFLICT_FINAL"


def test_there_is_no_exception_from_what_does_not_bar(begun):
    assert refusal(WrongState, lambda: allowed(begun, HANDLED)).code == "NO_CONFLICT"

    handled_before(begun)
    allowed(begun, HANDLED)

    assert refusal(WrongState, lambda: allowed(begun, HANDLED)).code == "NO_CONFLICT"
    unknown = Conflict(**{**vars(HANDLED), "rule": "nonsense"})
    assert refusal(NotFound, lambda: allowed(begun, unknown)).code == "CONFLICT_UNKNOWN"


def test_of_many_who_allow_at_once_one_does(begun):
    with begun.database.begin() as connection:
        for person in ("prov.officer", "prov.officer2"):
            grant(connection, person, group="provincial_leader", by="system", now=begun.clock())
    handled_before(begun)
    leaders = ("prov.leader", "prov.officer", "prov.officer2")

    answers = at_once([lambda by=by: allowed(begun, HANDLED, by=by) for by in leaders * 2])

    refused = [answer for answer in answers if isinstance(answer, Rejected)]
    assert {answer.code for answer in refused} == {"NO_CONFLICT"}
    assert (len(answers) - len(refused), begun.entries().count("ConflictOverridden")) == (1, 1)


@pytest.mark.parametrize("round_", range(3))
def test_an_exception_is_never_used_twice_in_a_race(begun, round_):
    """The holder completes while a leader takes the task away: one of them wins, and no exception is left."""
    handled_before(begun)
    allowed(begun, HANDLED)
    task = begun.claim("decide", "lz.officer").task("decide")
    leader = begun.person("lz.leader")

    at_once(
        [
            lambda: begun.complete("decide", "lz.officer"),
            lambda: begun.commands.transfer_task(task, "lz.leader", reason="改由我办理", actor=leader),
        ]
    )

    assert begun.entries().count("TaskCompleted") + begun.entries().count("TaskTransferred") == 2
    assert begun.case().standing.overrides == {}
    assert begun.history.verify(begun.case_id).ok


def at_once(acts: list[Callable[[], object]]) -> list[object]:
    gate = Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        gate.wait()
        try:
            return act()
        except Rejected as refused:
            return refused

    with ThreadPoolExecutor(len(acts)) as crowd:
        return list(crowd.map(run, acts))


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
