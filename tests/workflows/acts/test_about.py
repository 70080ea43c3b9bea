"""Officers begin a case about a unit, and some cases nobody sees by office."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from engine.errors import InvalidInput, NotAllowed, NotFound
from tests.processes import drawn
from workflows.reading.history import CaseQuery
from workflows.store.tables import cases
from workflows.transaction import projections

REMOVAL = {"track": "gf", "level": "municipal", "ground": "exclusion", "facts": "列入失信被执行人名单。"}
REPORTER = {"kind": "person", "name": "王春燕", "id_no": "620102198803120025", "contact": "13893400000"}
REPORT = {
    "reporter": REPORTER,
    "reported": "unit",
    "reported_name": "兰州兰岭水泥有限公司",
    "received_on": "2026-03-02",
    "channel": "letter",
    "facts": "能源消费数据与实际不符。",
}
RELEASED = "反映该单位能源消费数据与实际不符。"
CHECKED = {"outcome": "accepted", "target": "u01", "released_facts": RELEASED}


@pytest.fixture
def house(story):
    for process in ("rectification", "removal", "complaint_investigation", "complaint"):
        story.deploy(drawn.ROOT / process)
    return story


def uscc(house, unit):
    with house.database.connect() as connection:
        return connection.execute(sa.text("SELECT uscc FROM units WHERE id = :u"), {"u": unit}).scalar_one()


def test_an_officer_names_the_unit_by_id_or_credit_code(house):
    for name in ("u01", uscc(house, "u01")):
        house.start("removal", by="prov.officer", values={**REMOVAL, "about": name})

        row = house.rows(cases)[0]
        assert (row["unit_id"], row["authority"]) == ("u01", "620100")


def test_a_unit_that_nobody_knows_is_told_at_its_field(house):
    with pytest.raises(InvalidInput) as refused:
        house.start("removal", by="prov.officer", values={**REMOVAL, "about": "u99"})
    assert [field.pointer for field in refused.value.fields] == ["/about"]

    with pytest.raises(InvalidInput) as refused:
        house.start("removal", by="prov.officer", values=REMOVAL)
    assert [field.pointer for field in refused.value.fields] == ["/about"]


def test_a_local_officer_begins_cases_about_units_of_the_own_authority_only(house):
    house.start("removal", by="lz.officer", values={**REMOVAL, "about": "u01"})

    with pytest.raises(NotAllowed) as refused:
        house.start("removal", by="jyg.officer", values={**REMOVAL, "about": "u01"})
    assert refused.value.code == "OUT_OF_SCOPE"


def seen(house, person):
    return {line.row["case_id"] for line in house.history.find(CaseQuery(), house.person(person)).items}


def test_who_reports_is_known_to_those_alone_who_have_a_part_in_the_case(house):
    report = house.start("complaint", by="lz.officer", values=REPORT).case_id

    for person in ("prov.officer", "prov.leader", "lz.leader", "lz.county", "auditor", "app01", "admin"):
        assert report not in seen(house, person), person
        with pytest.raises(NotFound):
            house.commands.claim_task(house.task("cpl_check"), actor=house.person(person))
        with pytest.raises(NotFound):
            house.inbox.task(house.task("cpl_check"), house.person(person))
    for person in ("prov.officer2", "lz.officer"):
        assert report in seen(house, person), person


def test_the_investigation_knows_the_facts_that_were_released_and_nothing_of_the_reporter(house):
    report = house.start("complaint", by="prov.officer2", values=REPORT).case_id
    house.do("cpl_check", "prov.officer2", CHECKED)
    house.work()

    with house.database.connect() as connection:
        query = sa.select(cases.c.case_id).where(cases.c.process_id == "complaint_investigation")
        house.case_id = connection.execute(query).scalar_one()
    told = str([house.history.state(house.case_id, house.rows(cases)[0]["seq"]), house.rows(cases)[0]])
    assert RELEASED in told
    assert not [word for word in REPORTER.values() if word in told and word != "person"]
    assert house.case_id in seen(house, "app01")
    assert report not in seen(house, "app01")


def test_a_rebuild_keeps_a_case_confined(house):
    house.start("complaint", by="lz.officer", values=REPORT)
    with house.database.begin() as connection:
        projections.rebuild(connection, house.catalog)

    assert house.rows(cases)[0]["confined"]
    assert house.case_id not in seen(house, "prov.officer")
