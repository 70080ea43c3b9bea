"""What an authority recommended: its letters out of the journals, the same for ever, as of any moment."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from decimal import Decimal

import orjson
import pytest

from engine.errors import NotFound, WrongState
from tests.processes.recommending import BATCH, LETTER, NAME, Recommending
from workflows.library.catalog import Catalog
from workflows.reading import recommendations
from workflows.transaction.projections import rebuild

LANZHOU, NUMBER = "620100", LETTER["document_no"]


@pytest.fixture
def lz(story):
    return Recommending(story)


def letters(story, **more):
    with story.database.connect() as connection:
        return recommendations.letters(connection, batch=BATCH, authority=LANZHOU, **more)


def test_a_letter_says_of_each_unit_what_its_leader_saw(story, lz):
    second = lz.recommended(2, order=2)
    first = lz.recommended(1, order=1)

    (letter,) = letters(story)

    assert (letter.document_no, letter.batch_name, letter.authority_name) == (NUMBER, NAME, "兰州市")
    assert (letter.bodies, letter.dates) == (("兰州市工业和信息化局",), (date(2026, 6, 10),))
    assert [row.case_id for row in letter.rows] == [first, second]
    row = letter.rows[0]
    assert (row.unit, row.uscc, row.track) == ("兰州兰岭水泥有限公司", "91620103MA807932XD", "gf")
    assert (row.sector, row.held, row.evaluated) == ("水泥制造", "无", "自评价")
    assert (row.order, row.score, row.opinion) == (1, Decimal("76.74"), "能效居行业前列。")
    assert row.contact == "肖亚男 0931-8481234"
    told = lz.about(first).history.timeline(first)[row.entry - 1]
    assert (told.type, told.digest) == ("TaskCompleted", row.digest)
    text = letter.frozen.text
    assert hashlib.sha256(text.encode()).hexdigest() == letter.frozen.digest
    assert [row["unit"] for row in orjson.loads(text)["rows"]] == [row.unit for row in letter.rows]


def test_what_happens_later_does_not_change_the_letter_that_was_sent(story, lz):
    first, second = lz.recommended(1, order=1), lz.recommended(2, order=2)
    then, (sent,) = story.clock(), letters(story)
    story.clock.move("P1D")

    lz.about(first).do("p_receive", "prov.officer", outcome="returned_for_correction", reason="汇总表缺页")
    lz.about(second).message("withdrawal", "app02", withdrawal={"reason": "企业搬迁，申请撤回。"})
    story.work()
    with story.database.begin() as connection:
        rebuild(connection, Catalog(story.database))

    assert lz.about(second).rows_of_case()["status"] == "completed"
    assert letters(story) == (sent,)
    assert letters(story)[0].frozen.digest == sent.frozen.digest
    lz.recommended(3, order=3)
    assert [len(one.rows) for one in letters(story)] == [3]
    assert letters(story, until=then) == (sent,)
    assert letters(story, until=then - timedelta(days=1)) == ()


def test_each_document_number_is_a_letter_and_who_is_not_recommended_stands_in_none(story, lz):
    lz.recommended(1)
    lz.recommended(2, document_no="兰工信函〔2026〕34号")
    lz.recommend(lz.reviewed(3), outcome="not_recommended", reason="本次不推荐")

    assert [(one.document_no, len(one.rows)) for one in letters(story)] == [
        (NUMBER, 1),
        ("兰工信函〔2026〕34号", 1),
    ]
    with story.database.connect() as connection, pytest.raises(NotFound):
        recommendations.letter(connection, batch=BATCH, authority=LANZHOU, number="没有")


def test_a_quota_is_told_with_the_cases_that_hold_its_places(story):
    lz = Recommending(story, {"default": None, "by_authority": {LANZHOU: 1}})
    first, second = lz.recommended(1), lz.reviewed(2)

    with story.database.connect() as connection:
        (quota,) = recommendations.quotas(connection, batch=BATCH, authority=LANZHOU)
        assert recommendations.quotas(connection, batch=BATCH, authority="620200") == ()
        assert recommendations.undecided(connection, batch=BATCH, authority=LANZHOU) == (
            lz.about(second).task("m_recommend"),
        )
    assert (quota.track, quota.of, quota.held_by) == ("gf", 1, (first,))
    with pytest.raises(WrongState, match=first):
        lz.recommend(second)


@pytest.mark.parametrize(
    ("person", "reads"),
    [
        ("lz.officer", True),
        ("lz.leader", True),
        ("lz.county", True),
        ("jyg.leader", False),
        ("prov.officer", True),
        ("auditor", True),
        ("app01", False),
        ("dee", False),
        ("expert1", False),
    ],
)
def test_an_authority_reads_its_own_and_the_province_all(story, person, reads):
    assert recommendations.may_read(story.person(person), LANZHOU) is reads
