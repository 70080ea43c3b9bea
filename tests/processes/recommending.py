"""Units of Lanzhou and Jiayuguan that come as far as their leader's recommendation, by the real ladder."""

from __future__ import annotations

from functools import cache
from typing import Any

from tests.processes import drawn
from tests.story import Story
from workflows.library.catalog import Catalog
from workflows.library.packages import in_call_order
from workflows.register.batches import open_batch
from workflows.register.rules import load_rules
from workflows.workshop.checking import read_closure

EXAMPLE = "green_factory/no_municipal_publicity"
BATCH = "2026-9"
NAME = "甘肃省2026年度绿色制造梯度培育第九批"
SHORT = {"tracks.municipal": ["we"], "tracks.municipal_publicity": ["we"]}
LETTER = {
    "outcome": "recommended_up",
    "opinion": "能效居行业前列。",
    "document_no": "兰工信函〔2026〕33号",
    "body": "兰州市工业和信息化局",
    "date": "2026-06-10",
    "contact": "肖亚男 0931-8481234",
}


@cache
def steps() -> tuple[dict[str, Any], ...]:
    """What is done before the leader recommends."""
    told = drawn.examples()[EXAMPLE]["steps"]
    place = next(n for n, step in enumerate(told) if step.get("do") == "m_recommend")
    return tuple(told[:place])


class Recommending:
    """A batch of its own, whose quota is told, and factories in it."""

    def __init__(self, story: Story, quota: Any = None) -> None:
        self.story = story
        rules = load_rules().changed({**SHORT, "quota.gf": quota})
        self.deploy("green_factory")
        with story.database.begin() as connection:
            facts = {"name": NAME, "name_en": "Ninth batch", "calendar": "cn-2026-1", "by": "owner"}
            open_batch(connection, BATCH, rules=rules, now=story.clock(), **facts)

    def deploy(self, name: str) -> None:
        """A package and what it calls, unchecked: they are checked elsewhere."""
        unchecked = Catalog(self.story.database, check=lambda given, forms: ())
        with self.story.database.begin() as connection:
            for package in in_call_order(read_closure(drawn.ROOT / name)):
                unchecked.deploy(connection, package, by="owner", at=self.story.clock())

    def reviewed(self, number: int, *, place: str = "lz") -> str:
        """The case of the unit of this number, ready to be recommended."""
        start = drawn.examples()[EXAMPLE]["start"]
        case = self.story.start(
            "green_factory", by=f"app{number:02}", values=start["values"], batch=BATCH
        ).case_id
        self.story.work()
        for step in steps():
            by = f"app{number:02}" if step["by"] == "app01" else step["by"].replace("lz", place)
            self.story.do(step["do"], by, step["values"])
            self.story.work()
        return case

    def about(self, case: str) -> Story:
        self.story.case_id = case
        return self.story

    def recommended(self, number: int, *, place: str = "lz", **told: Any) -> str:
        """The case of a unit that has been recommended."""
        case = self.reviewed(number, place=place)
        self.recommend(case, by=f"{place}.leader", **told)
        return case

    def recommend(self, case: str, *, by: str = "lz.leader", **told: Any) -> None:
        self.about(case).do("m_recommend", by, {**LETTER, **told})
        self.story.work()
