"""Batches keep their rules; a case is told of its unit, its batch and its rules."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from engine.errors import NotFound, WrongState
from engine.values import from_json, to_json
from tests.workflows.register.parts import BPMN, NOW
from workflows.register import batches
from workflows.register.calendar import load_calendar
from workflows.register.rules import flat, load_rules
from workflows.store.tables import migrate, open_database


def test_a_new_installation_has_an_open_batch_with_its_rules_and_calendar(connection):
    (batch,) = batches.open_batches(connection)

    assert (batch.id, batch.year, batch.calendar) == ("2026-1", 2026, "cn-2026-1")
    assert batch.rules_digest == batch.rules.digest == load_rules().digest
    assert load_calendar(batch.calendar).id == batch.calendar
    assert batches.load_batches(connection, now=NOW) == ("2026-1",)


def test_a_case_is_told_of_its_unit_its_batch_and_its_rules(connection):
    told = batches.case_context(connection, "u01", batches.newest_open(connection), now=NOW)

    assert told["batch"] == {
        "id": "2026-1",
        "status": "open",
        "year": 2026,
        "name": "甘肃省2026年度绿色制造梯度培育第一批",
        "name_en": "Gansu green manufacturing 2026, first batch",
        "calendar": "cn-2026-1",
    }
    unit = told["unit"]
    assert (unit["authority"], unit["authority_name"], unit["authority_name_en"]) == (
        "620100",
        "兰州市",
        "Lanzhou",
    )
    assert (unit["key_sector"], unit["founded"], unit["capital"]) == (True, date(2004, 6, 18), 32000)
    assert (unit["titles"], unit["cultivated"], unit["banned_until"]) == ([], [], None)
    assert told["rules"]["days"]["gf_m5"] == 5
    assert from_json(to_json(told)) == told


def test_a_case_without_unit_or_batch_is_told_the_rules_of_the_day(connection):
    told = batches.case_context(connection, None, None, now=NOW)

    assert (told["unit"], told["batch"]) == (None, None)
    assert told["rules"] == load_rules().shared.value


def test_on_a_day_without_rules_in_force_it_is_told_null(connection):
    earlier = NOW - timedelta(days=365)

    assert batches.case_context(connection, None, None, now=earlier)["rules"] is None


def test_an_unknown_unit_or_batch_is_not_found(connection):
    with pytest.raises(NotFound):
        batches.case_context(connection, "u99", None, now=NOW)
    with pytest.raises(NotFound):
        batches.find_batch(connection, "1999-1")


def test_the_rules_of_a_batch_are_read_once(connection):
    first, again = batches.find_batch(connection, "2026-1"), batches.newest_open(connection)

    assert again.rules is first.rules
    assert again.rules.context is first.rules.context


@pytest.mark.parametrize("overrides", [{"thresholds.gf_municipal": 60}, {"thresholds": {"gf_municipal": 60}}])
def test_rules_can_be_tried_out_with_other_values(connection, overrides):
    batch = batches.find_batch(connection, "2026-1")
    rules = batches.rules_for_case(batch, overrides)
    told = batches.case_context(connection, "u01", batch, now=NOW, rules=rules)

    assert told["rules"]["thresholds"]["gf_municipal"] == 60
    assert told["rules"]["version"] == 1
    assert flat({"a": {"b": {"c": 1}}, "d": [2]}) == {"a.b.c": 1, "d": [2]}
    own = {"default": 12, "by_authority": {"620100": 20}}
    assert flat({"quota": {"gf": own}}) == flat({"quota.gf": own}) == {"quota.gf": own}


def test_a_batch_keeps_the_rules_it_was_opened_with(connection):
    changed = load_rules().changed({"publicity.provincial": 7})
    facts = {"name": "第二批", "name_en": "Second batch", "calendar": "cn-2026-1", "by": "owner", "now": NOW}
    batches.open_batch(connection, "2026-2", rules=changed, approved_by="approver", **facts)

    assert batches.find_batch(connection, "2026-2").rules.value("days.gf_p8") == 7
    assert batches.find_batch(connection, "2026-1").rules.value("days.gf_p8") == 5
    with pytest.raises(WrongState):
        batches.open_batch(connection, "2026-2", rules=load_rules(), **facts)


def test_a_closed_batch_takes_no_more_applications(connection):
    batches.close_batch(connection, "2026-1")

    assert batches.open_batches(connection) == ()
    assert batches.newest_open(connection) is None
    assert batches.find_batch(connection, "2026-1").status == "closed"
    with pytest.raises(NotFound):
        batches.close_batch(connection, "1999-1")


def test_every_unit_and_evaluator_has_a_credit_code_of_its_own_with_the_right_check_digit():
    rows = [
        row
        for name in ("units", "evaluators")
        for row in json.loads((BPMN / "organisations" / f"{name}.json").read_bytes())[name]
    ]

    assert len({row["uscc"] for row in rows}) == 42
    assert [row["uscc"] for row in rows if not batches.is_uscc(row["uscc"])] == []


@pytest.mark.parametrize(
    "code", ["91620103MA807932XE", "91620103MA807932X", "９1620103MA807932XD", "", "I" * 18]
)
def test_a_wrong_credit_code_is_found_out(code):
    assert batches.is_uscc("91350100M000100Y43") is True  # the example of GB 32100-2015
    assert batches.is_uscc(code) is False


def test_every_unit_lies_in_one_of_the_fifteen_authorities(connection):
    rows = json.loads((BPMN / "organisations" / "units.json").read_bytes())["units"]
    known = json.loads((BPMN / "organisations" / "authorities.json").read_bytes())["authorities"]

    assert len(known) == 15
    assert {row["authority"] for row in rows} == {row["code"] for row in known}
    assert [row["authority"] for row in rows[:8]] == ["620100"] * 8


def test_a_migrated_database_has_every_table_the_rooms_declare(tmp_path):
    database = open_database(f"sqlite:///{tmp_path / 'new.sqlite'}")
    migrate(database)

    there = set(sa.inspect(database).get_table_names())

    assert {
        "designations",
        "cultivation",
        "bans",
        "evaluator_projects",
        "batches",
        "evidence",
        "units",
    } <= there
    database.dispose()
