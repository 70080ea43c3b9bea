"""The conflicts of these tests: how each comes to be, whom it bars from what, and how it is allowed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from engine.errors import Rejected
from tests.story import Story
from workflows.actors.people import evaluators, grant, persons
from workflows.register.batches import batches
from workflows.register.evaluators import record_project

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


def refusal(kind: type[Rejected], act: Callable[[], object]) -> Rejected:
    with pytest.raises(kind) as refused:
        act()
    return refused.value


def is_told(refused: Rejected, conflict: Conflict) -> None:
    """It has its code and says rule and fact in both languages; nothing was written."""
    assert refused.code == conflict.code
    assert conflict.zh in refused.facts["message_zh"]
    assert conflict.en in str(refused)


HANDLED = next(one for one in CONFLICTS if one.arises is handled_before)


def allowed(story: Story, conflict: Conflict, *, by: str = "prov.leader", reason: str = REASON) -> object:
    return story.commands.override_conflict(
        story.task(conflict.element), conflict.rule, conflict.person, reason=reason, actor=story.person(by)
    )
