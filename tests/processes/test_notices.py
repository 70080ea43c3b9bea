"""One designation notice names who is new, removed and renamed; decided removals wait for it."""

from __future__ import annotations

import hashlib
import json
from datetime import date

import pytest
import sqlalchemy as sa

from tests.processes.test_batch import DOCUMENT, Season
from tests.workflows.letters import House, post
from workflows.register import bans, pending, titles
from workflows.register.calendar import local_day
from workflows.store.tables import jobs
from workflows.transaction.projections import rebuild

DECIDED = {"document_no": "甘工信发〔2026〕55号", "body": "甘肃省工业和信息化厅", "date": "2026-03-10"}
CONFIRMED = {
    "outcome": "confirmed",
    "accident_class": "major",
    "document_no": "甘应急调〔2026〕3号",
    "opinion": "经核定为重大事故。",
}
LIST = {"dates.list": "12-15"}
FIRST, SECOND = "甘工信发〔2026〕9号", "甘工信发〔2026〕80号"
REFUSED, FALSE, LATE, RENAMED, NEW = "u03", "u04", "u05", "u06", "u01"


class Year(Season):
    """A season in which titles were given before, and end."""

    def __init__(self, story):
        super().__init__(story)
        self.deploy("removal", "significant_change")
        with story.database.begin() as connection:
            for unit in (REFUSED, FALSE, LATE, RENAMED):
                case = f"GF-2024-{unit}"
                facts = {"unit": unit, "track": "gf", "level": "provincial", "title": "省级绿色工厂"}
                titles.record_designation(
                    connection,
                    case_id=case,
                    designation_id=f"{case}-gf-provincial",
                    decided_on=date(2024, 10, 20),
                    **facts,
                )

    @property
    def today(self):
        return local_day(self.story.clock())

    def removal(self, unit, ground):
        """A removal that has been heard and decided; it waits for the list."""
        facts = {"track": "gf", "level": "provincial", "ground": ground, "facts": "经核实属实。"}
        told = self.story.start("removal", by="prov.officer", values={**facts, "about": unit}, rules=LIST)
        told.work()
        told.do("rm_statement", f"app{unit[1:]}", statement="无异议。")
        told.do("rm_examine", "prov.officer", proposal="remove", reason="事实清楚。")
        told.do("rm_decide", "prov.leader", outcome="removed", reason="事实清楚。", **DECIDED)
        told.work()
        return told.case_id

    def rename(self, unit, name):
        """The unit tells its new name, and it is entered."""
        told = self.story.start(
            "significant_change",
            by=f"app{unit[1:]}",
            values={
                "type": "rename",
                "registered_on": str(self.today),
                "proof_no": "登记118号",
                "what": "更名。",
                "new_name": name,
            },
        )
        told.work()
        told.do("ch_classify", "lz.officer", outcome="rename", opinion="核对无误。")
        told.do("ch_verify", "prov.officer", outcome="verified", reason="同一主体。")
        told.work()

    def to_the_notice(self, batch):
        """A batch whose list was published and whose notice is drawn up, not yet issued."""
        case = self.opened(batch)
        self.candidate(NEW, score=90, batch=batch)
        self.meets(case, "selected")
        self.publishes(case)
        self.about(case).pass_time("P8D")
        self.settle()
        self.about(case).do("bat_check", by="prov.officer", note="已核对。")
        self.settle()
        return case

    def without_candidates(self, batch):
        """A batch in which nobody is listed, at its notice: there are removals to tell."""
        case = self.opened(batch)
        self.meets(case)
        self.settle()
        assert self.about(case).is_waiting_at("bat_notice")
        return case

    def issue(self, batch, number, *, settle=True):
        values = {**DOCUMENT, "document_no": number, "date": str(self.today)}
        self.about(batch).do("bat_notice", by="prov.officer2", values=values)
        if settle:
            self.settle()

    def tables(self, batch):
        """The names in each table of the notice, as they were frozen."""
        rows = json.loads(self.about(batch).case().variables["tables"]["text"])
        told = {"new": [], "removed": [], "renamed": []}
        for row in rows:
            told[row["table"]].append(row["unit"])
        return told

    def waiting(self, on=None):
        with self.story.database.connect() as connection:
            return [row["unit"] for row in pending.pending_on(connection, on=on or self.today)]

    def rows(self):
        """All that is known of notices."""
        with self.story.database.connect() as connection:
            return [
                connection.execute(sa.select(table).order_by(*table.primary_key)).all()
                for table in (pending.pending_removals, pending.notice_items)
            ]

    def removed(self):
        with self.story.database.connect() as connection:
            rows = connection.execute(sa.select(titles.removals).order_by(titles.removals.c.unit)).mappings()
            return {row["unit"]: (row["removed_on"], row["document"]) for row in rows}

    def banned_until(self, unit):
        with self.story.database.connect() as connection:
            ban = bans.ban_of(connection, unit, on=self.today)
        return ban.until if ban else None


