"""The register by journalled answers: each operation's story, any day asked, and written again the same."""

from __future__ import annotations

from datetime import date, timedelta

from workflows.register import bans, batches, cultivation, evaluators, titles, units, years
from workflows.register.changes import standing
from workflows.register.records import record_of

DAY = timedelta(days=1)
TODAY = date(2026, 3, 2)
LATER = date(2026, 6, 1)
OLD = "兰州兰岭水泥有限公司"


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
