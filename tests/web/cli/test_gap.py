"""A database that lost what was acknowledged: it is told case by case, and an operator may go on without."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing

import pytest

from web.cli import house
from workflows.actors.people import find_person


@pytest.fixture
def acknowledged(season):
    """A season in which an action was acknowledged by a process that keeps marks, and a copy from before."""
    source, target = (sqlite3.connect(season.folder / name) for name in ("tidu.db", "before.db"))
    with closing(source), closing(target):
        source.backup(target)
    return season, *suspend_a_case(season)


def suspend_a_case(season):
    """Which case it was, and where it ends now."""
    (case_id,) = season.execute("SELECT min(case_id) FROM cases WHERE status = 'active'")[0]
    rooms = house.open_house()
    with rooms.database.connect() as connection:
        leader = find_person(connection, "prov.leader")
    done = rooms.commands.suspend_case(case_id, "等待核实有关情况", actor=leader)
    rooms.database.dispose()
    return case_id, done.seq


def set_back(tidu):
    """The database is what it was before."""
    for part in tidu.folder.glob("tidu.db*"):
        part.unlink()
    (tidu.folder / "before.db").rename(tidu.folder / "tidu.db")


def test_nothing_is_missing_until_something_is(acknowledged):
    tidu, _, _ = acknowledged

    assert tidu("gap show --json") == (0, {"entries": 0, "cases": []})
    code, answer = tidu("gap accept --reason nothing --json")
    assert (code, answer["error"]["code"]) == (1, "NO_GAP")


def test_what_is_missing_is_told_and_verified(acknowledged):
    tidu, case_id, seq = acknowledged
    set_back(tidu)

    code, answer = tidu("gap show --json")
    assert (code, answer["entries"]) == (1, 1)
    assert [(one["case_id"], one["after"], one["upto"]) for one in answer["cases"]] == [
        (case_id, seq - 1, seq)
    ]
    assert "acknowledged" in {sign["name"] for sign in tidu("doctor --json")[1]["signs"] if not sign["ok"]}
    code, answer = tidu("verify --all --json")
    assert (code, [(f["case"], f["code"], f["seq"]) for f in answer["findings"]]) == (
        1,
        [(case_id, "V-GAP", seq)],
    )


def test_an_accepted_gap_is_recorded_and_work_goes_on(acknowledged):
    tidu, case_id, _ = acknowledged
    set_back(tidu)

    assert tidu(["gap", "accept", "--reason", "standby promoted"])[0] == 0

    records = tidu.execute("SELECT case_id, reason FROM operations WHERE action = 'gap.accept'")
    assert [tuple(record) for record in records] == [(case_id, "standby promoted")]
    assert tidu("gap show --json")[0] == 0
    assert tidu("verify --all --json")[0] == 0


def test_a_restore_of_an_older_backup_tells_what_came_after_it(season, tmp_path):
    assert season(["backup", "-o", str(tmp_path / "old.zip")])[0] == 0
    case_id, seq = suspend_a_case(season)
    for part in season.folder.glob("tidu.db*"):
        part.unlink()

    code, answer = season(["restore", str(tmp_path / "old.zip"), "--json"])

    assert code == 1
    assert [(f["case"], f["code"], f["seq"]) for f in answer["findings"]] == [(case_id, "V-GAP", seq)]
    assert re.match(r"1 entries that were acknowledged", answer["findings"][0]["detail"])