@pytest.fixture
def year(story):
    return Year(story)


def test_one_notice_names_new_removed_and_renamed_and_removals_end_with_it(year, story):
    refused, false = year.removal(REFUSED, "form_refused"), year.removal(FALSE, "false_data")
    decided = year.today
    year.rename(RENAMED, "兰州榆中绿色乳业有限公司")
    assert (year.waiting(), year.removed()) == ([REFUSED, FALSE], {})

    batch = year.to_the_notice("2026-2")
    late = year.removal(LATE, "false_data")
    story.pass_time("P2D")
    issued = year.today
    year.issue(batch, FIRST)

    assert year.tables(batch) == {"new": [NEW], "removed": [REFUSED, FALSE], "renamed": [RENAMED]}
    frozen = year.about(batch).case().variables["tables"]
    assert hashlib.sha256(frozen["text"].encode()).hexdigest() == frozen["digest"]
    assert year.removed() == dict.fromkeys((REFUSED, FALSE), (issued, FIRST))
    assert year.banned_until(REFUSED) == bans.end_of_ban(issued, 3)
    assert year.titles(NEW) == ("gf.provincial",)
    for case in (refused, false):
        assert year.about(case).is_waiting_at("rm_publish")
        assert story.history.verify(case).ok
    assert year.waiting() == [LATE], "it was decided after the freeze"
    assert year.waiting(decided) == [REFUSED, FALSE], "any day can be asked"

    later = year.without_candidates("2026-3")
    year.issue(later, SECOND)
    assert year.tables(later) == {"new": [], "removed": [LATE], "renamed": []}
    assert year.removed()[LATE] == (year.today, SECOND)
    assert (year.outcome(later), year.about(late).waiting()) == ("published", ["rm_publish"])

    rows = year.rows()
    with story.database.begin() as connection:
        rebuild(connection, story.catalog)
    assert year.rows() == rows


def test_a_letter_that_is_delivered_again_and_again_removes_once(year, story):
    case = year.removal(REFUSED, "form_refused")
    batch = year.without_candidates("2026-2")
    year.issue(batch, FIRST, settle=False)
    while "bat_remove_letter" not in year.about(batch).jobs():
        story.worker.tick(leave=("bat_remove_letter",))
    (letter,) = story.rows(jobs, jobs.c.element == "bat_remove_letter")

    for _ in range(2):  # whoever carries it is killed before the answer is written
        assert post(House(story)).deliver(letter, story.clock()) == {"delivered": [case]}
    year.settle()

    assert year.about(case).entries().count("MessageReceived") == 1
    assert year.removed() == {REFUSED: (year.today, FIRST)}
    assert story.is_waiting_at("rm_publish")
    assert year.about(batch).case().is_over


def test_the_fast_lane_does_not_wait_and_the_notice_tells_its_own_day(year, story):
    facts = {"track": "gf", "level": "provincial", "ground": "accident", "facts": "重大事故。"}
    accident = {"accident_kind": "safety", "fact_date": str(year.today), **facts}
    told = story.start("removal", by="prov.officer", values={**accident, "about": REFUSED})
    told.work()
    told.do("rm_confirm", "dem", {**CONFIRMED, "accident_date": str(year.today)})
    told.work()
    happened = year.today
    assert year.removed() == {REFUSED: (happened, CONFIRMED["document_no"])}

    batch = year.without_candidates("2026-2")
    year.issue(batch, FIRST)

    (row,) = json.loads(year.about(batch).case().variables["tables"]["text"])
    assert (row["unit"], row["date"]) == (REFUSED, {"@date": str(happened)})
    assert year.removed() == {REFUSED: (happened, CONFIRMED["document_no"])}


def test_the_day_of_the_rules_stays_and_a_batch_that_is_ended_names_nothing(year, story):
    case = year.removal(REFUSED, "form_refused")
    ended = year.without_candidates("2026-2")
    story.commands.terminate_case(ended, "重新组织会议", actor=story.person("prov.officer"))
    batch = year.without_candidates("2026-3")

    story.pass_time("P300D")
    by_rules = year.removed()[REFUSED]
    assert by_rules[1] == DECIDED["document_no"]
    year.issue(batch, SECOND)

    assert year.about(batch).incidents() == []
    assert year.about(batch).case().is_over
    assert year.tables(batch)["removed"] == [REFUSED], "the batch that was ended has named nobody"
    assert year.removed() == {REFUSED: by_rules}, "the notice came later, and no letter was sent"
    assert year.about(case).entries().count("MessageReceived") == 0


def test_nobody_is_removed_before_it_was_decided(year, story):
    story.pass_time("P3D")
    case = year.removal(REFUSED, "form_refused")

    year.about(case).message("list_published", "prov.officer", list_no=FIRST, published_on="2016-03-02")
    story.work()

    assert year.removed() == {REFUSED: (year.today, FIRST)}
    assert year.banned_until(REFUSED) == bans.end_of_ban(year.today, 3)
