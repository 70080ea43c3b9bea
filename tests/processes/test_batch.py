"""A batch and the units' cases that wait for it: one meeting, one list, one notice, a letter to each."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest

from engine.errors import NotAllowed
from tests.processes import drawn
from tests.story import Story
from workflows.actors.policy import SYSTEM
from workflows.library.packages import in_call_order
from workflows.register.batches import find_batch
from workflows.register.records import record_of
from workflows.store.tables import tasks
from workflows.workshop.checking import read_closure

TRACK = {
    "id": "gf",
    "titles": {"provincial": {"zh": "绿色工厂", "en": "Green factory"}},
    "validity": None,
    "quota": None,
    "thresholds": {"provincial": 0},
    "departments": [],
    "onsite": 0,
    "firms": False,
    "open": {"provincial": True},
    "terms": {
        "provincial": {
            "receipt": 3,
            "form_review": 10,
            "correction": 10,
            "feedback": 10,
            "reconsideration_request": 10,
            "reconsideration": 20,
            "experts": {"declaration": 3, "scoring": 20, "onsite": 15},
            "publicity": {
                "register": 3, "statement": 5, "investigation": 15, "extension": 15, "decision": 5,
            },
        }
    },
}  # fmt: skip
STANDARD = [{"no": no, "name": f"指标{no}", "unit": "%"} for no in range(1, 19)]
FILE = {"indicators": [{"no": row["no"], "reported": 1} for row in STANDARD]}
SHEET = {
    "indicators": [{"expert_score": 1} for _ in STANDARD],
    "veto_seen": False,
    "strengths": "好",
    "signature": "专家",
}
DOCUMENT = {"document_no": "甘工信发〔2026〕9号", "body": "甘肃省工业和信息化厅", "date": "2026-05-20"}
CALL = {
    "batch_id": "2026-2",
    "year": 2026,
    "name": "甘肃省2026年度第二批",
    "name_en": "Gansu 2026, second batch",
    "rules_id": "gansu-2026",
    "calendar": "cn-2026-1",
    "tracks_municipal": ["gf", "we"],
    "tracks_provincial": ["gf", "we"],
    "tracks_national": ["gf"],
    "publicity_days": 4,
    "document_no": "甘工信函〔2026〕66号",
}
OBJECTION = {
    "kind": "person",
    "name": "王建国",
    "id_no": "620102197001011234",
    "contact": "13900000000",
    "facts": "废水直排。",
    "evidence": "照片",
}


class Season:
    """A province that calls batches, and units' cases that have reached its level."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.deploy("batch", "provincial_level")

    def deploy(self, *names: str) -> None:
        with self.story.database.begin() as connection:
            for name in names:
                for package in in_call_order(read_closure(drawn.ROOT / name)):
                    self.story.catalog.deploy(connection, package, by="owner", at=self.story.clock())

    def about(self, case: str) -> Story:
        self.story.case_id = case
        return self.story

    def call(self, batch: str, *, days: int = 10, **more: Any) -> str:
        """A batch that has been drafted, called after the one before; nobody has approved it yet."""
        told = self.story.start("batch", by="prov.officer", values={"wanted_year": 2026})
        told.do("bat_call", by="prov.officer", values={**CALL, "batch_id": batch, **self.dates(days), **more})
        return told.case_id

    def dates(self, days: int) -> dict[str, str]:
        today = self.story.clock().date()
        names = ("apply_until", "recommend_until", "meeting_on")
        return {name: str(today + timedelta(days=days + n)) for n, name in enumerate(names)}

    def opened(self, batch: str, **more: Any) -> str:
        case = self.call(batch, **more)
        self.about(case).do("bat_approve", by="prov.leader", outcome="approved", approver="厅长")
        self.story.work()
        return case

    def candidate(self, unit: str, *, score: int, batch: str) -> str:
        """A unit's case that has come through the experts."""
        started = self.story.commands.start_case(
            "provincial_level",
            {
                "track": TRACK,
                "standard": STANDARD,
                "application": FILE,
                "confirmed": {"total": score},
            },
            actor=SYSTEM,
            unit=unit,
            batch=batch,
            rules={"experts.count": 1},
        )
        told = self.about(started.case_id)
        told.do("p_receive", by="prov.officer", outcome="accepted")
        told.do("p_form_review", by="prov.officer", outcome="accepted")
        told.work()
        expert = told.rows(tasks, tasks.c.element == "exp_declare")[0]["users"][0]
        told.do("exp_declare", by=expert, outcome="no_conflict", read=True)
        told.do("exp_score", by=expert, outcome="recommend", total=score, **SHEET)
        told.work()
        return told.case_id

    def meets(self, batch: str, *decided: str) -> list[str]:
        """The meeting decides on the ranked list, row by row; the names in their order."""
        told = self.about(batch)
        told.pass_time("P12D")
        rows = [{"decision": decision, "reason": "会议研究。"} for decision in decided]
        ranked = [row["name"] for row in told.case().variables["candidates"]]
        told.do("bat_meeting", by="prov.leader", values={"rows": rows, "meeting": "厅务会", **DOCUMENT})
        told.work()
        return ranked

    def publishes(self, batch: str) -> None:
        """The draft list is published, and every unit's case has its letter."""
        told = self.about(batch)
        told.do(
            "bat_publish",
            by="prov.officer",
            url="https://gxt.example/9",
            published_on="2026-05-14",
            contact="1",
        )
        self.settle()

    def notifies(self, batch: str) -> Story:
        """The window has passed, and the notice goes out."""
        told = self.about(batch)
        told.do("bat_check", by="prov.officer", note="已核对。")
        told.work()
        told.do("bat_notice", by="prov.officer2", values={**DOCUMENT, "date": str(self.story.clock().date())})
        self.settle()
        return told

    def settle(self) -> None:
        """The worker does what one letter leads to, then the next."""
        for _ in range(4):
            self.story.work()

    def outcome(self, case: str) -> str:
        return str(self.about(case).case().variables.get("outcome"))

    def titles(self, unit: str) -> tuple[str, ...]:
        with self.story.database.connect() as connection:
            return record_of(connection, unit, on=self.story.clock().date()).titles


