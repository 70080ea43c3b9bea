"""The register by journalled answers: each operation's story, any day asked, and written again the same."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from decimal import Decimal

import pytest

from tests.reliability.dumps import dump
from tests.workflows.services.asking import Register
from workflows.register import bans, batches, cultivation, evaluators, titles, units, years
from workflows.register.changes import standing
from workflows.register.records import record_of
from workflows.transaction import projections

DAY = timedelta(days=1)
TODAY = date(2026, 3, 2)
LATER = date(2026, 6, 1)
OLD = "兰州兰岭水泥有限公司"


@pytest.fixture
def register(story):
    """Whatever a story leaves behind is the same when it is written again from the journal."""
    made = Register(story)
    yield made
    before = dump(made.database), dump(made.database, (batches.batches,))
    with made.database.begin() as connection:
        projections.rebuild(connection, made.catalog)
    assert (dump(made.database), dump(made.database, (batches.batches,))) == before


def designate(register, **changes):
    told = {"track": "gf", "level": "municipal", "title": "绿色工厂", "title_en": "Green factory"}
    told |= {"batch": "2026-1", "document": "兰工信发1号", "body": "兰州市工业和信息化局", "date": TODAY}
    return register.ask("register.designate", **(told | changes))["designation_id"]


def titles_on(register, unit, *days):
    with register.reading() as connection:
        return [[*record_of(connection, unit, on=on).titles] for on in days]


def test_titles_are_removed_by_track_and_level_and_the_unit_is_barred(register):
    low = designate(register)
    high = designate(register, level="provincial")
    water = designate(register, track="we", level="municipal")

    gone = register.ask(
        "register.remove", track="gf", levels=["provincial"], ground="false_data", date=LATER, ban_years=None
    )
    assert (gone["removed"], gone["titles"], gone["banned_until"]) == ([high], ["gf.provincial"], None)

    gone = register.ask(
        "register.remove", track=None, levels=None, ground="exclusion", date=LATER + DAY, ban_years=3
    )
    assert (gone["removed"], gone["banned_until"]) == ([low, water], date(2029, 6, 2))

    days = (TODAY - DAY, TODAY, LATER - DAY, LATER, LATER + DAY, LATER + 2 * DAY)
    assert titles_on(register, "u01", *days) == [
        [],
        ["gf.municipal", "gf.provincial", "we.municipal"],
        ["gf.municipal", "gf.provincial", "we.municipal"],
        ["gf.municipal", "we.municipal"],
        [],
        [],
    ]
    with register.reading() as connection:
        barred = [bans.ban_of(connection, "u01", on=on) is not None for on in days]
    assert barred == [False, False, False, False, True, True]


def test_removing_what_was_removed_takes_nothing_more(register):
    designate(register)
    for expected in (1, 0):
        gone = register.ask("register.remove", track="gf", ground="own_request", date=LATER)
        assert len(gone["removed"]) == expected


def test_nothing_is_given_to_a_banned_unit(register):
    register.ask("register.remove", ground="exclusion", date=TODAY, ban_years=3)

    for track, level in (("gf", "municipal"), ("wp", "provincial")):
        assert register.refused("register.designate", track=track, level=level).startswith("BANNED")
    assert register.refused("register.cultivate", track="sc").startswith("BANNED")
    until = date(2029, 3, 2)
    for day in (TODAY - DAY, until):  # neither dated back nor dated ahead
        told = {"track": "gf", "level": "municipal", "date": day}
        assert register.refused("register.designate", **told).startswith("BANNED")
    register.clock.move(until - TODAY)
    designate(register, date=until)


def test_a_title_is_renewed_before_it_ends_and_not_given_twice(register):
    designate(register, track="we", valid_years=3)
    renewed = TODAY + 1000 * DAY
    again = {"track": "we", "level": "municipal", "valid_years": 3}
    assert register.refused("register.designate", date=TODAY, **again).startswith("ALREADY_BORNE")
    designate(register, track="we", valid_years=3, date=renewed)

    with register.reading() as connection:
        (row,) = standing(connection, tracks=("we",), on=renewed)
        assert row["valid_until"] == date(2031, 11, 26)
        assert len(titles.titles_of(connection, "u01", on=renewed)) == 2
    assert titles_on(register, "u01", date(2029, 3, 3), date(2031, 11, 26), date(2031, 11, 27)) == [
        ["we.municipal"],
        ["we.municipal"],
        [],
    ]


def test_a_lookup_tells_until_when_the_title_of_the_track_is_valid(register):
    designate(register, track="we", valid_years=3)
    designate(register, track="gf")

    found = register.ask("register.lookup", track="we")

    assert (found["level"], found["valid_until"]) == ("municipal", date(2029, 3, 2))
    assert found["titles"] == ["gf.municipal", "we.municipal"]
    assert register.ask("register.lookup", track="gf")["valid_until"] is None
    assert register.ask("register.lookup", track="gp")["level"] == "none"


def test_a_firm_is_looked_up_by_its_credit_code(register):
    register.ask("register.remove", ground="exclusion", date=TODAY, ban_years=3)
    with register.reading() as connection:
        code = units.find_unit(connection, "u01", on=TODAY)["uscc"]

    assert register.ask("register.lookup", unit=code, track="gf")["banned_until"] == date(2029, 3, 2)
    unknown = register.ask("register.lookup", unit="91620000MA00000000", track="gf")
    assert (unknown["name"], unknown["banned_until"]) == ("", None)


def test_a_new_name_is_told_from_its_day_on(register):
    designate(register)
    told = {"name": "兰岭绿色建材有限公司", "name_en": "Lanling Green", "date": LATER, "document": "公函1号"}

    assert register.ask("register.rename", **told)["previous"] == OLD

    with register.reading() as connection:
        for on, name in ((LATER - DAY, OLD), (LATER, told["name"]), (LATER + DAY, told["name"])):
            assert units.find_unit(connection, "u01", on=on)["name"] == name
            assert titles.list_titles(connection, on=on)[0]["unit_name"] == name
            assert batches.unit_context(connection, "u01", on=on)["name"] == name
    assert register.refused("register.rename", **told).startswith("SAME_NAME")


def test_a_merger_carries_titles_and_bans_over(register):
    factory = designate(register)
    water = designate(register, track="we")
    there = designate(register, unit="u02", track="we")
    register.ask("register.remove", track="gp", ground="false_data", date=TODAY, ban_years=3)

    told = register.ask("register.merge", into="u02", date=LATER, document="合并公告", titles="carry")

    assert told["titles"] == [factory, water]
    assert (told["carried"], told["ended"]) == ([factory], [water])
    assert titles_on(register, "u01", LATER - DAY, LATER) == [["gf.municipal", "we.municipal"], []]
    assert titles_on(register, "u02", LATER - DAY, LATER) == [
        ["we.municipal"],
        ["gf.municipal", "we.municipal"],
    ]
    with register.reading() as connection:
        (kept,) = (t for t in titles.titles_of(connection, "u02", on=LATER) if t.track == "we")
        assert kept.designation_id == there
        barred = [
            bans.ban_of(connection, "u02", on=on) is not None for on in (LATER - DAY, LATER, LATER + DAY)
        ]
    assert barred == [False, True, True]


def test_a_merger_may_end_the_titles(register):
    designate(register)

    told = register.ask("register.merge", into="u02", date=LATER, titles="end")

    assert (told["carried"], len(told["ended"])) == ([], 1)
    assert titles_on(register, "u01", LATER - DAY, LATER) == [["gf.municipal"], []]
    assert titles_on(register, "u02", LATER) == [[]]


def test_a_unit_is_merged_once_and_never_into_its_own_part(register):
    register.ask("register.merge", into="u02", date=TODAY, titles="end")

    again = {"date": TODAY, "titles": "end"}
    assert register.refused("register.merge", into="u03", **again).startswith("MERGED_ALREADY")
    assert register.refused("register.merge", unit="u02", into="u01", **again).startswith(
        "MERGED_INTO_ITSELF"
    )
    assert register.refused("register.merge", unit="u03", into="u03", **again).startswith(
        "MERGED_INTO_ITSELF"
    )


def test_a_unit_walks_through_the_cultivation_database(register):
    register.ask("register.cultivate", track="gf", target_year=2027, valid_years=3)
    assert register.ask("register.stage", track="gf", stage="diagnosed", score=61.5, gaps=["计量"]) == {
        "stage": "diagnosed"
    }
    register.clock.move("P10D")
    register.ask("register.stage", track="gf", stage="ready")
    register.clock.move("P1D")

    left = register.ask("register.leave", track="gf", ground="promoted")

    assert left["left"] == 1
    with register.reading() as connection:
        gone = TODAY + 11 * DAY
        held = [
            cultivation.cultivated(connection, "u01", on=on) for on in (TODAY - DAY, TODAY, gone - DAY, gone)
        ]
        assert held == [(), ("gf",), ("gf",), ()]
        first, second = cultivation.stages_of(connection, "u01", track="gf", on=gone)[::-1]
        assert (first["stage"], first["score"], first["gaps"]) == ("diagnosed", "61.5", ["计量"])
        assert second["stage"] == "ready"
    assert register.refused("register.stage", track="gf", stage="ready").startswith("NOT_CULTIVATED")
    register.ask("register.cultivate", track="gf")
    assert register.refused("register.cultivate", track="gf").startswith("ALREADY_CULTIVATED")


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


def test_titles_that_stand_are_listed_as_of_a_day(register):
    designate(register)
    designate(register, unit="u09", level="provincial", track="we", valid_years=3)

    def listed(**asked):
        return [(row["unit"], row["track"]) for row in register.ask("register.standing", **asked)["standing"]]

    assert listed() == [("u01", "gf"), ("u09", "we")]
    assert listed(on=TODAY - DAY) == []
    assert listed(tracks=["we"]) == listed(levels=["provincial"]) == [("u09", "we")]
    assert listed(authority="620100") == [("u01", "gf")]
    assert listed(expiring_before=date(2029, 3, 2)) == []
    assert listed(expiring_before=date(2029, 3, 3)) == [("u09", "we")]
    (row,) = register.ask("register.standing", tracks=["we"])["standing"]
    assert (row["decided_on"], row["valid_until"], row["level"]) == (TODAY, date(2029, 3, 2), "provincial")


def test_what_changed_between_two_days_is_told_for_the_notice(register):
    designate(register)
    designate(register, unit="u02")
    register.ask("register.rename", name="新名称有限公司", date=LATER)
    register.ask("register.remove", unit="u02", ground="false_data", document="甘3号", date=LATER + DAY)
    register.ask("register.merge", into="u03", date=LATER + 2 * DAY, titles="carry")

    def changed(since, until):
        return register.ask("register.changes", since=since, until=until, level="municipal")

    assert [row["unit"] for row in changed(TODAY, LATER - DAY)["new"]] == ["u01", "u02"]
    told = changed(LATER, LATER + 2 * DAY)
    assert told["new"] == []
    ((gone,), (renamed, carried)) = told["removed"], told["renamed"]
    assert (gone["unit"], gone["ground"], gone["date"]) == ("u02", "false_data", LATER + DAY)
    assert (renamed["name"], renamed["previous"], renamed["date"]) == ("新名称有限公司", OLD, LATER)
    assert (carried["unit"], carried["previous"], carried["date"]) == (
        "u03",
        "新名称有限公司",
        LATER + 2 * DAY,
    )
    assert changed(LATER + 3 * DAY, LATER + 9 * DAY) == {"new": [], "removed": [], "renamed": []}


def test_scores_of_years_say_who_is_last(register):
    told = {"track": "gf", "level": "national", "year": 2026}
    for unit, score in (("u01", 60), ("u02", 70), ("u03", 80), ("u04", 90)):
        assert register.ask("register.score", unit=unit, score=score, **told) == {"recorded": True}

    (last,) = register.ask("register.ranking", share=0.25, years=3, **told)["last"]

    assert (last["unit"], last["name"], last["score"], last["rank"]) == ("u01", OLD, 60, 4)
    assert last["years_in_a_row"] == 1
    assert register.refused("register.ranking", share=5, **told).startswith("JOB_FAILED")


def test_a_green_code_is_given_and_made_void(register):
    given = register.ask("register.green_code", year=2026, grade="A+", valid_until=date(2027, 5, 15))["code"]
    assert given.startswith("2026-")
    with register.reading() as connection:
        assert years.green_code_of(connection, "u01", on=TODAY)["grade"] == "A+"

    assert register.ask("register.green_code", year=2026, grade=None) == {"code": None}

    with register.reading() as connection:
        assert years.green_code_of(connection, "u01", on=TODAY) is None
    assert register.refused("register.green_code", year=2026, grade="C").startswith("JOB_FAILED")


def test_a_park_is_set_targets(register):
    targets = [{"track": "gf", "count": 2}, {"track": "we", "count": 1}]
    assert register.ask("register.pull", track="gp", year=2027, targets=targets) == {"recorded": True}

    with register.reading() as connection:
        assert years.pull_targets_of(connection, "u01", year=2027) == {"gf": 2, "we": 1}


def test_an_evaluator_is_counted_and_sanctioned(register):
    counted = register.ask("evaluator.count", evaluator="ev1", year=2026, level="national")
    assert counted == {"count": 0, "not_accepted_until": None}
    assert register.ask("evaluator.count", evaluator="ev1", year=2026, level="provincial")["count"] == 0
    assert register.ask("evaluator.count", evaluator="ev1", year=2026)["count"] == 2

    warned = register.ask(
        "evaluator.sanction", evaluator="ev1", kind="warning", ground="late_report", date=TODAY
    )
    assert warned == {"not_accepted_until": None}
    sanction = {"evaluator": "ev1", "kind": "not_accepted", "ground": "false_report", "date": TODAY}
    assert register.ask("evaluator.sanction", years=3, **sanction) == {"not_accepted_until": date(2029, 3, 2)}
    assert register.refused("evaluator.sanction", **sanction).startswith("JOB_FAILED")

    with register.reading() as connection:
        assert evaluators.not_accepted_until(connection, "ev1", on=date(2029, 3, 1))
        assert evaluators.not_accepted_until(connection, "ev1", on=date(2029, 3, 2)) is None


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
