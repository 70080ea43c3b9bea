"""After the title: a removal bans, a new name does not shake it off, and a person decides about a merger."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest

from tests.processes import drawn
from workflows.library.packages import in_call_order
from workflows.register import bans, titles
from workflows.register.calendar import SHANGHAI, local_day
from workflows.register.units import find_unit
from workflows.store.tables import cases
from workflows.workshop.checking import read_closure

TRACKS = ("gf", "sc", "gp", "we", "wp")
DECIDED = {"document_no": "甘工信发〔2026〕55号", "body": "甘肃省工业和信息化厅", "date": "2026-03-10"}
GIVEN = {"mode": "self", "contact_name": "高德胜", "contact_phone": "0931-5550101", "consent": True}


@pytest.fixture
def house(story):
    """The drawings in force, and u01 a provincial green factory."""
    deploy(story, "removal", "significant_change", "cultivation")
    with story.database.begin() as connection:
        titles.record_designation(
            connection,
            case_id="GF-2024-000001",
            designation_id="GF-2024-000001-gf-provincial",
            unit="u01",
            track="gf",
            level="provincial",
            title="省级绿色工厂",
            decided_on=date(2024, 10, 20),
        )
    return story


def deploy(house, *processes):
    found = {p.process_id: p for process in processes for p in read_closure(drawn.ROOT / process)}
    with house.database.begin() as connection:
        for package in in_call_order(found.values()):
            house.catalog.deploy(connection, package, by="owner", at=house.clock())


def remove(house):
    """The case in which u01 is removed for false data, with the yearly list."""
    values = {"track": "gf", "level": "provincial", "ground": "false_data", "facts": "能耗数据造假。"}
    house.start("removal", by="prov.officer", values={**values, "about": "u01"})
    house.work()
    house.do("rm_statement", "app01", statement="无异议。")
    house.do("rm_examine", "prov.officer", proposal="remove", reason="事实清楚。")
    house.do("rm_decide", "prov.leader", outcome="removed", reason="事实清楚。", **DECIDED)
    house.work()
    house.message("list_published", "prov.officer", list_no="甘工信发〔2026〕60号", published_on="2026-03-02")
    house.work()
    return house


def banned_until(house, unit="u01"):
    with house.database.connect() as connection:
        ban = bans.ban_of(connection, unit, on=local_day(house.clock()))
    return ban.until if ban else None


def outcome_of_applying(house):
    """What an application comes to at once: refused, or going on (None)."""
    return outcome_of(house.start("green_factory", by="app01", values=GIVEN))


def outcome_of_registering(house, track, by="app01"):
    """What asking for a place in the cultivation database comes to at once."""
    example = drawn.examples()["cultivation/admitted"]["start"]["values"]
    return outcome_of(house.start("cultivation", by=by, values={**example, "track": track}))


def outcome_of(house):
    house.work()
    row = house.rows(cases)[0]
    if row["status"] == "active":
        house.commands.terminate_case(house.case_id, "试办完毕即终止", actor=house.person("prov.officer"))
    return row["outcome"]


def at(house, day):
    house.clock.now = datetime.combine(day, time(9, 0), SHANGHAI)


def test_a_removal_bans_on_every_track_until_its_date_and_not_a_day_longer(house):
    deploy(house, "green_factory")
    remove(house)
    with house.database.connect() as connection:
        assert titles.titles_of(connection, "u01", on=local_day(house.clock())) == ()
    assert house.history.verify(house.case_id).ok
    until = banned_until(house)
    assert until == date(2029, 3, 2)

    for day in (local_day(house.clock()), until - timedelta(days=1)):
        at(house, day)
        assert outcome_of_applying(house) == "rejected_ineligible"
        assert {outcome_of_registering(house, track) for track in TRACKS} == {"rejected_ineligible"}

    at(house, until)
    assert banned_until(house) is None
    assert outcome_of_applying(house) is None
    assert {outcome_of_registering(house, track) for track in TRACKS} == {None}


def test_neither_a_new_name_nor_a_merger_shakes_the_ban_off(house):
    remove(house)
    notify(house, "rename", new_name="甘肃兰岭绿色水泥有限公司")
    house.do("ch_classify", "lz.officer", outcome="rename", opinion="核对无误。")
    house.do("ch_verify", "prov.officer", outcome="verified", reason="同一主体。")
    house.work()
    with house.database.connect() as connection:
        assert find_unit(connection, "u01", on=date(2026, 3, 2))["name"] == "甘肃兰岭绿色水泥有限公司"
    assert outcome_of_registering(house, "gf") == "rejected_ineligible"

    notify(house, "restructuring", new_name="兰州西固石化新材料有限公司")
    house.do("ch_classify", "lz.officer", outcome="merger", opinion="吸收合并。")
    house.work()
    assert house.is_waiting_at("ch_merge"), "a person decides about a merger"
    assert banned_until(house, "u02") is None
    house.do(
        "ch_merge", "prov.leader", outcome="merged", into="u02", titles="end", reason="合并。", **DECIDED
    )
    house.work()
    assert banned_until(house, "u02") == date(2029, 3, 2)
    assert outcome_of_registering(house, "gf", by="app02") == "rejected_ineligible"


def notify(house, kind, **more):
    values = {"type": kind, "registered_on": "2026-03-02", "proof_no": "登记118号", "what": "变更。", **more}
    house.start("significant_change", by="app01", values=values)
    house.work()