@pytest.fixture
def season(story):
    return Season(story)


def test_a_batch_needs_two_people_and_freezes_its_rules(season, story):
    batch = season.call("2026-2")

    with pytest.raises(NotAllowed):
        story.claim("bat_approve", by="prov.officer")
    story.do("bat_approve", by="prov.leader", outcome="approved", approver="厅长")
    story.work()

    with story.database.connect() as connection:
        opened = find_batch(connection, "2026-2")
        before = find_batch(connection, "2026-1")
    assert (opened.case_id, opened.approved_by, opened.status) == (batch, "厅长", "open")
    assert (opened.rules.value("publicity.provincial"), before.rules.value("publicity.provincial")) == (4, 5)
    assert opened.rules.digest == story.case().variables["opened"]["digest"]
    assert opened.rules.value("dates.apply") == "03-12"


def test_the_meeting_decides_on_a_ranked_list_and_every_case_hears_of_it(season, story):
    batch = season.opened("2026-2")
    first = season.candidate("u01", score=90, batch="2026-2")
    second = season.candidate("u02", score=80, batch="2026-2")
    third = season.candidate("u03", score=85, batch="2026-2")

    ranked = season.meets(batch, "selected", "deferred_next_batch", "not_selected")
    names = [season.about(case).case().variables["unit"]["name"] for case in (first, third, second)]
    assert ranked == names, "by score"

    season.publishes(batch)
    assert season.about(first).timers() == ["pub_window_over"]
    assert season.about(second).is_waiting_at("p_feedback")
    assert season.about(third).waiting() == [], "it waits for the next batch"

    season.about(batch).pass_time("P8D")
    season.settle()
    season.notifies(batch)
    assert (season.outcome(first), season.titles("u01")) == ("designated", ("gf.provincial",))
    assert season.about(batch).case().is_over

    later = season.opened("2026-3")
    assert season.meets(later, "selected") == [names[1]], "who was deferred stands before the next meeting"
    season.publishes(later)
    season.about(later).pass_time("P8D")
    season.settle()
    season.notifies(later)
    assert (season.outcome(third), season.titles("u03")) == ("designated", ("gf.provincial",))
    assert season.titles("u02") == ()


def test_the_list_is_frozen_by_a_digest_that_anybody_can_compute(season, story):
    batch = season.opened("2026-2")
    case = season.candidate("u01", score=90, batch="2026-2")
    season.meets(batch, "selected")
    draft = season.about(batch).case().variables["draft"]

    assert hashlib.sha256(draft["text"].encode()).hexdigest() == draft["digest"]
    assert case in draft["text"]
    season.publishes(batch)
    assert season.about(case).case().variables["p_decision"]["digest"] == draft["digest"]


def test_an_objection_holds_one_unit_back_until_the_next_batch(season, story):
    batch = season.opened("2026-2")
    quiet = season.candidate("u01", score=90, batch="2026-2")
    contested = season.candidate("u02", score=80, batch="2026-2")
    season.meets(batch, "selected", "selected")
    season.publishes(batch)
    season.about(contested).message("objection", by="prov.officer", objection=OBJECTION)

    season.about(batch).pass_time("P8D")
    season.settle()
    season.notifies(batch)
    assert season.about(batch).case().variables["granted"][0]["case"] == quiet
    assert season.outcome(quiet) == "designated"
    assert season.about(contested).waiting() == ["obj_register"], "its objection goes on"
    assert not story.incidents()


def test_who_withdraws_before_the_list_is_published_gets_no_letter(season, story):
    batch = season.opened("2026-2")
    stays = season.candidate("u01", score=90, batch="2026-2")
    goes = season.candidate("u02", score=80, batch="2026-2")
    season.meets(batch, "selected", "selected")
    story.commands.terminate_case(goes, actor=SYSTEM, reason="单位申请撤回")

    season.publishes(batch)

    assert season.about(stays).timers() == ["pub_window_over"]
    assert season.about(batch).incidents() == []
    assert [row["case"] for row in story.case().variables["decisions"]] == [stays]


def test_nobody_applies_in_a_batch_that_is_closed(season, story):
    season.deploy("green_factory")
    begun = {"mode": "self", "contact_name": "高德胜", "contact_phone": "0931-5550101", "consent": True}
    batch = season.opened("2026-2")
    story.start("green_factory", by="app01", values=begun, batch="2026-2").work()
    assert story.is_waiting_at("gf_apply")

    season.about(batch).pass_time("P11D")
    story.start("green_factory", by="app02", values=begun, batch="2026-2").work()

    assert season.outcome(story.case_id) == "deferred_next_batch"
    assert story.case().is_over
