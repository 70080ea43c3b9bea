"""The places of a quota as the real drawings take them, give them back and keep them."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import WrongState
from tests.processes.recommending import LETTER, Recommending
from tests.processes.test_batch import DOCUMENT, FILE, SHEET, STANDARD, TRACK, Season
from tests.story import Story
from workflows.actors.policy import SYSTEM
from workflows.store.tables import places, tasks

AGAIN = {"opinion": "已补正。", "document_no": "兰工信函〔2026〕40号", "date": "2026-06-20"}
RETURNED = {"outcome": "returned_for_correction", "reason": "汇总表与推荐函不符。"}


def held(story: Story) -> list[str]:
    with story.database.connect() as connection:
        return sorted(connection.scalars(places.select().with_only_columns(places.c.case_id)))


def test_who_is_returned_needs_a_place_again_and_who_withdraws_needs_none(story: Story) -> None:
    lz = Recommending(story, {"default": 5, "by_authority": {"620100": 1}})
    first, second = lz.recommended(1), lz.reviewed(2)
    elsewhere = lz.recommended(9, place="jyg")
    with pytest.raises(WrongState, match=first):
        lz.recommend(second)
    assert held(story) == sorted([first, elsewhere])

    lz.about(first).do("p_receive", "prov.officer", RETURNED)
    lz.about(second).complete("m_recommend", "lz.leader", LETTER)
    assert held(story) == sorted([second, elsewhere])

    lz.about(first).claim("p_resubmit", "lz.officer")
    with pytest.raises(WrongState, match=second):
        lz.about(first).complete("p_resubmit", "lz.officer", AGAIN)
    lz.about(second).message("withdrawal", "app02", withdrawal={"reason": "企业搬迁，申请撤回。"})
    story.work()
    lz.about(first).complete("p_resubmit", "lz.officer", AGAIN)
    assert held(story) == sorted([first, elsewhere])


def submitted(season: Season) -> str:
    """A case that was submitted again, and so took the one place there is, and waits for the batch."""
    given: dict[str, Any] = {"standard": STANDARD, "application": FILE, "confirmed": {"total": 90}}
    given["track"] = {**TRACK, "quota": 1}
    case = season.story.commands.start_case(
        "provincial_level", given, actor=SYSTEM, unit="u01", rules={"experts.count": 1}
    ).case_id
    told = season.about(case).do("p_receive", "prov.officer", RETURNED).do("p_resubmit", "lz.officer", AGAIN)
    for element in ("p_receive", "p_form_review"):
        told.do(element, "prov.officer", outcome="accepted")
    told.work()
    expert = told.rows(tasks, tasks.c.element == "exp_declare")[0]["users"][0]
    told.do("exp_declare", expert, outcome="no_conflict", read=True)
    told.do("exp_score", expert, outcome="recommend", total=90, **SHEET)
    told.work()
    return case


def hears(season: Season, case: str, **decision: Any) -> None:
    season.story.commands.receive_message(
        case, "decision", {"decision": {"batch": "2026-1", **decision}}, actor=SYSTEM, correlation=case
    )
    season.story.work()


def test_who_is_deferred_gives_its_place_back_and_a_title_keeps_it(story: Story) -> None:
    season = Season(story)
    first = submitted(season)
    assert held(story) == [first]

    hears(season, first, outcome="deferred_next_batch", reason="转下一批次。")
    assert held(story) == []

    second = submitted(season)
    hears(season, second, outcome="designated", **DOCUMENT)
    assert season.about(second).rows_of_case()["status"] == "completed"
    assert held(story) == [second]
