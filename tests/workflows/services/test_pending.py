"""What waits for a notice and what a notice takes up: each change once for its level, whatever its day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from workflows.register import pending
from workflows.register.calendar import local_day

DAY = timedelta(days=1)
TODAY = date(2026, 3, 2)
OFFICER = {"by": "prov.officer"}


def designate(register, unit, level="provincial"):
    register.ask("register.designate", unit=unit, track="gf", level=level, title="绿色工厂", **OFFICER)


def decide(register, unit, levels=("provincial",)):
    """A removal that is decided; its case."""
    told = {"track": "gf", "levels": [*levels], "ground": "false_data", "document": "甘工信发〔2026〕55号"}
    register.ask("register.pending_removal", unit=unit, **told, **OFFICER)
    return register.case_id


def taken_up(register, level="provincial", since=None):
    """The units that a new notice names as removed and as renamed."""
    told = register.ask("register.take_up", level=level, since=since, **OFFICER)
    return [[row["unit"] for row in told[kind]] for kind in ("removed", "renamed")]


def waiting(register, on, level=None):
    with register.reading() as connection:
        return [row["unit"] for row in pending.pending_on(connection, level=level, on=on)]


def test_who_waits_is_known_of_every_day_and_level_until_the_case_is_over(register):
    decide(register, "u01", levels=("municipal", "provincial"))
    register.clock.move("P3D")
    decide(register, "u02")
    register.clock.move("P1D")
    register.let_go()

    days = [TODAY - DAY, TODAY, TODAY + 3 * DAY, TODAY + 4 * DAY]
    assert [waiting(register, day) for day in days] == [[], ["u01"], ["u01", "u02"], ["u01"]]
    assert waiting(register, TODAY + 3 * DAY, level="municipal") == ["u01"]
    told = register.ask("register.pending_removals", level="provincial", on=TODAY, **OFFICER)
    (row,) = told["pending"]
    assert (row["ground_name"], row["levels"], row["since"]) == (
        "提供虚假材料或数据",
        ["municipal", "provincial"],
        TODAY,
    )


def test_a_notice_names_what_waits_what_was_removed_and_what_was_renamed_each_once(register):
    for unit in ("u01", "u02", "u03"):
        designate(register, unit)
    decide(register, "u01")
    register.ask("register.remove", unit="u02", track="gf", ground="accident", date=TODAY, **OFFICER)
    register.ask("register.rename", unit="u03", name="兰州红古新炭素有限公司", date=TODAY, **OFFICER)

    assert taken_up(register) == [["u01", "u02"], ["u03"]]
    assert taken_up(register) == [[], []], "the notice before has named them"

    register.clock.move("P5D")
    register.ask("register.rename", unit="u03", name="兰州红古炭素新材料", date=TODAY, **OFFICER)
    assert taken_up(register) == [[], ["u03"]], "written late, it bears a day of before"


def test_levels_have_notices_of_their_own(register):
    for level in ("municipal", "provincial"):
        designate(register, "u01", level)
    decide(register, "u01", levels=("municipal", "provincial"))

    assert taken_up(register) == [["u01"], []]
    assert taken_up(register, "municipal") == [["u01"], []]
    assert taken_up(register, "national") == [[], []]


def test_a_title_that_goes_to_another_bearer_is_renamed(register):
    designate(register, "u01")
    register.ask("register.merge", unit="u01", into="u02", date=TODAY, titles="carry", **OFFICER)

    told = register.ask("register.take_up", level="provincial", **OFFICER)

    (row,) = told["renamed"]
    assert (row["unit"], row["name"], row["previous"]) == (
        "u02",
        "兰州西固石化新材料有限公司",
        "兰州兰岭水泥有限公司",
    )
    assert taken_up(register) == [[], []]


def test_what_a_batch_that_was_ended_took_up_is_free_again(register):
    designate(register, "u01")
    decide(register, "u01")
    assert taken_up(register) == [["u01"], []]

    register.commands.terminate_case(register.case_id, "重新组织会议", actor=register.person("prov.officer"))

    assert taken_up(register) == [["u01"], []]


def test_who_bears_the_title_no_more_is_not_named(register):
    decide(register, "u01")

    assert taken_up(register) == [[], []]


def test_changes_of_before_are_left_out_when_a_day_is_named(register):
    designate(register, "u01")
    register.ask("register.rename", unit="u01", name="兰州兰岭绿色水泥", date=TODAY, **OFFICER)

    assert taken_up(register, since=TODAY + DAY) == [[], []]
    assert taken_up(register, since=TODAY) == [[], ["u01"]]
    assert local_day(register.clock()) == TODAY


@pytest.mark.parametrize("levels", [[], ["county"], None])
def test_a_removal_waits_at_levels_that_there_are(register, levels):
    told = {"track": "gf", "levels": levels, "ground": "false_data"}

    assert "levels" in register.refused("register.pending_removal", **told, **OFFICER)
