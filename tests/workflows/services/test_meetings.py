"""A batch's operations: its opening and closing, its candidates in their order, and its frozen list."""

from __future__ import annotations

import hashlib
from decimal import Decimal

import pytest

from workflows.register import batches

OLD = "兰州兰岭水泥有限公司"


def test_candidates_are_ranked_by_track_score_and_name_while_their_cases_go_on(register):
    told = {"batch": "2026-1", "level": "provincial", "proposal": "recommend", "opinions": 1, "order": 2}
    for unit, track, score in (
        ("u01", "gf", 80.5),
        ("u02", "gf", 91),
        ("u03", "gf", None),
        ("u04", "we", 70),
    ):
        register.ask("register.candidate", unit=unit, track=track, score=score, by="prov.officer", **told)
    register.ask("register.candidate", unit="u05", track="gf", score=99, by="prov.officer", **told)
    register.let_go()

    found = register.ask("register.candidates", batch="2026-1", track=None, level="provincial")["candidates"]

    order = [(row["track"], row["unit"], row["rank"]) for row in found]
    assert order == [("gf", "u02", 1), ("gf", "u01", 2), ("gf", "u03", 3), ("we", "u04", 1)]
    assert (found[1]["score"], found[1]["name"], found[1]["authority"]) == (Decimal("80.5"), OLD, "620100")
    assert (found[1]["opinions"], found[1]["order"]) == (1, 2)
    (water,) = register.ask("register.candidates", batch="2026-1", track="we", level="provincial")[
        "candidates"
    ]
    assert water["unit"] == "u04"
    assert register.ask("register.candidates", batch="2027-1", level="provincial")["candidates"] == []


def test_a_meeting_sees_the_candidates_of_all_batches_and_of_which_they_are(register):
    told = {"track": "gf", "level": "provincial", "proposal": "deferred_next_batch"}
    register.ask("register.candidate", unit="u02", score=90, by="prov.officer", batch="2026-1", **told)

    (row,) = register.ask("register.candidates", batch=None, level="provincial")["candidates"]

    assert (row["batch"], row["proposal"], row["track_name"]) == (
        "2026-1",
        "deferred_next_batch",
        "绿色工厂",
    )


def test_a_list_is_frozen_as_a_text_whose_digest_anybody_can_compute(register):
    rows = [{"rank": Decimal(1), "unit": "u01", "name": OLD}]

    frozen = register.ask("list.freeze", rows=rows)
    again = register.ask("list.freeze", rows=[{"name": OLD, "unit": "u01", "rank": Decimal(1)}])
    other = register.ask("list.freeze", rows=[])

    assert hashlib.sha256(frozen["text"].encode()).hexdigest() == frozen["digest"] == again["digest"]
    assert OLD in frozen["text"]
    assert other["digest"] != frozen["digest"]
    assert register.refused("list.freeze", rows="u01").startswith("JOB_FAILED")


def test_a_batch_that_ships_with_the_product_is_led_as_it_stands_while_it_is_open(register):
    told = {"name": "别名", "name_en": "Other", "calendar": "cn-2026-1", "approved_by": "approver"}
    told |= {"batch": "2026-1", "rules": {"id": "gansu-2026", "changes": {"publicity.provincial": 9}}}

    led = register.ask("batch.open", **told)

    with register.reading() as connection:
        batch = batches.find_batch(connection, "2026-1")
    assert (led["digest"], batch.case_id) == (batch.rules_digest, "")
    assert (batch.name_en, batch.rules.value("publicity.provincial")) == (
        "Gansu green manufacturing 2026, first batch",
        5,
    )
    register.ask("batch.close", batch="2026-1")
    assert register.refused("batch.open", **told).startswith("BATCH_EXISTS")


def test_who_enters_a_batch_again_stands_there_once_with_the_newest_word(register):
    told = {"batch": "2026-1", "track": "gf", "level": "provincial", "proposal": "recommend"}
    first = register.ask("register.candidate", score=70, **told)
    assert first["candidate"] == f"{register.case_id}-2026-1-gf-provincial"
    assert register.refused("register.candidate", **(told | {"batch": "1999-1"})).startswith("JOB_FAILED")


BATCH = {
    "batch": "2027-1",
    "name": "甘肃省2027年度第一批",
    "name_en": "Gansu 2027, first batch",
    "calendar": "cn-2026-1",
    "approved_by": "prov.leader",
}


def test_a_case_opens_a_batch_with_other_rules_and_closes_it(register):
    rules = {"id": "gansu-2026", "changes": {"publicity.provincial": 7, "quota": {"gf": 12}}}
    register.clock.move("P1D")
    assert register.ask("batch.open", rules=rules, **BATCH)["batch"] == "2027-1"
    opened = register.case_id
    assert register.refused("batch.open", rules=rules, **BATCH).startswith("BATCH_EXISTS")

    with register.reading() as connection:
        batch = batches.newest_open(connection)
        assert (batch.id, batch.case_id, batch.approved_by) == ("2027-1", opened, "prov.leader")
        assert (batch.rules.value("publicity.provincial"), batch.rules.value("quota.gf")) == (7, 12)
        assert batches.find_batch(connection, "2026-1").rules.value("publicity.provincial") == 5

    assert register.ask("batch.close", batch="2027-1") == {"closed": True}

    with register.reading() as connection:
        assert batches.find_batch(connection, "2027-1").status == "closed"
        assert batches.newest_open(connection).id == "2026-1"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"calendar": "cn-1999"}, "CALENDAR_MISSING"),
        ({"rules": "nowhere"}, "RULES_INVALID"),
        ({"rules": {"id": "gansu-2026", "version": 9}}, "RULES_INVALID"),
        ({"rules": {"id": "gansu-2026", "changes": {"quota.gf": -1}}}, "RULES_INVALID"),
        ({"approved_by": None}, "JOB_FAILED"),
    ],
)
def test_a_batch_that_cannot_be_is_not_opened(register, change, code):
    assert register.refused("batch.open", **(BATCH | {"rules": "gansu-2026"} | change)).startswith(code)


def test_a_batch_that_ships_may_be_closed_by_a_case(register):
    register.ask("batch.close", batch="2026-1")

    with register.reading() as connection:
        assert batches.open_batches(connection) == ()
